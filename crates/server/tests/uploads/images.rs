//! `imageInfo.*` from the image's own header, before any rotation; whatever is no image leaves them unset.

use countersign_protocol::callback::BodyType;

use crate::application::Application;
use crate::form::{Form, policy};
use crate::running_store::RunningStore;

/// What the application is told about a file.
async fn told(store: &RunningStore, application: &Application, file: &[u8]) -> String {
    let template = "${imageInfo.format},${imageInfo.width},${imageInfo.height}";
    let form = Form::signed("k", file).callback(&application.url("/"), template, BodyType::Form);
    assert_eq!(form.post(store).await.status, 200);
    application.received().last().unwrap().text().to_owned()
}

/// A JPEG header of 4000 × 3000 with EXIF orientation 6 and so many bytes of other segments in front.
fn jpeg(padding_segments: usize) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8];
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    bytes.extend([0xff, 0xe1, 0, exif.len() as u8 + 2]);
    bytes.extend(exif);
    for _ in 0..padding_segments {
        bytes.extend([0xff, 0xe2, 0xff, 0xff]);
        bytes.extend(vec![0; 0xfffd]);
    }
    bytes.extend([0xff, 0xc0, 0, 17, 8, 0x0b, 0xb8, 0x0f, 0xa0, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    bytes
}

/// A TIFF whose directory stands behind so many bytes.
fn tiff(directory_at: usize) -> Vec<u8> {
    let mut bytes = b"II\x2a\0".to_vec();
    bytes.extend((directory_at as u32).to_le_bytes());
    bytes.resize(directory_at, 0);
    bytes.extend(2_u16.to_le_bytes());
    for (tag, value) in [(0x100_u16, 640_u16), (0x101, 480)] {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(3_u16.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(u32::from(value).to_le_bytes());
    }
    bytes.extend(0_u32.to_le_bytes());
    bytes
}

/// An ISO box.
fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes(), kind.as_slice(), content].concat()
}

/// A picture of 1,024 × 768 beside a thumbnail of 64 × 48, which stands first.
fn heic() -> Vec<u8> {
    let ispe = |width: u32, height: u32| {
        boxed(b"ispe", &[[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat())
    };
    let container = boxed(b"ipco", &[ispe(64, 48), ispe(1024, 768)].concat());
    // Two entries: item 1 has property 1, item 2 has property 2.
    let associations = boxed(b"ipma", &[0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1, 1, 0, 2, 1, 2]);
    let properties = boxed(b"iprp", &[container, associations].concat());
    let primary = boxed(b"pitm", &[0, 0, 0, 0, 0, 2]);
    let meta = boxed(b"meta", &[vec![0; 4], primary, properties].concat());
    [boxed(b"ftyp", b"heic\0\0\0\0mif1heic"), meta, boxed(b"mdat", &[0; 64])].concat()
}

#[tokio::test]
async fn every_format_that_oss_measures_is_measured() {
    let store = RunningStore::start().await;
    let application = Application::saying("{}").await;
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x03\x20\0\0\x02\x58\x08\x02\0\0\0\x15\x14\x15\x27";
    let gif = b"GIF89a\x0a\0\x14\0\x80\0\0\0\0\0\0\0\0,\0\0\0\0\x0a\0\x14\0\0";
    let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bmp.extend([7, 0, 0, 0, 9, 0, 0, 0, 1, 0, 24, 0]);
    let mut webp = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0".to_vec();
    webp.extend([0x1f, 3, 0, 0x57, 2, 0]);
    let mut lossy = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a".to_vec();
    lossy.extend([0x26, 2, 0x70, 1]);
    let mut lossless = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f".to_vec();
    lossless.extend((385_u32 | 394 << 14).to_le_bytes());
    let cases: [(&str, Vec<u8>); 11] = [
        ("jpg,4000,3000", jpeg(0)),
        ("jpg,4000,3000", jpeg(12)),
        ("png,800,600", png.to_vec()),
        ("gif,10,20", gif.to_vec()),
        ("bmp,7,9", bmp),
        ("webp,800,600", webp),
        ("webp,550,368", lossy),
        ("webp,386,395", lossless),
        ("tiff,640,480", tiff(8)),
        ("tiff,640,480", tiff(700_001)),
        ("heic,1024,768", heic()),
    ];
    for (expected, file) in cases {
        assert_eq!(told(&store, &application, &file).await, expected, "of {} bytes", file.len());
    }
}

#[tokio::test]
async fn what_is_no_readable_image_leaves_the_variables_unset() {
    let store = RunningStore::start().await;
    let application = Application::saying("{}").await;
    let truncated = &jpeg(12)[..400_000];
    let endless = [b"II\x2a\0".as_slice(), &8_u32.to_le_bytes(), &[0xff, 0xff], &[0; 2000]].concat();
    let beyond = [b"II\x2a\0".as_slice(), &u32::MAX.to_le_bytes()].concat();
    for file in [b"".as_slice(), b"hello", b"\xff\xd8\xff", truncated, &endless, &beyond, b"GIF89a", b"BM"] {
        assert_eq!(told(&store, &application, file).await, ",,", "of {} bytes", file.len());
    }
}

/// Many devices name no type for a HEIC photo.
#[tokio::test]
async fn a_photo_without_a_type_is_judged_by_the_ending_of_its_final_key() {
    let store = RunningStore::start().await;
    let policy = policy().starts_with("content-type", "image/").content_length_range(0, 1000);
    for (key, filename, status) in [
        ("a.heic", "x", 204),
        ("A.HEIC", "x", 204),
        ("d/${filename}", "IMG_0001.HEIC", 204),
        ("d/${filename}", "IMG_0001.txt", 403),
        ("noext", "IMG_0001.HEIC", 403),
    ] {
        let mut form = Form::anonymous(key, b"x").sign(&policy);
        form.filename = Some(filename.to_owned());
        let reply = form.post(&store).await;
        assert_eq!(reply.status, status, "{key} {filename}: {}", reply.text());
    }
}
