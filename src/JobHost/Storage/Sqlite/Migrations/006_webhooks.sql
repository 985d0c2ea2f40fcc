-- Up to which event each webhook was served.
CREATE TABLE webhook (
  name     TEXT PRIMARY KEY NOT NULL,
  position INTEGER NOT NULL
);

-- What came of telling an event, one row for both; only the newest are kept.
CREATE TABLE webhook_delivery (
  webhook  TEXT NOT NULL,
  event    INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (webhook, event)
) WITHOUT ROWID;
