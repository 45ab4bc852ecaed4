//! `countersign migrate`: makes the tables of a catalog in a database, or brings them to what this program needs.

use std::process::ExitCode;

use anyhow::Context as _;
use countersign_catalog_postgres::{SCHEMA, migrate, migrations_needed};

use crate::command_line::catalog_flags::MigrateFlags;
use crate::setup::clock;

/// Migrates, or says what would be done: then the exit code is 1 when anything would.
pub(crate) async fn run(flags: MigrateFlags) -> anyhow::Result<ExitCode> {
    let database = flags.catalog.database().context("name the database with --catalog")?;
    let (location, password, clock) = (&database.location, database.password.as_ref(), clock::real(0));
    let migrations = match flags.check {
        true => migrations_needed(location, password, &clock).await?,
        false => migrate(location, password, &clock).await?,
    };
    for migration in &migrations {
        let verb = if flags.check { "to do" } else { "done" };
        say!("{verb}     schema {}: {}", migration.number, migration.what);
    }
    if migrations.is_empty() {
        say!("{location} has schema {SCHEMA}, which this program needs");
    }
    Ok(if flags.check && !migrations.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
