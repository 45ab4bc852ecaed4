//! Data folders of older schemas open with everything in them, and those of newer ones are left alone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failure here is a failed test, and a test may wait for the machine"
)]

use bytes::Bytes;
use countersign_store::catalog::CatalogError;
use countersign_store::{
    BackupOptions, CreateBucket, ListQuery, OpenError, PutObject, ReadError, RestoreOptions, ScrubOptions,
    Store, StoreOptions,
};
use countersign_testkit::TestClock;
use futures_util::TryStreamExt;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const FOLDER: &str = "COUNTERSIGN_MIGRATED_FOLDER";
const COPY: &str = "catalog.sqlite.before-schema-2";

/// Key, length, and what the bytes are made of: see the folder's README.
const UPLOADS: [(&str, usize, usize); 8] = [
    ("empty", 0, 0),
    ("large.bin", 66_000, 6),
    ("owed-1.txt", 20, 9),
    ("owed-2.txt", 30, 10),
    ("small.jpg", 901, 12),
    ("user-dir/a.png", 3_000, 2),
    ("user-dir/b.png", 10, 3),
    ("user-dir/照片.jpg", 200, 4),
];

fn bytes_of(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| ((number * 7 + at * 31) % 253) as u8).collect()
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A data folder of schema 1 for a test to work on.
fn of_schema_1() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data-folders/schema-1");
    copy_folder(&kept, folder.path());
    std::fs::remove_file(folder.path().join("README.md")).unwrap();
    folder
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap()));
    files.chain(folders.iter().flat_map(|folder| self::files(folder))).collect()
}

fn schema_of(catalog: &Path) -> i64 {
    let connection = Connection::open(catalog).unwrap();
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

async fn open(folder: &Path) -> Result<Store, OpenError> {
    Store::open(StoreOptions::new(folder, TestClock::new().clock())).await
}

async fn read(store: &Store, bucket: &str, key: &str) -> Result<Vec<u8>, ReadError> {
    let object = store.object(bucket, key).await.unwrap().expect(key);
    let chunks: Vec<Bytes> = store.read(&object, 0..object.len).await?.try_collect().await?;
    Ok(chunks.concat())
}

/// Everything that the folder's README tells of.
async fn holds_everything(store: &Store) {
    for (key, len, number) in UPLOADS {
        assert_eq!(read(store, "uploads", key).await.unwrap(), bytes_of(number, len), "{key}");
    }
    assert_eq!(read(store, "photos", "kept.bin").await.unwrap(), bytes_of(5, 50));
    assert!(matches!(read(store, "uploads", "rotten.bin").await, Err(ReadError::Damaged)));
    let page = store.list("uploads", ListQuery { limit: 100, ..ListQuery::default() }).await.unwrap();
    let mut listed: Vec<String> =
        page.entries.iter().map(|entry| String::from_utf8(entry.name().to_vec()).unwrap()).collect();
    listed.retain(|key| key != "rotten.bin");
    assert_eq!(listed, UPLOADS.map(|(key, ..)| key));
    let query = ListQuery { delimiter: b"/".to_vec(), limit: 100, ..ListQuery::default() };
    assert_eq!(store.list("uploads", query).await.unwrap().entries.len(), 7);

    let uploads = store.bucket("uploads").await.unwrap().unwrap();
    let photos = store.bucket("photos").await.unwrap().unwrap();
    let names = |settings: &BTreeMap<String, Vec<u8>>| settings.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&uploads.settings), ["cors", "mode"]);
    assert_eq!(names(&photos.settings), ["acl", "cors", "lifecycle"]);
    assert_eq!(uploads.settings["mode"], b"guarded");
    assert!(String::from_utf8_lossy(&photos.settings["lifecycle"]).contains("<Days>30</Days>"));

    let small = store.object("uploads", "small.jpg").await.unwrap().unwrap();
    assert_eq!(small.attributes, r#"{"t":"image/jpeg","m":[["x-oss-meta-note","b"]]}"#);
    assert_eq!((small.sequence, small.md5.is_some()), (16, true));
    let owed = store.outbox(0, 100).await.unwrap();
    let owed: Vec<_> = owed.iter().map(|entry| (&entry.key[..], entry.attempts)).collect();
    assert_eq!(owed, [(&b"owed-1.txt"[..], 1), (b"owed-2.txt", 1)]);
    assert_eq!(store.damaged_count(), 1);
}

async fn put(store: &Store, key: &str) -> u64 {
    let mut staged = store.stage(None).await.unwrap();
    staged.write(Bytes::from_static(b"new")).await.unwrap();
    let put = PutObject {
        bucket: "uploads".to_owned(),
        key: Bytes::copy_from_slice(key.as_bytes()),
        content: staged.seal().await.unwrap(),
        attributes: Bytes::new(),
        forbid_overwrite: false,
        outbox_entry: None,
    };
    store.commit(put).await.unwrap().object.sequence
}

