//! Reads the size of a TIFF or BigTIFF image, in either byte order: ImageWidth and ImageLength of the first directory
//! (TIFF 6.0, sections 2 and 8), which may stand anywhere in the file.

use super::reader::{Reader, Stop, after};
use super::size::Size;

/// TIFF and BigTIFF, little and big endian.
pub(super) const MAGICS: [&[u8; 4]; 4] = [b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b"];
/// How many entries a directory may have. Raw photographs have about 200.
const ENTRIES_MAX: u64 = 512;

const NEW_SUBFILE_TYPE: u16 = 254;
const OLD_SUBFILE_TYPE: u16 = 255;
const IMAGE_WIDTH: u16 = 256;
const IMAGE_LENGTH: u16 = 257;

/// What is read of the first directory.
#[derive(Debug, Default)]
struct Directory {
    new_subfile_type: Option<u64>,
    old_subfile_type: Option<u64>,
    width: Option<u64>,
    length: Option<u64>,
}

pub(super) fn measure(reader: &mut Reader<'_>) -> Result<Size, Stop> {
    let mut file = File { little: reader.byte(0)? == b'I', big_tiff: false, reader };
    file.big_tiff = file.number(2, 2)? == 0x2b;
    let directory = file.directory()?;
    // The first picture may be a thumbnail of the one that counts, as in raw photographs.
    let thumbnail = directory.new_subfile_type.is_some_and(|bits| bits & 1 == 1);
    if thumbnail || directory.old_subfile_type == Some(2) {
        return Err(Stop::Unreadable);
    }
    match (directory.width, directory.length) {
        (Some(width), Some(height)) => Ok(Size { width, height }),
        _ => Err(Stop::Unreadable),
    }
}

struct File<'r, 'w> {
    reader: &'r mut Reader<'w>,
    little: bool,
    big_tiff: bool,
}

impl File<'_, '_> {
    /// Every entry is looked at: a tag that stands there twice has no right value.
    fn directory(&mut self) -> Result<Directory, Stop> {
        let (start, count_bytes, entry_bytes) = if self.big_tiff {
            // Offsets have eight bytes, and a constant says so.
            if self.number(4, 4)? != if self.little { 8 } else { 8 << 16 } {
                return Err(Stop::Unreadable);
            }
            (self.number(8, 8)?, 8, 20)
        } else {
            (self.number(4, 4)?, 2, 12)
        };
        let count = self.number(start, count_bytes)?;
        if count > ENTRIES_MAX {
            return Err(Stop::Unreadable);
        }
        let mut directory = Directory::default();
        for entry in 0..count {
            let at = after(after(start, count_bytes)?, entry * entry_bytes)?;
            let place = match u16::try_from(self.number(at, 2)?) {
                Ok(NEW_SUBFILE_TYPE) => &mut directory.new_subfile_type,
                Ok(OLD_SUBFILE_TYPE) => &mut directory.old_subfile_type,
                Ok(IMAGE_WIDTH) => &mut directory.width,
                Ok(IMAGE_LENGTH) => &mut directory.length,
                _ => continue,
            };
            if place.replace(self.value(at)?).is_some() {
                return Err(Stop::Unreadable);
            }
        }
        Ok(directory)
    }

    /// The one number of an entry.
    fn value(&mut self, entry: u64) -> Result<u64, Stop> {
        let (count_bytes, value_at) = if self.big_tiff { (8, 12) } else { (4, 8) };
        if self.number(after(entry, 4)?, count_bytes)? != 1 {
            return Err(Stop::Unreadable);
        }
        let bytes = match self.number(after(entry, 2)?, 2)? {
            1 => 1,
            3 => 2,
            4 => 4,
            16 if self.big_tiff => 8,
            _ => return Err(Stop::Unreadable),
        };
        self.number(after(entry, value_at)?, bytes)
    }

    /// An unsigned number of 1, 2, 4 or 8 bytes in the file's byte order.
    fn number(&mut self, at: u64, bytes: u64) -> Result<u64, Stop> {
        let (reader, little) = (&mut *self.reader, self.little);
        Ok(match bytes {
            1 => reader.byte(at)?.into(),
            2 if little => reader.u16_le(at)?.into(),
            2 => reader.u16_be(at)?.into(),
            4 if little => reader.u32_le(at)?.into(),
            4 => reader.u32_be(at)?.into(),
            _ if little => u64::from_le_bytes(reader.bytes(at)?),
            _ => u64::from_be_bytes(reader.bytes(at)?),
        })
    }
}
