//! Where the store on a data folder listens: a file in the folder that a running store writes and removes again, so
//! that commands beside it find it.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// The file's name. One line: the store's address.
const FILE: &str = "store-address";

/// Says where the store on this folder is reached, until the value is dropped.
#[derive(Debug)]
pub(crate) struct Announced(PathBuf);

/// Announces a store that listens at `url`. One that ended without removing its file is overwritten.
pub(crate) fn announce(data: &Path, url: &str) -> anyhow::Result<Announced> {
    let path = data.join(FILE);
    std::fs::write(&path, format!("{url}\n"))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Announced(path))
}

impl Drop for Announced {
    fn drop(&mut self) {
        // What is left behind names an address at which nothing answers, which the next command says.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The address of the store that runs on a data folder.
pub(crate) fn address(data: &Path) -> anyhow::Result<String> {
    let path = data.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "no store runs on {}: start one, name another folder with --data, or the store's address with --endpoint",
            data.display()
        ),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_found_while_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        assert!(address(folder.path()).unwrap_err().to_string().starts_with("no store runs on"));
        let announced = announce(folder.path(), "http://127.0.0.1:1").unwrap();
        assert_eq!(address(folder.path()).unwrap(), "http://127.0.0.1:1");
        drop(announced);
        assert!(address(folder.path()).is_err());
    }
}
