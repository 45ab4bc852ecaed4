//! Errors of a seed or an export: each names the file that it is about.

use std::path::PathBuf;

use countersign_store::{ApplyError, BackupError, PutRefusal, QueryError, ReadError, StageError};

/// A seed or an export that is refused, or that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    /// The folder or a file in it cannot be used.
    #[error("{} cannot be {what}: {source}", path.display())]
    File {
        /// What was tried, as a participle.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An export that did not come to its end.
    #[error("it is an export that did not come to its end (MANIFEST breaks off); export it again")]
    HalfExport,
    /// The list of an export's files is not what was written.
    #[error("MANIFEST:{line} is not as it was written; delete MANIFEST to take the folder as it is")]
    Manifest {
        /// The line.
        line: usize,
    },
    /// A file is not what the export's list says.
    #[error("{path:?} is not as it was exported: {difference}; delete MANIFEST to take the folder as it is")]
    NotAsExported {
        /// Its path in the folder.
        path: String,
        /// What differs.
        difference: String,
    },
    /// A symbolic link, a device, a pipe or a socket.
    #[error("{path:?} is {what}; a seed holds files and folders only")]
    Kind {
        /// Its path in the folder.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// A file that lies where no object and no sidecar can be.
    #[error("{path:?} {problem}")]
    Misplaced {
        /// Its path in the folder.
        path: String,
        /// What is wrong with it there.
        problem: String,
    },
    /// A sidecar says something that cannot be.
    #[error("{sidecar}{}: {problem}", line.map(|line| format!(":{line}")).unwrap_or_default())]
    Sidecar {
        /// The sidecar's name.
        sidecar: String,
        /// The line, where there is one.
        line: Option<usize>,
        /// What is wrong.
        problem: String,
    },
    /// A file was changed while it was read.
    #[error("{path:?} changed while it was read")]
    Changed {
        /// Its path in the folder.
        path: String,
    },
    /// An export goes into an empty folder.
    #[error("{} is not empty; an export goes into an empty or a new folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// An export would lie in what it is made of.
    #[error("{} lies in the data folder", path.display())]
    WithinData {
        /// The folder.
        path: PathBuf,
    },
    /// What the store holds cannot be said in this form.
    #[error("{what} cannot be exported: {problem}")]
    Unexportable {
        /// The bucket or object.
        what: String,
        /// Why.
        problem: String,
    },
    /// An object is damaged.
    #[error("{}: its bytes are damaged; see `countersign scrub --known`", objects.join(", "))]
    Damaged {
        /// Each as BUCKET/KEY.
        objects: Vec<String>,
    },
    /// The bytes of an object could not be read.
    #[error("{object} cannot be read: {source}")]
    Read {
        /// As BUCKET/KEY.
        object: String,
        /// What went wrong.
        source: ReadError,
    },
    /// The data folder cannot be read.
    #[error(transparent)]
    Snapshot(#[from] BackupError),
    /// The catalog cannot be asked.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Bytes could not be stored.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A change could not be written.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// An object was refused: its bucket was removed meanwhile.
    #[error(transparent)]
    Put(PutRefusal),
}

impl SeedError {
    /// Names what was tried with a file.
    pub(super) fn file<'a>(
        what: &'static str,
        path: &'a std::path::Path,
    ) -> impl Fn(std::io::Error) -> SeedError + use<'a> {
        move |source| SeedError::File { what, path: path.to_path_buf(), source }
    }
}
