//! Writes request number n to the byte: head, what stands before and behind the body, and the key. What is the same
//! for the whole run is written once.

use std::io::Write as _;

use super::form_template::{BOUNDARY, FormTemplate};
use super::load_options::{Dialect, LoadOptions, Workload};
use crate::signing::AccessKey;

/// Digits of a key's number: all keys are equally long, so that every form of a run is.
const NUMBER_DIGITS: usize = 8;
const BODY_TYPE: &str = "application/octet-stream";

/// How the requests of a run look.
pub(super) struct RequestPlan {
    options: LoadOptions,
    key: AccessKey,
    form: FormTemplate,
    path: String,
}

impl RequestPlan {
    /// The plan of these options.
    pub(super) fn new(options: &LoadOptions) -> RequestPlan {
        RequestPlan {
            key: AccessKey { id: options.access_key_id.clone(), secret: options.access_key_secret.clone() },
            form: FormTemplate::new(options),
            path: options.path.clone().unwrap_or_else(|| format!("/{}/", options.bucket)),
            options: options.clone(),
        }
    }

    /// Bytes of the body, without the form around it.
    pub(super) fn body_bytes(&self) -> u64 {
        if self.sends_bytes() { self.options.size } else { 0 }
    }

    /// Whether bytes go to the server; otherwise they come from it.
    pub(super) fn sends_bytes(&self) -> bool {
        matches!(self.options.operation, Workload::Post | Workload::Put | Workload::RawPost)
    }

    /// What follows the body.
    pub(super) fn tail(&self) -> &[u8] {
        if self.options.operation == Workload::Post { self.form.after_file.as_bytes() } else { b"" }
    }

    /// Writes everything before the body of request `number`. `date` is the present second as a header has it.
    pub(super) fn write_head(&self, number: u64, date: &str, out: &mut Vec<u8>) {
        let written = match self.options.operation {
            Workload::Post => self.write_post(number, out),
            Workload::Put => self.write_put(number, date, out),
            Workload::Get => self.write_get(number, date, out),
            Workload::List => self.write_list(date, out),
            Workload::Raw => write!(out, "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", self.path, self.host()),
            Workload::RawPost => write!(
                out,
                "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: {}\r\n\r\n",
                self.path,
                self.host(),
                self.options.size
            ),
        };
        debug_assert!(written.is_ok(), "writing to memory does not fail");
    }

    /// The key of request `number`.
    pub(super) fn object_key(&self, number: u64) -> String {
        let (prefix, number) = (&self.options.prefix, self.options.first + number);
        if self.options.random_keys {
            return format!("{prefix}{:016x}{:016x}", mixed(number), mixed(!number));
        }
        match self.options.keys_per_folder {
            0 => format!("{prefix}{number:0NUMBER_DIGITS$}"),
            per_folder => format!("{prefix}{:06}/{:06}", number / per_folder, number % per_folder),
        }
    }

    fn host(&self) -> &str {
        &self.options.endpoint
    }

    fn write_post(&self, number: u64, out: &mut Vec<u8>) -> std::io::Result<()> {
        let (form, key) = (&self.form, self.object_key(number));
        let around = form.before_key.len() + key.len() + form.before_file.len() + form.after_file.len();
        let length = around as u64 + self.options.size;
        write!(
            out,
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
             Content-Length: {length}\r\n\r\n{}{key}{}",
            self.path,
            self.host(),
            form.before_key,
            form.before_file
        )
    }

    fn write_put(&self, number: u64, date: &str, out: &mut Vec<u8>) -> std::io::Result<()> {
        let resource = format!("{}{}", self.path, self.object_key(number));
        write!(out, "PUT {resource} HTTP/1.1\r\nHost: {}\r\nContent-Type: {BODY_TYPE}\r\n", self.host())?;
        self.write_authorization("PUT", BODY_TYPE, date, &resource, out)?;
        write!(out, "Content-Length: {}\r\n\r\n", self.options.size)
    }

    fn write_get(&self, number: u64, date: &str, out: &mut Vec<u8>) -> std::io::Result<()> {
        let resource =
            format!("{}{}", self.path, self.object_key(scattered(number) % self.options.keys.max(1)));
        write!(out, "GET {resource} HTTP/1.1\r\nHost: {}\r\n", self.host())?;
        self.write_authorization("GET", "", date, &resource, out)?;
        out.write_all(b"\r\n")
    }

