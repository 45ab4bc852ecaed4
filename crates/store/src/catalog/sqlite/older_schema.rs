//! Lets queries read a catalog of an older schema without changing it, for a backup, a scrub or a list that comes
//! before the first start: its tables are shown in the shape of today's, as views of that connection only.

use super::CatalogError;
use rusqlite::Connection;

/// Shows a connection the tables of today, whose schema is `known`. One that has them is left as it is.
///
/// # Errors
/// [`CatalogError::UnknownSchema`] for a schema that is newer than this program's.
pub(super) fn show(connection: &Connection, known: i64) -> Result<(), CatalogError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found {
        // 0 is a file in which the first start has not yet made the tables.
        0 => Ok(()),
        found if found == known => Ok(()),
        1 => show_schema_1(connection),
        found => Err(CatalogError::UnknownSchema { found, known }),
    }
}

fn show_schema_1(connection: &Connection) -> Result<(), CatalogError> {
    connection.execute_batch(OBJECT_OF_SCHEMA_1)?;
    let damage = "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'damage'";
    if !connection.prepare(damage)?.exists([])? {
        connection.execute_batch(NO_DAMAGE)?;
    }
    Ok(())
}

const OBJECT_OF_SCHEMA_1: &str = "
PRAGMA temp_store = MEMORY;
CREATE TEMP VIEW object AS
    SELECT v.seq AS seq, v.bucket AS bucket, v.key AS key, v.modified AS modified, c.len AS len, c.md5 AS md5,
        coalesce(c.crc, 0) AS crc, c.blob AS blob, c.inline AS inline, v.attributes AS attributes
    FROM main.version v JOIN main.content c ON c.id = v.content WHERE v.current = 1;
";

/// Early catalogs of schema 1 have no table of damage.
const NO_DAMAGE: &str = "
CREATE TEMP TABLE damage(
    content INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL,
    what TEXT NOT NULL, found INTEGER NOT NULL
);
";
