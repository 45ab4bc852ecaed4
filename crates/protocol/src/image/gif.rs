//! Reads the size of a GIF image: the logical screen, if the first picture lies within it (GIF89a specification,
//! sections 18, 20 and 24).
//!
//! Where it does not, some readers cut the picture and some enlarge the screen, so that there is no one right size.

use super::reader::{Reader, Stop, after};
use super::size::Size;

/// Signature, screen and flags.
const HEADER_BYTES: u64 = 13;

pub(super) fn measure(reader: &mut Reader<'_>) -> Result<Size, Stop> {
    let screen = Size { width: reader.u16_le(6)?.into(), height: reader.u16_le(8)?.into() };
    let flags = reader.byte(10)?;
    let colours_bytes = if flags & 0x80 != 0 { 6 << (flags & 7) } else { 0 };
    let mut at = reader.resume_from(HEADER_BYTES + colours_bytes);
    loop {
        reader.done_before(at);
        match reader.byte(at)? {
            b'!' => at = behind_extension(reader, at)?,
            b',' => {
                return if picture_fits(reader, at, screen)? { Ok(screen) } else { Err(Stop::Unreadable) };
            }
            _ => return Err(Stop::Unreadable),
        }
    }
}

/// Where the block behind an extension begins. The last of its pieces is empty.
fn behind_extension(reader: &mut Reader<'_>, at: u64) -> Result<u64, Stop> {
    let mut piece = after(at, 2)?;
    loop {
        let bytes = reader.byte(piece)?;
        piece = after(piece, 1 + u64::from(bytes))?;
        if bytes == 0 {
            return Ok(piece);
        }
    }
}

fn picture_fits(reader: &mut Reader<'_>, at: u64, screen: Size) -> Result<bool, Stop> {
    let mut side = |offset: u64| reader.u16_le(after(at, offset)?).map(u64::from);
    let (left, top, width, height) = (side(1)?, side(3)?, side(5)?, side(7)?);
    Ok(left + width <= screen.width && top + height <= screen.height)
}
