//! `sync_file_range`, which rustix does not have: starts the write-back of a range of a file.
#![allow(unsafe_code, reason = "one call into the C library, argued below")]

use std::io;
use std::os::fd::BorrowedFd;

/// Starts writing a range of dirty pages to the disk and does not wait for them.
///
/// It makes nothing durable (neither the size nor the disk's own cache is concerned): it only keeps the
/// closing fdatasync of a long file short. Where the system has no such call, nothing happens.
///
/// # Errors
/// What the system says, for example `EBADF`; `EINVAL` for a range that does not fit its signed lengths.
pub fn sync_file_range_write(file: BorrowedFd<'_>, offset: u64, len: u64) -> io::Result<()> {
    let (Ok(offset), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    };
    start(file, offset, len)
}

#[cfg(target_os = "linux")]
fn start(file: BorrowedFd<'_>, offset: i64, len: i64) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    const SYNC_FILE_RANGE_WRITE: std::ffi::c_uint = 2;
    // SAFETY: the signature is that of sync_file_range(2) with 64-bit offsets, which both C libraries of Linux
    // export under this name on 64-bit targets; the call reads no memory of ours, and the descriptor is open
    // for as long as it is borrowed.
    let answer = unsafe {
        unsafe extern "C" {
            fn sync_file_range(
                fd: std::ffi::c_int,
                offset: i64,
                nbytes: i64,
                flags: std::ffi::c_uint,
            ) -> std::ffi::c_int;
        }
        sync_file_range(file.as_raw_fd(), offset, len, SYNC_FILE_RANGE_WRITE)
    };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(not(target_os = "linux"))]
fn start(_file: BorrowedFd<'_>, _offset: i64, _len: i64) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;

    #[test]
    fn starts_the_write_back_of_a_file() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 8192]).unwrap();
        sync_file_range_write(file.as_fd(), 0, 8192).unwrap();
    }

    #[test]
    fn refuses_a_range_beyond_what_the_system_can_name() {
        let file = tempfile::tempfile().unwrap();
        assert!(sync_file_range_write(file.as_fd(), u64::MAX, 1).is_err());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn tells_what_the_system_refuses() {
        let (reader, _writer) = std::io::pipe().unwrap();
        assert!(sync_file_range_write(reader.as_fd(), 0, 1).is_err());
    }
}
