//! Reads the size of a PNG image from the IHDR chunk, which need not be the first: Apple's tools write a private
//! chunk (CgBI) before it (PNG specification, 5.3 and 11.2.2).

use super::reader::{Reader, Stop, after};
use super::size::Size;

pub(super) const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
/// Length, type and checksum of a chunk.
const FRAME_BYTES: u64 = 12;
const IHDR_BYTES: u32 = 13;

pub(super) fn measure(reader: &mut Reader<'_>) -> Result<Size, Stop> {
    let mut at = reader.resume_from(SIGNATURE.len() as u64);
    loop {
        reader.done_before(at);
        let bytes = reader.u32_be(at)?;
        let kind: [u8; 4] = reader.bytes(after(at, 4)?)?;
        match &kind {
            b"IHDR" if bytes == IHDR_BYTES => return header(reader, after(at, 4)?),
            b"IHDR" | b"PLTE" | b"IDAT" | b"IEND" => return Err(Stop::Unreadable),
            _ if !kind.iter().all(u8::is_ascii_alphabetic) => return Err(Stop::Unreadable),
            _ => at = after(at, FRAME_BYTES + u64::from(bytes))?,
        }
    }
}

/// Type, content and checksum of IHDR. Decoders refuse a file whose checksum is wrong here.
fn header(reader: &mut Reader<'_>, at: u64) -> Result<Size, Stop> {
    let covered: [u8; 17] = reader.bytes(at)?;
    if crc32(&covered) != reader.u32_be(after(at, 17)?)? {
        return Err(Stop::Unreadable);
    }
    Ok(Size { width: reader.u32_be(after(at, 4)?)?.into(), height: reader.u32_be(after(at, 8)?)?.into() })
}

/// CRC-32 as PNG has it (ISO 3309), bit by bit: it is made of 17 bytes.
fn crc32(bytes: &[u8]) -> u32 {
    let folded = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let carry = if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            (crc >> 1) ^ carry
        })
    });
    !folded
}