#[tokio::test]
async fn a_folder_of_schema_1_opens_with_everything_in_it_and_goes_on() {
    let folder = of_schema_1();
    let before = std::fs::read(folder.path().join("catalog.sqlite")).unwrap();
    let store = open(folder.path()).await.unwrap();
    holds_everything(&store).await;
    // Numbers that schema 1 gave are not given again, and what it let go of is swept.
    assert!(put(&store, "small.jpg").await > 1_048_576);
    store.shutdown().await;
    drop(store);
    let mut options = StoreOptions::new(folder.path(), TestClock::new().clock());
    options.garbage_grace = std::time::Duration::ZERO;
    let store = Store::open(options).await.unwrap();
    assert_eq!(read(&store, "uploads", "small.jpg").await.unwrap(), b"new");
    store.shutdown().await;
    drop(store);
    // The copy is the catalog as it was.
    let copy = Connection::open(folder.path().join(COPY)).unwrap();
    let versions = |connection: &Connection| {
        let query = "SELECT group_concat(seq || key || content) FROM version";
        connection.query_row(query, [], |row| row.get::<_, String>(0)).unwrap()
    };
    std::fs::write(folder.path().join("catalog-before"), before).unwrap();
    let before = Connection::open(folder.path().join("catalog-before")).unwrap();
    assert_eq!(versions(&copy), versions(&before));
    assert_eq!(schema_of(&folder.path().join(COPY)), 1);
    assert_eq!(schema_of(&folder.path().join("catalog.sqlite")), 2);
    let report = scrub(folder.path()).await;
    assert_eq!((report.catalog, report.damaged.len(), report.objects), (Vec::new(), 1, 10));
}

async fn scrub(folder: &Path) -> countersign_store::ScrubReport {
    let (data, clock) = (folder.to_path_buf(), TestClock::new().clock());
    let options =
        ScrubOptions { data, shared_catalog: None, clock, bytes_per_second: None, remove_orphans: false };
    Store::scrub_folder(options, |_| ()).await.unwrap()
}

/// A folder of the next schema; its number lies in the file, or only in the log that a killed process has left.
fn of_the_next_schema(in_log: bool) -> tempfile::TempDir {
    let (made, folder) = (of_schema_1(), tempfile::tempdir().unwrap());
    let catalog = made.path().join("catalog.sqlite");
    let connection = Connection::open(&catalog).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;").unwrap();
    connection.execute_batch("PRAGMA user_version = 3; CREATE TABLE of_tomorrow(x);").unwrap();
    if !in_log {
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
    }
    std::fs::write(made.path().join("LOCK"), "1\n").unwrap();
    // While it is open, as a kill leaves it.
    copy_folder(made.path(), folder.path());
    folder
}

#[tokio::test]
async fn a_folder_of_a_newer_schema_is_refused_and_no_byte_of_it_changes() {
    for in_log in [false, true] {
        let folder = of_the_next_schema(in_log);
        if !in_log {
            std::fs::remove_file(folder.path().join("catalog.sqlite-wal")).unwrap();
            std::fs::remove_file(folder.path().join("catalog.sqlite-shm")).unwrap();
        }
        let before = files(folder.path());
        let refused = open(folder.path()).await.unwrap_err();
        let newer =
            |error: &CatalogError| matches!(error, CatalogError::UnknownSchema { found: 3, known: 2 });
        assert!(matches!(&refused, OpenError::Catalog(error) if newer(error)), "{refused}");
        assert!(refused.to_string().contains("a newer version wrote it"), "{refused}");
        let (data, clock) = (folder.path().to_path_buf(), TestClock::new().clock());
        let options =
            ScrubOptions { data, shared_catalog: None, clock, bytes_per_second: None, remove_orphans: false };
        let refused = Store::scrub_folder(options, |_| ()).await.unwrap_err();
        assert!(matches!(&refused, OpenError::Catalog(error) if newer(error)), "{refused}");
        assert!(files(folder.path()) == before, "in the log: {in_log}");
    }
}

#[tokio::test]
async fn before_its_first_start_a_folder_of_schema_1_is_read_and_stays_as_it_is() {
    let folder = of_schema_1();
    assert_eq!(Store::outbox_in(folder.path()).unwrap().len(), 2);
    assert_eq!(Store::damaged_in(folder.path()).unwrap().len(), 1);
    let report = scrub(folder.path()).await;
    assert_eq!((report.objects, report.damaged.len()), (10, 1));
    assert!(report.catalog[0].contains("is not kept") && report.catalog.len() == 1, "{report:?}");
    assert_eq!(schema_of(&folder.path().join("catalog.sqlite")), 1);
    assert!(!folder.path().join(COPY).exists());
}

