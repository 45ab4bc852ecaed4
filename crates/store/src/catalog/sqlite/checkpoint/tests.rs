use super::*;
use crate::catalog::sqlite::schema;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Writes until the log has been past the length at which it must begin anew `times` over; answers the longest
/// commit.
fn write_past_restart(folder: &Path, checkpointer: &Checkpointer, times: u64) -> Duration {
    let writer = schema::open_writer(&folder.join("catalog.sqlite"), true).unwrap();
    writer.execute_batch("CREATE TABLE IF NOT EXISTS filler(bytes BLOB)").unwrap();
    let bytes = vec![7_u8; 256 * 1024];
    let mut longest = Duration::ZERO;
    for _ in 0..times * RESTART_BYTES / bytes.len() as u64 {
        let began = Instant::now();
        let writing = checkpointer.writing();
        writer.execute("INSERT INTO filler VALUES(?1)", [&bytes]).unwrap();
        drop(writing);
        checkpointer.committed(bytes.len() as u64);
        longest = longest.max(began.elapsed());
    }
    longest
}

fn log_bytes(folder: &Path) -> u64 {
    std::fs::metadata(folder.join("catalog.sqlite-wal")).map_or(0, |log| log.len())
}

fn run(folder: &Path, during: impl FnOnce(&Checkpointer)) {
    drop(schema::open_writer(&folder.join("catalog.sqlite"), true).unwrap());
    let connection = schema::open_checkpointer(&folder.join("catalog.sqlite"), true).unwrap();
    let checkpointer = Arc::new(Checkpointer::new(&Clock::system(), HealthFlag::default()));
    let running = Arc::clone(&checkpointer);
    let thread = std::thread::spawn(move || running.run(&connection));
    during(&checkpointer);
    checkpointer.close();
    thread.join().unwrap();
}

#[test]
fn a_checkpoint_that_panics_does_not_keep_the_writer_waiting() {
    let checkpointer = Arc::new(Checkpointer::new(&Clock::system(), HealthFlag::default()));
    let panicking = Arc::clone(&checkpointer);
    let panicked = std::thread::spawn(move || {
        let _closed = panicking.gate.close();
        panic!("a checkpoint that panics");
    });
    panicked.join().unwrap_err();
    drop(checkpointer.writing());
}

#[test]
fn the_log_begins_anew_while_the_writer_never_rests() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), |checkpointer| {
        write_past_restart(folder.path(), checkpointer, 16);
        assert!(log_bytes(folder.path()) < 8 * RESTART_BYTES, "{} bytes", log_bytes(folder.path()));
    });
}

#[test]
fn the_log_begins_anew_while_queries_never_cease() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), |checkpointer| {
        let ended = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let reader = schema::open_reader(&folder.path().join("catalog.sqlite")).unwrap();
                let ended = &ended;
                scope.spawn(move || {
                    while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                        let count = "SELECT count(*) FROM counter";
                        reader.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap();
                    }
                });
            }
            write_past_restart(folder.path(), checkpointer, 16);
            ended.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        assert!(log_bytes(folder.path()) < 8 * RESTART_BYTES, "{} bytes", log_bytes(folder.path()));
    });
}

#[test]
fn a_query_that_does_not_end_holds_the_writer_for_a_moment_only_and_the_log_shrinks_after_it() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), |checkpointer| {
        write_past_restart(folder.path(), checkpointer, 1);
        let reader = schema::open_reader(&folder.path().join("catalog.sqlite")).unwrap();
        reader.execute_batch("BEGIN").unwrap();
        reader.query_row("SELECT count(*) FROM counter", [], |row| row.get::<_, i64>(0)).unwrap();
        let longest = write_past_restart(folder.path(), checkpointer, 4);
        assert!(longest < Duration::from_secs(5), "{longest:?}");
        assert!(log_bytes(folder.path()) > LOG_BYTES_KEPT);
        reader.execute_batch("COMMIT").unwrap();
        // On a busy machine what has gathered takes a while to be moved, and the log grows meanwhile.
        let shrunk = (0..20).any(|_| {
            write_past_restart(folder.path(), checkpointer, 2);
            log_bytes(folder.path()) <= LOG_BYTES_KEPT
        });
        assert!(shrunk, "{} bytes", log_bytes(folder.path()));
    });
}
