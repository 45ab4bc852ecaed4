//! Records what was done to the disk in one order: every write, every name, every sync, and what clients were told.
//!
//! An operation and its entry are one step under one lock, so the order of the entries is the order in which the
//! operations took effect, whether SQLite or the store did them. A sync covers what was done before it began; it
//! is recorded where it ends, and what was done meanwhile is not promised.

use crate::disk::{Disk, Image, Node};
use crate::event::{Entry, Event, Inode, ROOT};
use crate::survival::Survival;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// SQLite's log begins with so many bytes that belong to no commit.
const LOG_HEADER_BYTES: u64 = 32;

/// The recorder. The files themselves lie in a real folder, where reads and locks are the system's own.
#[derive(Debug)]
pub struct Trace {
    folder: PathBuf,
    initial: Image,
    /// How long a sync waits before it counts, so that an answer given too early is recorded before it.
    pub(crate) before_sync: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    entries: Vec<Entry>,
    folders: BTreeMap<Inode, BTreeMap<String, Inode>>,
    next: Inode,
    ended: bool,
    /// Where the next sync finds no room.
    full_at: Option<&'static str>,
    /// The process is killed as it is about to sync a commit in the log whose place ends so.
    killed_at_sync_of: Option<&'static str>,
}

impl Trace {
    /// Lays the image out in a real folder, which must be empty, and begins there.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn begin(folder: &Path, initial: Image, before_sync: Duration) -> io::Result<Arc<Trace>> {
        initial.lay_out(folder)?;
        Ok(Trace::new(folder, initial, before_sync, Vec::new()))
    }

    fn new(folder: &Path, initial: Image, before_sync: Duration, entries: Vec<Entry>) -> Arc<Trace> {
        let mut state = State { next: initial.next_inode(), ..State::default() };
        for (inode, node) in &initial.nodes {
            if let Node::Folder(names) = node {
                state.folders.insert(*inode, names.clone());
            }
        }
        for entry in entries {
            state.push(entry.event, entry.place);
        }
        Arc::new(Trace { folder: folder.to_owned(), initial, before_sync, state: Mutex::new(state) })
    }

    /// Ends this trace as a killed process does: what the store still does here fails. The answer goes on in
    /// another real folder.
    ///
    /// # Errors
    /// When that folder cannot be written.
    pub fn killed(&self, folder: &Path) -> io::Result<Arc<Trace>> {
        Trace::resumed(folder, self.initial.clone(), self.before_sync, self.end())
    }

    /// Goes on after a kill: nothing of what was done is lost, and nothing of it is more durable than before.
    pub(crate) fn resumed(
        folder: &Path,
        initial: Image,
        before_sync: Duration,
        entries: Vec<Entry>,
    ) -> io::Result<Arc<Trace>> {
        let mut disk = Disk::new(&initial);
        entries.iter().for_each(|entry| disk.apply(entry));
        disk.survivors(&Survival::Everything).lay_out(folder)?;
        Ok(Trace::new(folder, initial, before_sync, entries))
    }

    /// Ends the recording: whatever is done from now on fails.
    pub fn end(&self) -> Vec<Entry> {
        let mut state = self.lock();
        state.ended = true;
        std::mem::take(&mut state.entries)
    }

    /// What the disk held at first.
    pub fn initial(&self) -> &Image {
        &self.initial
    }

    /// The real folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Notes what a client did or heard.
    pub fn note(&self, event: Event) {
        self.lock().push(event, String::new());
    }

    /// The next sync of something whose place begins so finds no room.
    pub(crate) fn fill_up(&self, place: &'static str) {
        self.lock().full_at = Some(place);
    }

    /// The process is killed when it has written a commit to the log whose place ends so and is about to sync it:
    /// all of the commit is there, and nothing of it is durable.
    pub(crate) fn kill_in_commit(&self, log: &'static str) {
        self.lock().killed_at_sync_of = Some(log);
    }

    /// Does something to the real folder and records it as one step.
    pub(crate) fn step<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.lock();
        if state.ended { Err(io::Error::other("the recording has ended")) } else { act(&mut state) }
    }

    /// Waits a little, then records a sync of what was done until now.
    pub(crate) fn sync(&self, place: &str, event: impl FnOnce(usize) -> Event) -> io::Result<()> {
        let until = self.step(|state| {
            if state.killed_at_sync_of.is_some_and(|end| place.ends_with(end))
                && state.commit_is_written(place)
            {
                state.killed_at_sync_of = None;
                state.ended = true;
                return Err(io::Error::other("the process was killed"));
            }
            match state.full_at.take_if(|full| place.starts_with(*full)) {
                Some(_) => Err(io::ErrorKind::StorageFull.into()),
                None => Ok(state.entries.len()),
            }
        })?;
        std::thread::sleep(self.before_sync);
        self.step(|state| {
            state.push(event(until), place.to_owned());
            Ok(())
        })
    }

    /// The path from the root.
    pub(crate) fn place(&self, path: &Path) -> io::Result<String> {
        let place = path.strip_prefix(&self.folder).map_err(|_| io::ErrorKind::NotFound)?;
        place.to_str().map(str::to_owned).ok_or_else(|| io::ErrorKind::InvalidFilename.into())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the last write to this log went beyond its header, which has a sync of its own.
    fn commit_is_written(&self, log: &str) -> bool {
        let last = self.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::Write(_, offset, bytes) if entry.place == log => Some(*offset + bytes.len() as u64),
            _ => None,
        });
        last.is_some_and(|end| end > LOG_HEADER_BYTES)
    }

    pub(crate) fn push(&mut self, event: Event, place: String) {
        match &event {
            Event::MakeFile(inode) => self.next = self.next.max(inode + 1),
            Event::MakeFolder(inode) => {
                self.next = self.next.max(inode + 1);
                self.folders.insert(*inode, BTreeMap::new());
            }
            Event::Name(folder, name, inode) => {
                self.folders.entry(*folder).or_default().insert(name.clone(), *inode);
            }
            Event::Unname(folder, name) => {
                self.folders.entry(*folder).or_default().remove(name);
            }
            _ => {}
        }
        self.entries.push(Entry { number: self.entries.len(), event, place });
    }

    /// A number that nothing has.
    pub(crate) fn next_inode(&self) -> Inode {
        self.next
    }

    /// What has this path now.
    pub(crate) fn find(&self, place: &str) -> Option<Inode> {
        let parts = place.split('/').filter(|part| !part.is_empty());
        parts.into_iter().try_fold(ROOT, |folder, name| self.folders.get(&folder)?.get(name).copied())
    }

    /// The folder that a path is in, and its last name.
    pub(crate) fn parent(&self, place: &str) -> io::Result<(Inode, String)> {
        let (folder, name) = place.rsplit_once('/').unwrap_or(("", place));
        Ok((self.find(folder).ok_or(io::ErrorKind::NotFound)?, name.to_owned()))
    }

    /// Records that something new has a name.
    pub(crate) fn named(&mut self, place: &str, inode: Inode) -> io::Result<()> {
        let (folder, name) = self.parent(place)?;
        self.push(Event::Name(folder, name, inode), place.to_owned());
        Ok(())
    }

    /// Records that a name is gone.
    pub(crate) fn unnamed(&mut self, place: &str) -> io::Result<()> {
        let (folder, name) = self.parent(place)?;
        self.push(Event::Unname(folder, name), place.to_owned());
        Ok(())
    }
}
