//! `countersign callbacks list`: what the store owes, read beside a store that may be running.

use std::process::ExitCode;

use anyhow::Context as _;
use countersign_store::{OwedRecord, Store};

use crate::command_line::CallbacksListFlags;
use crate::wording::on_one_line;

/// Prints one line for each callback that no application has acknowledged.
pub(crate) fn list(flags: &CallbacksListFlags) -> anyhow::Result<ExitCode> {
    let owed = Store::owed_in(&flags.data)
        .with_context(|| format!("the data folder {} cannot be read", flags.data.display()))?;
    for record in &owed {
        println!("{}", line(record));
    }
    if owed.is_empty() {
        println!("no callback is owed");
    }
    Ok(ExitCode::SUCCESS)
}

fn line(record: &OwedRecord) -> String {
    let key = String::from_utf8_lossy(&record.key);
    let error = record.last_error.as_deref().unwrap_or("never tried to its end");
    let (key, error) = (on_one_line(&key), on_one_line(error));
    format!("{}  {}  {}  tried {}: {error}", record.created, record.bucket, key, record.attempts)
}
