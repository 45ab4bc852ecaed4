//! Reads answers off a connection: status, length, whether it stays open. Bodies are counted, not kept, but for
//! the first bytes of a refusal. Answers in chunks are not understood: no peer of these measurements sends any
//! where it succeeds.

use anyhow::{Context as _, bail, ensure};

/// The longest head that is waited for.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How much of a refusal's body is kept for the report.
const REFUSAL_BYTES_MAX: usize = 400;

/// An answer that has arrived whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// Bytes of the body.
    pub(super) body_bytes: u64,
    /// Whether the server closes the connection now.
    pub(super) closes: bool,
    /// The beginning of the body, if the status is no success.
    pub(super) refusal: Vec<u8>,
}

/// The answer that is being read.
#[derive(Default)]
pub(super) struct AnswerReader {
    head: Vec<u8>,
    /// The answer whose body is still coming, and how much of it.
    awaiting: Option<(Answer, u64)>,
}

impl AnswerReader {
    /// Takes in what was read. The requests of a connection do not overlap, so nothing follows an answer.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> anyhow::Result<Option<Answer>> {
        loop {
            if let Some((mut answer, left)) = self.awaiting.take() {
                ensure!(bytes.len() as u64 <= left, "more came than the answer's length says");
                keep_refusal(&mut answer, bytes);
                match left - bytes.len() as u64 {
                    0 => return Ok(Some(answer)),
                    left => self.awaiting = Some((answer, left)),
                }
                return Ok(None);
            }
            self.head.extend_from_slice(bytes);
            let Some((answer, head_bytes)) = parse_head(&self.head)? else {
                ensure!(self.head.len() <= HEAD_BYTES_MAX, "the answer's head does not end");
                return Ok(None);
            };
            let rest = self.head.split_off(head_bytes);
            self.head.clear();
            if answer.status == 100 {
                self.head = rest;
                bytes = b"";
                continue;
            }
            let left = answer.body_bytes;
            self.awaiting = Some((answer, left));
            return self.push(&rest);
        }
    }
}

fn keep_refusal(answer: &mut Answer, bytes: &[u8]) {
    if answer.status >= 300 {
        let room = REFUSAL_BYTES_MAX.saturating_sub(answer.refusal.len());
        answer.refusal.extend(bytes.iter().take(room));
    }
}

/// The answer that this head announces, and the head's length; `None` while it is not whole.
fn parse_head(bytes: &[u8]) -> anyhow::Result<Option<(Answer, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 48];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head_bytes) = response.parse(bytes).context("no HTTP answer")? else {
        return Ok(None);
    };
    let status = response.code.context("an answer without a status")?;
    let bodiless = status == 100 || status == 204 || status == 304;
    let mut body_bytes = if bodiless { Some(0) } else { None };
    let mut closes = response.version == Some(0);
    for header in response.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or("").trim();
        if header.name.eq_ignore_ascii_case("content-length") && !bodiless {
            body_bytes = Some(value.parse().context("no number as Content-Length")?);
        } else if header.name.eq_ignore_ascii_case("connection") {
            closes = value.eq_ignore_ascii_case("close");
        }
    }
    let Some(body_bytes) = body_bytes else { bail!("status {status} without Content-Length") };
    Ok(Some((Answer { status, body_bytes, closes, refusal: Vec::new() }, head_bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_in_pieces(text: &str, piece: usize) -> Option<Answer> {
        let mut reader = AnswerReader::default();
        let mut pieces = text.as_bytes().chunks(piece).peekable();
        while let Some(bytes) = pieces.next() {
            let answer = reader.push(bytes).unwrap();
            if answer.is_some() {
                assert!(pieces.peek().is_none(), "the answer ended early");
                return answer;
            }
        }
        None
    }

    #[test]
    fn an_answer_is_the_same_however_it_is_cut() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nreason";
        for piece in 1..text.len() {
            let answer = read_in_pieces(text, piece).unwrap();
            assert_eq!((answer.status, answer.body_bytes, answer.closes), (403, 6, false), "cut by {piece}");
            assert_eq!(answer.refusal, b"reason", "cut by {piece}");
        }
    }

    #[test]
    fn the_second_answer_of_a_connection_begins_afresh() {
        let mut reader = AnswerReader::default();
        for _ in 0..2 {
            let answer =
                reader.push(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap().unwrap();
            assert_eq!((answer.status, answer.body_bytes, answer.closes), (204, 0, true));
        }
    }

    #[test]
    fn more_bytes_than_announced_are_an_error() {
        let mut reader = AnswerReader::default();
        assert!(reader.push(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc").is_err());
    }
}
