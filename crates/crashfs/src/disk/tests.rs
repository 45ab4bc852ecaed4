//! The model of a disk: what survives a power loss and what may be lost.

use super::*;
use crate::survival::Chances;

const FILE: Inode = 1;

fn apply(disk: &mut Disk, number: usize, event: Event) {
    disk.apply(&Entry { number, event, place: String::new() });
}

/// A disk on which a synced file of 1024 times `a` has a durable name.
fn disk_with_a_file() -> Disk {
    let mut disk = Disk::new(&Image::empty());
    let events = [
        Event::MakeFile(FILE),
        Event::Write(FILE, 0, vec![b'a'; 1024].into()),
        Event::SyncFile(FILE, usize::MAX),
        Event::Name(ROOT, "file".to_owned(), FILE),
        Event::SyncFolder(ROOT, usize::MAX),
    ];
    events.into_iter().enumerate().for_each(|(at, event)| apply(&mut disk, at, event));
    disk
}

fn bytes_of(image: &Image, inode: Inode) -> Option<Vec<u8>> {
    match image.nodes.get(&inode) {
        Some(Node::File(bytes)) => Some(bytes.to_vec()),
        _ => None,
    }
}

#[test]
fn what_was_synced_survives_and_what_was_not_may_be_lost() {
    let mut disk = disk_with_a_file();
    apply(&mut disk, 5, Event::Write(FILE, 1024, vec![b'b'; 512].into()));
    assert_eq!(bytes_of(&disk.survivors(&Survival::Nothing), FILE), Some(vec![b'a'; 1024]));
    let whole = bytes_of(&disk.survivors(&Survival::Everything), FILE).unwrap();
    assert_eq!((whole.len(), &whole[1024..]), (1536, &[b'b'; 512][..]));
    apply(&mut disk, 6, Event::SyncFile(FILE, usize::MAX));
    assert_eq!(bytes_of(&disk.survivors(&Survival::Nothing), FILE), Some(whole));
}

#[test]
fn a_file_sync_makes_no_name_durable_and_a_folder_sync_no_bytes() {
    let mut disk = Disk::new(&Image::empty());
    apply(&mut disk, 0, Event::MakeFile(FILE));
    apply(&mut disk, 1, Event::Name(ROOT, "file".to_owned(), FILE));
    apply(&mut disk, 2, Event::Write(FILE, 0, vec![1; 600].into()));
    let mut only_synced_bytes = disk.clone();
    apply(&mut only_synced_bytes, 3, Event::SyncFile(FILE, usize::MAX));
    assert_eq!(bytes_of(&only_synced_bytes.survivors(&Survival::Nothing), FILE), None);
    apply(&mut disk, 3, Event::SyncFolder(ROOT, usize::MAX));
    assert_eq!(bytes_of(&disk.survivors(&Survival::Nothing), FILE), Some(Vec::new()));
    assert_eq!(bytes_of(&disk.survivors(&Survival::Names), FILE), Some(vec![0; 600]));
}

#[test]
fn a_removed_name_can_come_back_until_its_folder_is_synced() {
    let mut disk = disk_with_a_file();
    apply(&mut disk, 5, Event::Unname(ROOT, "file".to_owned()));
    assert!(bytes_of(&disk.survivors(&Survival::Nothing), FILE).is_some());
    apply(&mut disk, 6, Event::SyncFolder(ROOT, usize::MAX));
    assert!(bytes_of(&disk.survivors(&Survival::Nothing), FILE).is_none());
}

#[test]
fn losing_the_name_of_a_folder_loses_what_is_in_it() {
    let mut disk = Disk::new(&Image::empty());
    let events = [
        Event::MakeFolder(1),
        Event::Name(ROOT, "folder".to_owned(), 1),
        Event::MakeFile(2),
        Event::Name(1, "file".to_owned(), 2),
        Event::SyncFolder(1, usize::MAX),
    ];
    events.into_iter().enumerate().for_each(|(at, event)| apply(&mut disk, at, event));
    assert_eq!(disk.survivors(&Survival::Nothing).nodes.len(), 1);
    apply(&mut disk, 5, Event::SyncFolder(ROOT, usize::MAX));
    assert_eq!(disk.survivors(&Survival::Nothing).nodes.len(), 3);
}

#[test]
fn a_torn_write_leaves_each_sector_old_or_new() {
    let mut disk = disk_with_a_file();
    apply(&mut disk, 5, Event::Write(FILE, 100, vec![b'b'; 900].into()));
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..64 {
        let survival = Survival::Chance { seed, per_mille: 500, sector_bytes: 512, junk: false };
        let bytes = bytes_of(&disk.survivors(&survival), FILE).unwrap();
        assert!(bytes[..100].iter().all(|byte| *byte == b'a') && bytes.len() == 1024);
        assert!(bytes[100..512].iter().all(|byte| *byte == bytes[100]), "torn within a sector");
        assert!(bytes[512..1000].iter().all(|byte| *byte == bytes[512]), "torn within a sector");
        seen.insert((bytes[100], bytes[512]));
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn length_may_survive_without_the_bytes_and_the_bytes_without_the_length() {
    let mut disk = disk_with_a_file();
    apply(&mut disk, 5, Event::Write(FILE, 1024, vec![b'b'; 512].into()));
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..64 {
        let survival = Survival::Chance { seed, per_mille: 500, sector_bytes: 512, junk: true };
        let bytes = bytes_of(&disk.survivors(&survival), FILE).unwrap();
        seen.insert((bytes.len(), bytes.get(1024).copied()));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [(1024, None), (1536, Some(b'b')), (1536, Some(0xA5))]);
}

#[test]
fn a_cut_file_that_grows_again_has_each_sector_old_empty_or_new() {
    let mut disk = disk_with_a_file();
    apply(&mut disk, 5, Event::SetLen(FILE, 0));
    apply(&mut disk, 6, Event::Write(FILE, 512, vec![b'c'; 512].into()));
    let all = bytes_of(&disk.survivors(&Survival::Everything), FILE).unwrap();
    assert_eq!((all[0], all[512], all.len()), (0, b'c', 1024));
    assert_eq!(bytes_of(&disk.survivors(&Survival::First(1)), FILE), Some(Vec::new()));
    let mut chances = Chances::new(1);
    for _ in 0..32 {
        let survival =
            Survival::Chance { seed: chances.draw(), per_mille: 500, sector_bytes: 512, junk: false };
        for byte in bytes_of(&disk.survivors(&survival), FILE).unwrap() {
            assert!([b'a', b'c', 0].contains(&byte));
        }
    }
}

#[test]
fn a_sync_does_not_cover_what_was_done_after_it_began() {
    let mut disk = disk_with_a_file();
    apply(&mut disk, 5, Event::Write(FILE, 0, vec![b'b'; 512].into()));
    apply(&mut disk, 6, Event::Write(FILE, 512, vec![b'c'; 512].into()));
    apply(&mut disk, 7, Event::SyncFile(FILE, 6));
    let bytes = bytes_of(&disk.survivors(&Survival::Nothing), FILE).unwrap();
    assert_eq!((bytes[0], bytes[512]), (b'b', b'a'));
}
