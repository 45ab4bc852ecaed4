//! The numbered folders of blobs: which one is being filled, where a blob lies, and which folders are complete.

use super::failures::{failed, sync_failed};
use super::options::{LocalFilesOptions, RANDOM_BYTES};
use crate::Random;
use crate::blobs::device::{Device, DeviceFile, DeviceFolder, make_folder_if_missing, sync_name};
use crate::blobs::{BlobError, BlobId};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Blobs to a folder.
pub(super) const FOLDER_BLOBS: usize = 4096;

/// All folders.
#[derive(Debug)]
pub(super) struct Folders {
    device: Arc<dyn Device>,
    random: Random,
    root: PathBuf,
    durable: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The folder that is filled next. Folders below it take no more blobs.
    current: u32,
    /// Blobs published, whose commit's outcome is not known yet, by folder.
    unsettled: BTreeMap<u32, usize>,
}

/// The folder that is being filled, held open by the publisher.
#[derive(Debug)]
pub(super) struct Filling {
    number: u32,
    taken: usize,
    /// For its sync.
    folder: Arc<dyn DeviceFolder>,
    /// Blobs that were deleted again for want of room, but not durably yet.
    pub(super) discarded: Vec<BlobId>,
}

impl Filling {
    /// As if so many blobs more had been given a name here.
    #[cfg(test)]
    pub(super) fn take_up(&mut self, blobs: usize) {
        self.taken += blobs;
    }

    /// Whether another blob fits.
    pub(super) fn has_room(&self) -> bool {
        self.taken < FOLDER_BLOBS
    }
}

impl Folders {
    /// Opens the root, making it when needed.
    pub(super) fn open(options: &LocalFilesOptions) -> Result<Folders, BlobError> {
        make_folder(&*options.device, &options.folder, options.durable)?;
        let state = Mutex::new(State { current: 1, unsettled: BTreeMap::new() });
        Ok(Folders { state, ..Folders::beside(options) })
    }

    /// The root as it is, for whoever only looks.
    pub(super) fn beside(options: &LocalFilesOptions) -> Folders {
        Folders {
            device: Arc::clone(&options.device),
            root: options.folder.clone(),
            durable: options.durable,
            random: options.random.clone(),
            state: Mutex::new(State { current: 0, unsettled: BTreeMap::new() }),
        }
    }

    /// The folder to go on in, where this one has no more room.
    pub(super) fn next_filling(&self, filling: Option<&Filling>) -> Result<Option<Filling>, BlobError> {
        let current = self.lock().current;
        let number = match filling {
            Some(filling) if filling.has_room() && filling.number >= current => return Ok(None),
            Some(filling) => current.max(filling.number + 1),
            None => current,
        };
        let path = self.folder_path(number);
        make_folder(&*self.device, &path, self.durable)?;
        let folder = self.device.open_folder(&path).map_err(failed("opening a folder of blobs"))?;
        self.lock().current = number;
        Ok(Some(Filling { number, taken: 0, folder, discarded: Vec::new() }))
    }

    /// A fresh name in a folder; it counts as unsettled from now on.
    pub(super) fn name(&self, filling: &mut Filling) -> Result<BlobId, BlobError> {
        let random = self.random.bytes::<RANDOM_BYTES>().map_err(failed("drawing a random name"))?;
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(filling.number.to_be_bytes().into_iter().chain(random)) {
            *to = from;
        }
        filling.taken += 1;
        *self.lock().unsettled.entry(filling.number).or_insert(0) += 1;
        Ok(BlobId(id))
    }

    /// Makes the names in a folder durable.
    pub(super) fn sync(&self, filling: &Filling) -> Result<(), BlobError> {
        if self.durable { filling.folder.sync().map_err(sync_failed) } else { Ok(()) }
    }

