//! The schema: its numbered migrations, which one a database has, and whether the server keeps what it acknowledges.
//!
//! A gateway never changes the schema: it is shared, and another one may run. `countersign migrate` does, forward
//! only, each migration in a transaction of its own that first writes its number: of two that run at once, the second
//! waits for the first and then finds the number there.
//!
//! SQL of the whole family only (PostgreSQL, CockroachDB, YugabyteDB, Kingbase, openGauss): keys are `bytea`, times
//! microseconds in `int8`. What merely tunes one engine is in [`TUNING`] and may fail.

use crate::failure::{Failure, catalog_error, sql_state};
use crate::rows::column;
use countersign_store::catalog::CatalogError;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// The schema that this program writes.
pub const SCHEMA: i64 = MIGRATIONS.len() as i64;

/// What brings a database from schema `n` to `n + 1`, and what it does, in words.
const MIGRATIONS: [(&str, &str); 1] = [("makes the tables", FIRST)];

const FIRST: &str = "
CREATE TABLE state(
    one int2 PRIMARY KEY, next_number int8 NOT NULL, epoch int8 NOT NULL, blob_mark int8 NOT NULL,
    data_folder bytea, scrub_position int8 NOT NULL, scrub_began int8, scrub_ended int8
);
INSERT INTO state(one, next_number, epoch, blob_mark, scrub_position) VALUES(1, 1, 0, 0, 0);

CREATE TABLE commit_id(id bytea PRIMARY KEY, at int8 NOT NULL);
CREATE INDEX commit_id_at ON commit_id(at);

CREATE TABLE bucket(
    id int8 PRIMARY KEY, name text NOT NULL UNIQUE, created int8 NOT NULL, owner text NOT NULL DEFAULT '',
    versioning int2 NOT NULL DEFAULT 0, revision int8 NOT NULL
);
CREATE TABLE setting(
    bucket int8 NOT NULL, name text NOT NULL, value bytea NOT NULL, PRIMARY KEY(bucket, name)
);

CREATE TABLE object(
    bucket int8 NOT NULL, key bytea NOT NULL, seq int8 NOT NULL, modified int8 NOT NULL, len int8 NOT NULL,
    md5 bytea, crc int8 NOT NULL, blob bytea, inline int8, attributes bytea NOT NULL, PRIMARY KEY(bucket, key)
);
CREATE UNIQUE INDEX object_seq ON object(seq);
CREATE INDEX object_blob ON object(blob) WHERE blob IS NOT NULL;

CREATE TABLE inline(id int8 PRIMARY KEY, bytes bytea NOT NULL);

CREATE TABLE garbage(id int8 PRIMARY KEY, blob bytea, inline int8, not_before int8 NOT NULL);
CREATE INDEX garbage_due ON garbage(not_before, id);
CREATE INDEX garbage_blob ON garbage(blob) WHERE blob IS NOT NULL;

CREATE TABLE outbox(
    id int8 PRIMARY KEY, bucket text NOT NULL, key bytea NOT NULL, seq int8 NOT NULL, created int8 NOT NULL,
    payload bytea NOT NULL, attempts int4 NOT NULL DEFAULT 0, last_error text
);

CREATE TABLE damage(
    content int8 PRIMARY KEY, bucket text NOT NULL, key bytea NOT NULL, seq int8 NOT NULL, what text NOT NULL,
    found int8 NOT NULL
);
";

/// Makes an engine faster that knows it: bytes that are compressed already, or too short to be, are stored as they are.
const TUNING: [&str; 1] = ["ALTER TABLE inline ALTER COLUMN bytes SET STORAGE EXTERNAL"];

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_version(number int8 PRIMARY KEY, at int8 NOT NULL)";

/// The schema of a database; 0 when it has none.
pub(crate) async fn found(client: &Client) -> Result<i64, CatalogError> {
    let row = client.query_one("SELECT coalesce(max(number), 0)::int8 FROM schema_version", &[]).await;
    match row {
        Ok(row) => column(&row, 0),
        Err(error) if sql_state(&error) == Some(&SqlState::UNDEFINED_TABLE) => Ok(0),
        Err(error) => Err(catalog_error(error)),
    }
}

/// A migration that a database needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The schema that it leads to.
    pub number: i64,
    /// What it does.
    pub what: &'static str,
}

/// What leads from this schema to that of this program.
pub(crate) fn needed(found: i64) -> impl Iterator<Item = (Migration, &'static str)> {
    (1i64..)
        .zip(MIGRATIONS)
        .filter(move |(number, _)| *number > found)
        .map(|(number, (what, sql))| (Migration { number, what }, sql))
}

/// Runs one migration; the number may be there already, since another has run it meanwhile.
pub(crate) async fn run(client: &mut Client, number: i64, sql: &str, now: i64) -> Result<(), Failure> {
    client.batch_execute(VERSIONS).await?;
    let transaction = client.transaction().await?;
    let claimed =
        transaction.execute("INSERT INTO schema_version(number, at) VALUES($1, $2)", &[&number, &now]).await;
    match claimed {
        Err(error) if sql_state(&error) == Some(&SqlState::UNIQUE_VIOLATION) => return Ok(()),
        claimed => claimed?,
    };
    transaction.batch_execute(sql).await?;
    transaction.commit().await?;
    for tuning in TUNING {
        if let Err(error) = client.batch_execute(tuning).await {
            tracing::debug!(%error, "this engine does not know a tuning; it does without");
        }
    }
    Ok(())
}

/// The settings of the server under which it loses what it has acknowledged; empty when it keeps it.
pub(crate) async fn forgetful_settings(client: &Client) -> Result<Vec<String>, CatalogError> {
    let rows = client
        .query(
            "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') AND setting = 'off'
             ORDER BY name",
            &[],
        )
        .await
        .map_err(catalog_error)?;
    rows.iter().map(|row| column::<String>(row, 0)).collect()
}
