//! Schema 2: the two rows of an object, its version and its content, become one, and buckets have a revision.
//!
//! In schema 1 a content had the number of the one version that named it; the premises make sure of that, so that no
//! object and no blob is forgotten here.

use super::step::Migration;

pub(super) const MIGRATION: Migration = Migration {
    to: 2,
    rewritten: &["version", "content"],
    premises: &[
        (
            "an object has no row for its bytes, or one that is not its own",
            "SELECT v.seq FROM version v LEFT JOIN content c ON c.id = v.content
             WHERE c.id IS NULL OR v.content <> v.seq OR c.refs <> 1 OR v.current <> 1 LIMIT 1",
        ),
        (
            "bytes are kept for an object that is not there",
            "SELECT id FROM content WHERE NOT EXISTS(SELECT 1 FROM version WHERE seq = content.id) LIMIT 1",
        ),
    ],
    statements: "
CREATE TABLE object(
    seq INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, key BLOB NOT NULL, modified INTEGER NOT NULL,
    len INTEGER NOT NULL, md5 BLOB, crc INTEGER NOT NULL, blob BLOB, inline INTEGER, attributes BLOB NOT NULL
);
INSERT INTO object(seq, bucket, key, modified, len, md5, crc, blob, inline, attributes)
    SELECT v.seq, v.bucket, v.key, v.modified, c.len, c.md5, coalesce(c.crc, 0), c.blob, c.inline, v.attributes
    FROM version v CROSS JOIN content c ON c.id = v.seq ORDER BY v.seq;
CREATE UNIQUE INDEX object_key ON object(bucket, key);
CREATE INDEX object_blob ON object(blob) WHERE blob IS NOT NULL;
DROP TABLE version;
DROP TABLE content;

ALTER TABLE bucket ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE bucket ADD COLUMN versioning INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bucket ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS damage(
    content INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL,
    what TEXT NOT NULL, found INTEGER NOT NULL
);
",
};
