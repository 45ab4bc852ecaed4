//! A VFS for SQLite that writes a transaction's part of the write-ahead log in one piece.
//!
//! SQLite writes the log frame by frame, each as a header of 24 bytes and a page: a batch of sixteen small
//! uploads is nearly a hundred calls into the system. Here what adjoins is gathered in memory and written when
//! something needs it to be there: the sync, another place in the file, a read, a truncation, the close, or
//! [`GATHERED_BYTES_MAX`].
//!
//! Other connections look at the log only as far as its index in shared memory says, and SQLite moves the index
//! on after the sync of a commit. So this VFS is for connections that sync every commit, and for no others.
//!
//! What nobody wrote to is not synced either: a checkpoint begins with a sync of the log, which is for
//! connections that do not sync every commit. Where all do, it finds nothing to make durable and keeps the disk
//! from the commits that wait for it.
//!
//! # Why this is sound
//!
//! SQLite calls through two tables of functions. For the table of the VFS the contract is: the pointer passed is
//! the one registered, names are strings ended by zero or null, and out-pointers may be written. For the table of
//! a file: the pointer passed is the memory of `szOsFile` bytes that our `xOpen` was given, on which SQLite makes
//! one call at a time, from `xOpen` (when it leaves `pMethods` set) to `xClose`. Our part of that memory is
//! [`LogFile`], the lower VFS's part lies behind it and has the size and alignment it asked for: SQLite aligns the
//! memory to 8, and `LogFile` is a multiple of 8 long. Nothing here unwinds into C: nothing here panics, and a
//! panic in an `extern "C"` function aborts.
#![allow(
    unsafe_code,
    reason = "SQLite calls back through tables of C functions; argued above and at each block"
)]

use rusqlite::{Connection, ffi};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Mutex, PoisonError};

/// What is gathered at most before it is written: less than 128 KiB, which the system's VFS does not write at
/// once.
const GATHERED_BYTES_MAX: usize = 31 * (4096 + 24);

/// VFSs of ours that are registered, by the name of the VFS that each stands on.
static REGISTERED: Mutex<BTreeMap<CString, &'static CStr>> = Mutex::new(BTreeMap::new());

/// Our part of an open file. The lower VFS's part lies behind it.
#[repr(C, align(8))]
struct LogFile {
    methods: *const ffi::sqlite3_io_methods,
    gathered: Gathered,
}

/// Bytes that were written and that the lower VFS does not have yet.
#[derive(Default)]
struct Gathered {
    offset: u64,
    bytes: Vec<u8>,
    /// Whether something was written since the last sync.
    unsynced: bool,
}

/// Name of a VFS that gathers what is written to a log and stands on the VFS that is SQLite's default now.
///
/// Only connections with `synchronous = FULL` (or more) may be opened with it. `None` when SQLite has no default
/// VFS or takes no further one.
pub fn gathered_log_vfs() -> Option<&'static CStr> {
    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: a null name asks for the default VFS; the answer is null or lives as long as it is registered,
    // and a default VFS is not taken away while a connection may be opened.
    let (lower, lower_name) = unsafe {
        let lower = ffi::sqlite3_vfs_find(std::ptr::null());
        if lower.is_null() {
            return None;
        }
        (lower, CStr::from_ptr((*lower).zName))
    };
    if let Some(name) = registered.get(lower_name) {
        return Some(name);
    }
    let name = CString::new([b"gathered-log on ", lower_name.to_bytes()].concat()).ok()?;
    let name: &'static CStr = Box::leak(name.into_boxed_c_str());
    // SAFETY: the lower VFS is alive, see above, and is copied.
    let mut vfs = unsafe { *lower };
    vfs.iVersion = 2;
    vfs.szOsFile += size_of::<LogFile>() as c_int;
    vfs.zName = name.as_ptr();
    vfs.pAppData = lower.cast();
    vfs.xOpen = Some(open);
    vfs.xDelete = Some(delete);
    vfs.xAccess = Some(access);
    vfs.xFullPathname = Some(full_path_name);
    vfs.xRandomness = Some(randomness);
    vfs.xSleep = Some(sleep);
    vfs.xCurrentTime = Some(current_time);
    vfs.xGetLastError = Some(last_error);
    vfs.xCurrentTimeInt64 = Some(current_time_int64);
    (vfs.xDlOpen, vfs.xDlError, vfs.xDlSym, vfs.xDlClose) = (None, None, None, None);
    (vfs.xSetSystemCall, vfs.xGetSystemCall, vfs.xNextSystemCall) = (None, None, None);
    // SAFETY: table and name are leaked, so they live as long as the process, as a registered VFS must.
    let answer = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0) };
    if answer != ffi::SQLITE_OK {
        return None;
    }
    registered.insert(lower_name.to_owned(), name);
    Some(name)
}

