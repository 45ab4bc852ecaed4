//! Reads the size of an HEIC or AVIF image: the primary item's, after its clean aperture and rotation (ISO/IEC
//! 23008-12, 6.5.3, 6.5.9, 6.5.10; ISO/IEC 14496-12, 8.11).
//!
//! A file holds many items: thumbnails, masks, the tiles of the picture. Only the properties that are
//! associated with the primary one count, in the order of their association.

use super::reader::{Reader, Stop, after};
use super::size::{Format, Size};

/// How many brands of a file are looked at.
const BRANDS_MAX: u64 = 64;
const HEIC_BRANDS: [&[u8; 4]; 8] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"];
const AVIF_BRANDS: [&[u8; 4]; 2] = [b"avif", b"avis"];
/// How many properties the primary item may have.
const ASSOCIATIONS_MAX: usize = 64;
/// Properties that leave the size as it is. An essential property that is not known may do anything.
const HARMLESS: [&[u8; 4]; 16] = [
    b"hvcC", b"av1C", b"lhvC", b"imir", b"pixi", b"colr", b"pasp", b"auxC", b"rloc", b"clli", b"mdcv",
    b"cclv", b"amve", b"a1lx", b"udes", b"rref",
];

/// A box: its kind, where its content begins and where it ends.
#[derive(Debug, Clone, Copy)]
struct IsoBox {
    kind: [u8; 4],
    content: u64,
    end: u64,
}

/// One property of the primary item.
#[derive(Debug, Clone, Copy)]
struct Association {
    /// Counted from one.
    index: u16,
    essential: bool,
}

pub(super) fn measure(reader: &mut Reader<'_>) -> Result<(Format, Size), Stop> {
    let file_bytes = reader.file_bytes();
    let file_type = box_at(reader, 0, file_bytes)?;
    let format = format(reader, file_type)?;
    let mut at = reader.resume_from(file_type.end);
    loop {
        reader.done_before(at);
        let found = box_at(reader, at, file_bytes)?;
        if &found.kind == b"meta" {
            return Ok((format, primary_size(reader, found)?));
        }
        at = found.end;
    }
}

/// What the brands say: HEVC or AV1 pictures, and not both.
fn format(reader: &mut Reader<'_>, file_type: IsoBox) -> Result<Format, Stop> {
    let (mut heic, mut avif) = (false, false);
    let count = file_type.end.saturating_sub(file_type.content) / 4;
    for index in (0..count.min(BRANDS_MAX)).filter(|index| *index != 1) {
        let brand: [u8; 4] = reader.bytes(after(file_type.content, index * 4)?)?;
        heic |= HEIC_BRANDS.contains(&&brand);
        avif |= AVIF_BRANDS.contains(&&brand);
    }
    match (heic, avif) {
        (true, false) => Ok(Format::Heic),
        (false, true) => Ok(Format::Avif),
        _ => Err(Stop::Unreadable),
    }
}

fn primary_size(reader: &mut Reader<'_>, meta: IsoBox) -> Result<Size, Stop> {
    let (mut primary_item, mut properties) = (None, None);
    let mut at = after(meta.content, 4)?;
    while at < meta.end {
        let child = box_at(reader, at, meta.end)?;
        let place = match &child.kind {
            b"pitm" => Some(&mut primary_item),
            b"iprp" => Some(&mut properties),
            _ => None,
        };
        only_one(place, child)?;
        at = child.end;
    }
    let (Some(primary_item), Some(properties)) = (primary_item, properties) else {
        return Err(Stop::Unreadable);
    };
    let item = match reader.byte(primary_item.content)? {
        0 => reader.u16_be(after(primary_item.content, 4)?)?.into(),
        _ => reader.u32_be(after(primary_item.content, 4)?)?,
    };
    let mut container = None;
    let mut associations = Vec::new();
    at = properties.content;
    while at < properties.end {
        let child = box_at(reader, at, properties.end)?;
        match &child.kind {
            b"ipco" => only_one(Some(&mut container), child)?,
            b"ipma" => associations_of(reader, child, item, &mut associations)?,
            _ => {}
        }
        at = child.end;
    }
    let properties = properties_in(reader, container.ok_or(Stop::Unreadable)?, &associations)?;
    apply(reader, &associations, &properties)
}

fn only_one(place: Option<&mut Option<IsoBox>>, found: IsoBox) -> Result<(), Stop> {
    match place.and_then(|place| place.replace(found)) {
        Some(_) => Err(Stop::Unreadable),
        None => Ok(()),
    }
}

