//! Sets the limits of this process: files for its owner only, and as many open files as the system permits.

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

/// From here on whatever this process creates is for its owner only: small objects lie in the catalog's file, and
/// the data folder may have been there before, open to others.
pub(crate) fn keep_files_private() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// How many files a process may open; a program that this one starts may want it as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenFiles(Option<u64>);

impl OpenFiles {
    /// As a word that [`OpenFiles::restore`] understands.
    pub(crate) fn as_word(self) -> String {
        self.0.map_or_else(String::new, |number| number.to_string())
    }

    /// Permits this process so many again. A number that cannot be set leaves more, which harms nothing.
    pub(crate) fn restore(word: &str) {
        let maximum = getrlimit(Resource::Nofile).maximum;
        let _more_stay = setrlimit(Resource::Nofile, Rlimit { current: word.parse().ok(), maximum });
    }
}

/// Raises the number of open files to what the system permits, and says what it was. Idle connections would otherwise
/// take the descriptors that the store's own files need.
pub(crate) fn raise_open_files() -> OpenFiles {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the number of open files could not be raised");
    }
    OpenFiles(current)
}

/// As [`connections_fitting`]; warns where that is less than what is wanted.
pub(crate) fn connections_max(wanted: usize, servers: usize) -> usize {
    let fitting = connections_fitting(wanted, servers);
    if fitting < wanted {
        tracing::warn!(
            connections = fitting,
            "few files may be open here, so fewer connections are kept (raise ulimit -n or LimitNOFILE)"
        );
    }
    fitting
}

/// How many connections each of so many servers in this process may keep open: half of the descriptors, shared, and
/// no more than `wanted`. The other half stays for files and for connections to applications.
pub(crate) fn connections_fitting(wanted: usize, servers: usize) -> usize {
    let permitted = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
    share_of_connections(permitted.unwrap_or(usize::MAX), wanted, servers)
}

fn share_of_connections(descriptors: usize, wanted: usize, servers: usize) -> usize {
    (descriptors / 2 / servers.max(1)).clamp(1, wanted.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_files_as_the_system_permits_may_be_open() {
        raise_open_files();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }

    #[test]
    fn connections_leave_half_of_the_descriptors_to_files() {
        assert_eq!(share_of_connections(1_000_000, 8192, 1), 8192);
        assert_eq!(share_of_connections(1024, 8192, 1), 512);
        assert_eq!(share_of_connections(1024, 8192, 2), 256);
        assert_eq!(share_of_connections(0, 8192, 2), 1);
    }
}
