//! A small client of the store for set-up and inspection: signed with V1, path style, one connection a request.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::signing::authorization_v1;
use crate::wire::{Answer, Exchange};
use crate::{ACCESS_KEY_ID, ACCESS_KEY_SECRET};

const KEEP_IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// A client bound to a store's address.
#[derive(Clone, Debug)]
pub struct StoreClient {
    address: String,
}

impl StoreClient {
    /// For the store at `host:port`.
    pub fn at(address: &str) -> StoreClient {
        StoreClient { address: address.into() }
    }

    /// One signed request on `/bucket/key?query`; the query is both sent and signed.
    pub fn request(
        &self,
        method: &str,
        bucket: &str,
        key: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let answer = self.try_request(method, bucket, key, query, headers, body);
        answer.unwrap_or_else(|error| panic!("{method} /{bucket}/{key}?{query}: {error}"))
    }

    /// As [`StoreClient::request`], with an error when no answer comes.
    pub fn try_request(
        &self,
        method: &str,
        bucket: &str,
        key: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> std::io::Result<Answer> {
        let signed_query: Vec<&str> = query.split('&').filter(is_signed).collect();
        let mark = if signed_query.is_empty() { "" } else { "?" };
        let resource = match (bucket, key) {
            ("", _) => format!("/{mark}{}", signed_query.join("&")),
            _ => format!("/{bucket}/{key}{mark}{}", signed_query.join("&")),
        };
        let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut sent: Vec<(String, String)> = vec![("Date".into(), date)];
        sent.extend(headers.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        let authorization = authorization_v1(ACCESS_KEY_ID, ACCESS_KEY_SECRET, method, &resource, &sent);
        let path = match bucket {
            "" => "/".to_owned(),
            _ => format!("/{bucket}/{}", utf8_percent_encode(key, KEEP_IN_PATH)),
        };
        let target = if query.is_empty() { path } else { format!("{path}?{query}") };
        let mut exchange = Exchange::new(method, &target).host(&self.address);
        for (name, value) in sent {
            exchange = exchange.header(&name, &value);
        }
        exchange.header("Authorization", &authorization).body(body).try_send(&self.address)
    }

    /// Creates a private bucket.
    pub fn create_bucket(&self, bucket: &str) {
        let answer = self.request("PUT", bucket, "", "", &[], "");
        assert_eq!(answer.status, 200, "PutBucket {bucket}: {}", answer.text());
    }

    /// Stores an object.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.request("PUT", bucket, key, "", &[], body)
    }

    /// Reads an object.
    pub fn get(&self, bucket: &str, key: &str) -> Answer {
        self.request("GET", bucket, key, "", &[], "")
    }

    /// Deletes an object.
    pub fn delete(&self, bucket: &str, key: &str) -> Answer {
        self.request("DELETE", bucket, key, "", &[], "")
    }

    /// All keys of a bucket, in order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let mut marker = String::new();
        loop {
            let query = format!(
                "encoding-type=url&marker={}&max-keys=1000",
                utf8_percent_encode(&marker, NON_ALPHANUMERIC)
            );
            let page = self.request("GET", bucket, "", &query, &[], "");
            assert_eq!(page.status, 200, "ListObjects: {}", page.text());
            for item in page.text().split("<Key>").skip(1) {
                let encoded = item.split("</Key>").next().unwrap_or_default();
                let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8_lossy().into_owned();
                keys.push(decoded);
            }
            match page.element("NextMarker") {
                Some(next) if page.element("IsTruncated").as_deref() == Some("true") => {
                    marker = percent_encoding::percent_decode_str(&next).decode_utf8_lossy().into_owned();
                }
                _ => return keys,
            }
        }
    }
}

/// The sub-resources these tests use that V1 signs.
fn is_signed(pair: &&str) -> bool {
    const SIGNED: [&str; 9] = [
        "acl",
        "cors",
        "lifecycle",
        "bucketInfo",
        "location",
        "delete",
        "callback",
        "callback-var",
        "uploads",
    ];
    let name = pair.split('=').next().unwrap_or_default();
    SIGNED.contains(&name) || name.starts_with("response-") || name.starts_with("x-oss-")
}
