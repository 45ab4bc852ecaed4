//! `countersign export`. The exit code is 1 when an object is damaged, without which an export is not complete.

use std::process::ExitCode;

use serde_json::json;

use super::{ProgressLine, count, size};
use crate::command_line::upkeep_flags::ExportFlags;
use crate::seed::{Exported, SeedError, export};
use crate::setup::clock;

/// Exports a data folder.
pub(crate) async fn run(flags: ExportFlags) -> anyhow::Result<ExitCode> {
    let clock = clock::real(0);
    let mut line = ProgressLine::new(&clock);
    let told = |exported: &Exported| {
        line.tell(|| format!("{}, {} exported", count(exported.objects, "object"), size(exported.bytes)));
    };
    let outcome = Box::pin(export(&flags.data, &flags.target, &clock, told)).await;
    line.clear();
    let exported = match outcome {
        Err(error @ SeedError::Damaged { .. }) => {
            warn_line!("countersign: {error}");
            return Ok(ExitCode::FAILURE);
        }
        outcome => outcome?,
    };
    let Exported { buckets, objects, bytes } = exported;
    if flags.json {
        say!("{:#}", json!({ "buckets": buckets, "objects": objects, "bytes": bytes }));
    } else {
        let (buckets, objects) = (count(buckets, "bucket"), count(objects, "object"));
        say!("exported {objects} in {buckets}, {}, into {}", size(bytes), flags.target.display());
    }
    Ok(ExitCode::SUCCESS)
}
