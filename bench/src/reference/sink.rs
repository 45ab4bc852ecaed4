//! Where the reference's connections put what they take.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

use super::object_index::ObjectIndex;
use super::raw_log::RawLog;
use crate::signing::AccessKey;

/// What all connections have in common.
pub(super) struct Sink {
    pub(super) key: AccessKey,
    pub(super) data: PathBuf,
    pub(super) md5: bool,
    pub(super) direct: bool,
    pub(super) log: RawLog,
    pub(super) index: ObjectIndex,
    pub(super) files: AtomicU64,
}
