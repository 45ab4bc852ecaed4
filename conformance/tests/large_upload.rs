//! A form upload of 4 GiB: stored whole, with the server's peak resident memory under 96 MiB.

use std::io::{Read, Write};
use std::time::Instant;

use countersign_conformance::form::BOUNDARY;
use countersign_conformance::wire::{connect, read_answer};
use countersign_conformance::{Exchange, Form, PolicyText, Running, StoreClient};

const SIZE: u64 = 4 << 30;
const CHUNK: usize = 1 << 20;

#[test]
fn four_gibibytes_by_form_stay_within_96_mebibytes_of_memory() {
    let running = Running::store(&[]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("videos");
    let policy = PolicyText::with(&format!(r#"["content-length-range",{SIZE},{SIZE}]"#));
    let body = Form::signed("film.bin", &policy).file("film.bin", "video/mp4", "").encode().bytes;
    let tail = format!("\r\n--{BOUNDARY}--\r\n");
    let head = &body[..body.len() - tail.len()];
    let exchange = Exchange::new("POST", "/")
        .host("videos.oss-cn-hangzhou.aliyuncs.com")
        .header("Content-Type", &format!("multipart/form-data; boundary={BOUNDARY}"))
        .header("Content-Length", &(SIZE + body.len() as u64).to_string());
    let chunk: Vec<u8> = (0..CHUNK).map(|at| (at * 7 % 253) as u8).collect();
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Xz);
    let mut stream = connect(&running.store).unwrap();
    let started = Instant::now();
    stream.write_all(&exchange.head()).unwrap();
    stream.write_all(head).unwrap();
    for _ in 0..SIZE / CHUNK as u64 {
        digest.update(&chunk);
        stream.write_all(&chunk).unwrap();
    }
    stream.write_all(tail.as_bytes()).unwrap();
    let answer = read_answer(&mut stream, started, false).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let crc = digest.finalize().to_string();
    assert_eq!(answer.header("x-oss-hash-crc64ecma"), Some(crc.as_str()));
    let last =
        client.request("GET", "videos", "film.bin", "", &[("Range", &format!("bytes={}-", SIZE - 1000))], "");
    assert_eq!((last.status, last.body.as_slice()), (206, &chunk[CHUNK - 1000..]));
    let peak = running.peak_resident_bytes();
    println!("peak resident {} KiB, {:.1} s", peak / 1024, answer.took.as_secs_f64());
    assert!(peak < 96 << 20, "peak resident memory {peak}");
    // Reading it back costs no more.
    let mut read = 0u64;
    let mut buffer = vec![0u8; CHUNK];
    let mut stream = download(&running, "videos", "film.bin");
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        read += count as u64;
    }
    assert!(read > SIZE, "{read}");
    assert!(running.peak_resident_bytes() < 96 << 20);
}

fn download(running: &Running, bucket: &str, key: &str) -> std::net::TcpStream {
    use countersign_conformance::signing::hmac_sha1_base64;
    use countersign_conformance::{ACCESS_KEY_ID, ACCESS_KEY_SECRET};
    let expires = jiff::Timestamp::now().as_second() + 600;
    let signature =
        hmac_sha1_base64(ACCESS_KEY_SECRET, format!("GET\n\n\n{expires}\n/{bucket}/{key}").as_bytes());
    let signature =
        percent_encoding::utf8_percent_encode(&signature, percent_encoding::NON_ALPHANUMERIC).to_string();
    let target =
        format!("/{bucket}/{key}?OSSAccessKeyId={ACCESS_KEY_ID}&Expires={expires}&Signature={signature}");
    let mut stream = connect(&running.store).unwrap();
    stream.write_all(&Exchange::get(&target).host(&running.store).head()).unwrap();
    stream
}
