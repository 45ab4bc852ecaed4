use super::*;
use rusqlite::OpenFlags;
use std::path::Path;

/// Rows of this size fill a page each.
const ROW_BYTES: usize = 4000;

fn open(path: &Path) -> Connection {
    let vfs = gathered_log_vfs().unwrap();
    let connection = Connection::open_with_flags_and_vfs(path, OpenFlags::default(), vfs).unwrap();
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(())).unwrap();
    connection.execute_batch("CREATE TABLE t(n INTEGER PRIMARY KEY, bytes BLOB)").unwrap();
    connection
}

fn insert(connection: &Connection, rows: std::ops::Range<usize>) {
    for row in rows {
        let bytes = vec![row as u8; ROW_BYTES];
        connection.execute("INSERT INTO t VALUES(?1, ?2)", (row as i64, bytes)).unwrap();
    }
}

fn sum(connection: &Connection) -> (usize, usize) {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)? as usize, row.get::<_, Vec<u8>>(1)?));
    let mut statement = connection.prepare("SELECT n, bytes FROM t").unwrap();
    let rows = statement.query_map([], read).unwrap().map(Result::unwrap);
    rows.fold((0, 0), |(count, total), (row, bytes)| {
        assert_eq!(bytes, vec![row as u8; ROW_BYTES]);
        (count + 1, total + row)
    })
}

/// How often this thread has called into the system to write.
#[cfg(target_os = "linux")]
fn write_calls() -> usize {
    let io = std::fs::read_to_string("/proc/thread-self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("syscw: ")).unwrap().parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_commit_is_a_few_writes_however_many_its_pages() {
    let folder = tempfile::tempdir().unwrap();
    let connection = open(&folder.path().join("db"));
    connection.execute_batch("BEGIN").unwrap();
    insert(&connection, 0..100);
    let before = write_calls();
    connection.execute_batch("COMMIT").unwrap();
    let writes = write_calls() - before;
    assert!((1..=8).contains(&writes), "{writes} writes");
}

#[test]
fn a_commit_is_seen_by_others_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let connection = open(&path);
    let other = Connection::open(&path).unwrap();
    for row in 0..20 {
        insert(&connection, row..row + 1);
        assert_eq!(sum(&other), (row + 1, (0..=row).sum()));
    }
}

#[test]
fn pages_that_do_not_fit_the_cache_are_read_back_from_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let connection = open(&path);
    connection.pragma_update(None, "cache_size", 10).unwrap();
    connection.execute_batch("BEGIN").unwrap();
    insert(&connection, 0..200);
    assert_eq!(sum(&connection), (200, (0..200).sum()));
    connection.execute_batch("SAVEPOINT s").unwrap();
    insert(&connection, 200..300);
    connection.execute_batch("ROLLBACK TO s; COMMIT").unwrap();
    assert_eq!(sum(&Connection::open(&path).unwrap()), (200, (0..200).sum()));
}

#[test]
fn what_is_rolled_back_leaves_nothing_and_the_next_commit_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let connection = open(&path);
    connection.pragma_update(None, "cache_size", 10).unwrap();
    for round in 0..5 {
        connection.execute_batch("BEGIN").unwrap();
        insert(&connection, 1000..1060 + round);
        connection.execute_batch("ROLLBACK; BEGIN").unwrap();
        insert(&connection, round * 10..round * 10 + 10);
        connection.execute_batch("COMMIT").unwrap();
        if round == 2 {
            let begun_anew = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
            assert_eq!(begun_anew, Ok(0));
        }
    }
    drop(connection);
    let other = Connection::open(&path).unwrap();
    assert_eq!(sum(&other), (50, (0..50).sum()));
    assert_eq!(other.query_row("PRAGMA integrity_check", [], |row| row.get(0)), Ok("ok".to_owned()));
}

#[test]
fn the_database_is_synced_by_hand_and_only_through_an_open_file() {
    let folder = tempfile::tempdir().unwrap();
    let connection = open(&folder.path().join("db"));
    insert(&connection, 0..10);
    let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(0));
    assert_eq!((moved, sync_database(&connection)), (Ok(0), Ok(())));
    assert!(sync_database(&Connection::open_in_memory().unwrap()).is_err());
}

#[test]
fn the_same_lower_vfs_has_one_vfs_on_it() {
    assert_eq!(gathered_log_vfs(), gathered_log_vfs());
}