    /// The outcome of a blob's commit is known.
    pub(super) fn settled(&self, id: BlobId) {
        let folder = folder_of(id);
        let mut state = self.lock();
        if let Some(count) = state.unsettled.get_mut(&folder) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.unsettled.remove(&folder);
            }
        }
    }

    /// The lowest folder that may hold a blob whose outcome is unknown.
    pub(super) fn settled_mark(&self) -> u64 {
        let state = self.lock();
        u64::from(state.unsettled.keys().next().copied().unwrap_or(state.current))
    }

    /// Where a blob lies.
    pub(super) fn path_of(&self, id: BlobId) -> PathBuf {
        blob_path(&self.root, id)
    }

    /// Opens a blob.
    pub(super) fn open_blob(&self, id: BlobId) -> Result<Arc<dyn DeviceFile>, BlobError> {
        self.device.open(&self.path_of(id)).map_err(failed("opening a blob"))
    }

    /// Deletes a blob, and its folder when that is empty and takes no more.
    pub(super) fn delete(&self, id: BlobId) -> Result<(), BlobError> {
        match self.device.remove(&self.path_of(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("deleting a blob")(error));
            }
            _ => {}
        }
        if folder_of(id) < self.lock().current {
            // Refused while it holds anything, which is most of the time.
            let _not_empty = self.device.remove_folder(&self.folder_path(folder_of(id)));
        }
        Ok(())
    }

    /// Makes deletions durable, one sync per folder that they were in.
    pub(super) fn sync_deletions(&self, ids: &[BlobId]) -> Result<(), BlobError> {
        let numbers: BTreeSet<u32> = ids.iter().map(|id| folder_of(*id)).collect();
        numbers.into_iter().try_for_each(|number| self.sync_folder(number))
    }

    fn sync_folder(&self, number: u32) -> Result<(), BlobError> {
        if !self.durable {
            return Ok(());
        }
        let folder = match self.device.open_folder(&self.folder_path(number)) {
            // It went with its last blob, so its own name is what must not come back.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.device.open_folder(&self.root),
            opened => opened,
        };
        folder.map_err(failed("opening a folder of blobs"))?.sync().map_err(sync_failed)
    }

    /// Names every blob in the folders from `mark` on, and goes on in a folder above them all.
    pub(super) fn recover(&self, mark: u64) -> Result<Vec<BlobId>, BlobError> {
        let mut suspects = Vec::new();
        let mut current = u32::try_from(mark).unwrap_or(u32::MAX).max(1);
        for name in self.device.names_in(&self.root).map_err(failed("reading the blobs' folder"))? {
            let Some(number) = name.to_str().and_then(folder_number) else { continue };
            current = current.max(number + 1);
            if u64::from(number) >= mark {
                // A process that was killed may have removed names without a sync: what is not seen here must not
                // come back once the mark has passed.
                self.sync_folder(number)?;
                suspects.append(&mut self.blobs_in(number)?);
            }
        }
        *self.lock() = State { current, unsettled: BTreeMap::new() };
        Ok(suspects)
    }

    /// The blobs of the first folder that has any after this one, in the order of their names.
    pub(super) fn published(&self, after: Option<BlobId>) -> Result<Vec<BlobId>, BlobError> {
        let first = after.map_or(0, folder_of);
        let mut numbers = Vec::new();
        for name in self.device.names_in(&self.root).map_err(failed("reading the blobs' folder"))? {
            numbers.extend(name.to_str().and_then(folder_number).filter(|number| *number >= first));
        }
        numbers.sort_unstable();
        for number in numbers {
            let mut blobs = match self.blobs_in(number) {
                // The sweeper removes a folder with its last blob.
                Err(BlobError::NotFound) => continue,
                other => other?,
            };
            blobs.retain(|id| after.is_none_or(|after| *id > after));
            if !blobs.is_empty() {
                blobs.sort_unstable();
                return Ok(blobs);
            }
        }
        Ok(Vec::new())
    }

    fn blobs_in(&self, number: u32) -> Result<Vec<BlobId>, BlobError> {
        let files = self.device.names_in(&self.folder_path(number));
        let files = files.map_err(failed("reading a folder of blobs"))?;
        Ok(files.iter().filter_map(|name| blob_id(number, name.to_str()?)).collect())
    }

    fn folder_path(&self, number: u32) -> PathBuf {
        self.root.join(format!("{number:08x}"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a blob lies under the folder of all.
pub(crate) fn blob_path(root: &Path, id: BlobId) -> PathBuf {
    root.join(format!("{:08x}", folder_of(id))).join(file_name(id))
}

/// The name of a blob's file in its folder.
fn file_name(id: BlobId) -> String {
    id.0.iter().skip(4).map(|byte| format!("{byte:02x}")).collect()
}

fn folder_of(id: BlobId) -> u32 {
    id.0.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn folder_number(name: &str) -> Option<u32> {
    if name.len() == 8 { u32::from_str_radix(name, 16).ok() } else { None }
}

fn blob_id(folder: u32, name: &str) -> Option<BlobId> {
    if name.len() != 24 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let number = u128::from_str_radix(name, 16).ok()?;
    Some(BlobId((u128::from(folder) << 96 | number).to_be_bytes()))
}

/// Makes a folder that only its owner may enter, and makes its name durable.
pub(super) fn make_folder(device: &dyn Device, path: &Path, durable: bool) -> Result<(), BlobError> {
    let made = make_folder_if_missing(device, path).map_err(failed("making a folder"))?;
    if durable { sync_name(device, path, made).map_err(sync_failed) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_folder_and_is_found_again() {
        let id = BlobId([0, 0, 1, 2, 0, 0xff, 7, 7, 7, 7, 7, 7, 7, 7, 7, 9]);
        assert_eq!(folder_of(id), 0x102);
        assert_eq!(blob_id(0x102, &file_name(id)), Some(id));
        assert_eq!(blob_id(1, "LOCK"), None);
    }

    #[test]
    fn the_mark_stays_below_a_blob_whose_outcome_is_unknown() {
        let root = tempfile::tempdir().unwrap();
        let options = LocalFilesOptions::new(root.path().join("blobs"));
        let folders = Folders::open(&options).unwrap();
        folders.recover(5).unwrap();
        let mut filling = folders.next_filling(None).unwrap().unwrap();
        let id = folders.name(&mut filling).unwrap();
        filling.taken = FOLDER_BLOBS;
        folders.next_filling(Some(&filling)).unwrap().unwrap();
        assert_eq!(folders.settled_mark(), 5);
        folders.settled(id);
        assert_eq!(folders.settled_mark(), 6);
    }
}
