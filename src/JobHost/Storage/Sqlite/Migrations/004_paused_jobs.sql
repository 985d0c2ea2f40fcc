CREATE TABLE paused_job (
  job    TEXT PRIMARY KEY NOT NULL,
  by     TEXT NOT NULL,
  at     INTEGER NOT NULL,
  reason TEXT
);
