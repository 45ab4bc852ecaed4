//! Image headers at the edges of their formats: the right size or none, within the allowed steps and bytes.

use proptest::prelude::*;

use super::*;

/// Measures a whole file at hand, and says how many bytes were asked for.
fn measured(file: &[u8]) -> (Option<String>, usize) {
    let mut measuring = Measuring::of_file(file.len() as u64);
    let mut fetched = 0;
    loop {
        match measuring.proceed() {
            Progress::Done(info) => {
                let told = info.map(|info| format!("{} {}x{}", info.format, info.width, info.height));
                return (told, fetched);
            }
            Progress::Needs { offset, bytes } => {
                let from = usize::try_from(offset).unwrap();
                let piece = &file[from..file.len().min(from + bytes)];
                assert!(!piece.is_empty(), "asks behind the end");
                fetched += piece.len();
                measuring.push(offset, Bytes::copy_from_slice(piece));
            }
        }
    }
}

fn size(file: &[u8]) -> Option<String> {
    measured(file).0
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let covered = [kind.as_slice(), content].concat();
    let mut crc = u32::MAX;
    for byte in &covered {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    [&(content.len() as u32).to_be_bytes(), covered.as_slice(), &(!crc).to_be_bytes()].concat()
}

fn ihdr(width: u32, height: u32) -> Vec<u8> {
    chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat())
}

#[test]
fn a_png_is_measured_by_its_ihdr_wherever_it_stands() {
    let signature = png::SIGNATURE.as_slice();
    let plain = [signature, &ihdr(30, 20)].concat();
    let private = [signature, &chunk(b"CgBI", &[0x50, 0, 0x20, 6]), &ihdr(30, 20)].concat();
    let far = [signature, &chunk(b"prVt", &vec![0; 100_000]), &ihdr(30, 20)].concat();
    for file in [&plain, &private, &far] {
        assert_eq!(size(file).as_deref(), Some("png 30x20"));
    }
    let mut damaged = plain.clone();
    damaged[19] ^= 1;
    assert_eq!(size(&damaged), None, "the checksum does not fit");
    assert_eq!(size(&[signature, &chunk(b"IDAT", b"x"), &ihdr(30, 20)].concat()), None);
}

fn bmp(header_bytes: u32, width: i32, height: i32) -> Vec<u8> {
    let mut file = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0".to_vec();
    file.extend(header_bytes.to_le_bytes());
    if header_bytes == 12 {
        file.extend([
            width.to_le_bytes()[0],
            width.to_le_bytes()[1],
            height.to_le_bytes()[0],
            height.to_le_bytes()[1],
        ]);
        file.extend([1, 0, 24, 0]);
    } else {
        file.extend(width.to_le_bytes());
        file.extend(height.to_le_bytes());
        file.extend([1, 0, 24, 0]);
    }
    file.resize(file.len() + 128, 0);
    file
}

#[test]
fn a_bmp_is_measured_with_every_header_and_either_sign() {
    for header_bytes in [12, 16, 40, 52, 56, 64, 108, 124] {
        assert_eq!(size(&bmp(header_bytes, 7, 9)).as_deref(), Some("bmp 7x9"), "{header_bytes}");
    }
    assert_eq!(size(&bmp(40, 7, -9)).as_deref(), Some("bmp 7x9"), "top row first");
    assert_eq!(size(&bmp(40, -7, 9)), None);
    for height in [i32::MIN, -0x0100_0000] {
        assert_eq!(size(&bmp(40, 7, height)), None, "some readers take {height} for a huge one");
    }
    assert_eq!(size(&bmp(41_000, 7, 9)), None);
}

/// A GIF of 30 × 20 with two colours: these blocks, and a picture of these sides at 1, 2.
fn gif(blocks: &[u8], width: u16, height: u16) -> Vec<u8> {
    let screen = [&b"GIF89a"[..], &[30, 0, 20, 0, 0x80, 0, 0], &[0; 6]].concat();
    let place = [1_u16, 2, width, height].map(u16::to_le_bytes).concat();
    [&screen[..], blocks, b",", &place, &[0, 2, 0, b';']].concat()
}

#[test]
fn a_gif_is_measured_by_its_screen_where_the_first_picture_fits() {
    let comment = [&b"!\xfe"[..], &[&[100_u8][..], &[b','; 100]].concat().repeat(300), &[0]].concat();
    for blocks in [&b""[..], b"!\xf9\x04\0\0\0\0\0", &comment] {
        assert_eq!(size(&gif(blocks, 29, 18)).as_deref(), Some("gif 30x20"));
    }
    for (width, height) in [(30, 18), (29, 19), (u16::MAX, 18)] {
        assert_eq!(size(&gif(b"", width, height)), None, "some readers enlarge the screen");
    }
    assert_eq!(size(&gif(b";", 29, 18)), None, "no picture at all");
}

