//! Finds the delimiter `CR LF -- boundary` in a stream of chunks.
//!
//! A delimiter counts only as a whole line: behind the boundary come at most some blanks and then CR LF, or
//! `--`, blanks, and then CR LF or the end of the body. Anything else that looks like one is data. Every byte
//! is looked at a bounded number of times: inside a chunk by substring search, across chunks by a matcher
//! that holds what may still become a delimiter. The boundary holds no CR, so only a CR can begin a new
//! candidate and a failed one need never be searched again.
//!
//! Clauses POST-12, POST-16.

use bytes::{Buf, Bytes};
use memchr::{memmem::Finder, memrchr};

use super::Boundary;

/// How much of a delimiter is searched for: what a vector instruction compares at once. Preparing the search for
/// a longer one takes as long as searching a small upload.
const SEARCHED_BYTES_MAX: usize = 32;

/// How many blanks may follow a boundary.
const PADDING_BYTES_MAX: usize = 64;

/// What stands next in the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The chunk is used up.
    NeedMore,
    /// Bytes that belong to no delimiter.
    Data(Bytes),
    /// A delimiter of the given length after which another part follows.
    Next(usize),
    /// The closing delimiter, of the given length.
    Close(usize),
}

/// How far the matcher has come behind the boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// Not there yet, or exactly there.
    Boundary,
    Padding,
    Return,
    OneHyphen,
    Closed,
    ClosedReturn,
}

/// What one byte does to the matcher.
enum Step {
    On(Behind),
    Next,
    Close,
    Mismatch,
}

/// The scanner. Between two delimiters it is used on one stream of chunks.
#[derive(Debug)]
pub(super) struct DelimiterScanner {
    delimiter: Vec<u8>,
    finder: Finder<'static>,
    held: Vec<u8>,
    behind: Behind,
}

impl DelimiterScanner {
    /// A scanner at the very start of a body, where the first delimiter needs no CR LF in front.
    pub(super) fn new(boundary: &Boundary) -> Self {
        let mut delimiter = b"\r\n--".to_vec();
        delimiter.extend_from_slice(boundary.as_bytes());
        let searched = delimiter.get(..SEARCHED_BYTES_MAX).unwrap_or(&delimiter);
        let finder = Finder::new(searched).into_owned();
        Self { delimiter, finder, held: b"\r\n".to_vec(), behind: Behind::Boundary }
    }

    /// Uses up some of the chunk. Call again with the rest until it says [`Found::NeedMore`].
    pub(super) fn scan(&mut self, chunk: &mut Bytes) -> Found {
        if self.held.is_empty() {
            let candidate = self.first_candidate(chunk);
            if candidate > 0 {
                return Found::Data(chunk.split_to(candidate));
            }
            if let Some(whole) = self.whole_line(chunk) {
                chunk.advance(whole);
                return Found::Next(whole);
            }
        }
        while let Some(byte) = chunk.first().copied() {
            match self.step(byte) {
                Step::Mismatch => {
                    self.behind = Behind::Boundary;
                    return Found::Data(Bytes::from(std::mem::take(&mut self.held)));
                }
                Step::On(behind) => {
                    self.behind = behind;
                    self.held.push(byte);
                    chunk.advance(1);
                }
                Step::Next => {
                    chunk.advance(1);
                    return Found::Next(self.accept() + 1);
                }
                Step::Close => {
                    chunk.advance(1);
                    return Found::Close(self.accept() + 1);
                }
            }
        }
        Found::NeedMore
    }

    /// At the end of the body: the length of the closing delimiter if what is held is one, which then needs
    /// no CR LF behind.
    pub(super) fn closes_at_end(&mut self) -> Option<usize> {
        (self.behind == Behind::Closed).then(|| self.accept())
    }

    fn accept(&mut self) -> usize {
        let length = self.held.len();
        self.held.clear();
        self.behind = Behind::Boundary;
        length
    }

    /// Where in the chunk a delimiter may begin; the chunk's length if nowhere.
    fn first_candidate(&self, chunk: &[u8]) -> usize {
        let mut from = 0;
        // Candidates do not overlap, as only their first byte is a CR.
        while let Some(at) = chunk.get(from..).and_then(|rest| self.finder.find(rest)) {
            let begun = chunk.get(from + at..).unwrap_or_default();
            let compared = begun.len().min(self.delimiter.len());
            if begun.get(..compared) == self.delimiter.get(..compared) {
                return from + at;
            }
            from += at + 1;
        }
        // At the chunk's end a delimiter may have begun. Only the last CR can be its first byte.
        let tail_start = chunk.len().saturating_sub(self.delimiter.len() - 1);
        let tail = chunk.get(tail_start..).unwrap_or_default();
        match memrchr(b'\r', tail) {
            Some(at) if tail.get(at..).is_some_and(|begun| self.delimiter.starts_with(begun)) => {
                tail_start + at
            }
            _ => chunk.len(),
        }
    }

