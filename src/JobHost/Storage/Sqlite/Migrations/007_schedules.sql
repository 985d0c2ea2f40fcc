-- The document says when a schedule is due next, so a restart goes on where the life before has left off.
CREATE TABLE schedule (
  id          TEXT PRIMARY KEY NOT NULL,
  incarnation BLOB NOT NULL,
  version     INTEGER NOT NULL,
  job         TEXT NOT NULL,
  document    TEXT NOT NULL
);

-- The schedule that started the run.
ALTER TABLE run ADD COLUMN schedule TEXT;
CREATE INDEX run_by_schedule ON run (schedule, id) WHERE schedule IS NOT NULL;
