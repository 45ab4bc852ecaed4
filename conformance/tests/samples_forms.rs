//! The forms of public samples, field by field in their order, against `serve` as it starts: each is accepted as it
//! is, and with one field more that would grant something it is refused and nothing is stored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_conformance::application::callback_parameter;
use countersign_conformance::running::get;
use countersign_conformance::{Answer, Form, Running, StoreClient};
use serde_json::Value;

/// What `/signature` is asked for, and the fields that the sample makes of its answer: a name, and a member of the
/// answer or a text of the sample's own behind a `=`.
struct Sample {
    name: &'static str,
    query: &'static str,
    fields: &'static [(&'static str, &'static str)],
    status: u16,
}

const SAMPLES: [Sample; 6] = [
    Sample {
        name: "upload.js of the tutorial, which plupload sends with the name in front",
        query: "path=user-dir/",
        fields: &[
            ("name", "=photo.jpg"),
            ("key", "=user-dir/${filename}"),
            ("policy", "policy"),
            ("OSSAccessKeyId", "accessid"),
            ("success_action_status", "=200"),
            ("callback", "callback"),
            ("signature", "signature"),
        ],
        status: 200,
    },
    Sample {
        name: "plupload without callback",
        query: "path=user-dir/&callback=0",
        fields: &[
            ("name", "=photo.jpg"),
            ("key", "=user-dir/x7Kd2.jpg"),
            ("policy", "policy"),
            ("OSSAccessKeyId", "accessid"),
            ("success_action_status", "=200"),
            ("signature", "signature"),
        ],
        status: 200,
    },
    Sample {
        name: "the demo of antd's Upload",
        query: "path=user-dir/&callback=0",
        fields: &[
            ("key", "=user-dir/1795348800000.jpg"),
            ("OSSAccessKeyId", "accessid"),
            ("policy", "policy"),
            ("Signature", "signature"),
        ],
        status: 204,
    },
    Sample {
        name: "wx.uploadFile of the sample for mini programs",
        query: "path=user-dir/&callback=0",
        fields: &[
            ("key", "=user-dir/demo.png"),
            ("policy", "policy"),
            ("OSSAccessKeyId", "accessid"),
            ("signature", "signature"),
            ("x-oss-security-token", "="),
        ],
        status: 204,
    },
    Sample {
        name: "fetch() of the samples for version 4",
        query: "path=user-dir/&version=4",
        fields: &[
            ("success_action_status", "=200"),
            ("policy", "policy"),
            ("x-oss-signature", "signature"),
            ("x-oss-signature-version", "x_oss_signature_version"),
            ("x-oss-credential", "x_oss_credential"),
            ("x-oss-date", "x_oss_date"),
            ("key", "=user-dir/v4.jpg"),
            ("x-oss-security-token", "="),
            ("callback", "callback"),
        ],
        status: 200,
    },
    Sample {
        name: "the form that the signer lists",
        query: "path=user-dir/&fields=1",
        fields: &[],
        status: 200,
    },
];

impl Sample {
    fn fields(&self, running: &Running) -> Vec<(String, String)> {
        let answer = get(&running.app, &format!("/signature?{}", self.query));
        let signed: Value = serde_json::from_slice(&answer.body).unwrap();
        if self.fields.is_empty() {
            return serde_json::from_value(signed["fields"].clone()).unwrap();
        }
        let value = |source: &str| match source.strip_prefix('=') {
            Some(text) => text.to_owned(),
            None => signed[source].as_str().unwrap_or_else(|| panic!("{source} in {signed}")).to_owned(),
        };
        self.fields.iter().map(|(name, source)| ((*name).to_owned(), value(source))).collect()
    }
}

fn post(running: &Running, fields: &[(String, String)], more: Option<(&str, &str)>) -> Answer {
    let named = |name: &str| more.is_none_or(|(other, _)| other != name);
    let kept =
        fields.iter().filter(|(name, _)| named(name)).map(|(name, value)| (name.as_str(), value.as_str()));
    let form = kept.chain(more).fold(Form::empty(), |form, (name, value)| form.field(name, value));
    form.file("photo.jpg", "image/jpeg", "DATA").post("demo").send(&running.store)
}