/// Makes durable what was written to a connection's database file, by whichever connection of this process.
///
/// A checkpoint that finds the log longer than when it began leaves that to a later one. Done in between, the
/// later one has less to wait for.
///
/// # Errors
/// What the sync answers. The system tells a failed sync once, so what was written may be lost whatever a later
/// one says.
pub fn sync_database(connection: &Connection) -> rusqlite::Result<()> {
    let mut file: *mut ffi::sqlite3_file = std::ptr::null_mut();
    let out: *mut *mut ffi::sqlite3_file = &mut file;
    // SAFETY: the connection is open while it is borrowed, and no other thread uses it, since it cannot be shared.
    // The operation writes a pointer to the file of the named database, which stays open as long as the connection
    // does; an open file has a table of functions, and one without is not called.
    let answer = unsafe {
        let operation = ffi::SQLITE_FCNTL_FILE_POINTER;
        match ffi::sqlite3_file_control(connection.handle(), c"main".as_ptr(), operation, out.cast()) {
            ffi::SQLITE_OK if !file.is_null() && !(*file).pMethods.is_null() => {
                let flags = ffi::SQLITE_SYNC_NORMAL | ffi::SQLITE_SYNC_DATAONLY;
                (*(*file).pMethods).xSync.map_or(ffi::SQLITE_IOERR_FSYNC, |sync| sync(file, flags))
            }
            ffi::SQLITE_OK => ffi::SQLITE_MISUSE,
            refused => refused,
        }
    };
    match answer {
        ffi::SQLITE_OK => Ok(()),
        code => Err(rusqlite::Error::SqliteFailure(
            ffi::Error::new(code),
            Some("syncing the database".to_owned()),
        )),
    }
}

/// The VFS that ours stands on.
///
/// # Safety
/// `vfs` is a VFS that [`gathered_log_vfs`] registered.
unsafe fn lower_vfs(vfs: *mut ffi::sqlite3_vfs) -> *mut ffi::sqlite3_vfs {
    // SAFETY: by this function's condition it is alive, and this is what was put there.
    unsafe { (*vfs).pAppData.cast() }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: `file` is memory of `szOsFile` bytes, aligned to 8. A log gets our part, which is not initialised
    // and so is written whole, and the lower VFS's part behind it. Every other file is the lower VFS's alone,
    // from the beginning of that memory on, and none of our functions is called for it. A log whose opening
    // fails keeps null methods, so that SQLite does not close it.
    unsafe {
        let lower = lower_vfs(vfs);
        let Some(open) = (*lower).xOpen else { return ffi::SQLITE_CANTOPEN };
        if flags & ffi::SQLITE_OPEN_WAL == 0 {
            return open(lower, name, file, flags, flags_out);
        }
        let ours = file.cast::<LogFile>();
        ours.write(LogFile { methods: std::ptr::null(), gathered: Gathered::default() });
        let answer = open(lower, name, lower_file(file), flags, flags_out);
        if answer == ffi::SQLITE_OK {
            (*ours).methods = &METHODS;
        }
        answer
    }
}

/// A function of the VFS that is passed on as it is.
macro_rules! pass_vfs {
    ($($name:ident => $method:ident($($arg:ident: $type:ty),*);)*) => {$(
        unsafe extern "C" fn $name(vfs: *mut ffi::sqlite3_vfs, $($arg: $type),*) -> c_int {
            // SAFETY: SQLite's own arguments, passed to the VFS that ours stands on.
            unsafe {
                let lower = lower_vfs(vfs);
                (*lower).$method.map_or(ffi::SQLITE_ERROR, |method| method(lower, $($arg),*))
            }
        }
    )*};
}

