//! Reads a request from the lines of an input.

use countersign_protocol::authorization::RequestView;

/// A request as an input has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    pub(super) fn read(lines: &[&str]) -> Option<Self> {
        let [method, bucket, key, query, headers @ ..] = lines else { return None };
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let headers =
            headers.iter().filter_map(|line| line.split_once(':')).map(|(n, v)| (n.to_owned(), v.to_owned()));
        Some(Self {
            method: (*method).to_owned(),
            bucket: some(bucket),
            key: some(bucket).and_then(|_| some(key)),
            query: (*query).to_owned(),
            headers: headers.collect(),
        })
    }

    pub(super) fn view(&self) -> RequestView<'_> {
        RequestView {
            method: &self.method,
            bucket: self.bucket.as_deref(),
            key: self.key.as_deref(),
            raw_query: (!self.query.is_empty()).then_some(&*self.query),
            headers: self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect(),
        }
    }

    pub(super) fn has_header(&self, wanted: &str) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    }
}
