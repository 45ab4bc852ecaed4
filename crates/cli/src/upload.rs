//! `countersign upload`: does what the page does, from a terminal. Asks the application for a signature, posts the
//! form straight to the store, and says what the application answered.

mod form;
mod http_client;
mod local_files;
mod outcome;
mod report;
mod send;
mod signature_answer;

use std::process::ExitCode;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::command_line::upload_flags::UploadFlags;
use crate::wording::on_one_line;
use local_files::FileToUpload;
use report::Report;
use signature_answer::SignatureEndpoint;

/// How many files are on their way at the same time, as on the page.
const AT_ONCE: usize = 4;

/// Uploads the files and says of each what became of it.
pub(crate) async fn run(flags: UploadFlags) -> anyhow::Result<ExitCode> {
    let files = local_files::find(&flags.files)?;
    let base = base_folder(&flags, &files).await?;
    let (flags, base) = (&flags, base.as_deref());
    let bars = MultiProgress::new();
    if flags.quiet || flags.json {
        bars.set_draw_target(ProgressDrawTarget::hidden());
    }
    let mut report = Report::new(flags);
    let mut ended = futures_util::stream::iter(files)
        .map(|file| {
            let bar = bars.add(progress_bar(&file));
            async move {
                let path = base.map(|base| format!("{base}{}", file.folder));
                let endpoint = endpoint(flags, path.as_deref())?;
                let outcome = send::send(&endpoint, &file, &bar).await;
                bar.finish_and_clear();
                anyhow::Ok((file, outcome))
            }
        })
        .buffer_unordered(AT_ONCE);
    while let Some(sent) = ended.next().await {
        let (file, outcome) = sent?;
        bars.suspend(|| report.file(&file, &outcome));
    }
    Ok(ExitCode::from(report.end()))
}

fn endpoint(flags: &UploadFlags, path: Option<&str>) -> anyhow::Result<SignatureEndpoint> {
    SignatureEndpoint::new(&flags.to, path, flags.keep_name, flags.token.as_ref())
}

/// The folder that everything goes into; folders need one to be below of, and ask for the server's own.
async fn base_folder(flags: &UploadFlags, files: &[FileToUpload]) -> anyhow::Result<Option<String>> {
    let is_flat = files.iter().all(|file| file.folder.is_empty());
    if is_flat {
        // As it was written: the server judges it.
        return Ok(flags.path.clone());
    }
    let base = match &flags.path {
        Some(path) => path.clone(),
        None => endpoint(flags, None)?.ask().await.context("asking for the server's own folder")?.directory,
    };
    Ok(Some(if base.is_empty() || base.ends_with('/') { base } else { format!("{base}/") }))
}

fn progress_bar(file: &FileToUpload) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{prefix:24!} {bar:30} {percent:>3} %  {binary_bytes_per_sec}  {msg}");
    let bar = ProgressBar::new(file.bytes).with_prefix(on_one_line(&file.name));
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