pass_vfs! {
    delete => xDelete(name: *const c_char, sync_folder: c_int);
    access => xAccess(name: *const c_char, flags: c_int, answer: *mut c_int);
    full_path_name => xFullPathname(name: *const c_char, len: c_int, answer: *mut c_char);
    randomness => xRandomness(len: c_int, answer: *mut c_char);
    sleep => xSleep(microseconds: c_int);
    current_time => xCurrentTime(answer: *mut f64);
    last_error => xGetLastError(len: c_int, answer: *mut c_char);
    current_time_int64 => xCurrentTimeInt64(answer: *mut ffi::sqlite3_int64);
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // 1: neither shared memory nor mapped reads, which a log has no use for.
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// The lower VFS's part of a log.
///
/// # Safety
/// `file` is memory that [`open`] was given for a log.
unsafe fn lower_file(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: within the same memory, by this function's condition; `LogFile` is a multiple of 8 long.
    unsafe { file.cast::<LogFile>().add(1).cast() }
}

/// The lower VFS's functions of a log.
///
/// # Safety
/// The log is open.
unsafe fn lower_methods<'file>(file: *mut ffi::sqlite3_file) -> &'file ffi::sqlite3_io_methods {
    // SAFETY: an opened file has a table of functions that lives as long as its VFS.
    unsafe { &*(*lower_file(file)).pMethods }
}

/// Writes what is gathered. It is gone afterwards even if that fails: the transaction it belongs to fails too.
///
/// # Safety
/// The log is open, and this is the one call on it.
unsafe fn write_gathered(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: initialised by `open`, and nobody else has it, by this function's condition.
    let gathered = unsafe { &mut (*file.cast::<LogFile>()).gathered };
    if gathered.bytes.is_empty() {
        return ffi::SQLITE_OK;
    }
    // SAFETY: the lower part is open, and the buffer has as many bytes as is said.
    let answer = unsafe { write_through(file, &gathered.bytes, gathered.offset as ffi::sqlite3_int64) };
    gathered.bytes.clear();
    answer
}

/// Has the lower VFS write.
///
/// # Safety
/// The log is open.
unsafe fn write_through(file: *mut ffi::sqlite3_file, bytes: &[u8], offset: ffi::sqlite3_int64) -> c_int {
    // SAFETY: the lower part is open, and the buffer has as many bytes as is said.
    unsafe {
        lower_methods(file).xWrite.map_or(ffi::SQLITE_IOERR_WRITE, |write| {
            write(lower_file(file), bytes.as_ptr().cast(), bytes.len() as c_int, offset)
        })
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    buffer: *const c_void,
    len: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the log is open and ours for this call; the buffer has `len` bytes, by SQLite's contract.
    unsafe {
        let bytes = std::slice::from_raw_parts(buffer.cast::<u8>(), len as usize);
        let adjoins = {
            let gathered = &(*file.cast::<LogFile>()).gathered;
            gathered.offset + gathered.bytes.len() as u64 == offset as u64
                && gathered.bytes.len() + bytes.len() <= GATHERED_BYTES_MAX
        };
        (*file.cast::<LogFile>()).gathered.unsynced = true;
        if !adjoins {
            let answer = write_gathered(file);
            if answer != ffi::SQLITE_OK {
                return answer;
            }
            if bytes.len() > GATHERED_BYTES_MAX {
                return write_through(file, bytes, offset);
            }
        }
        let gathered = &mut (*file.cast::<LogFile>()).gathered;
        if gathered.bytes.is_empty() {
            gathered.offset = offset as u64;
        }
        gathered.bytes.extend_from_slice(bytes);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the log is open; afterwards SQLite uses it no more, so our part ends here.
    unsafe {
        let written = write_gathered(file);
        let closed =
            lower_methods(file).xClose.map_or(ffi::SQLITE_IOERR_CLOSE, |close| close(lower_file(file)));
        file.cast::<LogFile>().drop_in_place();
        if written == ffi::SQLITE_OK { closed } else { written }
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: the log is open and ours for this call.
    unsafe {
        if !(*file.cast::<LogFile>()).gathered.unsynced {
            return ffi::SQLITE_OK;
        }
        let written = write_gathered(file);
        if written != ffi::SQLITE_OK {
            return written;
        }
        let answer =
            lower_methods(file).xSync.map_or(ffi::SQLITE_IOERR_FSYNC, |sync| sync(lower_file(file), flags));
        (*file.cast::<LogFile>()).gathered.unsynced = answer != ffi::SQLITE_OK;
        answer
    }
}

/// A function of a log that needs the gathered bytes to be written, and is then passed on.
macro_rules! pass_file {
    ($($name:ident => $method:ident($($arg:ident: $type:ty),*);)*) => {$(
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($arg: $type),*) -> c_int {
            // SAFETY: the log is open and ours for this call; the arguments are SQLite's own.
            unsafe {
                let written = write_gathered(file);
                if written != ffi::SQLITE_OK {
                    return written;
                }
                lower_methods(file).$method.map_or(ffi::SQLITE_IOERR, |method| method(lower_file(file), $($arg),*))
            }
        }
    )*};
}

pass_file! {
    read => xRead(buffer: *mut c_void, len: c_int, offset: ffi::sqlite3_int64);
    truncate => xTruncate(len: ffi::sqlite3_int64);
    file_size => xFileSize(answer: *mut ffi::sqlite3_int64);
    lock => xLock(level: c_int);
    unlock => xUnlock(level: c_int);
    check_reserved_lock => xCheckReservedLock(answer: *mut c_int);
    file_control => xFileControl(operation: c_int, argument: *mut c_void);
    sector_size => xSectorSize();
    device_characteristics => xDeviceCharacteristics();
}

#[cfg(test)]
mod tests;
