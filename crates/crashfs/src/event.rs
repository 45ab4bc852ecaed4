//! What was done to the recorded disk, one thing at a time, and where.

use std::sync::Arc;

/// A file's or folder's number on the recorded disk.
pub type Inode = u32;

/// The folder that everything is in. Its own name is not part of the disk.
pub const ROOT: Inode = 0;

/// One thing that was done.
#[derive(Debug, Clone)]
pub enum Event {
    /// A file was made, without bytes and without a name.
    MakeFile(Inode),
    /// A folder was made, without a name.
    MakeFolder(Inode),
    /// Bytes were written.
    Write(Inode, u64, Arc<[u8]>),
    /// A file was cut or lengthened.
    SetLen(Inode, u64),
    /// A file's bytes and length were synced, as far as they were changed before the entry of this number.
    SyncFile(Inode, usize),
    /// A name in a folder was given, perhaps away from something else.
    Name(Inode, String, Inode),
    /// A name in a folder was taken away.
    Unname(Inode, String),
    /// The names in a folder were synced, as far as they were changed before the entry of this number.
    SyncFolder(Inode, usize),
    /// A client has begun the operation of this number.
    Begun(usize),
    /// A client was told that the operation of this number is done.
    Acknowledged(usize),
}

/// An event and where it happened.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number, rising in the trace.
    pub number: usize,
    /// What was done.
    pub event: Event,
    /// To what: the path from the root as it was then; empty for the root itself and for clients.
    pub place: String,
}

impl Entry {
    /// Whether this makes something durable.
    pub fn is_sync(&self) -> bool {
        matches!(self.event, Event::SyncFile(..) | Event::SyncFolder(..))
    }
}