#[tokio::test]
async fn a_backup_of_schema_1_is_restored_and_brought_to_the_new_one_by_the_start_after_it() {
    let (folder, kept, restored) =
        (of_schema_1(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = kept.path().join("backups");
    let options = |data: &Path| BackupOptions {
        data: data.to_path_buf(),
        target: target.clone(),
        clock: TestClock::new().clock(),
        copy: true,
        keep: None,
    };
    let report = Store::backup_folder(options(folder.path()), |_| ()).await.unwrap();
    assert_eq!((report.objects, report.known_damage.len(), report.damaged.len()), (10, 1, 1));
    let data = restored.path().join("data");
    let restore =
        RestoreOptions { source: target.clone(), name: None, data: data.clone(), accept_damage: true };
    Store::restore_folder(&restore, |_| ()).unwrap();
    assert_eq!(schema_of(&data.join("catalog.sqlite")), 1);
    let store = open(&data).await.unwrap();
    holds_everything(&store).await;
    store.shutdown().await;
    drop(store);
    // The copy from before is no part of the next backup.
    assert!(data.join(COPY).exists());
    let next = Store::backup_folder(options(&data), |_| ()).await.unwrap();
    assert!(!target.join("backups").join(next.name).join(COPY).exists());
}

#[tokio::test]
async fn a_catalog_of_schema_1_that_is_at_odds_with_itself_is_refused_and_loses_nothing() {
    for damage in ["DELETE FROM content WHERE id = 9", "DELETE FROM version WHERE seq = 9"] {
        let folder = of_schema_1();
        let catalog = folder.path().join("catalog.sqlite");
        assert_eq!(Connection::open(&catalog).unwrap().execute(damage, []).unwrap(), 1);
        let refused = open(folder.path()).await.unwrap_err();
        assert!(matches!(&refused, OpenError::Catalog(CatalogError::Corrupt(_))), "{refused}");
        assert!(refused.to_string().contains("number 9"), "{refused}");
        assert_eq!(schema_of(&catalog), 1);
        assert_eq!(Store::outbox_in(folder.path()).unwrap().len(), 2);
    }
}

/// Objects that are added to the folder for the kills.
const MORE: i64 = 5_000;

fn of_schema_1_and_larger() -> tempfile::TempDir {
    let folder = of_schema_1();
    let catalog = Connection::open(folder.path().join("catalog.sqlite")).unwrap();
    let rows = format!("WITH n(x) AS (SELECT 5000 UNION ALL SELECT x + 1 FROM n WHERE x < 4999 + {MORE})");
    catalog
        .execute_batch(&format!(
            "BEGIN;
             {rows} INSERT INTO content SELECT x, 1, 100, randomblob(16), x, NULL, x FROM n;
             {rows} INSERT INTO version SELECT x, 2, CAST(hex(randomblob(16)) AS BLOB), 1, x, x, randomblob(60) FROM n;
             {rows} INSERT INTO inline SELECT x, zeroblob(100) FROM n;
             COMMIT;"
        ))
        .unwrap();
    folder
}

#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn child_that_opens_a_folder() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = open(Path::new(&folder)).await.unwrap();
    println!("opened");
    store.shutdown().await;
}

fn start_child(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_opens_a_folder", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// How many bytes the copy and the log have, together: how far a migration has come.
fn written(folder: &Path) -> u64 {
    let len = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
    len(COPY) + len("catalog.sqlite-wal")
}

/// Kills the child when so much is written; says whether it had not opened the store by then.
fn killed_at(folder: &Path, bytes: u64) -> bool {
    let mut child = start_child(folder);
    while written(folder) < bytes && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    !BufReader::new(child.stdout.take().unwrap()).lines().any(|line| line.unwrap() == "opened")
}

/// How much an undisturbed migration writes at the most.
fn written_in_all(larger: &Path) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(larger, folder.path());
    let (mut child, mut most) = (start_child(folder.path()), 0);
    while child.try_wait().unwrap().is_none() {
        most = most.max(written(folder.path()));
        std::thread::yield_now();
    }
    most
}

#[tokio::test]
async fn a_migration_that_is_killed_at_twenty_points_is_finished_by_the_next_start() {
    let larger = of_schema_1_and_larger();
    let most = written_in_all(larger.path());
    let (mut within, mut unfinished) = (0, 0);
    for point in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(larger.path(), folder.path());
        within += u32::from(killed_at(folder.path(), most * point / 20));
        // A second kill, in the start that comes after.
        let left = tempfile::tempdir().unwrap();
        copy_folder(folder.path(), left.path());
        unfinished += u32::from(schema_of(&left.path().join("catalog.sqlite")) == 1);
        if point % 4 == 1 {
            killed_at(folder.path(), most * (19 - point) / 20);
        }
        let store = open(folder.path()).await.unwrap();
        holds_everything(&store).await;
        store.shutdown().await;
        drop(store);
        let catalog = Connection::open(folder.path().join("catalog.sqlite")).unwrap();
        let count = |query: &str| catalog.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM object"), 10 + MORE, "killed at point {point}");
        assert_eq!(count("SELECT count(*) FROM sqlite_schema WHERE name IN ('version', 'content')"), 0);
        assert_eq!(schema_of(&folder.path().join(COPY)), 1);
    }
    assert!(
        within >= 10 && unfinished >= 10,
        "{within} kills came before the end, {unfinished} before the commit"
    );
}

#[tokio::test]
async fn a_new_folder_needs_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    store.commit(CreateBucket { name: "b".to_owned(), settings: BTreeMap::new() }).await.unwrap();
    store.shutdown().await;
    drop(store);
    drop(open(folder.path()).await.unwrap());
    assert!(!folder.path().join(COPY).exists());
}
