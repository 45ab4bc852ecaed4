//! Reads the head of a request, as far as the bare servers need it.

use anyhow::Context as _;

/// What matters of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestHead {
    /// The method.
    pub(crate) method: String,
    /// The path, as sent.
    pub(crate) path: String,
    /// `Content-Length`, or 0.
    pub(crate) body_bytes: u64,
    /// The form's boundary with its two dashes; empty for anything else.
    pub(crate) boundary: Vec<u8>,
    /// How long the head itself is.
    pub(crate) head_bytes: usize,
}

impl RequestHead {
    /// The head at the beginning of these bytes; `None` while it is not whole.
    pub(crate) fn parse(bytes: &[u8]) -> anyhow::Result<Option<RequestHead>> {
        let mut headers = [httparse::EMPTY_HEADER; 48];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(head_bytes) = request.parse(bytes).context("no HTTP request")? else {
            return Ok(None);
        };
        let mut head = RequestHead {
            method: request.method.unwrap_or_default().to_owned(),
            path: request.path.unwrap_or_default().to_owned(),
            body_bytes: 0,
            boundary: Vec::new(),
            head_bytes,
        };
        for header in request.headers.iter() {
            if header.name.eq_ignore_ascii_case("content-length") {
                let text = std::str::from_utf8(header.value)?;
                head.body_bytes = text.trim().parse().context("no number as Content-Length")?;
            } else if header.name.eq_ignore_ascii_case("content-type")
                && let Some(at) = memchr::memmem::find(header.value, b"boundary=")
            {
                head.boundary = [b"--", header.value.get(at + 9..).unwrap_or_default()].concat();
            }
        }
        Ok(Some(head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let text = b"POST /b/ HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=xyz\r\ncontent-length: 12\r\n\r\nbody";
        assert_eq!(RequestHead::parse(&text[..40]).unwrap(), None);
        let head = RequestHead::parse(text).unwrap().unwrap();
        assert_eq!((head.method.as_str(), head.path.as_str(), head.body_bytes), ("POST", "/b/", 12));
        assert_eq!(head.boundary, b"--xyz");
        assert_eq!(&text[head.head_bytes..], b"body");
    }
}
