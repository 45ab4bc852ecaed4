//! Width, height and format of an uploaded image, for the callback's `imageInfo.*` (protocol 02 §2.3).
//!
//! Only headers are read, within limits, by the `imagesize` crate; what it needs beyond the first bytes (a
//! TIFF's directory may stand at its end) is fetched from the sealed bytes window by window. What cannot be
//! read leaves the variables unset and never fails an upload.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use countersign_protocol::callback::ImageInfo;
use countersign_store::SealedBlob;
use imagesize::{Compression, ImageSize, ImageType};

/// What is read at first; most headers end within.
const HEAD_BYTES: usize = 16 * 1024;
/// What the sniffing of the format has read; the measuring of WebP goes on from there.
const SNIFFED_BYTES: u64 = 12;
/// What is read at any later place.
const WINDOW_BYTES: usize = 1024;
/// How many such places are visited, so that at most 176 KiB are held.
const WINDOWS_MAX: usize = 160;
/// How many reads a look at the windows may take; a crafted directory could claim any number of entries.
const READS_MAX: usize = 200_000;

/// Reads what the image's header says. `None` for anything that is no readable image of a known format.
pub(crate) async fn read(blob: &SealedBlob) -> Option<ImageInfo> {
    let mut windows = Windows { len: blob.len(), ..Windows::default() };
    let mut wanted = Some((0, HEAD_BYTES));
    while let Some((offset, bytes)) = wanted {
        if windows.held.len() > WINDOWS_MAX {
            return None;
        }
        let window = blob.read_at(offset, bytes).await;
        let window = window.inspect_err(|error| tracing::warn!(%error, "an image could not be read")).ok()?;
        if window.is_empty() {
            return None;
        }
        windows.held.push((offset, window));
        let look = look(&mut windows);
        match windows.missing.take() {
            Some(missing) => wanted = Some((missing, WINDOW_BYTES)),
            None => return look,
        }
    }
    None
}

/// The names that OSS uses, for the formats it can measure.
fn name_of(kind: ImageType) -> Option<&'static str> {
    match kind {
        ImageType::Jpeg => Some("jpg"),
        ImageType::Png => Some("png"),
        ImageType::Gif => Some("gif"),
        ImageType::Bmp => Some("bmp"),
        ImageType::Webp => Some("webp"),
        ImageType::Tiff => Some("tiff"),
        ImageType::Heif(Compression::Hevc) => Some("heic"),
        _ => None,
    }
}

/// Tries to measure with the windows at hand. Arithmetic on crafted headers may overflow inside the foreign
/// parser; a panic there is an unreadable image and nothing more.
fn look(windows: &mut Windows) -> Option<ImageInfo> {
    let kind = imagesize::image_type(&windows.held.first()?.1).ok()?;
    let format = name_of(kind)?;
    (windows.position, windows.reads) = (SNIFFED_BYTES, 0);
    let measured = catch_unwind(AssertUnwindSafe(|| kind.reader_size(windows))).ok()?.ok()?;
    let ImageSize { width, height } = measured;
    // No format can be larger; a header that says so is damaged.
    if [width, height].iter().any(|pixels| !(1..=SIDE_MAX).contains(pixels)) {
        return None;
    }
    Some(ImageInfo { width: width as u64, height: height as u64, format: format.to_owned() })
}

/// The longest side that PNG, the most generous of the formats, permits.
const SIDE_MAX: usize = 0x7fff_ffff;

/// The pieces of an image that were fetched so far, readable as one file with holes.
#[derive(Default)]
struct Windows {
    len: u64,
    held: Vec<(u64, Bytes)>,
    position: u64,
    reads: usize,
    /// Where the first hole was met.
    missing: Option<u64>,
}

impl BufRead for Windows {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reads += 1;
        if self.reads > READS_MAX {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let position = self.position;
        if position >= self.len {
            return Ok(&[]);
        }
        let covering = self.held.iter().find_map(|(offset, window)| {
            let skip = usize::try_from(position.checked_sub(*offset)?).ok()?;
            window.get(skip..).filter(|rest| !rest.is_empty())
        });
        if covering.is_none() && self.missing.is_none() {
            self.missing = Some(position);
        }
        covering.ok_or_else(|| io::Error::from(io::ErrorKind::WouldBlock))
    }

    fn consume(&mut self, bytes: usize) {
        self.position = self.position.saturating_add(bytes as u64);
    }
}

impl Read for Windows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut rest = self.fill_buf()?;
        let bytes = rest.read(buffer)?;
        self.consume(bytes);
        Ok(bytes)
    }
}

impl Seek for Windows {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
