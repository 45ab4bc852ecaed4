//! Each upload is recorded once, durably, and listed newest first.

use super::*;
use crate::{
    callback_verifier::signed_callback::{BODY, noon, signed},
    recorded_request::RecordedRequest,
    upload_facts::UploadFacts,
};
use http::StatusCode;
use std::collections::BTreeMap;

fn answer(status: StatusCode, text: &str) -> Answer {
    Answer { status, content_type: Some("text/plain".to_owned()), body: text.to_owned().into() }
}

fn record_of(request: RecordedRequest, answer: Answer) -> UploadRecord {
    UploadRecord::new(UploadFacts::of(&request.body), request, answer, noon()())
}

fn record(body: &str, request_id: &str, answer: Answer) -> UploadRecord {
    record_of(signed("/callback?a=1", body, request_id), answer)
}

async fn listed(ledger: &UploadLedger, key: Option<&str>) -> Vec<UploadRecord> {
    let query = UploadQuery { key: key.map(str::to_owned), ..UploadQuery::default() };
    ledger.uploads(query).await.unwrap()
}

#[tokio::test]
async fn keeps_the_five_values_the_request_and_the_answer() {
    let ledger = UploadLedger::in_memory().unwrap();
    ledger.record(record(BODY, "5C", answer(StatusCode::OK, "yes"))).await.unwrap();
    let value = serde_json::to_value(listed(&ledger, Some("user-dir/a.jpg")).await.remove(0)).unwrap();
    assert_eq!(value["key"], "user-dir/a.jpg");
    assert_eq!((&value["size"], &value["mimeType"]), (&108_904.into(), &"image/jpeg".into()));
    assert_eq!((&value["height"], &value["width"]), (&278.into(), &200.into()));
    assert_eq!(value["time"], "2026-11-22T12:00:00.5Z");
    assert_eq!(value["requestId"], "5C");
    assert_eq!(value["request"]["method"], "POST");
    assert_eq!(value["request"]["path"], "/callback?a=1");
    assert_eq!(value["request"]["body"], BODY);
    let headers = value["request"]["headers"].as_array().unwrap();
    assert!(headers.contains(&serde_json::json!(["x-oss-bucket", "demo"])));
    let expected = serde_json::json!({"status": 200, "contentType": "text/plain", "body": "yes"});
    assert_eq!(value["answer"], expected);
}

/// A thousand records of a megabyte each were once one answer.
#[tokio::test]
async fn a_list_is_bounded_in_bytes_and_brings_bodies_for_one_key_only() {
    let ledger = UploadLedger::in_memory().unwrap();
    for n in 0..40 {
        let body = format!("filename=user-dir%2Fa.jpg&n={n}&long={}", "a".repeat(60_000));
        ledger.record(record(&body, &n.to_string(), answer(StatusCode::OK, "yes"))).await.unwrap();
    }
    let of_all = listed(&ledger, None).await;
    assert_eq!(of_all.len(), 40);
    assert!(of_all.iter().all(|record| record.request.body.is_empty() && record.answer.body.is_empty()));
    let of_one = listed(&ledger, Some("user-dir/a.jpg")).await;
    let bytes: usize = of_one.iter().map(|record| record.request.body.len()).sum();
    assert!(bytes <= UPLOADS_BYTES_MAX && bytes > UPLOADS_BYTES_MAX / 2, "{bytes}");
    let over_long = "a".repeat(2 * UPLOADS_BYTES_MAX);
    ledger
        .record(record(&format!("filename=b&x={over_long}"), "b", answer(StatusCode::OK, "")))
        .await
        .unwrap();
    assert_eq!(listed(&ledger, Some("b")).await.len(), 1, "one record always comes");
}

#[tokio::test]
async fn records_an_upload_once_and_counts_the_calls() {
    let ledger = UploadLedger::in_memory().unwrap();
    let first = ledger.record(record(BODY, "5C", answer(StatusCode::OK, "first"))).await.unwrap();
    let second = ledger.record(record(BODY, "5C", answer(StatusCode::OK, "second"))).await.unwrap();
    assert_eq!(first.body, "first");
    assert_eq!(second, first, "the first yes stands");
    let identity = record(BODY, "5C", first.clone()).identity;
    assert_eq!(ledger.accepted_before(identity).await.unwrap(), Some(first));
    let records = listed(&ledger, None).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].calls, 3);
}

