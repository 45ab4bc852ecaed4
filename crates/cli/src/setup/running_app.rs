//! Tells `health` where the application server of a data folder listens: by a file in the folder while it runs, as
//! the store has one.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The file's name. One line: the application server's address.
const FILE: &str = "app-address";

/// Says where the application server on this folder is reached, until the value is dropped.
#[derive(Debug)]
pub(crate) struct AnnouncedApp(PathBuf);

/// Announces one that listens at `url`. The file of one that ended without removing it is overwritten.
pub(crate) fn announce(data: &Path, url: &str) -> anyhow::Result<AnnouncedApp> {
    let path = data.join(FILE);
    std::fs::write(&path, format!("{url}\n"))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(AnnouncedApp(path))
}

impl Drop for AnnouncedApp {
    fn drop(&mut self) {
        // What is left behind names an address at which nothing answers, which `health` says.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The address of the application server that runs on a data folder, if one does.
pub(crate) fn address(data: &Path) -> anyhow::Result<Option<String>> {
    let path = data.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_server_is_found_while_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(address(folder.path()).unwrap(), None);
        let announced = announce(folder.path(), "http://127.0.0.1:1").unwrap();
        assert_eq!(address(folder.path()).unwrap().as_deref(), Some("http://127.0.0.1:1"));
        drop(announced);
        assert_eq!(address(folder.path()).unwrap(), None);
    }
}
