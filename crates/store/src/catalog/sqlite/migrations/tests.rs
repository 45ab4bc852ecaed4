use super::*;
use crate::blobs::device::{Device, DeviceFile, DeviceFolder, LocalDisk};
use crate::{Clock, HealthFlag};
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The machine's file system with so much room.
#[derive(Debug)]
struct Roomy(u64);

impl Device for Roomy {
    fn create_unnamed(&self, folder: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        LocalDisk.create_unnamed(folder)
    }
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        LocalDisk.create(path)
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DeviceFile>> {
        LocalDisk.open(path)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        LocalDisk.remove(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        LocalDisk.rename(from, to)
    }
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        LocalDisk.make_folder(path)
    }
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        LocalDisk.remove_folder(path)
    }
    fn open_folder(&self, path: &Path) -> io::Result<Arc<dyn DeviceFolder>> {
        LocalDisk.open_folder(path)
    }
    fn names_in(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        LocalDisk.names_in(folder)
    }
    fn free_bytes(&self, _folder: &Path) -> io::Result<u64> {
        Ok(self.0)
    }
}

/// A catalog of schema 1 in a folder, and how to open it where so much is free.
fn of_schema_1(free_bytes: u64) -> (tempfile::TempDir, SqliteOptions) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.sqlite");
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data-folders/schema-1/catalog.sqlite");
    std::fs::copy(kept, &path).unwrap();
    let options = SqliteOptions {
        path,
        clock: Clock::system(),
        health: HealthFlag::default(),
        durable: true,
        read_connections: 1,
        garbage_grace: Duration::ZERO,
        device: Arc::new(Roomy(free_bytes)),
    };
    (folder, options)
}

/// Every table with its columns, and every index with what it covers.
fn shape(connection: &Connection) -> Vec<String> {
    let columns = "SELECT 'table ' || s.name || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' '
            || coalesce(c.dflt_value, '-') || ' ' || c.pk
        FROM sqlite_schema s JOIN pragma_table_xinfo(s.name) c WHERE s.type = 'table'";
    let indexes = "SELECT 'index ' || l.origin || l.\"unique\" || l.partial || ' of ' || s.name || ' '
            || (SELECT group_concat(coalesce(name, 'rowid')) FROM pragma_index_xinfo(l.name))
        FROM sqlite_schema s JOIN pragma_index_list(s.name) l WHERE s.type = 'table'";
    let mut statement = connection.prepare(&format!("{columns} UNION ALL {indexes} ORDER BY 1")).unwrap();
    let lines = statement.query_map([], |row| row.get(0)).unwrap();
    lines.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_migrated_catalog_has_the_tables_of_a_new_one() {
    let (folder, options) = of_schema_1(u64::MAX);
    run(&options).unwrap();
    let migrated = schema::open_writer(&options.path, true).unwrap();
    let new = schema::open_writer(&folder.path().join("new.sqlite"), true).unwrap();
    let (migrated, new) = (shape(&migrated), shape(&new));
    assert!(new.iter().any(|line| line.starts_with("index c11")) || new.len() > 20, "{new:?}");
    assert_eq!(migrated, new);
}

#[test]
fn without_room_for_the_copy_and_the_new_tables_it_is_refused_with_both_sizes() {
    let (folder, options) = of_schema_1(u64::MAX);
    let catalog = Connection::open(&options.path).unwrap();
    let rewritten = table_bytes(&catalog, "version").unwrap() + table_bytes(&catalog, "content").unwrap();
    // Two tables, each with one index.
    assert_eq!(rewritten, 4 * 4096);
    let reckoned = database_bytes(&catalog).unwrap() + 2 * rewritten + SPARE_BYTES;
    drop(catalog);
    let one_short = SqliteOptions { device: Arc::new(Roomy(reckoned - 1)), ..options.clone() };
    let Err(refused) = run(&one_short) else { panic!("it was migrated without room") };
    assert!(
        matches!(refused, CatalogError::NoRoomToMigrate { found: 1, needed, available, .. }
            if needed == reckoned && available == reckoned - 1),
        "{refused}"
    );
    assert!(is_older(&options.path).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no copy, no log");
    run(&SqliteOptions { device: Arc::new(Roomy(reckoned)), ..options.clone() }).unwrap();
    assert!(!is_older(&options.path).unwrap());
}

#[test]
fn half_a_copy_is_made_anew_and_copies_of_earlier_migrations_go_when_a_later_one_has_ended() {
    let (folder, options) = of_schema_1(u64::MAX);
    let named = |end: &str| folder.path().join(format!("catalog.sqlite{end}"));
    for (end, bytes) in [
        (".before-schema-2", &b"SQLite format 3\0 and no more"[..]),
        (".before-schema-2-wal", b"half a log"),
        (".before-schema-1", b"old"),
        (".before-schema-2.mine", b"not ours"),
    ] {
        std::fs::write(named(end), bytes).unwrap();
    }
    run(&options).unwrap();
    let left = |end: &str| named(end).exists();
    assert!(!left(".before-schema-2-wal") && !left(".before-schema-1") && left(".before-schema-2.mine"));
    let copy = Connection::open(named(".before-schema-2")).unwrap();
    assert_eq!(copy.query_row("SELECT count(*) FROM version", [], |row| row.get::<_, i64>(0)).unwrap(), 10);
    assert_eq!(copy.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), 1);
}
