CREATE TABLE store (
  instance TEXT NOT NULL
);

-- One row for each life of the node: a new one at each start.
CREATE TABLE node (
  epoch      INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL,
  boot_id    TEXT,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER
);

-- Instants are UTC ticks of 100 ns. Ids are UUIDs of version 7, big endian, so they sort by creation.
CREATE TABLE run (
  id         BLOB PRIMARY KEY NOT NULL,
  job        TEXT NOT NULL,
  kind       TEXT NOT NULL,
  state      TEXT NOT NULL,
  stop       TEXT NOT NULL,
  attempt    INTEGER NOT NULL,
  node       TEXT,
  epoch      INTEGER NOT NULL,
  fence      INTEGER NOT NULL,
  priority   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  not_before INTEGER,
  started_at INTEGER,
  ended_at   INTEGER,
  unique_key TEXT,
  document   TEXT NOT NULL
);

CREATE INDEX run_by_job ON run (job, id);
CREATE INDEX run_by_state ON run (state, id);
CREATE INDEX run_by_end ON run (ended_at) WHERE ended_at IS NOT NULL;
CREATE UNIQUE INDEX run_by_unique_key ON run (job, unique_key) WHERE unique_key IS NOT NULL AND ended_at IS NULL;

CREATE TABLE run_label (
  key    TEXT NOT NULL,
  value  TEXT NOT NULL,
  run_id BLOB NOT NULL,
  PRIMARY KEY (key, value, run_id)
) WITHOUT ROWID;
CREATE INDEX run_label_by_run ON run_label (run_id);

CREATE TABLE receipt (
  run_id   BLOB PRIMARY KEY NOT NULL,
  document TEXT NOT NULL
);

CREATE TABLE idempotency (
  key          TEXT PRIMARY KEY NOT NULL,
  request_hash BLOB NOT NULL,
  run_id       BLOB NOT NULL
);
CREATE INDEX idempotency_by_run ON idempotency (run_id);
