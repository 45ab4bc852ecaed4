//! Reads width, height and format from the header of an image file, for the callback's `imageInfo.*`
//! variables (CB-40, CB-41). Nothing is decoded: the size is what the header states, before any EXIF
//! rotation.
//!
//! The file is never needed as a whole. [`Measuring`] says which bytes it wants next, the caller fetches them,
//! and so on until the answer is there. Both the bytes it asks for and the steps it takes are bounded, whatever
//! a crafted header claims. The answer is the right size or none: where a header contradicts itself, or two
//! readers would differ about it, there is none.

use bytes::Bytes;

use crate::callback::ImageInfo;

mod bmp;
mod gif;
mod heif;
mod jpeg;
mod png;
mod reader;
mod size;
#[cfg(test)]
mod tests;
mod tiff;
mod webp;

use reader::{Reader, Stop, Windows};
use size::{Format, Size};

/// What is read at first; most headers end within.
pub const HEAD_BYTES: usize = 16 * 1024;
/// What is read at any later place.
pub const WINDOW_BYTES: usize = 1024;
/// How many later places are visited, so that at most 176 KiB are read of any file.
pub const WINDOWS_MAX: usize = 160;
/// How many small reads of the fetched bytes may be made for one file.
pub const STEPS_MAX: usize = 20_000;
/// The longest side that PNG, the most generous of the formats, permits.
const SIDE_MAX: u64 = 0x7fff_ffff;

/// An image file that is being measured.
#[derive(Debug)]
pub struct Measuring {
    windows: Windows,
    windows_fetched: usize,
    steps: usize,
}

/// What [`Measuring::proceed`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// These bytes are needed next: at most so many from this offset, fewer only at the end of the file.
    Needs {
        /// Where they begin.
        offset: u64,
        /// How many.
        bytes: usize,
    },
    /// What the header says; `None` when this is no readable image of a known format.
    Done(Option<ImageInfo>),
}

impl Measuring {
    /// Begins to measure a file of so many bytes.
    #[must_use]
    pub fn of_file(bytes: u64) -> Self {
        Self { windows: Windows::of_file(bytes), windows_fetched: 0, steps: 0 }
    }

    /// Hands in bytes of the file, as [`Progress::Needs`] asked for them.
    pub fn push(&mut self, offset: u64, bytes: Bytes) {
        self.windows_fetched += 1;
        self.windows.push(offset, bytes);
    }

    /// Reads on with what is there.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use countersign_protocol::image::{Measuring, Progress};
    ///
    /// // The first bytes of a GIF of 7 by 5 pixels, and where its picture lies.
    /// let gif = Bytes::from_static(b"GIF89a\x07\0\x05\0\0\0\0,\0\0\0\0\x07\0\x05\0\0");
    /// let mut measuring = Measuring::of_file(gif.len() as u64);
    /// while let Progress::Needs { offset, bytes } = measuring.proceed() {
    ///     let start = offset as usize;
    ///     measuring.push(offset, gif.slice(start..gif.len().min(start + bytes)));
    /// }
    /// let Progress::Done(Some(info)) = measuring.proceed() else { panic!("a readable image") };
    /// assert_eq!((info.width, info.height, info.format.as_str()), (7, 5, "gif"));
    /// ```
    pub fn proceed(&mut self) -> Progress {
        let mut reader = Reader::new(&mut self.windows, &mut self.steps, STEPS_MAX);
        match measure(&mut reader) {
            Ok(info) => Progress::Done(info),
            Err(Stop::Missing { offset: 0 }) if self.windows_fetched == 0 => {
                Progress::Needs { offset: 0, bytes: HEAD_BYTES }
            }
            Err(Stop::Missing { offset }) if (1..=WINDOWS_MAX).contains(&self.windows_fetched) => {
                Progress::Needs { offset, bytes: WINDOW_BYTES }
            }
            Err(Stop::Missing { .. } | Stop::Unreadable) => Progress::Done(None),
        }
    }
}

fn measure(reader: &mut Reader<'_>) -> Result<Option<ImageInfo>, Stop> {
    let (format, size) = match format_of(reader)? {
        Format::Jpg => (Format::Jpg, jpeg::measure(reader)?),
        Format::Png => (Format::Png, png::measure(reader)?),
        Format::Gif => (Format::Gif, gif::measure(reader)?),
        Format::Bmp => (Format::Bmp, bmp::measure(reader)?),
        Format::Webp => (Format::Webp, webp::measure(reader)?),
        Format::Tiff => (Format::Tiff, tiff::measure(reader)?),
        Format::Heic | Format::Avif => heif::measure(reader)?,
    };
    let Size { width, height } = size;
    let possible = [width, height].iter().all(|pixels| (1..=SIDE_MAX).contains(pixels));
    Ok(possible.then(|| ImageInfo { width, height, format: format.word().to_owned() }))
}

/// Which format a file's first bytes announce. HEIC stands for both HEIC and AVIF here.
fn format_of(reader: &mut Reader<'_>) -> Result<Format, Stop> {
    let start: [u8; 12] = reader.bytes(0)?;
    let is = |offset: usize, magic: &[u8]| start.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    if is(0, &[0xff, 0xd8, 0xff]) {
        Ok(Format::Jpg)
    } else if is(0, png::SIGNATURE) {
        Ok(Format::Png)
    } else if is(0, b"GIF87a") || is(0, b"GIF89a") {
        Ok(Format::Gif)
    } else if is(0, b"RIFF") && is(8, b"WEBP") {
        Ok(Format::Webp)
    } else if tiff::MAGICS.iter().any(|magic| is(0, *magic)) {
        Ok(Format::Tiff)
    } else if is(4, b"ftyp") {
        Ok(Format::Heic)
    } else if is(0, b"BM") {
        Ok(Format::Bmp)
    } else {
        Err(Stop::Unreadable)
    }
}
