//! Reads the number of a catalog's schema from the files themselves, so that a catalog of another version is left
//! exactly as it is. Opening a database already writes: it makes a log, and closing it moves the log into the file.
//!
//! The number stands in the database's first page. A newer copy of that page may lie in the write-ahead log: there
//! the last one counts that a commit follows and whose checksums agree, as SQLite itself decides it
//! (<https://www.sqlite.org/fileformat2.html>, sections 1.3 and 4).

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Where the number stands in the first page, in four bytes.
const SCHEMA_AT: usize = 60;
/// Length of the header that the first page begins with.
const DATABASE_HEADER_BYTES: usize = 100;
const LOG_HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// How a log begins; the last bit says in which order its checksums take the bytes of a word.
const LOG_MAGIC: u32 = 0x377f_0682;
/// The longest page that SQLite has.
const PAGE_BYTES_MAX: u32 = 64 * 1024;

/// The schema of the database in this file, which no connection of this process may have open; 0 when there is none.
/// Writes nothing.
pub(super) fn read(path: &Path) -> io::Result<i64> {
    let mut header = [0; DATABASE_HEADER_BYTES];
    let in_file = match File::open(path) {
        Ok(mut file) => filled(&mut file, &mut header)?.then(|| word(&header, SCHEMA_AT)),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let in_log = match File::open(log) {
        Ok(file) => {
            Log::begin(io::BufReader::with_capacity(1024 * 1024, file))?.map(Log::schema).transpose()?
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // The number is signed, as `PRAGMA user_version` has it.
    Ok(in_log.flatten().or(in_file).map_or(0, |schema| i64::from(schema.cast_signed())))
}

/// A log, read frame by frame.
struct Log<R> {
    from: R,
    page_bytes: usize,
    little_endian: bool,
    salts: [u8; 8],
    sums: (u32, u32),
}

impl<R: Read> Log<R> {
    /// None when the log holds nothing that counts.
    fn begin(mut from: R) -> io::Result<Option<Log<R>>> {
        let mut header = [0; LOG_HEADER_BYTES];
        if !filled(&mut from, &mut header)? {
            return Ok(None);
        }
        let (magic, page_bytes) = (word(&header, 0), word(&header, 8));
        if magic & !1 != LOG_MAGIC || page_bytes > PAGE_BYTES_MAX {
            return Ok(None);
        }
        let mut salts = [0; 8];
        salts.copy_from_slice(&header[16..24]);
        let little_endian = magic & 1 == 0;
        let sums = summed((0, 0), &header[..24], little_endian);
        let whole = sums == (word(&header, 24), word(&header, 28));
        Ok(whole.then_some(Log { from, page_bytes: page_bytes as usize, little_endian, salts, sums }))
    }

    /// The schema in the last first page that is committed.
    fn schema(mut self) -> io::Result<Option<u32>> {
        let (mut header, mut page) = ([0; FRAME_HEADER_BYTES], vec![0; self.page_bytes]);
        let (mut written, mut committed) = (None, None);
        while filled(&mut self.from, &mut header)? && filled(&mut self.from, &mut page)? {
            self.sums = summed(self.sums, &header[..8], self.little_endian);
            self.sums = summed(self.sums, &page, self.little_endian);
            if header[8..16] != self.salts || self.sums != (word(&header, 16), word(&header, 20)) {
                break;
            }
            if word(&header, 0) == 1 {
                written = Some(word(&page, SCHEMA_AT));
            }
            // The database's length in pages, which only the last frame of a commit has.
            if word(&header, 4) != 0 {
                committed = written;
            }
        }
        Ok(committed)
    }
}

/// SQLite's checksum of a log, gone on with.
fn summed(sums: (u32, u32), bytes: &[u8], little_endian: bool) -> (u32, u32) {
    let (mut first, mut second) = sums;
    for pair in bytes.chunks_exact(8) {
        let (one, other) = (word(pair, 0), word(pair, 4));
        let (one, other) = if little_endian { (one.swap_bytes(), other.swap_bytes()) } else { (one, other) };
        first = first.wrapping_add(one).wrapping_add(second);
        second = second.wrapping_add(other).wrapping_add(first);
    }
    (first, second)
}

/// Fills the buffer; says whether there was enough.
fn filled(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A number of four bytes, the highest first; 0 where there are none.
fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    word.map_or(0, u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use std::path::PathBuf;

    /// A database in a folder, whose log is never moved by itself.
    fn database(folder: &Path) -> (PathBuf, Connection) {
        let path = folder.join("c.sqlite");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t(x);")
            .unwrap();
        (path, connection)
    }

    /// What is read of a copy of the files, as a killed process leaves them.
    fn read_copy(path: &Path) -> i64 {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("c.sqlite");
        for end in ["", "-wal"] {
            let from = format!("{}{end}", path.display());
            std::fs::copy(from, format!("{}{end}", copy.display())).unwrap();
        }
        read(&copy).unwrap()
    }

    #[test]
    fn the_schema_is_that_of_the_last_commit_wherever_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let (path, connection) = database(folder.path());
        assert_eq!(read_copy(&path), 0);
        connection.execute_batch("PRAGMA user_version = 7; INSERT INTO t VALUES(1);").unwrap();
        assert_eq!(read_copy(&path), 7, "in the log");
        connection.execute_batch("PRAGMA wal_checkpoint(RESTART);").unwrap();
        assert_eq!(read_copy(&path), 7, "in the file, and in a log that is moved");
        connection.execute_batch("INSERT INTO t VALUES(2); PRAGMA user_version = 8;").unwrap();
        assert_eq!(read_copy(&path), 8, "in a log that has begun anew");
        connection.execute_batch("PRAGMA cache_size = 1; BEGIN; PRAGMA user_version = 9;").unwrap();
        let rows = "WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300)
                    INSERT INTO t SELECT zeroblob(3000) FROM n";
        let before = std::fs::metadata(format!("{}-wal", path.display())).unwrap().len();
        connection.execute_batch(rows).unwrap();
        assert!(std::fs::metadata(format!("{}-wal", path.display())).unwrap().len() > before + 500_000);
        assert_eq!(read_copy(&path), 8, "what is not committed does not count");
        connection.execute_batch("COMMIT").unwrap();
        assert_eq!(read_copy(&path), 9);
    }

    #[test]
    fn a_log_that_is_torn_counts_up_to_its_last_whole_commit() {
        let folder = tempfile::tempdir().unwrap();
        let (path, connection) = database(folder.path());
        connection.execute_batch("PRAGMA user_version = 3;").unwrap();
        let log = format!("{}-wal", path.display());
        let whole = std::fs::read(&log).unwrap();
        connection.execute_batch("PRAGMA user_version = 4;").unwrap();
        let more = std::fs::read(&log).unwrap();
        let other = folder.path().join("other.sqlite");
        std::fs::copy(&path, &other).unwrap();
        for (log, schema) in [
            (more.clone(), 4),
            (more[..more.len() - 1].to_vec(), 3),
            (more.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == whole.len() + 100)).collect(), 3),
            (whole, 3),
            (Vec::new(), 0),
        ] {
            std::fs::write(format!("{}-wal", other.display()), &log).unwrap();
            assert_eq!(read(&other).unwrap(), schema);
        }
    }

    #[test]
    fn where_no_database_is_there_is_no_schema() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(&folder.path().join("none")).unwrap(), 0);
        std::fs::write(folder.path().join("empty"), "").unwrap();
        assert_eq!(read(&folder.path().join("empty")).unwrap(), 0);
    }
}
