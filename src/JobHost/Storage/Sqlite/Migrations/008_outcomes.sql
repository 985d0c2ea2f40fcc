-- What has become of the run, apart from what it was accepted with, which never changes. Rows of an earlier version have both
-- in the document until they change again.
ALTER TABLE run ADD COLUMN outcome TEXT;
