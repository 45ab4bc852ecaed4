//! Prints the outcome of each file and of all together: for people, or in JSON.

use serde_json::json;

use super::local_files::FileToUpload;
use super::outcome::Outcome;
use crate::command_line::upload_flags::UploadFlags;
use crate::wording::on_one_line;

/// What has become of the files so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    json: bool,
    quiet: bool,
    files: u64,
    bytes: u64,
    good: u64,
    code: u8,
}

impl Report {
    pub(super) fn new(flags: &UploadFlags) -> Report {
        Report { json: flags.json, quiet: flags.quiet, ..Report::default() }
    }

    /// Prints and counts one file.
    pub(super) fn file(&mut self, file: &FileToUpload, outcome: &Outcome) {
        let is_good = outcome.exit_code() == 0;
        self.files += 1;
        self.code = worse(self.code, outcome.exit_code());
        if is_good {
            self.good += 1;
            self.bytes = self.bytes.saturating_add(file.bytes);
        }
        let line = on_one_line(&format!("{}  {}", file.path.display(), outcome.line()));
        match (self.json, is_good) {
            (true, _) => say!("{}", as_json(file, outcome)),
            (false, false) => warn_line!("{line}"),
            (false, true) if !self.quiet => say!("{line}"),
            (false, true) => {}
        }
    }

    /// Prints the total, which says nothing new of one file, and gives the exit code.
    pub(super) fn end(self) -> u8 {
        let Report { files, bytes, good, .. } = self;
        if self.json {
            say!(
                "{}",
                json!({ "total": { "files": files, "succeeded": good, "failed": files - good, "bytes": bytes } })
            );
        } else if files > 1 && !self.quiet {
            say!("{good} of {files} files, {}", crate::upkeep::size(bytes));
        }
        self.code
    }
}

fn as_json(file: &FileToUpload, outcome: &Outcome) -> serde_json::Value {
    let (state, key, message) = outcome.parts();
    json!({
        "file": file.path.to_string_lossy(),
        "bytes": file.bytes,
        "state": state,
        "key": key,
        "message": message,
    })
}

/// A refusal says more than a missing confirmation, and both more than success.
fn worse(one: u8, other: u8) -> u8 {
    match (one, other) {
        (0, code) | (code, 0) => code,
        (one, other) => one.min(other),
    }
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
}
