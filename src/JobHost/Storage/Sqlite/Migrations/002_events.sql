-- Written in the transaction of the change that they tell of. One writer, so an event with a lower number is never seen later.
CREATE TABLE event (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  at       INTEGER NOT NULL,
  topic    TEXT NOT NULL,
  run_id   BLOB,
  job      TEXT,
  document TEXT NOT NULL
);
CREATE INDEX event_by_run ON event (run_id, sequence) WHERE run_id IS NOT NULL;
