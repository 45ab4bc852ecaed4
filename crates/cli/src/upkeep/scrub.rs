//! `countersign scrub`: reports what is damaged, on lines or as JSON. The exit code is 1 when anything is.

use std::process::ExitCode;

use anyhow::Context as _;
use countersign_store::catalog::DamageRecord;
use countersign_store::{ScrubOptions, ScrubReport, Store};
use serde_json::{Value, json};

use super::{ProgressLine, count, size};
use crate::command_line::upkeep_flags::ScrubFlags;
use crate::setup::clock;
use crate::wording::on_one_line;

/// Verifies a data folder and tells what it found.
pub(crate) async fn run(flags: ScrubFlags) -> anyhow::Result<ExitCode> {
    if flags.known {
        return known(&flags).await;
    }
    let clock = clock::real(0);
    let options = ScrubOptions {
        data: flags.data.clone(),
        shared_catalog: flags.catalog.shared(),
        clock: clock.clone(),
        bytes_per_second: flags.rate,
        remove_orphans: flags.remove_orphans,
    };
    let mut line = ProgressLine::new(&clock);
    let told = |report: &ScrubReport| {
        line.tell(|| format!("{}, {} verified", count(report.objects, "object"), size(report.bytes)));
    };
    let report = Box::pin(Store::scrub_folder(options, told))
        .await
        .with_context(|| format!("the data folder {} cannot be scrubbed", flags.data.display()))?;
    line.clear();
    if flags.json {
        say!("{:#}", as_json(&report));
    } else {
        print(&report);
    }
    Ok(verdict(report.is_good()))
}

fn verdict(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What earlier scrubs and reads have found, without looking for more.
async fn known(flags: &ScrubFlags) -> anyhow::Result<ExitCode> {
    let damaged = match flags.catalog.shared() {
        Some(shared) => {
            let catalog = shared.open_beside(&clock::real(0)).await.map_err(anyhow::Error::from_boxed)?;
            catalog.scrub_state().await?.damaged
        }
        None => Store::damaged_in(&flags.data)
            .with_context(|| format!("the data folder {} cannot be read", flags.data.display()))?,
    };
    if flags.json {
        let listed: Vec<Value> = damaged.iter().map(|record| record_json(record, None)).collect();
        say!("{:#}", json!({ "good": damaged.is_empty(), "damaged": listed }));
    } else if damaged.is_empty() {
        say!("no object is known to be damaged");
    } else {
        damaged.iter().for_each(|record| say!("{}", record_line(record)));
    }
    Ok(verdict(damaged.is_empty()))
}

pub(super) fn record_line(record: &DamageRecord) -> String {
    let key = on_one_line(&String::from_utf8_lossy(&record.key));
    format!("damaged   {}/{key} (sequence {}): {}", record.bucket, record.sequence, on_one_line(&record.what))
}

fn print(report: &ScrubReport) {
    for damaged in &report.damaged {
        say!("{}; {}", record_line(&damaged.record), on_one_line(&damaged.place));
    }
    for unverified in &report.unverified {
        say!("unread    {}: {}", on_one_line(&unverified.what), on_one_line(&unverified.reason));
    }
    for wrong in &report.catalog {
        say!("catalog   {}", on_one_line(wrong));
    }
    for orphan in &report.orphans {
        say!("unnamed   {}", on_one_line(orphan));
    }
    say!(
        "{} with {} verified, {} looked at: {} damaged, {} unread, {} in the catalog",
        count(report.objects, "object"),
        size(report.bytes),
        count(report.blobs, "blob"),
        report.damaged.len(),
        report.unverified.len(),
        count(report.catalog.len() as u64, "fault"),
    );
    if !report.healed.is_empty() {
        say!("{} known to be damaged, now found whole", count(report.healed.len() as u64, "object"));
    }
    if report.orphans_removed > 0 {
        say!("{} that nothing named removed", count(report.orphans_removed, "blob"));
    } else if !report.orphans.is_empty() {
        let blobs = count(report.orphans.len() as u64, "blob");
        say!("{blobs} that nothing names; --remove-orphans removes such from a store that is stopped");
    }
    if let Some(process) = report.beside.filter(|_| !report.damaged.is_empty()) {
        say!(
            "process {process} has the store open: it refuses a damaged object once a read or its own scrub has met it"
        );
    }
}

fn as_json(report: &ScrubReport) -> Value {
    let damaged: Vec<Value> =
        report.damaged.iter().map(|damaged| record_json(&damaged.record, Some(&damaged.place))).collect();
    let unverified: Vec<Value> = report
        .unverified
        .iter()
        .map(|unverified| json!({ "what": unverified.what, "reason": unverified.reason }))
        .collect();
    json!({
        "good": report.is_good(),
        "objects": report.objects,
        "bytes": report.bytes,
        "blobs": report.blobs,
        "damaged": damaged,
        "unverified": unverified,
        "catalog": report.catalog,
        "orphans": report.orphans,
        "orphans_removed": report.orphans_removed,
        "healed": report.healed.len(),
        "beside_process": report.beside,
    })
}

pub(super) fn record_json(record: &DamageRecord, place: Option<&str>) -> Value {
    json!({
        "bucket": record.bucket,
        "key": String::from_utf8_lossy(&record.key),
        "sequence": record.sequence,
        "what": record.what,
        "place": place,
        "found": record.found.to_string(),
    })
}
