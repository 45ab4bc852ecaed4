//! `countersign callbacks`: lists the outbox, the callbacks that are not yet answered, beside a store that may be
//! running.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use countersign_store::{CloseOutboxEntry, DeliveryOutcome, OutboxRecord, Store, StoreOptions};
use jiff::Timestamp;
use serde_json::json;

use crate::command_line::callbacks_flags::{CallbacksCheckFlags, CallbacksDropFlags, CallbacksListFlags};
use crate::command_line::catalog_flags::CatalogFlags;
use crate::setup::clock;
use crate::wording::on_one_line;

/// The exit code of a check that found something.
const EXIT_OWED: u8 = 1;
/// How long a callback that was never tried to its end counts as under way: longer than any takes. What is older
/// was left behind by an end of the process.
const UNDER_WAY_MAX: Duration = Duration::from_secs(60);

/// How many are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: usize = 500;

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The application is being asked, most likely.
    UnderWay,
    /// It was asked in vain, or never.
    Owed,
}

impl State {
    fn of(record: &OutboxRecord, now: Timestamp) -> State {
        let untried = record.attempts == 0 && record.last_error.is_none();
        if untried && age(record, now) < UNDER_WAY_MAX { State::UnderWay } else { State::Owed }
    }

    fn word(self) -> &'static str {
        match self {
            State::UnderWay => "under-way",
            State::Owed => "owed",
        }
    }
}

/// Prints each callback that no application has acknowledged.
pub(crate) async fn list(flags: &CallbacksListFlags) -> anyhow::Result<ExitCode> {
    let (owed, now) = (read(&flags.data, &flags.catalog).await?, clock::real(0).wall());
    if flags.json {
        let all: Vec<_> = owed.iter().map(|record| as_json(record, now)).collect();
        say!("{}", serde_json::Value::from(all));
    } else if owed.is_empty() {
        say!("no callback is owed");
    } else {
        for record in &owed {
            say!("{}", line(record, now));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says how many have been owed for too long.
pub(crate) async fn check(flags: &CallbacksCheckFlags) -> anyhow::Result<ExitCode> {
    let (owed, now) = (read(&flags.data, &flags.catalog).await?, clock::real(0).wall());
    let late: Vec<&OutboxRecord> = owed
        .iter()
        .filter(|record| State::of(record, now) == State::Owed && age(record, now) >= flags.older_than)
        .collect();
    let limit = flags.older_than.as_secs();
    let Some(oldest) = late.iter().map(|record| record.created).min() else {
        say!("no callback has been owed for {limit} s or longer");
        return Ok(ExitCode::SUCCESS);
    };
    say!("{} callbacks have been owed for {limit} s or longer, the oldest since {oldest}", late.len());
    Ok(ExitCode::from(EXIT_OWED))
}

/// Forgets callbacks that are owed. Their budget is the store's, and what nobody will ever deliver must not keep
/// later uploads out.
pub(crate) async fn drop_owed(flags: &CallbacksDropFlags) -> anyhow::Result<ExitCode> {
    let clock = clock::real(0);
    let now = clock.wall();
    let chosen: Vec<u64> = read(&flags.data, &flags.catalog)
        .await?
        .iter()
        .filter(|record| {
            let which = &flags.which;
            let old = which.older_than.is_some_and(|limit| age(record, now) >= limit);
            which.all || old || which.id.contains(&record.id)
        })
        .map(|record| record.id)
        .collect();
    if !flags.dry_run && !chosen.is_empty() {
        let mut options = StoreOptions::new(&flags.data, clock);
        options.shared_catalog = flags.catalog.shared();
        let store = Store::open(options).await.with_context(|| {
            format!(
                "the data folder {} cannot be changed; stop the store that runs on it first",
                flags.data.display()
            )
        })?;
        let forgotten = forget(&store, &chosen).await;
        store.shutdown().await;
        forgotten?;
    }
    let done = if flags.dry_run { "would be forgotten" } else { "forgotten" };
    say!("{} callbacks {done}", chosen.len());
    Ok(ExitCode::SUCCESS)
}

async fn forget(store: &Store, ids: &[u64]) -> anyhow::Result<()> {
    for some in ids.chunks(FORGOTTEN_AT_ONCE) {
        let batch = some.iter().map(|id| CloseOutboxEntry { id: *id, outcome: DeliveryOutcome::Forgotten });
        // The only refusal is of one that was delivered meanwhile, and so is closed already.
        store.apply(batch.collect()).await.context("the callbacks cannot be forgotten")?;
    }
    Ok(())
}

async fn read(data: &Path, catalog: &CatalogFlags) -> anyhow::Result<Vec<OutboxRecord>> {
    let Some(shared) = catalog.shared() else {
        return Store::outbox_in(data)
            .with_context(|| format!("the data folder {} cannot be read", data.display()));
    };
    let catalog = shared.open_beside(&clock::real(0)).await.map_err(anyhow::Error::from_boxed)?;
    let mut all: Vec<OutboxRecord> = Vec::new();
    loop {
        let after = all.last().map_or(0, |record| record.id);
        let page = catalog.outbox(after, usize::MAX).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Nothing for what a moved clock dates into the future.
fn age(record: &OutboxRecord, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(record.created)).unwrap_or_default()
}

fn as_json(record: &OutboxRecord, now: Timestamp) -> serde_json::Value {
    json!({
        "id": record.id,
        "state": State::of(record, now).word(),
        "created": record.created.to_string(),
        "bucket": record.bucket,
        "key": String::from_utf8_lossy(&record.key),
        "attempts": record.attempts,
        "last_error": record.last_error,
    })
}

fn line(record: &OutboxRecord, now: Timestamp) -> String {
    let key = on_one_line(&String::from_utf8_lossy(&record.key));
    let state = match State::of(record, now) {
        State::UnderWay => "under way".to_owned(),
        State::Owed => {
            let error = record.last_error.as_deref().unwrap_or("never tried to its end");
            format!("tried {}: {}", record.attempts, on_one_line(error))
        }
    };
    format!("{}  {}  {key}  {state}", record.created, record.bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_entries_without_attempts_are_under_way_and_all_others_owed() {
        let now = Timestamp::from_second(1_000).unwrap();
        let record = |seconds_ago: i64, attempts| OutboxRecord {
            id: 1,
            created: Timestamp::from_second(1_000 - seconds_ago).unwrap(),
            bucket: "b".into(),
            key: "k".into(),
            sequence: 1,
            payload: "".into(),
            attempts,
            last_error: None,
        };
        assert_eq!(State::of(&record(1, 0), now), State::UnderWay);
        assert_eq!(State::of(&record(61, 0), now), State::Owed);
        assert_eq!(State::of(&record(1, 1), now), State::Owed);
        assert_eq!(State::of(&record(-5, 0), now), State::UnderWay);
    }
}
