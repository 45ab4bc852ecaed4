//! `countersign backup` and `countersign restore`. The exit code is 1 when something could not be copied as it was
//! acknowledged.

use std::process::ExitCode;

use countersign_store::{BackupError, BackupOptions, BackupReport, RestoreOptions, Restored, Store};
use serde_json::{Value, json};

use super::{ProgressLine, count, scrub, size};
use crate::command_line::upkeep_flags::{BackupFlags, RestoreFlags};
use crate::setup::clock;
use crate::wording::on_one_line;

/// Takes a backup.
pub(crate) async fn run(flags: BackupFlags) -> anyhow::Result<ExitCode> {
    let clock = clock::real(0);
    let options = BackupOptions {
        data: flags.data.clone(),
        target: flags.target.clone(),
        clock: clock.clone(),
        copy: flags.copy,
        keep: flags.keep.map(usize::from),
    };
    let mut line = ProgressLine::new(&clock);
    let told = |report: &BackupReport| {
        line.tell(|| format!("{}, {} copied", count(report.objects, "object"), size(report.bytes)));
    };
    let report = Box::pin(Store::backup_folder(options, told)).await?;
    line.clear();
    if flags.json {
        say!("{:#}", as_json(&report));
    } else {
        print(&report, &flags);
    }
    Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(report: &BackupReport, flags: &BackupFlags) {
    print_damaged(&report.damaged);
    report.known_damage.iter().for_each(|known| say!("{}", scrub::record_line(known)));
    say!(
        "backup {} in {}: {}, {} copied; {}, of which {} were there already and {} are shared with the data folder",
        report.name,
        flags.target.display(),
        count(report.objects, "object"),
        size(report.bytes),
        count(report.blobs, "blob"),
        report.blobs_there,
        report.blobs_shared,
    );
    if !report.deleted.is_empty() {
        say!("deleted {}", report.deleted.join(" "));
    }
}

fn as_json(report: &BackupReport) -> Value {
    let known: Vec<Value> = report.known_damage.iter().map(|known| scrub::record_json(known, None)).collect();
    json!({
        "name": report.name,
        "objects": report.objects,
        "blobs": report.blobs,
        "blobs_there": report.blobs_there,
        "blobs_shared": report.blobs_shared,
        "bytes": report.bytes,
        "snapshot_ms": report.snapshot_ms,
        "damaged": damaged_json(&report.damaged),
        "known_damage": known,
        "deleted": report.deleted,
    })
}

/// Restores a backup.
pub(crate) fn restore(flags: RestoreFlags) -> anyhow::Result<ExitCode> {
    let mut line = ProgressLine::new(&clock::real(0));
    let options = RestoreOptions {
        source: flags.source,
        name: flags.backup,
        data: flags.data.clone(),
        accept_damage: flags.accept_damage,
    };
    let told = |restored: &Restored| {
        line.tell(|| format!("{}, {} restored", count(restored.files, "file"), size(restored.bytes)));
    };
    let outcome = Store::restore_folder(&options, told);
    line.clear();
    let restored = match outcome {
        Err(BackupError::Damaged { damaged }) => {
            print_damaged(&damaged);
            warn_line!(
                "countersign: the backup is damaged in {}; --accept-damage restores it as it is",
                count(damaged.len() as u64, "file")
            );
            return Ok(ExitCode::FAILURE);
        }
        outcome => outcome?,
    };
    if flags.json {
        let damaged = damaged_json(&restored.damaged);
        let (name, files, bytes) = (&restored.name, restored.files, restored.bytes);
        say!("{:#}", json!({ "name": name, "files": files, "bytes": bytes, "damaged": damaged }));
    } else {
        print_damaged(&restored.damaged);
        say!(
            "backup {} restored into {}: {}, {}",
            restored.name,
            flags.data.display(),
            count(restored.files, "file"),
            size(restored.bytes)
        );
    }
    Ok(if restored.damaged.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_damaged(damaged: &[(String, String)]) {
    for (place, what) in damaged {
        say!("damaged   {}: {}", on_one_line(place), on_one_line(what));
    }
}

fn damaged_json(damaged: &[(String, String)]) -> Vec<Value> {
    damaged.iter().map(|(place, what)| json!({ "place": place, "what": what })).collect()
}
