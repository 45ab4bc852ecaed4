//! `countersign upload`: what the page does, from a terminal. Ask the application for a signature, post the
//! form straight to the store, say what the application answered.

mod form;
mod outcome;
mod permission;
mod send;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use futures_util::StreamExt as _;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::command_line::UploadFlags;
use crate::wording::on_one_line;
use outcome::Outcome;
use permission::SignatureEndpoint;

/// How many files are on their way at the same time, as on the page.
const AT_ONCE: usize = 4;

/// One file that is there and can be read.
#[derive(Debug, Clone)]
pub(crate) struct LocalFile {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Its name without folders.
    pub(crate) name: String,
    /// Its size.
    pub(crate) bytes: u64,
}

/// Uploads the files and says of each what became of it.
pub(crate) async fn run(flags: UploadFlags) -> anyhow::Result<ExitCode> {
    let files = flags.files.iter().map(local_file).collect::<anyhow::Result<Vec<_>>>()?;
    let endpoint = Arc::new(SignatureEndpoint::new(&flags.to, flags.path.as_deref(), flags.keep_name)?);
    let bars = MultiProgress::new();
    let mut ended = futures_util::stream::iter(files)
        .map(|file| {
            let (endpoint, bar) = (Arc::clone(&endpoint), bars.add(progress_bar(&file)));
            async move {
                let outcome = send::send(&endpoint, &file, &bar).await;
                bar.finish_and_clear();
                (file, outcome)
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut worst = 0;
    while let Some((file, outcome)) = ended.next().await {
        worst = worse(worst, outcome.exit_code());
        let line = on_one_line(&format!("{}  {}", file.path.display(), outcome.line()));
        if matches!(outcome, Outcome::Done { .. } | Outcome::Stored { .. }) {
            bars.suspend(|| say!("{line}"));
        } else {
            bars.suspend(|| warn_line!("{line}"));
        }
    }
    Ok(ExitCode::from(worst))
}

/// A refusal says more than a missing confirmation, and both more than success.
fn worse(one: u8, other: u8) -> u8 {
    match (one, other) {
        (0, code) | (code, 0) => code,
        (one, other) => one.min(other),
    }
}

fn local_file(path: &PathBuf) -> anyhow::Result<LocalFile> {
    let data = std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
    if data.is_dir() {
        bail!("{} is a folder; name the files in it", path.display());
    }
    if !data.is_file() {
        bail!("{} is no file", path.display());
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(LocalFile { path: path.clone(), name, bytes: data.len() })
}

fn progress_bar(file: &LocalFile) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{prefix:24!} {bar:30} {percent:>3} %  {binary_bytes_per_sec}  {msg}");
    let bar = ProgressBar::new(file.bytes).with_prefix(on_one_line(&file.name));
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_that_of_the_worst_file() {
        assert_eq!(worse(0, 0), 0);
        assert_eq!(worse(0, 4), 4);
        assert_eq!(worse(4, 3), 3);
        assert_eq!(worse(3, 1), 1);
        assert_eq!(worse(1, 0), 1);
    }

    #[test]
    fn a_file_that_is_missing_is_named() {
        let error = local_file(&PathBuf::from("/nonexistent/photo.jpg")).unwrap_err().to_string();
        assert_eq!(error, "/nonexistent/photo.jpg cannot be read");
    }
}
