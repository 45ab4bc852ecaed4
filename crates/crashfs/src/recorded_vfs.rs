//! A SQLite VFS that records: the system's own VFS does each operation, and the trace notes it.
//!
//! It is made the default of the process, so that the store opens its catalog as it always does. A database under
//! the folder of a living [`Trace`] is recorded; every other is passed on and not looked at. Locks, shared memory
//! and reads are the system's, since they leave nothing on the disk.
//!
//! As the system's VFS does, the first sync of a journal or log also syncs the folder it was made in, after it.
//!
//! # Why this is sound
//!
//! SQLite calls through two tables of functions. For the table of the VFS the contract is: the pointer passed is
//! the one registered, names are strings ended by zero or null, and out-pointers may be written. For the table of
//! a file: the pointer passed is the memory of `szOsFile` bytes that our `xOpen` was given, on which SQLite
//! makes one call at a time, from `xOpen` (when it leaves `pMethods` set) to `xClose`. Our part of that memory is
//! [`Shim`], the real VFS's part lies behind it and has the size and alignment it asked for: SQLite aligns the
//! memory to 8, and `Shim` is a multiple of 8 long. Whatever the real part is called with is what SQLite gave us.
//! Nothing here unwinds into C: the closures return errors, and a panic in an `extern "C"` function aborts.
#![allow(
    unsafe_code,
    reason = "SQLite calls back through tables of C functions; argued above and at each block"
)]

use crate::event::{Event, Inode};
use crate::trace::Trace;
use rusqlite::ffi;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError, Weak};

/// Traces whose folders are recorded.
static TRACES: Mutex<Vec<Weak<Trace>>> = Mutex::new(Vec::new());
static REAL: OnceLock<Real> = OnceLock::new();

/// The system's own VFS.
struct Real(*mut ffi::sqlite3_vfs);

// SAFETY: a registered VFS is shared by all threads by its contract, and the system's own lives as long as the
// process.
unsafe impl Send for Real {}
// SAFETY: as above; nothing is written through the pointer here.
unsafe impl Sync for Real {}

/// Our part of an open file. The real VFS's part lies behind it.
#[repr(C, align(8))]
struct Shim {
    methods: *const ffi::sqlite3_io_methods,
    recorded: Option<Box<Recorded>>,
}

/// A file of a recorded folder.
struct Recorded {
    trace: Arc<Trace>,
    inode: Inode,
    place: String,
    /// The folder to sync along with the first sync.
    folder_unsynced: bool,
}

/// Records the databases in the folder of this trace from now on.
pub fn record(trace: &Arc<Trace>) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register);
    let mut traces = TRACES.lock().unwrap_or_else(PoisonError::into_inner);
    traces.retain(|trace| trace.strong_count() > 0);
    traces.push(Arc::downgrade(trace));
}

fn register() {
    // SAFETY: a null name asks for the default VFS, which is there once SQLite is initialised; `find` does that.
    let real = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
    assert!(!real.is_null(), "SQLite has no VFS");
    // SAFETY: the system's VFS is alive and is read only, here and later.
    let mut vfs = unsafe { *real };
    REAL.get_or_init(|| Real(real));
    vfs.iVersion = 2;
    vfs.szOsFile += size_of::<Shim>() as c_int;
    vfs.zName = c"countersign-crashfs".as_ptr();
    vfs.pAppData = std::ptr::null_mut();
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
    // SAFETY: the table is leaked, so it lives as long as the process, as a registered VFS must.
    let answer = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 1) };
    assert_eq!(answer, ffi::SQLITE_OK, "SQLite takes no VFS");
}

fn real() -> *mut ffi::sqlite3_vfs {
    REAL.get().map_or(std::ptr::null_mut(), |real| real.0)
}

fn trace_of(path: &Path) -> Option<Arc<Trace>> {
    let traces = TRACES.lock().unwrap_or_else(PoisonError::into_inner);
    traces.iter().filter_map(Weak::upgrade).find(|trace| path.starts_with(trace.folder()))
}

/// The path that SQLite names.
///
/// # Safety
/// `name` is null or a string ended by zero that lives as long as the answer is used.
unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: not null, and ended by zero, by this function's own condition.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    Some(PathBuf::from(OsStr::from_bytes(bytes)))
}

fn code(outcome: io::Result<c_int>) -> c_int {
    outcome.unwrap_or(ffi::SQLITE_IOERR)
}

