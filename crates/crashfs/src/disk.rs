//! Models a disk: what is durable, what is pending, and what a power loss leaves of it.
//!
//! A file's pending changes live until the file is synced, a folder's until the folder is. A sector holds one of
//! the states it had since its last sync (a disk writes pages as they are at some moment, it does not replay
//! writes); so does a length; so does a name. All of these are chosen independently of each other, which allows
//! more than any journaling file system does; only a cut takes all that lay beyond it at once. Why this, and what it leaves out, is in
//! `docs/decisions/what-a-crash-leaves.md`.

use crate::event::{Entry, Event, Inode, ROOT};
use crate::survival::{Choice, Part, Survival};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

/// A disk at rest: everything in it is durable.
#[derive(Debug, Clone)]
pub struct Image {
    /// All files and folders that have a name, and the root.
    pub nodes: BTreeMap<Inode, Node>,
}

/// A file or a folder.
#[derive(Debug, Clone, Hash)]
pub enum Node {
    /// A file's bytes.
    File(Arc<Vec<u8>>),
    /// A folder's names.
    Folder(BTreeMap<String, Inode>),
}

impl Image {
    /// An empty disk.
    pub fn empty() -> Image {
        Image { nodes: BTreeMap::from([(ROOT, Node::Folder(BTreeMap::new()))]) }
    }

    /// Equal images have equal fingerprints.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.nodes.hash(&mut hasher);
        hasher.finish()
    }

    /// The schema that the catalog's file names, if there is one.
    pub(crate) fn schema(&self) -> Option<u32> {
        let named = |folder: Inode, name: &str| match self.nodes.get(&folder) {
            Some(Node::Folder(names)) => names.get(name).copied(),
            _ => None,
        };
        match self.nodes.get(&named(named(ROOT, "data")?, "catalog.sqlite")?) {
            Some(Node::File(bytes)) => Some(u32::from_be_bytes(bytes.get(60..64)?.try_into().ok()?)),
            _ => None,
        }
    }

    pub(crate) fn next_inode(&self) -> Inode {
        self.nodes.keys().next_back().map_or(1, |last| last + 1)
    }

    /// Writes it into a real folder.
    pub(crate) fn lay_out(&self, folder: &Path) -> io::Result<()> {
        self.lay_out_node(ROOT, folder)
    }

    fn lay_out_node(&self, inode: Inode, path: &Path) -> io::Result<()> {
        match self.nodes.get(&inode) {
            Some(Node::File(bytes)) => std::fs::write(path, &bytes[..]),
            Some(Node::Folder(names)) => {
                std::fs::DirBuilder::new().mode(0o700).recursive(true).create(path)?;
                names.iter().try_for_each(|(name, inode)| self.lay_out_node(*inode, &path.join(name)))
            }
            None => Ok(()),
        }
    }
}

/// A disk at work.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    files: BTreeMap<Inode, File>,
    folders: BTreeMap<Inode, Folder>,
}

#[derive(Debug, Clone, Default)]
struct File {
    durable: Arc<Vec<u8>>,
    pending: Vec<(usize, Change)>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Arc<[u8]>),
    SetLen(u64),
}

#[derive(Debug, Clone, Default)]
struct Folder {
    durable: BTreeMap<String, Inode>,
    pending: Vec<(usize, String, Option<Inode>)>,
}

impl Disk {
    pub(crate) fn new(image: &Image) -> Disk {
        let mut disk = Disk { files: BTreeMap::new(), folders: BTreeMap::new() };
        for (inode, node) in &image.nodes {
            match node {
                Node::File(bytes) => {
                    disk.files.insert(*inode, File { durable: Arc::clone(bytes), pending: Vec::new() });
                }
                Node::Folder(names) => {
                    disk.folders.insert(*inode, Folder { durable: names.clone(), pending: Vec::new() });
                }
            }
        }
        disk
    }

    /// Takes in the next entry of the trace.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        let at = entry.number;
        match &entry.event {
            Event::MakeFile(inode) => drop(self.files.insert(*inode, File::default())),
            Event::MakeFolder(inode) => drop(self.folders.insert(*inode, Folder::default())),
            Event::Write(inode, offset, bytes) => {
                self.file(*inode).pending.push((at, Change::Write(*offset, Arc::clone(bytes))));
            }
            Event::SetLen(inode, len) => self.file(*inode).pending.push((at, Change::SetLen(*len))),
            Event::SyncFile(inode, until) => self.file(*inode).sync(*until),
            Event::Name(folder, name, inode) => {
                self.folder(*folder).pending.push((at, name.clone(), Some(*inode)));
            }
            Event::Unname(folder, name) => self.folder(*folder).pending.push((at, name.clone(), None)),
            Event::SyncFolder(inode, until) => self.folder(*inode).sync(*until),
            Event::Begun(_) | Event::Acknowledged(_) => {}
        }
    }

    fn file(&mut self, inode: Inode) -> &mut File {
        self.files.entry(inode).or_default()
    }

    fn folder(&mut self, inode: Inode) -> &mut Folder {
        self.folders.entry(inode).or_default()
    }

    /// The places in the trace of all pending changes, in order.
    pub(crate) fn pending(&self) -> Vec<usize> {
        let files = self.files.values().flat_map(|file| file.pending.iter().map(|(at, _)| *at));
        let folders = self.folders.values().flat_map(|folder| folder.pending.iter().map(|(at, ..)| *at));
        let places: BTreeSet<usize> = files.chain(folders).collect();
        places.into_iter().collect()
    }

    /// What a power loss leaves now.
    pub(crate) fn survivors(&self, survival: &Survival) -> Image {
        let places = self.pending();
        let rank = |at: usize| places.binary_search(&at).unwrap_or(usize::MAX);
        let mut choice = survival.choice();
        let mut image = Image { nodes: BTreeMap::new() };
        let mut folders = BTreeMap::new();
        for (inode, folder) in &self.folders {
            folders.insert(*inode, folder.survivors(|at| choice.keeps(rank(at), Part::Name)));
        }
        // Only what has a name is there after a start.
        let mut reached = vec![ROOT];
        while let Some(inode) = reached.pop() {
            let node = match (folders.remove(&inode), self.files.get(&inode)) {
                (Some(names), _) => {
                    reached.extend(names.values().copied());
                    Node::Folder(names)
                }
                (None, Some(file)) => Node::File(file.survivors(rank, &mut choice)),
                (None, None) => continue,
            };
            image.nodes.insert(inode, node);
        }
        image
    }
}

