//! Which folders are removed, by which process, and which never are.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};
use std::time::Instant;

use super::*;

/// A folder for throw-away folders, for one test.
fn root() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn names(root: &tempfile::TempDir) -> Vec<String> {
    let entries = fs::read_dir(root.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn make_private(path: &Path) {
    fs::DirBuilder::new().mode(0o700).create(path).unwrap();
}

/// What a killed process leaves: a marked folder whose lock is free.
fn left_over(root: &tempfile::TempDir, name: &str) -> PathBuf {
    let path = root.path().join(format!("{PREFIX}{name}"));
    make_private(&path);
    fs::write(path.join(MARK_FILE), MARK).unwrap();
    path
}

/// Makes a folder and removes it, by which what is left over was removed too.
fn start_once(root: &tempfile::TempDir) {
    EphemeralFolder::make(Some(root.path())).unwrap().remove().unwrap();
}

#[test]
fn a_folder_is_for_its_owner_only_and_is_gone_with_all_that_is_in_it() {
    let root = root();
    let kept = root.path().join("kept");
    fs::write(&kept, "kept").unwrap();
    let folder = EphemeralFolder::make(Some(root.path())).unwrap();
    let path = folder.path().to_owned();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    fs::create_dir_all(path.join("a/b/c")).unwrap();
    fs::write(path.join("a/b/file"), "x").unwrap();
    symlink(&kept, path.join("a/link")).unwrap();
    symlink(root.path(), path.join("link_to_folder")).unwrap();
    drop(folder);
    assert_eq!(names(&root), ["kept"], "and nothing that a link points at");
}

#[test]
fn the_next_start_removes_what_a_killed_process_left_and_nothing_that_is_in_use() {
    let root = root();
    let mut used = EphemeralFolder::make(Some(root.path())).unwrap();
    // It looks for leftovers too, and must not find half of what is made here.
    used.cleaning.take().unwrap().join().unwrap();
    let left = left_over(&root, "left");
    fs::create_dir(left.join("blobs")).unwrap();
    fs::write(left.join("blobs/1"), "x").unwrap();
    // Killed between making and marking, and between making and writing the mark.
    make_private(&root.path().join(format!("{PREFIX}unmarked")));
    let begun = root.path().join(format!("{PREFIX}begun"));
    make_private(&begun);
    fs::write(begun.join(MARK_FILE), "").unwrap();
    start_once(&root);
    assert_eq!(names(&root), std::slice::from_ref(&used.name));
    assert!(used.path().join(MARK_FILE).exists());
}

#[test]
fn what_is_not_a_throw_away_folder_of_this_user_stays() {
    let root = root();
    let elsewhere = root.path().join("elsewhere");
    make_private(&elsewhere);
    fs::write(elsewhere.join(MARK_FILE), MARK).unwrap();
    fs::write(elsewhere.join("data"), "x").unwrap();
    symlink(&elsewhere, root.path().join(format!("{PREFIX}a-link"))).unwrap();
    let unmarked = root.path().join(format!("{PREFIX}unmarked"));
    make_private(&unmarked);
    fs::write(unmarked.join("data"), "x").unwrap();
    let otherwise_marked = root.path().join(format!("{PREFIX}otherwise-marked"));
    make_private(&otherwise_marked);
    fs::write(otherwise_marked.join(MARK_FILE), "my diary").unwrap();
    let begun_with_data = root.path().join(format!("{PREFIX}begun"));
    make_private(&begun_with_data);
    fs::write(begun_with_data.join(MARK_FILE), "").unwrap();
    fs::write(begun_with_data.join("data"), "x").unwrap();
    let mark_is_a_link = root.path().join(format!("{PREFIX}linked-mark"));
    make_private(&mark_is_a_link);
    symlink(elsewhere.join(MARK_FILE), mark_is_a_link.join(MARK_FILE)).unwrap();
    let open_to_others = left_over(&root, "open");
    fs::set_permissions(&open_to_others, fs::Permissions::from_mode(0o755)).unwrap();
    let before = names(&root);
    start_once(&root);
    assert_eq!(names(&root), before);
    assert!(elsewhere.join("data").exists());
}

#[test]
fn refuses_a_parent_folder_that_others_can_write() {
    let root = root();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = EphemeralFolder::make(Some(root.path())).unwrap_err().to_string();
    assert!(error.contains("others could rename"), "{error}");
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    start_once(&root);
    assert!(EphemeralFolder::make(Some(&root.path().join("missing"))).is_err());
}

#[test]
fn concurrent_starts_neither_reuse_nor_remove_each_others_folders() {
    let root = root();
    for number in 0..20 {
        left_over(&root, &number.to_string());
    }
    std::thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| {
                let folder = EphemeralFolder::make(Some(root.path())).unwrap();
                fs::write(folder.path().join("data"), "x").unwrap();
                assert!(folder.path().join("data").exists());
                folder.remove().unwrap();
            });
        }
    });
    assert!(names(&root).is_empty(), "{:?}", names(&root));
}

#[test]
fn the_guard_removes_the_folder_when_its_process_does_not() {
    let root = root();
    let mut folder = EphemeralFolder::make(Some(root.path())).unwrap();
    let guard = folder.guard.take();
    // The end of the pipe is all that the guard learns of a killed process.
    drop(guard);
    assert!(!folder.path().exists());
    let started = Instant::now();
    folder.remove().unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "what is gone already is no error");
}