    fn write_list(&self, date: &str, out: &mut Vec<u8>) -> std::io::Result<()> {
        let LoadOptions { query, prefix, .. } = &self.options;
        write!(out, "GET {}?prefix={prefix}&{query} HTTP/1.1\r\nHost: {}\r\n", self.path, self.host())?;
        self.write_authorization("GET", "", date, &self.path, out)?;
        out.write_all(b"\r\n")
    }

    fn write_authorization(
        &self,
        method: &str,
        content_type: &str,
        date: &str,
        resource: &str,
        out: &mut Vec<u8>,
    ) -> std::io::Result<()> {
        if self.options.dialect != Dialect::Oss {
            return Ok(());
        }
        let authorization = self.key.authorization_v1(method, content_type, date, resource);
        write!(out, "Date: {date}\r\nAuthorization: {authorization}\r\n")
    }
}

/// Another number for each, in an order that looks random (the last steps of splitmix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Spreads consecutive numbers, so that reads do not come in the order of writing.
fn scattered(number: u64) -> u64 {
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> 20
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args as _, Command, FromArgMatches as _};

    fn plan(arguments: &[&str]) -> RequestPlan {
        let command = LoadOptions::augment_args(Command::new("load"));
        let all = ["load", "--endpoint", "127.0.0.1:1"].iter().chain(arguments);
        let matches = command.try_get_matches_from(all).unwrap();
        RequestPlan::new(&LoadOptions::from_arg_matches(&matches).unwrap())
    }

    fn request(plan: &RequestPlan, number: u64) -> String {
        let mut out = Vec::new();
        plan.write_head(number, "Sun, 22 Nov 2026 10:00:00 GMT", &mut out);
        out.resize(out.len() + plan.body_bytes() as usize, b'x');
        out.extend_from_slice(plan.tail());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_length_of_a_form_is_what_is_sent() {
        for dialect in ["oss", "s3", "none"] {
            let plan = plan(&["--operation", "post", "--dialect", dialect, "--size", "10"]);
            let text = request(&plan, 7);
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("Content-Length: {}", body.len())), "{dialect}: {head}");
            assert!(body.contains("name=\"key\"\r\n\r\no00000007\r\n"));
            assert!(body.ends_with(&format!("xxxxxxxxxx\r\n--{BOUNDARY}--\r\n")));
        }
    }

    #[test]
    fn a_put_signs_its_method_type_date_and_resource() {
        let text = request(&plan(&["--operation", "put", "--access-key-secret", "sk", "--size", "0"]), 1);
        // Computed with Python's hmac over "PUT\n\napplication/octet-stream\n<date>\n/bench/o00000001".
        assert!(text.contains("Authorization: OSS bench:xMcdQYdLwBUMGR5O08Hxbc3PTm8=\r\n"), "{text}");
    }

    #[test]
    fn folders_hold_as_many_keys_as_asked() {
        let plan = plan(&["--operation", "put", "--keys-per-folder", "100", "--prefix", "f/"]);
        assert_eq!(plan.object_key(99), "f/000000/000099");
        assert_eq!(plan.object_key(12_345), "f/000123/000045");
    }

    #[test]
    fn random_keys_differ_are_equally_long_and_come_in_no_order() {
        let plan = plan(&["--operation", "put", "--random-keys", "--prefix", "r/"]);
        let keys: Vec<String> = (0..1000).map(|number| plan.object_key(number)).collect();
        assert!(keys.iter().all(|key| key.len() == 34 && key.starts_with("r/")));
        assert_eq!(keys.iter().collect::<std::collections::HashSet<_>>().len(), 1000);
        let rising = keys.iter().zip(keys.iter().skip(1)).filter(|(one, next)| one < next).count();
        assert!((400..600).contains(&rising), "{rising}");
    }

    #[test]
    fn reads_stay_within_the_keys_and_reach_all_of_them() {
        let reached: std::collections::HashSet<u64> =
            (0..1000).map(|number| scattered(number) % 10).collect();
        assert_eq!(reached.len(), 10);
    }
}