#[tokio::test]
async fn a_later_acceptance_replaces_a_refusal_and_never_the_reverse() {
    let ledger = UploadLedger::in_memory().unwrap();
    let no = answer(StatusCode::BAD_GATEWAY, "no");
    let yes = answer(StatusCode::OK, "yes");
    let identity = record(BODY, "5C", no.clone()).identity;
    ledger.record(record(BODY, "5C", no.clone())).await.unwrap();
    assert_eq!(ledger.accepted_before(identity).await.unwrap(), None);
    assert_eq!(ledger.record(record(BODY, "5C", yes.clone())).await.unwrap(), yes);
    assert_eq!(ledger.record(record(BODY, "5C", no)).await.unwrap(), yes);
    assert_eq!(listed(&ledger, Some("user-dir/a.jpg")).await[0].answer, yes);
}

#[tokio::test]
async fn records_different_uploads_separately() {
    let ledger = UploadLedger::in_memory().unwrap();
    let yes = || answer(StatusCode::OK, "yes");
    let (first, second) = (format!("{BODY}&reqId=5C"), format!("{BODY}&reqId=5D"));
    for body in [first.as_str(), &second, "filename=b.jpg&reqId=5C"] {
        ledger.record(record(body, "of-no-account", yes())).await.unwrap();
    }
    assert_eq!(listed(&ledger, None).await.len(), 3, "another request, and another key");
    assert_eq!(listed(&ledger, Some("user-dir/a.jpg")).await.len(), 2);
    assert_eq!(listed(&ledger, Some("b.jpg")).await.len(), 1);
    assert!(listed(&ledger, Some("b")).await.is_empty(), "a key is compared whole");
    assert_eq!(listed(&ledger, None).await[0].key.as_deref(), Some("b.jpg"), "newest first");
}

#[tokio::test]
async fn prefers_a_signed_request_id_to_the_header() {
    let ledger = UploadLedger::in_memory().unwrap();
    let body = format!("{BODY}&reqId=6F");
    for header in ["5C", "5D"] {
        ledger.record(record(&body, header, answer(StatusCode::OK, "yes"))).await.unwrap();
    }
    let records = listed(&ledger, None).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].request_id.as_deref(), Some("6F"));
    assert!(records[0].proven);
}

/// A captured callback, sent again under other ids, once made a record for each.
#[tokio::test]
async fn a_changed_header_does_not_record_an_upload_again() {
    let ledger = UploadLedger::in_memory().unwrap();
    for header in ["5C", "5D", "5E"] {
        ledger.record(record(BODY, header, answer(StatusCode::OK, "yes"))).await.unwrap();
    }
    let records = listed(&ledger, None).await;
    assert_eq!((records.len(), records[0].calls, records[0].proven), (1, 3, false));
    assert_eq!(records[0].request_id.as_deref(), Some("5C"), "the first, for people to look for in a log");
}

#[tokio::test]
async fn keeps_the_name_that_the_client_gave() {
    let ledger = UploadLedger::in_memory().unwrap();
    let body = format!("{BODY}&name=%E5%81%87%E6%9C%9F%20a%2Bb.jpg");
    ledger.record(record(&body, "5C", answer(StatusCode::OK, "yes"))).await.unwrap();
    assert_eq!(listed(&ledger, None).await[0].name.as_deref(), Some("假期 a+b.jpg"));
}

#[tokio::test]
async fn without_an_id_equal_bodies_are_the_same_upload() {
    let ledger = UploadLedger::in_memory().unwrap();
    for body in [BODY, BODY, "filename=b.jpg"] {
        let mut request = signed("/callback", body, "5C");
        request.headers.remove("x-oss-request-id");
        ledger.record(record_of(request, answer(StatusCode::OK, "yes"))).await.unwrap();
    }
    assert_eq!(listed(&ledger, None).await.len(), 2);
}

#[tokio::test]
async fn remembers_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("uploads.sqlite");
    let ledger = UploadLedger::open(&file).unwrap();
    ledger.record(record(BODY, "5C", answer(StatusCode::OK, "yes"))).await.unwrap();
    drop(ledger);
    assert_eq!(listed(&UploadLedger::open(&file).unwrap(), None).await.len(), 1);
}

#[test]
fn refuses_a_file_of_a_later_version_and_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("uploads.sqlite");
    drop(UploadLedger::open(&file).unwrap());
    let files = || {
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        names.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect::<BTreeMap<_, _>>()
    };
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let before = files();
    assert_eq!(before.len(), 1);
    assert!(matches!(UploadLedger::open(&file), Err(LedgerError::LaterFormat { found: 2, known: 1 })));
    assert!(files() == before);
}
