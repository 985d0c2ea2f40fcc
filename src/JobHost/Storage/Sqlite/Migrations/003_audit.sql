-- Only ever appended to. Each hash is that of the hash before and of the document, so that what was changed, removed or put in
-- between shows.
CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  document TEXT NOT NULL,
  hash     BLOB NOT NULL
);
