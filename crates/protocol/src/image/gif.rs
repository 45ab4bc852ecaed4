//! GIF: the logical screen (GIF89a specification, section 18).

use super::Size;
use super::reader::{Reader, Stop};

pub(super) fn measure(reader: &mut Reader<'_>) -> Result<Size, Stop> {
    Ok(Size { width: reader.u16_le(6)?.into(), height: reader.u16_le(8)?.into() })
}
