//! Lifecycle rules expire objects and free their bytes: with the clock moved 49 hours, the demo bucket is empty and
//! so is the disk.

use std::path::Path;
use std::time::{Duration, Instant};

use countersign_conformance::running::bytes_on_disk;
use countersign_conformance::{Running, StoreClient};

const SIZE: usize = 3 << 20;

#[test]
fn the_demo_bucket_is_empty_after_49_hours() {
    let mut running = Running::serve(&[]);
    let client = StoreClient::at(&running.store);
    for number in 0..4 {
        assert_eq!(client.put("demo", &format!("user-dir/{number}"), vec![number; SIZE]).status, 200);
    }
    client.create_bucket("kept");
    assert_eq!(client.put("kept", "a", "a").status, 200);
    assert!(bytes_uploaded(running.data()) > 4 * SIZE as u64);
    running.kill();
    running.restart_with(&["--clock-offset", &(49 * 3600).to_string()]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while !client_keys_moved(&running, "demo").is_empty() || bytes_uploaded(running.data()) > SIZE as u64 {
        assert!(
            Instant::now() < deadline,
            "still there: {:?}, {} bytes",
            client_keys_moved(&running, "demo"),
            bytes_uploaded(running.data())
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(client_keys_moved(&running, "kept"), ["a"]);
}

/// Lists a bucket of a store whose clock is 49 h ahead: the request is signed with a URL that has not expired there.
fn client_keys_moved(running: &Running, bucket: &str) -> Vec<String> {
    use countersign_conformance::signing::hmac_sha1_base64;
    use countersign_conformance::{ACCESS_KEY_ID, ACCESS_KEY_SECRET, Exchange};
    let expires = jiff::Timestamp::now().as_second() + 50 * 3600;
    let signature = hmac_sha1_base64(ACCESS_KEY_SECRET, format!("GET\n\n\n{expires}\n/{bucket}/").as_bytes());
    let signature =
        percent_encoding::utf8_percent_encode(&signature, percent_encoding::NON_ALPHANUMERIC).to_string();
    let target = format!("/{bucket}/?OSSAccessKeyId={ACCESS_KEY_ID}&Expires={expires}&Signature={signature}");
    let answer = Exchange::get(&target).host(&running.store).send(&running.store);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    text.split("<Key>").skip(1).filter_map(|item| item.split("</Key>").next()).map(str::to_owned).collect()
}

/// Without the room that the store keeps back for deletions on a full disk.
fn bytes_uploaded(data: &Path) -> u64 {
    let reserve = std::fs::metadata(data.join("RESERVE")).map_or(0, |reserve| reserve.len());
    bytes_on_disk(data).saturating_sub(reserve)
}
