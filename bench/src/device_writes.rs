//! Counts what a block device is told to write, from the kernel's own statistics: what an upload costs the disk, the
//! log, the moving of the log and the file system's own bookkeeping together. Other programs' writes count too.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// What the kernel counts in, whatever the device has.
const SECTOR_BYTES: u64 = 512;
/// Place of the sectors written among the numbers of `/sys/dev/block/…/stat`.
const SECTORS_WRITTEN_AT: usize = 6;

/// The device that a folder lies on, watched from now on.
pub(crate) struct DeviceWrites {
    statistics: PathBuf,
    sectors_before: u64,
}

impl DeviceWrites {
    /// Begins to watch, once everything that waits is written.
    ///
    /// # Errors
    /// When the folder lies on no block device, as in memory.
    pub(crate) fn watch(folder: &Path) -> anyhow::Result<DeviceWrites> {
        let device = fs::metadata(folder).with_context(|| format!("looking at {}", folder.display()))?.dev();
        let statistics = PathBuf::from(format!("/sys/dev/block/{}/stat", numbers_of(device)));
        settle();
        let sectors_before = sectors(&statistics)
            .with_context(|| format!("{} lies on no block device that counts", folder.display()))?;
        Ok(DeviceWrites { statistics, sectors_before })
    }

    /// Bytes written since then, once everything that waits is written.
    pub(crate) fn finish(&self) -> anyhow::Result<u64> {
        settle();
        Ok((sectors(&self.statistics)? - self.sectors_before) * SECTOR_BYTES)
    }
}

fn settle() {
    // Where it cannot be run, what waits is counted in the next run.
    let _ = Command::new("sync").status();
}

/// Major and minor number as the kernel prints them.
fn numbers_of(device: u64) -> String {
    let major = ((device >> 32) & 0xffff_f000) | ((device >> 8) & 0xfff);
    let minor = ((device >> 12) & 0xffff_ff00) | (device & 0xff);
    format!("{major}:{minor}")
}

fn sectors(statistics: &Path) -> anyhow::Result<u64> {
    let text = fs::read_to_string(statistics)?;
    written(&text).context("the kernel's statistics are not as they were")
}

fn written(text: &str) -> Option<u64> {
    text.split_whitespace().nth(SECTORS_WRITTEN_AT)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_as_the_kernel_names_it() {
        assert_eq!(numbers_of(0xfe00), "254:0");
        assert_eq!(numbers_of(0x0010_3005), "48:261");
    }

    #[test]
    fn the_sectors_written_are_the_seventh_number() {
        assert_eq!(
            written(" 7360122   225499 404453130 32776496  9299080  2596247 1191877632 7760614 0"),
            Some(1_191_877_632)
        );
        assert_eq!(written("1 2 3"), None);
    }
}
