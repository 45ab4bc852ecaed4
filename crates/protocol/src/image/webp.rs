//! Reads the size of a WebP image: the first chunk of the container says which of its three kinds the file is (RFC
//! 9649, section 2).

use super::reader::{Reader, Stop};
use super::size::Size;

/// Where the first chunk's content begins.
const CONTENT_AT: u64 = 20;
/// Sides of the simple kinds have 14 bits.
const SIDE_BITS: u32 = 0x3fff;

pub(super) fn measure(reader: &mut Reader<'_>) -> Result<Size, Stop> {
    match &reader.bytes::<4>(12)? {
        b"VP8 " => lossy(reader),
        b"VP8L" => lossless(reader),
        b"VP8X" => extended(reader),
        _ => Err(Stop::Unreadable),
    }
}

/// A VP8 key frame (RFC 6386, 9.1). The two upper bits of each side ask for scaling, which is no size.
fn lossy(reader: &mut Reader<'_>) -> Result<Size, Stop> {
    let [tag, _, _, start @ .., w1, w2, h1, h2] = reader.bytes::<10>(CONTENT_AT)?;
    if tag & 1 != 0 || start != [0x9d, 0x01, 0x2a] {
        return Err(Stop::Unreadable);
    }
    let side = |bytes| u64::from(u32::from(u16::from_le_bytes(bytes)) & SIDE_BITS);
    Ok(Size { width: side([w1, w2]), height: side([h1, h2]) })
}

/// The header of a lossless bit stream (RFC 9649, 3.4), whose version must be nought.
fn lossless(reader: &mut Reader<'_>) -> Result<Size, Stop> {
    let bits = reader.u32_le(CONTENT_AT + 1)?;
    if reader.byte(CONTENT_AT)? != 0x2f || bits >> 29 != 0 {
        return Err(Stop::Unreadable);
    }
    let side = |bits: u32| u64::from(bits & SIDE_BITS) + 1;
    Ok(Size { width: side(bits), height: side(bits >> 14) })
}

/// The canvas of the extended kind, which has at most 2^32 - 1 pixels (RFC 9649, 2.7).
fn extended(reader: &mut Reader<'_>) -> Result<Size, Stop> {
    let [w1, w2, w3, h1, h2, h3] = reader.bytes(CONTENT_AT + 4)?;
    let side = |[low, mid, high]: [u8; 3]| u64::from(u32::from_le_bytes([low, mid, high, 0])) + 1;
    let size = Size { width: side([w1, w2, w3]), height: side([h1, h2, h3]) };
    if size.width * size.height > u64::from(u32::MAX) { Err(Stop::Unreadable) } else { Ok(size) }
}
