//! Reads numbers from the parts of a file that have been fetched, limits how many, and says which bytes are missing.

use std::collections::BTreeMap;

use bytes::Bytes;

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes from here on were not fetched yet.
    Missing {
        /// Where they begin.
        offset: u64,
    },
    /// This is no image, or a damaged one, or one that asks for too much.
    Unreadable,
}

/// The pieces of a file that were fetched so far.
#[derive(Debug)]
pub(super) struct Windows {
    file_bytes: u64,
    held: BTreeMap<u64, Bytes>,
    /// Where a format that is read from front to back goes on, so that no byte before is looked at again.
    resume_at: u64,
}

impl Windows {
    pub(super) fn of_file(file_bytes: u64) -> Self {
        Self { file_bytes, held: BTreeMap::new(), resume_at: 0 }
    }

    pub(super) fn push(&mut self, offset: u64, bytes: Bytes) {
        self.held.insert(offset, bytes);
    }
}

/// A view of the windows with a budget of steps.
#[derive(Debug)]
pub(super) struct Reader<'w> {
    windows: &'w mut Windows,
    steps: &'w mut usize,
    steps_max: usize,
}

impl<'w> Reader<'w> {
    pub(super) fn new(windows: &'w mut Windows, steps: &'w mut usize, steps_max: usize) -> Self {
        Self { windows, steps, steps_max }
    }

    /// How long the file is.
    pub(super) fn file_bytes(&self) -> u64 {
        self.windows.file_bytes
    }

    /// So many bytes from an offset of the file.
    pub(super) fn bytes<const N: usize>(&mut self, offset: u64) -> Result<[u8; N], Stop> {
        *self.steps += 1;
        if *self.steps > self.steps_max {
            return Err(Stop::Unreadable);
        }
        let end = offset.checked_add(N as u64).ok_or(Stop::Unreadable)?;
        if end > self.windows.file_bytes {
            return Err(Stop::Unreadable);
        }
        // A window is only fetched where no other holds what is wanted, so the one that begins last before
        // the offset reaches furthest.
        let window = self.windows.held.range(..=offset).next_back();
        let piece = window.and_then(|(start, window)| {
            let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
            window.get(from..from.checked_add(N)?)?.try_into().ok()
        });
        piece.ok_or(Stop::Missing { offset })
    }

    pub(super) fn byte(&mut self, offset: u64) -> Result<u8, Stop> {
        self.bytes(offset).map(u8::from_be_bytes)
    }

    pub(super) fn u16_be(&mut self, offset: u64) -> Result<u16, Stop> {
        self.bytes(offset).map(u16::from_be_bytes)
    }

    pub(super) fn u16_le(&mut self, offset: u64) -> Result<u16, Stop> {
        self.bytes(offset).map(u16::from_le_bytes)
    }

    pub(super) fn u32_be(&mut self, offset: u64) -> Result<u32, Stop> {
        self.bytes(offset).map(u32::from_be_bytes)
    }

    pub(super) fn u32_le(&mut self, offset: u64) -> Result<u32, Stop> {
        self.bytes(offset).map(u32::from_le_bytes)
    }

    pub(super) fn i32_le(&mut self, offset: u64) -> Result<i32, Stop> {
        self.bytes(offset).map(i32::from_le_bytes)
    }

    /// Where reading from front to back goes on; at least here.
    pub(super) fn resume_from(&self, at_least: u64) -> u64 {
        self.windows.resume_at.max(at_least)
    }

    /// Notes that nothing before this offset is needed any more. Windows that end there are let go.
    pub(super) fn done_before(&mut self, offset: u64) {
        self.windows.resume_at = offset;
        // The first window stays: the format is told by it.
        self.windows
            .held
            .retain(|start, window| *start == 0 || start.saturating_add(window.len() as u64) > offset);
    }
}

/// A sum of offsets that must not wrap.
pub(super) fn after(offset: u64, bytes: u64) -> Result<u64, Stop> {
    offset.checked_add(bytes).ok_or(Stop::Unreadable)
}
