//! Reads the size of a JPEG image from the first frame header (SOFn) among the segments (ITU-T T.81 B.1, B.2.2).

use super::reader::{Reader, Stop, after};
use super::size::Size;

/// The bytes of a frame header before its components, with its length.
const FRAME_BYTES: u16 = 8;

pub(super) fn measure(reader: &mut Reader<'_>) -> Result<Size, Stop> {
    let mut at = reader.resume_from(2);
    loop {
        reader.done_before(at);
        let [lead, code] = reader.bytes(at)?;
        match (lead, code) {
            // A marker may have any number of fill bytes before it (B.1.1.2); decoders skip other bytes too.
            (0xff, 0xff) => at = after(at, 1)?,
            // A stuffed zero, TEM and RSTn have no length.
            (0xff, 0x00 | 0x01 | 0xd0..=0xd7) => at = after(at, 2)?,
            // DHT, JPG and DAC stand in the row of the frame headers and are none.
            (0xff, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf) => return frame(reader, at),
            // Another image, the end, the pixels, or several frames (DHP): no frame header comes any more.
            (0xff, 0xd8..=0xda | 0xde) => return Err(Stop::Unreadable),
            (0xff, _) => {
                let bytes = reader.u16_be(after(at, 2)?)?;
                if bytes < 2 {
                    return Err(Stop::Unreadable);
                }
                at = after(at, 2 + u64::from(bytes))?;
            }
            _ => at = after(at, 1)?,
        }
    }
}

fn frame(reader: &mut Reader<'_>, at: u64) -> Result<Size, Stop> {
    let [_, _, l1, l2, _, h1, h2, w1, w2, components] = reader.bytes(at)?;
    let bytes = u16::from_be_bytes([l1, l2]);
    if components == 0 || bytes != FRAME_BYTES + 3 * u16::from(components) {
        return Err(Stop::Unreadable);
    }
    // A height of nought is stated behind the first scan (DNL); it is not looked for.
    let side = |bytes| u64::from(u16::from_be_bytes(bytes));
    Ok(Size { width: side([w1, w2]), height: side([h1, h2]) })
}
