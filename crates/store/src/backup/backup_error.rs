//! Why a backup could not be taken or brought back.

use crate::OpenError;
use crate::catalog::CatalogError;
use std::path::{Path, PathBuf};

/// A backup could not be taken or brought back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A catalog cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A file or folder cannot be used.
    #[error("{} cannot be {what}: {source}", path.display())]
    File {
        /// What was tried, as a participle.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The backup folder holds something else.
    #[error("{} is neither empty nor a backup folder of countersign", path.display())]
    NotABackupFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The backup folder lies in the data folder, or the other way about.
    #[error("the backup folder {} and the data folder lie in one another", path.display())]
    WithinData {
        /// The backup folder.
        path: PathBuf,
    },
    /// There is no backup, or none of that name.
    #[error("{} holds no whole backup{}", path.display(), named(.name))]
    NoBackup {
        /// The backup folder.
        path: PathBuf,
        /// The name that was asked for.
        name: Option<String>,
    },
    /// A manifest is not whole.
    #[error("the manifest {} is not whole: {reason}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder to restore into holds something.
    #[error("{} is not empty; a restore goes into an empty or a new folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// Files of the backup are not what its manifest says.
    #[error("the backup is damaged: {}{}", first(.damaged), more(.damaged))]
    Damaged {
        /// Each file, and what is wrong with it.
        damaged: Vec<(String, String)>,
    },
}

fn named(name: &Option<String>) -> String {
    name.as_ref().map(|name| format!(" of the name {name}")).unwrap_or_default()
}

fn first(damaged: &[(String, String)]) -> String {
    damaged.first().map(|(file, what)| format!("{file}: {what}")).unwrap_or_default()
}

fn more(damaged: &[(String, String)]) -> String {
    if damaged.len() > 1 { format!(" (and {} more)", damaged.len() - 1) } else { String::new() }
}

/// Names what was tried with a file.
pub(super) fn failed<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl Fn(std::io::Error) -> BackupError + use<'a> {
    move |source| BackupError::File { what, path: path.to_path_buf(), source }
}
