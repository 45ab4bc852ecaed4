//! What `/metrics` has, against what the documents say of it, and how many series it has however many names it meets.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use reqwest::multipart::{Form, Part};

use super::*;
use crate::testing::Instance;

/// The most series that a process may have.
const SERIES_MAX: usize = 500;

fn document(path: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The metrics that a page has, by the lines that say their types.
fn named(page: &str) -> BTreeSet<&str> {
    page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect()
}

/// All words of a text that could be names of metrics.
fn names_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("countersign_")).collect()
}

/// The value of a series.
fn value(page: &str, series: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{page}")).parse().unwrap()
}

async fn upload(client: &reqwest::Client, instance: &Instance, callback_port: u32) -> u16 {
    let url =
        format!("{}?fields=1&callback_url=http://127.0.0.1:{callback_port}/secret", instance.signature_url());
    let signed: serde_json::Value = client.get(url).send().await.unwrap().json().await.unwrap();
    let fields: Vec<(String, String)> = serde_json::from_value(signed["fields"].clone()).unwrap();
    let form = fields.into_iter().fold(Form::new(), |form, (name, value)| form.text(name, value));
    let form = form.part("file", Part::text("five!").file_name("words.txt"));
    client.post(signed["host"].as_str().unwrap()).multipart(form).send().await.unwrap().status().as_u16()
}

/// One test, because a process has one recorder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_metric_is_documented_and_counts_and_no_name_of_a_client_makes_a_series() {
    let measuring = MetricsRecorder::start().unwrap();
    let instance = Instance::start().unwrap();
    let handle = measuring.begin();
    let before = handle.render();
    let documented = document("docs/metrics.md");
    let (there, told) = (named(&before), names_in(&documented));
    assert_eq!(there, told, "what is registered, and what docs/metrics.md names");
    let series = |page: &str| page.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    let count = series(&before);
    assert!((100..=SERIES_MAX).contains(&count), "{count} series");

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for number in 0..2_000 {
        let url = format!("{}/bucket{number}/key{number}", instance.store_url());
        assert_eq!(client.get(url).send().await.unwrap().status(), 404);
    }
    for port in 1..=40 {
        assert_eq!(upload(&client, &instance, port).await, 203, "nothing listens there");
    }
    let page = handle.render();
    assert_eq!(series(&page), count, "no series came");
    assert!(!page.contains("bucket1") && !page.contains("key1") && !page.contains("127.0.0.1"), "{page}");
    let counted = |operation, status| {
        value(&page, &format!("countersign_requests_total{{operation=\"{operation}\",status=\"{status}\"}}"))
    };
    assert_eq!((counted("GetObject", "4xx"), counted("PostObject", "2xx")), (2_000.0, 40.0));
    for stage in ["head", "authorise", "intake", "seal", "commit", "callback"] {
        let stage = format!("countersign_upload_stage_seconds_count{{stage=\"{stage}\"}}");
        assert_eq!(value(&page, &stage), 40.0, "{stage}");
    }
    let refused = "countersign_callback_attempts_total{outcome=\"failed\",phase=\"connect\"}";
    assert_eq!(value(&page, refused), 40.0);
    assert!(value(&page, "countersign_received_bytes_total") > 40.0 * 1_000.0);
    assert!(value(&page, "countersign_sent_bytes_total") > 2_000.0 * 100.0);
    assert!(value(&page, "countersign_commit_batch_requests_count") >= 40.0);
    assert_eq!(value(&page, "countersign_uploads_under_way"), 0.0);
}

#[test]
fn the_dashboard_asks_for_metrics_that_exist_and_for_all_that_are_documented() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&document("packaging/grafana/countersign.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries: Vec<&str> = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    let documented = document("docs/metrics.md");
    let told = names_in(&documented);
    let plain = |name: &str| {
        let ending = ["_bucket", "_sum", "_count"].iter().find_map(|ending| name.strip_suffix(ending));
        ending.filter(|stem| told.contains(stem)).unwrap_or(name).to_owned()
    };
    let asked: BTreeSet<String> = queries.iter().flat_map(|query| names_in(query)).map(plain).collect();
    assert_eq!(asked, told.iter().map(|name| (*name).to_owned()).collect());
    for query in queries {
        for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
            assert_eq!(query.matches(open).count(), query.matches(close).count(), "{query}");
        }
    }
}
