//! Writes the text around a form's key and file. It is signed once for a run, as an uploader that is handed a policy
//! signs nothing itself; every condition has to be evaluated by the server all the same.

use jiff::{SignedDuration, Timestamp};

use super::load_options::{Dialect, LoadOptions};
use crate::signing::{AccessKey, base64};
use crate::wall_clock;

/// What separates the parts, as browsers write it.
pub(super) const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW1";
/// How long the policy is valid: longer than any run.
const LIFETIME: SignedDuration = SignedDuration::from_hours(12);
/// The upper end of the policy's size range, 5 GiB as the protocol allows.
const SIZE_MAX: u64 = 5 << 30;
const S3_REGION: &str = "us-east-1";

/// A form without its key and its file.
pub(super) struct FormTemplate {
    /// From the first boundary to where the key stands.
    pub(super) before_key: String,
    /// From behind the key to the file's first byte.
    pub(super) before_file: String,
    /// Behind the file's last byte.
    pub(super) after_file: String,
}

impl FormTemplate {
    /// The form that these options ask for.
    pub(super) fn new(options: &LoadOptions) -> FormTemplate {
        let fields: String = match options.dialect {
            Dialect::Oss => oss_fields(options, wall_clock::now()),
            Dialect::S3 => s3_fields(options, wall_clock::now()),
            Dialect::None => Vec::new(),
        }
        .iter()
        .map(|(name, value)| field(name, value))
        .collect();
        let disposition = "Content-Disposition: form-data;";
        FormTemplate {
            before_key: format!("{fields}--{BOUNDARY}\r\n{disposition} name=\"key\"\r\n\r\n"),
            before_file: format!(
                "\r\n--{BOUNDARY}\r\n{disposition} name=\"file\"; filename=\"a.bin\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            ),
            after_file: format!("\r\n--{BOUNDARY}--\r\n"),
        }
    }
}

fn field(name: &str, value: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

type Fields = Vec<(&'static str, String)>;

fn expiration(now: Timestamp) -> String {
    (now.checked_add(LIFETIME).unwrap_or(now)).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn oss_fields(options: &LoadOptions, now: Timestamp) -> Fields {
    let (expiration, bucket, prefix) = (expiration(now), &options.bucket, &options.prefix);
    let policy = base64(format!(
        r#"{{"expiration":"{expiration}","conditions":[{{"bucket":"{bucket}"}},["starts-with","$key","{prefix}"],["content-length-range",0,{SIZE_MAX}],["eq","$success_action_status","200"]]}}"#
    ));
    let key = access_key(options);
    let signature = key.sign_v1(&policy);
    let mut fields: Fields = vec![
        ("policy", policy),
        ("OSSAccessKeyId", key.id),
        ("success_action_status", "200".to_owned()),
        ("signature", signature),
    ];
    if let Some(url) = &options.callback_url {
        fields.push(("callback", callback(url)));
    }
    fields
}

/// The callback parameter of the tutorial, with this address.
fn callback(url: &str) -> String {
    base64(format!(
        r#"{{"callbackUrl":"{url}","callbackBody":"filename=${{object}}&size=${{size}}&mimeType=${{mimeType}}","callbackBodyType":"application/x-www-form-urlencoded"}}"#
    ))
}

fn s3_fields(options: &LoadOptions, now: Timestamp) -> Fields {
    let (expiration, bucket, prefix) = (expiration(now), &options.bucket, &options.prefix);
    let day = now.strftime("%Y%m%d").to_string();
    let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let key = access_key(options);
    let credential = format!("{}/{day}/{S3_REGION}/s3/aws4_request", key.id);
    let algorithm = "AWS4-HMAC-SHA256";
    let policy = base64(format!(
        r#"{{"expiration":"{expiration}","conditions":[{{"bucket":"{bucket}"}},["starts-with","$key","{prefix}"],["starts-with","$Content-Type",""],["content-length-range",0,{SIZE_MAX}],{{"x-amz-algorithm":"{algorithm}"}},{{"x-amz-credential":"{credential}"}},{{"x-amz-date":"{date}"}}]}}"#
    ));
    let signature = key.sign_s3_v4(&day, S3_REGION, &policy);
    vec![
        ("x-amz-algorithm", algorithm.to_owned()),
        ("x-amz-credential", credential),
        ("x-amz-date", date),
        ("policy", policy),
        ("x-amz-signature", signature),
        ("Content-Type", "application/octet-stream".to_owned()),
    ]
}

fn access_key(options: &LoadOptions) -> AccessKey {
    AccessKey { id: options.access_key_id.clone(), secret: options.access_key_secret.clone() }
}