impl Folder {
    fn sync(&mut self, until: usize) {
        self.durable = self.survivors(|at| at < until);
        self.pending.retain(|(at, ..)| *at >= until);
    }

    fn survivors(&self, mut keeps: impl FnMut(usize) -> bool) -> BTreeMap<String, Inode> {
        let mut names = self.durable.clone();
        for (at, name, inode) in &self.pending {
            if keeps(*at) {
                match inode {
                    Some(inode) => names.insert(name.clone(), *inode),
                    None => names.remove(name),
                };
            }
        }
        names
    }
}

impl File {
    fn sync(&mut self, until: usize) {
        let covered = self.pending.iter().take_while(|(at, _)| *at < until).count();
        if covered == 0 {
            return;
        }
        let mut bytes = std::mem::take(&mut self.durable).to_vec();
        for (_, change) in self.pending.drain(..covered) {
            match change {
                Change::SetLen(len) => bytes.resize(len as usize, 0),
                Change::Write(offset, written) => {
                    let (from, to) = (offset as usize, offset as usize + written.len());
                    bytes.resize(bytes.len().max(to), 0);
                    bytes[from..to].copy_from_slice(&written);
                }
            }
        }
        self.durable = Arc::new(bytes);
    }

    fn survivors(&self, rank: impl Fn(usize) -> usize, choice: &mut Choice) -> Arc<Vec<u8>> {
        if self.pending.is_empty() {
            return Arc::clone(&self.durable);
        }
        let states = self.choose(rank, choice);
        let sector = choice.sector_bytes();
        let mut bytes = self.durable.to_vec();
        bytes.resize(states.sectors.len() * sector, 0);
        for (at, lost) in states.sectors.iter().enumerate().skip(self.durable.len().div_ceil(sector)) {
            if lost.is_none() {
                bytes[at * sector..(at + 1) * sector].fill(choice.filling());
            }
        }
        for (order, (_, change)) in self.pending.iter().enumerate() {
            let (from, to) = match change {
                Change::Write(offset, written) => (*offset as usize, *offset as usize + written.len()),
                Change::SetLen(len) => (*len as usize, bytes.len()),
            };
            let mut at = from;
            while at < to {
                let end = to.min((at / sector + 1) * sector);
                if states.sectors[at / sector].is_some_and(|last| order <= last) {
                    match change {
                        Change::Write(_, written) => {
                            bytes[at..end].copy_from_slice(&written[at - from..end - from])
                        }
                        Change::SetLen(_) => bytes[at..end].fill(0),
                    }
                }
                at = end;
            }
        }
        bytes.truncate(states.len);
        Arc::new(bytes)
    }

    /// Up to which change each sector is written, and the length.
    fn choose(&self, rank: impl Fn(usize) -> usize, choice: &mut Choice) -> States {
        let sector = choice.sector_bytes();
        let longest = self.pending.iter().map(|(_, change)| change.end()).max().unwrap_or(0);
        let longest = longest.max(self.durable.len());
        let mut states = States { sectors: vec![None; longest.div_ceil(sector)], len: self.durable.len() };
        let mut len_now = self.durable.len();
        let mut cuts = Vec::new();
        for (order, (at, change)) in self.pending.iter().enumerate() {
            let rank = rank(*at);
            let new_len = match change {
                Change::Write(..) => len_now.max(change.end()),
                Change::SetLen(len) => *len as usize,
            };
            if new_len < len_now {
                cuts.push((order, new_len));
            }
            if new_len != len_now {
                len_now = new_len;
                if choice.keeps(rank, Part::Length) {
                    states.len = new_len;
                    // Whoever has this length has been cut before, with all that lay beyond.
                    cuts.drain(..).for_each(|(order, from)| states.reach(from / sector..usize::MAX, order));
                }
            }
            if let Change::Write(offset, _) = change {
                for at in *offset as usize / sector..change.end().div_ceil(sector) {
                    if choice.keeps(rank, Part::Sector) {
                        states.reach(at..at + 1, order);
                    }
                }
            }
        }
        states
    }
}

struct States {
    sectors: Vec<Option<usize>>,
    len: usize,
}

impl States {
    /// These sectors are as they were after this change.
    fn reach(&mut self, sectors: Range<usize>, order: usize) {
        for state in self.sectors.iter_mut().take(sectors.end).skip(sectors.start) {
            *state = Some(state.map_or(order, |reached| reached.max(order)));
        }
    }
}

impl Change {
    fn end(&self) -> usize {
        match self {
            Change::Write(offset, bytes) => *offset as usize + bytes.len(),
            Change::SetLen(len) => *len as usize,
        }
    }
}

#[cfg(test)]
mod tests;