/// Adds what an `ipma` box associates with an item, which may stand in one of them only.
fn associations_of(
    reader: &mut Reader<'_>,
    ipma: IsoBox,
    item: u32,
    associations: &mut Vec<Association>,
) -> Result<(), Stop> {
    let [version, _, _, flags] = reader.bytes(ipma.content)?;
    let (id_bytes, wide) = (if version == 0 { 2 } else { 4 }, flags & 1 == 1);
    let entries = reader.u32_be(after(ipma.content, 4)?)?;
    let mut at = after(ipma.content, 8)?;
    for _ in 0..entries {
        let id = if id_bytes == 2 { reader.u16_be(at)?.into() } else { reader.u32_be(at)? };
        let count = reader.byte(after(at, id_bytes)?)?;
        at = after(at, id_bytes + 1)?;
        let (each, end) = (if wide { 2 } else { 1 }, after(at, u64::from(count) * if wide { 2 } else { 1 })?);
        let refused = usize::from(count) > ASSOCIATIONS_MAX || !associations.is_empty();
        if end > ipma.end || (id == item && refused) {
            return Err(Stop::Unreadable);
        }
        while id == item && at < end {
            let (bits, essential_bit) = match wide {
                true => (reader.u16_be(at)?, 0x8000),
                false => (reader.byte(at)?.into(), 0x80),
            };
            let (index, essential) = (bits & (essential_bit - 1), bits & essential_bit != 0);
            associations.push(Association { index, essential });
            at = after(at, each)?;
        }
        at = end;
    }
    Ok(())
}

/// The associated boxes of an `ipco` box, in the order of the associations.
fn properties_in(
    reader: &mut Reader<'_>,
    container: IsoBox,
    associations: &[Association],
) -> Result<Vec<Option<IsoBox>>, Stop> {
    let mut found = vec![None; associations.len()];
    let (mut at, mut index) = (container.content, 1_u16);
    while at < container.end {
        let property = box_at(reader, at, container.end)?;
        for (place, _) in found.iter_mut().zip(associations).filter(|(_, wanted)| wanted.index == index) {
            *place = Some(property);
        }
        (at, index) = (property.end, index.checked_add(1).ok_or(Stop::Unreadable)?);
    }
    Ok(found)
}

/// What the properties make of the size, one after another.
fn apply(
    reader: &mut Reader<'_>,
    associations: &[Association],
    properties: &[Option<IsoBox>],
) -> Result<Size, Stop> {
    let mut size = None;
    for (association, property) in associations.iter().zip(properties) {
        // The index nought says that there is no property.
        if association.index == 0 {
            continue;
        }
        let property = property.ok_or(Stop::Unreadable)?;
        match (&property.kind, size) {
            (b"ispe", None) => {
                let sides = after(property.content, 4)?;
                let (width, height) = (reader.u32_be(sides)?.into(), reader.u32_be(after(sides, 4)?)?.into());
                size = Some(Size { width, height });
            }
            (b"clap", Some(whole)) => size = Some(clean_aperture(reader, property, whole)?),
            (b"irot", Some(upright)) => {
                let quarters = reader.byte(property.content)? & 3;
                let Size { width, height } = upright;
                size = Some(if quarters % 2 == 1 { Size { width: height, height: width } } else { upright });
            }
            (b"ispe" | b"clap" | b"irot", _) => return Err(Stop::Unreadable),
            (kind, _) if association.essential && !HARMLESS.contains(&kind) => return Err(Stop::Unreadable),
            _ => {}
        }
    }
    size.ok_or(Stop::Unreadable)
}

/// A crop: whole sides, and within the picture.
fn clean_aperture(reader: &mut Reader<'_>, clap: IsoBox, whole: Size) -> Result<Size, Stop> {
    let mut side = |at: u64, whole: u64| -> Result<u64, Stop> {
        let (pixels, per) =
            (reader.u32_be(after(clap.content, at)?)?, reader.u32_be(after(clap.content, at + 4)?)?);
        let off = i32::from_be_bytes(reader.bytes(after(clap.content, at + 16)?)?);
        let off_per = reader.u32_be(after(clap.content, at + 20)?)?;
        if per == 0 || off_per == 0 || pixels % per != 0 {
            return Err(Stop::Unreadable);
        }
        let side = u64::from(pixels / per);
        // Twice the distance of the centres fits into what is cut off.
        let room = whole.checked_sub(side).ok_or(Stop::Unreadable)?;
        let inside = 2 * u64::from(off.unsigned_abs()) <= room.saturating_mul(off_per.into());
        if inside { Ok(side) } else { Err(Stop::Unreadable) }
    };
    Ok(Size { width: side(0, whole.width)?, height: side(8, whole.height)? })
}

/// The box that begins at an offset and must end before `limit`.
fn box_at(reader: &mut Reader<'_>, at: u64, limit: u64) -> Result<IsoBox, Stop> {
    let [b1, b2, b3, b4, kind @ ..] = reader.bytes::<8>(at)?;
    let (bytes, head_bytes) = match u32::from_be_bytes([b1, b2, b3, b4]) {
        // Up to the end of what it stands in.
        0 => (limit.saturating_sub(at), 8),
        1 => (u64::from_be_bytes(reader.bytes(after(at, 8)?)?), 16),
        bytes => (u64::from(bytes), 8),
    };
    let (content, end) = (after(at, head_bytes)?, after(at, bytes)?);
    if content > end || end > limit { Err(Stop::Unreadable) } else { Ok(IsoBox { kind, content, end }) }
}
