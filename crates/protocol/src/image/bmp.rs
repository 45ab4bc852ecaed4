//! Reads the size of a BMP image: every header that Windows and OS/2 wrote, told apart by its length. A negative
//! height means that the top row comes first.

use super::reader::{Reader, Stop};
use super::size::Size;

/// Above this a height is negative to some readers and huge to others.
const TOP_DOWN_HEIGHT_MAX: u64 = 0x00ff_ffff;
/// Where the second header begins, behind the file header.
const HEADER_AT: u64 = 14;

pub(super) fn measure(reader: &mut Reader<'_>) -> Result<Size, Stop> {
    let (size, planes) = match reader.u32_le(HEADER_AT)? {
        // BITMAPCOREHEADER: sides of 16 bits.
        12 => {
            let size = Size { width: reader.u16_le(18)?.into(), height: reader.u16_le(20)?.into() };
            (size, reader.u16_le(22)?)
        }
        // OS/2 2.x, which may be cut after any field (16 to 64); BITMAPINFOHEADER (40) and its longer forms.
        16..=64 | 108 | 124 => {
            let width = u64::try_from(reader.i32_le(18)?).map_err(|_| Stop::Unreadable)?;
            let signed = reader.i32_le(22)?;
            let height = u64::from(signed.unsigned_abs());
            if signed < 0 && height > TOP_DOWN_HEIGHT_MAX {
                return Err(Stop::Unreadable);
            }
            (Size { width, height }, reader.u16_le(26)?)
        }
        _ => return Err(Stop::Unreadable),
    };
    // Every header states one plane; text that happens to begin with BM does not.
    if planes == 1 { Ok(size) } else { Err(Stop::Unreadable) }
}