fn checked(answer: c_int) -> io::Result<c_int> {
    if answer == ffi::SQLITE_OK {
        Ok(answer)
    } else {
        Err(io::Error::other(format!("SQLite's code {answer}")))
    }
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let shim = file.cast::<Shim>();
    // SAFETY: `file` is memory of `szOsFile` bytes, aligned to 8, of which `Shim` is the beginning; it is not
    // initialised, so it is written whole. The real part behind it is what the real VFS asked for. A file whose
    // opening fails keeps null methods, so that SQLite does not close it.
    unsafe {
        shim.write(Shim { methods: std::ptr::null(), recorded: None });
        let Some(open) = (*real()).xOpen else { return ffi::SQLITE_CANTOPEN };
        let answer = open(real(), name, real_file(file), flags, flags_out);
        if answer != ffi::SQLITE_OK {
            return answer;
        }
        let recorded = match path_of(name).and_then(|path| Some((trace_of(&path)?, path))) {
            None => None,
            Some((trace, path)) => match recorded(trace, &path, flags) {
                Ok(recorded) => Some(Box::new(recorded)),
                Err(_ended) => {
                    close_real(file);
                    return ffi::SQLITE_CANTOPEN;
                }
            },
        };
        shim.write(Shim { methods: &METHODS, recorded });
    }
    ffi::SQLITE_OK
}

/// Finds the file in the trace, or records that it was made.
fn recorded(trace: Arc<Trace>, path: &Path, flags: c_int) -> io::Result<Recorded> {
    let place = trace.place(path)?;
    let inode = trace.step(|state| match state.find(&place) {
        Some(inode) => Ok(inode),
        None => {
            let inode = state.next_inode();
            state.push(Event::MakeFile(inode), place.clone());
            state.named(&place, inode)?;
            Ok(inode)
        }
    })?;
    let journal = ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    let folder_unsynced = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & journal != 0;
    Ok(Recorded { trace, inode, place, folder_unsynced })
}

unsafe extern "C" fn delete(_vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    let Some(delete) = real_vfs().xDelete else { return ffi::SQLITE_IOERR };
    // SAFETY: SQLite's own arguments; the name is a string ended by zero.
    let (real_delete, path) = unsafe { (|| delete(real(), name, sync_folder), path_of(name)) };
    let Some((trace, path)) = path.and_then(|path| Some((trace_of(&path)?, path))) else {
        return real_delete();
    };
    let mut answer = ffi::SQLITE_IOERR;
    let outcome = trace.place(&path).and_then(|place| {
        let folder = trace.step(|state| {
            answer = real_delete();
            checked(answer)?;
            state.unnamed(&place)?;
            Ok(state.parent(&place)?.0)
        })?;
        let folder_place = place.rsplit_once('/').map_or("", |(folder, _)| folder);
        if sync_folder != 0 {
            trace.sync(folder_place, |until| Event::SyncFolder(folder, until))?;
        }
        Ok(())
    });
    // A missing file is an answer that SQLite asks for by its own code.
    if outcome.is_ok() || answer != ffi::SQLITE_OK { answer } else { ffi::SQLITE_IOERR }
}

fn real_vfs() -> &'static ffi::sqlite3_vfs {
    // SAFETY: set before our VFS is registered, hence before any of these functions can be called; never freed.
    unsafe { &*real() }
}

/// A function of the VFS that is passed on as it is.
macro_rules! pass_vfs {
    ($($name:ident => $method:ident($($arg:ident: $type:ty),*);)*) => {$(
        unsafe extern "C" fn $name(_vfs: *mut ffi::sqlite3_vfs, $($arg: $type),*) -> c_int {
            // SAFETY: SQLite's own arguments, passed to the VFS that the function belongs to.
            real_vfs().$method.map_or(ffi::SQLITE_ERROR, |method| unsafe { method(real(), $($arg),*) })
        }
    )*};
}

