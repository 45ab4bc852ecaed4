//! Brings a catalog of an older schema to the one that this program writes, at the start.
//!
//! The steps are numbered and go forward only. All that are needed run in one transaction, so a process that is killed
//! leaves the old catalog or the new one, and the next start begins again or finds it done. Before it the file is
//! copied ([`copy_before`]), for the case that the new version turns out not to be wanted; while the catalog has the
//! old schema the copy is unfinished, and is made anew.
//!
//! A step is history: it names tables and columns as they were then, and is not changed once it was released. A
//! catalog that is new is made with today's tables at once ([`super::schema`]); a test compares the two.

mod copy_before;
mod room;
mod step;
mod to_schema_2;

use super::checkpoint::Checkpointer;
use super::options::SqliteOptions;
use super::schema::{self, SCHEMA};
use super::{CatalogError, EngineError, schema_on_disk};
use crate::Trouble;
use room::Room;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::path::Path;
use step::Migration;

/// The page cache for a migration. Up to so much is sorted in memory for an index, more of it in a temporary file.
const CACHE_KIB: i64 = 128 * 1024;
/// What is kept free besides what is reckoned.
const SPARE_BYTES: u64 = 1024 * 1024;

/// All steps there are, in order.
const MIGRATIONS: [Migration; 1] = [to_schema_2::MIGRATION];

/// Whether the catalog in this file has an older schema than this program's. Writes nothing.
///
/// # Errors
/// [`CatalogError::UnknownSchema`] for a newer one: then nothing may be opened, since that writes.
pub(super) fn is_older(path: &Path) -> Result<bool, CatalogError> {
    let found = schema_on_disk::read(path).map_err(|error| CatalogError::Trouble {
        trouble: Trouble::DataFolder,
        said: EngineError::new(format!("{} cannot be read: {error}", path.display())),
    })?;
    if !(0..=SCHEMA).contains(&found) {
        return Err(CatalogError::UnknownSchema { found, known: SCHEMA });
    }
    Ok(found != 0 && found != SCHEMA)
}

/// Brings an older catalog to this program's schema. Blocks for as long as it takes.
///
/// # Errors
/// [`CatalogError::NoRoomToMigrate`] and others; the catalog is then as it was.
pub(super) fn run(options: &SqliteOptions) -> Result<(), CatalogError> {
    let began = options.clock.monotonic();
    let connection = Connection::open(&options.path)?;
    schema::set_up(&connection, options.durable, CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "FILE")?;
    Checkpointer::begin(&connection)?;
    let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let steps = || MIGRATIONS.iter().filter(|step| step.to > found);
    let rewritten = steps()
        .flat_map(|step| step.rewritten)
        .try_fold(0, |bytes, table| table_bytes(&connection, table).map(|more| bytes + more))?;
    let room =
        Room { found, known: SCHEMA, needed: database_bytes(&connection)? + 2 * rewritten + SPARE_BYTES };
    let copy = copy_before::make(options, &connection, &room)?;
    tracing::info!(target: "migration", from = found, to = SCHEMA, copy = %copy.display(), "the catalog is brought to a new schema");
    let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
    for step in steps() {
        check_premises(&transaction, step)?;
        transaction.execute_batch(step.statements).map_err(|error| room.said(options, error))?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    transaction.commit().map_err(|error| room.said(options, error))?;
    let seconds = options.clock.since(began).as_secs_f64();
    tracing::info!(target: "migration", schema = SCHEMA, seconds, "the catalog has its new schema");
    copy_before::remove_older(options, &copy)
}

/// Says at every start that the copy from before the last migration is still there.
pub(super) fn tell_of_copy(options: &SqliteOptions) {
    copy_before::tell(options);
}

fn check_premises(connection: &Connection, step: &Migration) -> Result<(), CatalogError> {
    for (sentence, query) in step.premises {
        let number: Option<i64> = connection.query_row(query, [], |row| row.get(0)).optional()?;
        if let Some(number) = number {
            let said = format!("{sentence} (number {number}), so it cannot be brought to schema {}", step.to);
            return Err(CatalogError::Corrupt(EngineError::new(said)));
        }
    }
    Ok(())
}

fn database_bytes(connection: &Connection) -> Result<u64, CatalogError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok(number("page_count")? as u64 * number("page_size")? as u64)
}

/// Bytes of a table and its indexes; 0 where there is none of that name.
fn table_bytes(connection: &Connection, table: &str) -> Result<u64, CatalogError> {
    let bytes: i64 = connection.query_row(
        "SELECT coalesce(sum((SELECT pgsize FROM dbstat WHERE name = s.name AND aggregate = 1)), 0)
         FROM sqlite_schema s WHERE s.tbl_name = ?1 AND s.type IN ('table', 'index')",
        [table],
        |row| row.get(0),
    )?;
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests;