    /// The length of the delimiter that the chunk begins with, if all of its line is there and another part
    /// follows: most are met like this.
    fn whole_line(&self, chunk: &[u8]) -> Option<usize> {
        chunk
            .strip_prefix(self.delimiter.as_slice())?
            .starts_with(b"\r\n")
            .then_some(self.delimiter.len() + 2)
    }

    fn step(&self, byte: u8) -> Step {
        if let Some(expected) = self.delimiter.get(self.held.len()) {
            return if byte == *expected { Step::On(Behind::Boundary) } else { Step::Mismatch };
        }
        let padded = self.held.len() - self.delimiter.len() >= PADDING_BYTES_MAX;
        match (self.behind, byte) {
            (Behind::Boundary, b'-') => Step::On(Behind::OneHyphen),
            (Behind::OneHyphen, b'-') => Step::On(Behind::Closed),
            (Behind::Boundary | Behind::Padding, b' ' | b'\t') if !padded => Step::On(Behind::Padding),
            (Behind::Closed, b' ' | b'\t') if !padded => Step::On(Behind::Closed),
            (Behind::Boundary | Behind::Padding, b'\r') => Step::On(Behind::Return),
            (Behind::Closed, b'\r') => Step::On(Behind::ClosedReturn),
            (Behind::Return, b'\n') => Step::Next,
            (Behind::ClosedReturn, b'\n') => Step::Close,
            _ => Step::Mismatch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Data and delimiters of a body that is pushed in chunks of the given size.
    fn scanned(body: &[u8], chunk_bytes: usize) -> (Vec<Vec<u8>>, Vec<&'static str>) {
        let mut scanner = DelimiterScanner::new(&Boundary::new("B").unwrap());
        let (mut data, mut kinds) = (vec![Vec::new()], Vec::new());
        for piece in body.chunks(chunk_bytes) {
            let mut chunk = Bytes::copy_from_slice(piece);
            loop {
                match scanner.scan(&mut chunk) {
                    Found::NeedMore => break,
                    Found::Data(bytes) => data.last_mut().unwrap().extend_from_slice(&bytes),
                    Found::Next(_) => (kinds.push("next"), data.push(Vec::new())).0,
                    Found::Close(_) => (kinds.push("close"), data.push(Vec::new())).0,
                }
            }
        }
        if scanner.closes_at_end().is_some() {
            kinds.push("close");
        }
        (data, kinds)
    }

    #[test]
    fn finds_the_same_in_every_chunking() {
        let body = b"--B\r\none\r\n--B \t\r\n\r\r\n--Bx\r\n--B-\r\n--B--y\r\r\n--\r\n--B--\r\nepilogue";
        let whole = scanned(body, body.len());
        assert_eq!(whole.1, ["next", "next", "close"]);
        assert_eq!(whole.0[1], b"one");
        assert_eq!(whole.0[2], b"\r\r\n--Bx\r\n--B-\r\n--B--y\r\r\n--");
        for chunk_bytes in 1..body.len() {
            assert_eq!(scanned(body, chunk_bytes), whole, "chunks of {chunk_bytes}");
        }
    }

    #[test]
    fn a_closing_delimiter_may_end_the_body() {
        for end in ["--B--", "--B--  ", "--B--\r\n"] {
            assert_eq!(scanned(format!("--B\r\nx\r\n{end}").as_bytes(), 3).1, ["next", "close"], "{end:?}");
        }
        for end in ["--B", "--B-", "--B--\r", "--B\r\n", "--B--\n"] {
            assert!(!scanned(format!("--B\r\nx\r\n{end}").as_bytes(), 3).1.contains(&"close"), "{end:?}");
        }
    }

    #[test]
    fn too_many_blanks_after_a_delimiter_make_it_data() {
        let body = format!("--B\r\n\r\n--B{}\r\n--B--", " ".repeat(65));
        assert_eq!(scanned(body.as_bytes(), 7).1, ["next", "close"]);
    }

    #[test]
    fn hands_data_on_without_copying_it() {
        let mut scanner = DelimiterScanner::new(&Boundary::new("B").unwrap());
        let chunk = Bytes::from_static(b"--B\r\nsome data\r\n--B--");
        let mut rest = chunk.clone();
        assert_eq!(scanner.scan(&mut rest), Found::Next(7));
        let Found::Data(data) = scanner.scan(&mut rest) else { panic!("data expected") };
        assert_eq!(&data[..], b"some data");
        assert_eq!(data.as_ptr(), chunk[5..].as_ptr());
    }
}