pass_vfs! {
    access => xAccess(name: *const c_char, flags: c_int, answer: *mut c_int);
    full_path_name => xFullPathname(name: *const c_char, len: c_int, answer: *mut c_char);
    randomness => xRandomness(len: c_int, answer: *mut c_char);
    sleep => xSleep(microseconds: c_int);
    current_time => xCurrentTime(answer: *mut f64);
    last_error => xGetLastError(len: c_int, answer: *mut c_char);
    current_time_int64 => xCurrentTimeInt64(answer: *mut ffi::sqlite3_int64);
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // 2: shared memory for the log's index, but no memory-mapped reads and writes, which nobody would see.
    iVersion: 2,
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
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The real VFS's part of a file.
///
/// # Safety
/// `file` is memory of our `szOsFile`.
unsafe fn real_file(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: within the same memory, by this function's condition; `Shim` is a multiple of 8 long.
    unsafe { file.cast::<Shim>().add(1).cast() }
}

/// Our part of a file.
///
/// # Safety
/// `file` was opened by [`open`] and is not closed; SQLite makes one call at a time on it.
unsafe fn shim<'file>(file: *mut ffi::sqlite3_file) -> &'file mut Shim {
    // SAFETY: initialised by `open`, and nobody else has it, by this function's condition.
    unsafe { &mut *file.cast::<Shim>() }
}

/// The real VFS's functions of a file.
///
/// # Safety
/// The real part of `file` was opened by the real VFS and is not closed.
unsafe fn real_methods<'file>(file: *mut ffi::sqlite3_file) -> &'file ffi::sqlite3_io_methods {
    // SAFETY: an opened file has a table of functions that lives as long as its VFS.
    unsafe { &*(*real_file(file)).pMethods }
}

unsafe fn close_real(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: called once for each file that the real VFS opened.
    unsafe { real_methods(file).xClose.map_or(ffi::SQLITE_IOERR, |close| close(real_file(file))) }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the file is open; afterwards SQLite uses it no more, and our part holds nothing.
    unsafe {
        shim(file).recorded = None;
        close_real(file)
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    buffer: *const c_void,
    len: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the file is open, and the buffer has `len` bytes, by SQLite's contract.
    let (shim, methods) = unsafe { (shim(file), real_methods(file)) };
    let Some(write) = methods.xWrite else { return ffi::SQLITE_IOERR };
    // SAFETY: SQLite's own arguments and the real part of its file.
    let real_write = || unsafe { write(real_file(file), buffer, len, offset) };
    let Some(recorded) = &shim.recorded else { return real_write() };
    code(recorded.trace.step(|state| {
        checked(real_write())?;
        // SAFETY: the buffer has `len` bytes, initialised, and is only read.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), len as usize) };
        state.push(Event::Write(recorded.inode, offset as u64, bytes.into()), recorded.place.clone());
        Ok(ffi::SQLITE_OK)
    }))
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: ffi::sqlite3_int64) -> c_int {
    // SAFETY: the file is open.
    let (shim, methods) = unsafe { (shim(file), real_methods(file)) };
    let Some(truncate) = methods.xTruncate else { return ffi::SQLITE_IOERR };
    // SAFETY: the real part of the open file.
    let real_truncate = || unsafe { truncate(real_file(file), len) };
    let Some(recorded) = &shim.recorded else { return real_truncate() };
    code(recorded.trace.step(|state| {
        checked(real_truncate())?;
        state.push(Event::SetLen(recorded.inode, len as u64), recorded.place.clone());
        Ok(ffi::SQLITE_OK)
    }))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: the file is open.
    let (shim, methods) = unsafe { (shim(file), real_methods(file)) };
    let Some(recorded) = &mut shim.recorded else {
        let Some(sync) = methods.xSync else { return ffi::SQLITE_IOERR };
        // SAFETY: the real part of the open file.
        return unsafe { sync(real_file(file), flags) };
    };
    code(recorded.sync().map(|()| ffi::SQLITE_OK))
}

impl Recorded {
    fn sync(&mut self) -> io::Result<()> {
        self.trace.sync(&self.place, |until| Event::SyncFile(self.inode, until))?;
        if std::mem::take(&mut self.folder_unsynced) {
            let (folder, _) = self.trace.step(|state| state.parent(&self.place))?;
            let place = self.place.rsplit_once('/').map_or("", |(folder, _)| folder);
            self.trace.sync(place, |until| Event::SyncFolder(folder, until))?;
        }
        Ok(())
    }
}

/// A function of a file that is passed on as it is.
macro_rules! pass_file {
    ($($name:ident => $method:ident($($arg:ident: $type:ty),*);)*) => {$(
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($arg: $type),*) -> c_int {
            // SAFETY: SQLite's own arguments, with the real part of a file that is open.
            unsafe {
                real_methods(file).$method.map_or(ffi::SQLITE_IOERR, |method| method(real_file(file), $($arg),*))
            }
        }
    )*};
}

pass_file! {
    read => xRead(buffer: *mut c_void, len: c_int, offset: ffi::sqlite3_int64);
    file_size => xFileSize(answer: *mut ffi::sqlite3_int64);
    lock => xLock(level: c_int);
    unlock => xUnlock(level: c_int);
    check_reserved_lock => xCheckReservedLock(answer: *mut c_int);
    file_control => xFileControl(operation: c_int, argument: *mut c_void);
    sector_size => xSectorSize();
    device_characteristics => xDeviceCharacteristics();
    shm_map => xShmMap(page: c_int, len: c_int, extend: c_int, answer: *mut *mut c_void);
    shm_lock => xShmLock(offset: c_int, count: c_int, flags: c_int);
    shm_unmap => xShmUnmap(delete: c_int);
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: the real part of a file that is open.
    unsafe {
        if let Some(barrier) = real_methods(file).xShmBarrier {
            barrier(real_file(file));
        }
    }
}
