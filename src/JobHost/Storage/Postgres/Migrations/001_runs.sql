-- One row: the newest of what is numbered without a gap. Whoever records events or audit entries holds
-- the row until its commit, so nobody ever sees a lower number after a higher one.
CREATE TABLE store (
  event      bigint NOT NULL,
  audit      bigint NOT NULL,
  audit_hash bytea  NOT NULL
);
INSERT INTO store VALUES (0, 0, decode(repeat('00', 32), 'hex'));

-- One row for each life of a node: a new one at each start. The instance is the mark of its data directory.
CREATE TABLE node (
  epoch      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text   NOT NULL,
  instance   text   NOT NULL,
  boot_id    text,
  started_at bigint NOT NULL,
  ended_at   bigint
);

-- Runs that have not ended. Instants are UTC ticks of 100 ns since the year 1. Ids are UUIDs of version 7, so they sort by
-- creation. A label is written NAME=VALUE.
CREATE TABLE run (
  id         uuid     NOT NULL PRIMARY KEY,
  job        text     COLLATE "C" NOT NULL,
  kind       text     NOT NULL,
  state      text     NOT NULL,
  stop       text     NOT NULL,
  attempt    integer  NOT NULL,
  node       text,
  epoch      bigint   NOT NULL,
  fence      bigint   NOT NULL,
  priority   integer  NOT NULL,
  created_at bigint   NOT NULL,
  not_before bigint,
  started_at bigint,
  ended_at   bigint,
  unique_key text     COLLATE "C",
  schedule   text     COLLATE "C",
  labels     text[],
  document   text     NOT NULL,
  outcome    text     NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE INDEX run_by_job ON run (job, id);
CREATE INDEX run_by_schedule ON run (schedule, id) WHERE schedule IS NOT NULL;
CREATE UNIQUE INDEX run_by_unique_key ON run (job, unique_key) WHERE unique_key IS NOT NULL;

-- Runs that have ended, moved here by the statement that ends them. A partition holds those of one day by their ids, so a look
-- for an id reads one of them.
CREATE TABLE run_history (LIKE run, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE run_history_other PARTITION OF run_history DEFAULT;

CREATE INDEX run_history_by_job ON run_history (job, id);
CREATE INDEX run_history_by_state ON run_history (state, id);
CREATE INDEX run_history_by_end ON run_history (ended_at, id);
CREATE INDEX run_history_by_schedule ON run_history (schedule, id) WHERE schedule IS NOT NULL;
CREATE INDEX run_history_by_label ON run_history USING gin (labels) WHERE labels IS NOT NULL;

CREATE TABLE receipt (
  run_id   uuid NOT NULL PRIMARY KEY,
  document text NOT NULL
);

CREATE TABLE idempotency (
  key          text  COLLATE "C" NOT NULL PRIMARY KEY,
  request_hash bytea NOT NULL,
  run_id       uuid  NOT NULL
);
CREATE INDEX idempotency_by_run ON idempotency (run_id);

-- Written in the transaction of the change that they tell of.
CREATE TABLE event (
  sequence bigint NOT NULL PRIMARY KEY,
  at       bigint NOT NULL,
  topic    text   NOT NULL,
  run_id   uuid,
  job      text   COLLATE "C",
  document text   NOT NULL
);
CREATE INDEX event_by_run ON event (run_id, sequence) WHERE run_id IS NOT NULL;
CREATE INDEX event_of_no_run ON event (at) WHERE run_id IS NULL;

-- Only ever appended to. Each hash is that of the hash before and of the document, so that what was changed, removed or put in
-- between shows.
CREATE TABLE audit (
  sequence bigint NOT NULL PRIMARY KEY,
  run_id   uuid,
  by       text   COLLATE "C" NOT NULL,
  document text   NOT NULL,
  hash     bytea  NOT NULL
);
CREATE INDEX audit_by_run ON audit (run_id, sequence) WHERE run_id IS NOT NULL;

CREATE TABLE paused_job (
  job      text COLLATE "C" NOT NULL PRIMARY KEY,
  document text NOT NULL
);

-- What is said to a run and by it, until it is received or taken. The body is JSON, or bytes for the input of a command.
CREATE TABLE message (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id   uuid   NOT NULL,
  way      text   NOT NULL,
  at       bigint NOT NULL,
  by       text,
  body     bytea  NOT NULL
);
CREATE INDEX message_by_run ON message (run_id, way, sequence);

-- Up to which event each webhook was served, and what came of telling an event; of the latter only the newest are kept.
CREATE TABLE webhook (
  name     text   COLLATE "C" NOT NULL PRIMARY KEY,
  position bigint NOT NULL
);
CREATE TABLE webhook_delivery (
  webhook  text   COLLATE "C" NOT NULL,
  event    bigint NOT NULL,
  document text   NOT NULL,
  PRIMARY KEY (webhook, event)
);

-- The document says when a schedule is due next, so a restart goes on where the life before has left off.
CREATE TABLE schedule (
  id          text   COLLATE "C" NOT NULL PRIMARY KEY,
  incarnation uuid   NOT NULL,
  version     bigint NOT NULL,
  job         text   COLLATE "C" NOT NULL,
  document    text   NOT NULL
);