#[test]
fn a_jpeg_is_measured_over_fill_bytes_and_other_segments() {
    let frame = [0xff, 0xc2, 0, 17, 8, 0, 20, 0, 30, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
    let plain = [&[0xff, 0xd8][..], &frame].concat();
    let filled = [&[0xff, 0xd8, 0xff, 0xff, 0xff, 0xe0, 0, 2, 0xff][..], &frame].concat();
    let huffman_first = [&[0xff, 0xd8, 0xff, 0xc4, 0, 2][..], &frame].concat();
    for file in [&plain, &filled, &huffman_first] {
        assert_eq!(size(file).as_deref(), Some("jpg 30x20"));
    }
    assert_eq!(
        size(&[&[0xff, 0xd8, 0xff, 0xda][..], &frame].concat()),
        None,
        "no frame header comes after a scan"
    );
}

fn tiff(entries: &[(u16, u16, u32)], directory_at: u32) -> Vec<u8> {
    let mut file = b"MM\0\x2a".to_vec();
    file.extend(directory_at.to_be_bytes());
    file.resize(directory_at as usize, 0);
    file.extend((entries.len() as u16).to_be_bytes());
    for (tag, kind, value) in entries {
        file.extend(tag.to_be_bytes());
        file.extend(kind.to_be_bytes());
        file.extend(1_u32.to_be_bytes());
        file.extend(if *kind == 3 { value << 16 } else { *value }.to_be_bytes());
    }
    file.extend(0_u32.to_be_bytes());
    file
}

#[test]
fn a_tiff_is_measured_also_across_the_edge_of_a_window() {
    let entries = [(254, 4, 0), (256, 3, 640), (257, 4, 480)];
    for at in [8, 16_370, 16_383, 16_384, 17_408 - 20, 700_001] {
        assert_eq!(size(&tiff(&entries, at)).as_deref(), Some("tiff 640x480"), "{at}");
    }
    assert_eq!(size(&tiff(&[(254, 4, 1), (256, 3, 1), (257, 3, 1)], 8)), None, "a thumbnail");
    assert_eq!(size(&tiff(&[(256, 3, 640), (256, 3, 641), (257, 3, 480)], 8)), None, "two widths");
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes(), kind.as_slice(), content].concat()
}

/// A HEIC whose primary item, the second, has these properties beside its `ispe` of 640 × 480.
fn heic(further: &[Vec<u8>]) -> Vec<u8> {
    let ispe = |width: u32, height: u32| {
        boxed(b"ispe", &[[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat())
    };
    let container = boxed(b"ipco", &[ispe(64, 48), ispe(640, 480), further.concat()].concat());
    let mut associations = vec![0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1, 1, 0, 2, 1 + further.len() as u8, 2];
    associations.extend((3..).take(further.len()).map(|index: u8| index | 0x80));
    let properties = boxed(b"iprp", &[container, boxed(b"ipma", &associations)].concat());
    let primary = boxed(b"pitm", &[0, 0, 0, 0, 0, 2]);
    let meta = boxed(b"meta", &[vec![0; 4], primary, properties].concat());
    [boxed(b"ftyp", b"heic\0\0\0\0mif1heic"), meta].concat()
}

fn clap(width: u32, height: u32) -> Vec<u8> {
    let numbers = [width, 1, height, 1, 0, 1, 0, 1];
    boxed(b"clap", &numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>())
}

#[test]
fn a_heic_is_measured_by_its_primary_item_cropped_and_turned() {
    let turned = || boxed(b"irot", &[1]);
    assert_eq!(size(&heic(&[])).as_deref(), Some("heic 640x480"));
    assert_eq!(size(&heic(&[clap(600, 400)])).as_deref(), Some("heic 600x400"));
    assert_eq!(size(&heic(&[turned()])).as_deref(), Some("heic 480x640"));
    assert_eq!(size(&heic(&[clap(600, 400), turned()])).as_deref(), Some("heic 400x600"));
    assert_eq!(size(&heic(&[clap(641, 400)])), None, "cropped to more than there is");
    assert_eq!(size(&heic(&[boxed(b"iscl", &[0; 12])])), None, "an essential property that is not known");
}

#[test]
fn a_crafted_header_costs_a_bounded_number_of_bytes() {
    // Boxes, chunks and segments without end, each where nothing was fetched yet.
    let boxes: Vec<u8> =
        [boxed(b"ftyp", b"heic\0\0\0\0heic"), boxed(b"free", &[0; 2_000]).repeat(5_000)].concat();
    let chunks = [png::SIGNATURE.as_slice(), &chunk(b"prVt", &[0; 2_000]).repeat(5_000)].concat();
    let fill = [&[0xff, 0xd8][..], &vec![0xff; 10_000_000]].concat();
    for file in [boxes, chunks, fill] {
        let (told, fetched) = measured(&file);
        assert_eq!(told, None);
        assert!(fetched <= HEAD_BYTES + WINDOWS_MAX * WINDOW_BYTES, "{fetched}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_behind_any_magic_end_without_a_panic(
        magic in prop::sample::select(vec![
            b"\xff\xd8\xff".to_vec(), png::SIGNATURE.to_vec(), b"GIF89a".to_vec(), b"RIFF\0\0\0\0WEBPVP8X".to_vec(),
            b"II\x2a\0".to_vec(), b"MM\0\x2b\0\x08\0\0".to_vec(), b"BM".to_vec(), b"\0\0\0\x10ftypheic".to_vec(),
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        measured(&[magic, rest].concat());
    }
}
