//! Removes a throw-away folder when its process was killed: a shell that waits on a pipe, which the system closes when
//! the process ends in whatever way. It has a process group of its own, so that what ends the other does not end it.
//!
//! Where there is no shell the next start removes the folder.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Ends at once when it reads a line, and removes the folder when the pipe ends without one.
const SCRIPT: &str = r#"trap '' HUP INT TERM; read -r done || rm -rf -- "$0""#;

/// The waiting shell. Dropping it lets it remove the folder.
#[derive(Debug)]
pub(super) struct FolderGuard(Child);

impl FolderGuard {
    /// Guards this folder; `None` where no shell can be started.
    pub(super) fn of(folder: &Path) -> Option<FolderGuard> {
        let child = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let child = child.inspect_err(|error| tracing::debug!(%error, "no shell guards the folder"));
        child.ok().map(FolderGuard)
    }

    /// The folder is gone: nothing is to be done any more.
    pub(super) fn dismiss(mut self) {
        if let Some(mut pipe) = self.0.stdin.take() {
            let _gone_already = pipe.write_all(b"done\n");
        }
    }
}

impl Drop for FolderGuard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _none_left = self.0.wait();
    }
}