#[test]
fn each_sample_is_accepted_as_it_is_and_refused_with_one_granting_field_more() {
    let running = Running::serve(&[]);
    let client = StoreClient::at(&running.store);
    let forged = callback_parameter(
        &format!("http://{}/callback", running.app),
        "filename=user-dir/somebody-elses.jpg&size=1&mimeType=image/png",
        "application/x-www-form-urlencoded",
    );
    let more = [
        ("x-oss-object-acl", "public-read"),
        ("x-oss-object-acl", "public-read-write"),
        ("x-oss-storage-class", "IA"),
        ("x-oss-content-type", "text/html"),
        ("x-oss-server-side-encryption", "AES256"),
        ("callback", &forged),
        ("callback-var", "eyJ4OnVpZCI6IjEifQ=="),
    ];
    for sample in SAMPLES {
        let fields = sample.fields(&running);
        for field in more {
            let answer = post(&running, &fields, Some(field));
            assert_eq!(answer.status, 403, "{} with {field:?}: {}", sample.name, answer.text());
        }
        let padded = post(&running, &fields, Some(("x-oss-object-acl", "\tpublic-read-write")));
        assert_eq!(padded.status, 400, "{}: {}", sample.name, padded.text());
        assert_eq!(client.keys("demo"), Vec::<String>::new(), "{}: nothing is stored", sample.name);
        let answer = post(&running, &fields, None);
        assert_eq!(answer.status, sample.status, "{}: {}", sample.name, answer.text());
        let keys = client.keys("demo");
        assert_eq!(keys.len(), 1, "{}", sample.name);
        client.delete("demo", &keys[0]);
    }
}

#[test]
fn the_bucket_of_serve_is_guarded_until_its_owner_sets_another_mode() {
    const MODE: &str = "x-oss-countersign-mode";
    let mut running = Running::serve(&[]);
    let mode = |running: &Running, headers: &[(&str, &str)]| {
        let answer = StoreClient::at(&running.store).request("PUT", "demo", "", "", headers, "");
        answer.header(MODE).map(str::to_owned)
    };
    assert_eq!(mode(&running, &[]).as_deref(), Some("guarded"));
    assert_eq!(mode(&running, &[(MODE, "strict")]).as_deref(), Some("strict"));
    running.kill();
    running.restart();
    assert_eq!(mode(&running, &[]).as_deref(), Some("strict"), "a start does not take it back");
    let listed = post(&running, &SAMPLES[5].fields(&running), None);
    assert_eq!(listed.status, 200, "the signer mentions all that it lists: {}", listed.text());
    let tutorial = post(&running, &SAMPLES[0].fields(&running), None);
    assert_eq!(tutorial.status, 403, "{}", tutorial.text());
}

#[test]
fn the_ledger_records_no_file_that_the_uploader_made_up() {
    let running = Running::serve(&[]);
    let sample = &SAMPLES[2];
    let forged = callback_parameter(
        &format!("http://{}/callback", running.app),
        "filename=user-dir/somebody-elses.jpg&size=123456789&mimeType=image/png&reqId=FORGED",
        "application/x-www-form-urlencoded",
    );
    let answer = post(&running, &sample.fields(&running), Some(("callback", &forged)));
    assert_eq!(answer.status, 403, "{}", answer.text());
    let uploads: Value = serde_json::from_slice(&get(&running.app, "/uploads").body).unwrap();
    assert_eq!(uploads["uploads"], serde_json::json!([]));
}

#[test]
fn without_pins_the_policy_is_the_tutorials_and_the_log_says_so_once() {
    let running = Running::serve(&["--no-pin"]);
    let answer = get(&running.app, "/signature?path=user-dir/");
    let signed: Value = serde_json::from_slice(&answer.body).unwrap();
    let policy = STANDARD.decode(signed["policy"].as_str().unwrap()).unwrap();
    let policy: Value = serde_json::from_slice(&policy).unwrap();
    let conditions =
        serde_json::json!([["content-length-range", 0, 1_048_576_000], ["starts-with", "$key", "user-dir/"]]);
    assert_eq!(policy["conditions"], conditions);
    assert_eq!(running.printed().matches("--no-pin").count(), 1, "{}", running.printed());
    // The bucket refuses a public list all the same.
    let answer = post(&running, &SAMPLES[0].fields(&running), Some(("x-oss-object-acl", "public-read")));
    assert_eq!((answer.status, answer.element("BucketMode").as_deref()), (403, Some("guarded")));
}
