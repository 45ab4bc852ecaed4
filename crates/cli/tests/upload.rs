//! The scenario of `docs/testing.md` in Rust, exactly as it stands there.

use countersign::testing::{Answer, Instance};
use reqwest::multipart::{Form, Part};

#[tokio::test]
async fn the_applications_answer_is_what_the_uploader_gets() {
    let instance = Instance::start().unwrap();
    // Called by the store, after its signature was verified.
    let callbacks = instance.receive_callbacks(|upload| match upload.facts.size {
        Some(0..=10) => Answer::accepting(&upload.facts),
        _ => Answer::refusal(http::StatusCode::FORBIDDEN, "TooLong", "ten bytes are enough"),
    });
    let callbacks = callbacks.unwrap();
    for (text, status) in [("ten bytes.", 200), ("eleven byte", 203)] {
        let signed = reqwest::get(callbacks.signature_url()).await.unwrap();
        let signed: serde_json::Value = signed.json().await.unwrap();
        let fields: Vec<(String, String)> = serde_json::from_value(signed["fields"].clone()).unwrap();
        let form = fields.into_iter().fold(Form::new(), |form, (name, value)| form.text(name, value));
        let form = form.part("file", Part::text(text).file_name("words.txt"));
        let upload = reqwest::Client::new().post(signed["host"].as_str().unwrap()).multipart(form);
        assert_eq!(upload.send().await.unwrap().status(), status);
    }
    assert_eq!(callbacks.received().len(), 2);
}
