-- What is said to a run and by it, until it is received or taken. The body is JSON, or bytes for the input of a command.
CREATE TABLE message (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id   BLOB NOT NULL,
  way      TEXT NOT NULL,
  at       INTEGER NOT NULL,
  by       TEXT,
  body     BLOB NOT NULL
);
CREATE INDEX message_by_run ON message (run_id, way, sequence);
