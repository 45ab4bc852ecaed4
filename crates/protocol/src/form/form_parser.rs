//! Parses a form as it arrives into events: head, data, end.
//!
//! Bytes are charged to the limits when they are used, not when they are pushed, and always in the order of
//! the body: whatever the chunks, the same body gives the same events and the same error.
//!
//! Clauses POST-12 to POST-30.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use memchr::memchr;

use super::delimiter::{DelimiterScanner, Found};
use super::foreign_text;
use super::form_error::shortened;
use super::part_header::{Part, PartHeader};
use super::{Boundary, FormError, FormFields, FormLimits};

/// What the parser has to say.
#[derive(Debug)]
pub enum FormEvent {
    /// Everything pushed so far is used up.
    NeedMore,
    /// The head is complete and the file begins. Comes once.
    Head(FormFields),
    /// The next bytes of the file: never empty, a slice of what was pushed wherever possible.
    Data(Bytes),
    /// The whole body was well-formed to its end. Comes only after [`FormParser::finish_input`].
    End,
}

/// Where in the body the parser stands.
#[derive(Debug)]
enum State {
    Preamble,
    Header,
    Value { name: String, has_foreign_name: bool },
    File,
    IgnoredValue,
    Epilogue,
    End,
    Refused(FormError),
}

/// Reads one form.
#[derive(Debug)]
pub struct FormParser {
    limits: FormLimits,
    scanner: DelimiterScanner,
    chunks: VecDeque<Bytes>,
    input_ended: bool,
    state: State,
    file_begun: bool,
    fields: FormFields,
    line: Vec<u8>,
    header: PartHeader,
    header_bytes: usize,
    value: Vec<u8>,
    head_bytes: usize,
    tail_bytes: usize,
}

impl FormParser {
    /// Reads the boundary from a Content-Type; the same as [`Boundary::of_content_type`].
    ///
    /// # Errors
    /// See there.
    pub fn boundary(content_type: &str) -> Result<Boundary, FormError> {
        Boundary::of_content_type(content_type)
    }

    /// A parser for a body with the given boundary.
    ///
    /// Source: POST-12 to POST-33.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use countersign_protocol::form::{FormEvent, FormLimits, FormParser};
    ///
    /// let boundary = FormParser::boundary("multipart/form-data; boundary=b")?;
    /// let mut parser = FormParser::new(&boundary, FormLimits::default());
    /// let body = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na.txt\r\n\
    ///             --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--b--\r\n";
    /// parser.push(Bytes::from(body));
    /// parser.finish_input();
    ///
    /// let FormEvent::Head(fields) = parser.next_event()? else { panic!("the head comes first") };
    /// assert_eq!(fields.key()?, "a.txt");
    /// assert!(matches!(parser.next_event()?, FormEvent::Data(data) if data == "hello"));
    /// assert!(matches!(parser.next_event()?, FormEvent::End));
    /// # Ok::<(), countersign_protocol::form::FormError>(())
    /// ```
    pub fn new(boundary: &Boundary, limits: FormLimits) -> Self {
        Self {
            limits,
            scanner: DelimiterScanner::new(boundary),
            chunks: VecDeque::new(),
            input_ended: false,
            state: State::Preamble,
            file_begun: false,
            fields: FormFields::default(),
            line: Vec::new(),
            header: PartHeader::default(),
            header_bytes: 0,
            value: Vec::new(),
            head_bytes: 0,
            tail_bytes: 0,
        }
    }

    /// Hands over the next bytes of the body. Pull events until [`FormEvent::NeedMore`] before the next push,
    /// or what waits grows. What is pushed after [`Self::finish_input`] is dropped.
    pub fn push(&mut self, chunk: Bytes) {
        if !chunk.is_empty() && !self.input_ended {
            self.chunks.push_back(chunk);
        }
    }

    /// Says that the body has ended as its framing promised.
    pub fn finish_input(&mut self) {
        self.input_ended = true;
    }

    /// About how much memory the head holds so far, for the budget that all heads share.
    ///
    /// ```
    /// use countersign_protocol::form::{FormEvent, FormLimits, FormParser};
    ///
    /// let mut parser = FormParser::new(&FormParser::boundary("multipart/form-data; boundary=b")?, FormLimits::default());
    /// parser.push("--b\r\nContent-Disposition: form-data; name=\"policy\"\r\n\r\n".into());
    /// parser.push("x".repeat(100_000).into());
    /// assert!(matches!(parser.next_event()?, FormEvent::NeedMore));
    /// assert!(parser.retained_bytes() >= 100_000);
    /// # Ok::<(), countersign_protocol::form::FormError>(())
    /// ```
    pub fn retained_bytes(&self) -> usize {
        self.fields.retained_bytes() + self.value.capacity() + self.line.capacity()
    }

    /// The next event. After an error the parser repeats it; after the end, [`FormEvent::End`].
    ///
    /// # Errors
    /// See [`FormError`].
    ///
    /// ```
    /// use bytes::Bytes;
    /// use countersign_protocol::form::{FormError, FormEvent, FormLimits, FormParser};
    ///
    /// let mut parser = FormParser::new(&FormParser::boundary("multipart/form-data; boundary=b")?, FormLimits::default());
    /// assert!(matches!(parser.next_event()?, FormEvent::NeedMore));
    /// parser.push(Bytes::from_static(b"--b\r\nContent-Disp"));
    /// assert!(matches!(parser.next_event()?, FormEvent::NeedMore), "any cut is a good one");
    /// parser.finish_input();
    /// assert_eq!(parser.next_event().unwrap_err(), FormError::Truncated);
    /// # Ok::<(), FormError>(())
    /// ```
    pub fn next_event(&mut self) -> Result<FormEvent, FormError> {
        loop {
            match self.advance() {
                Ok(None) => {}
                Ok(Some(event)) => return Ok(event),
                Err(error) => {
                    self.chunks.clear();
                    self.state = State::Refused(error.clone());
                    return Err(error);
                }
            }
        }
    }

    fn advance(&mut self) -> Result<Option<FormEvent>, FormError> {
        if let State::Refused(error) = &self.state {
            return Err(error.clone());
        }
        let Some(mut chunk) = self.chunks.pop_front() else {
            return if self.input_ended { self.end_input() } else { Ok(Some(FormEvent::NeedMore)) };
        };
        let event = match self.state {
            State::Header => self.read_header(&mut chunk)?,
            State::Epilogue => {
                self.charge(chunk.len(), None)?;
                chunk.clear();
                None
            }
            _ => self.read_content(&mut chunk)?,
        };
        if !chunk.is_empty() {
            self.chunks.push_front(chunk);
        }
        Ok(event)
    }

    fn end_input(&mut self) -> Result<Option<FormEvent>, FormError> {
        match self.state {
            State::End => Ok(Some(FormEvent::End)),
            State::Epilogue => {
                self.state = State::End;
                Ok(None)
            }
            State::Header | State::Refused(_) => Err(FormError::Truncated),
            State::Preamble | State::Value { .. } | State::File | State::IgnoredValue => {
                let length = self.scanner.closes_at_end().ok_or(FormError::Truncated)?;
                self.charge(length, None)?;
                self.end_content(true)?;
                Ok(None)
            }
        }
    }

    /// Whatever stands between two delimiters and is no header.
    fn read_content(&mut self, chunk: &mut Bytes) -> Result<Option<FormEvent>, FormError> {
        match self.scanner.scan(chunk) {
            Found::NeedMore => {}
            Found::Data(data) if matches!(self.state, State::File) => return Ok(Some(FormEvent::Data(data))),
            Found::Data(data) => self.take_data(&data)?,
            Found::Next(length) => {
                self.charge(length, None)?;
                self.end_content(false)?;
            }
            Found::Close(length) => {
                self.charge(length, None)?;
                self.end_content(true)?;
            }
        }
        Ok(None)
    }

    fn take_data(&mut self, data: &[u8]) -> Result<(), FormError> {
        let State::Value { name, .. } = &self.state else { return self.charge(data.len(), None) };
        let room = self.limits.value_bytes_max - self.value.len();
        let too_long = FormError::ValueTooLong { name: shortened(name) };
        self.charge(data.len(), Some((room, too_long)))?;
        self.value.extend_from_slice(data);
        Ok(())
    }

    /// A delimiter was met; `closing` if it was the last one.
    fn end_content(&mut self, closing: bool) -> Result<(), FormError> {
        if let State::Value { name, has_foreign_name } = &mut self.state {
            let (name, has_foreign_name) = (std::mem::take(name), *has_foreign_name);
            match String::from_utf8(std::mem::take(&mut self.value)) {
                Ok(value) if !has_foreign_name => self.fields.insert(name, value),
                // A page that is not in UTF-8 sends such fields; the store has no use for most of them.
                _ if !foreign_text::is_looked_at(&name) => self.fields.insert_foreign(name),
                _ => return Err(FormError::ValueNotUtf8 { name: shortened(&name) }),
            }
        }
        self.state = match (closing, self.file_begun) {
            (false, _) => State::Header,
            (true, true) => State::Epilogue,
            (true, false) => return Err(FormError::FileMissing),
        };
        Ok(())
    }

    fn read_header(&mut self, chunk: &mut Bytes) -> Result<Option<FormEvent>, FormError> {
        let newline = memchr(b'\n', chunk);
        let taken = newline.map_or(chunk.len(), |at| at + 1);
        let room = self.limits.part_header_bytes_max - self.header_bytes;
        self.charge(taken, Some((room, FormError::NameTooLong)))?;
        self.header_bytes += taken;
        self.line.extend_from_slice(chunk.get(..taken).unwrap_or_default());
        chunk.advance(taken);
        if newline.is_none() {
            return Ok(None);
        }
        let line = self.line.strip_suffix(b"\r\n").ok_or(FormError::PartHeaderMalformed)?;
        if line.is_empty() {
            self.line.clear();
            self.header_bytes = 0;
            return self.begin_content();
        }
        self.header.read_line(line)?;
        self.line.clear();
        Ok(None)
    }

    /// A part's header is complete.
    fn begin_content(&mut self) -> Result<Option<FormEvent>, FormError> {
        let Part { name, has_foreign_name, file, has_foreign_file_name } =
            std::mem::take(&mut self.header).finish()?;
        if name.len() > self.limits.name_bytes_max {
            return Err(FormError::NameTooLong);
        }
        let is_file = name.eq_ignore_ascii_case("file");
        if self.file_begun {
            self.state = State::IgnoredValue;
            return if is_file { Err(FormError::SecondFile) } else { Ok(None) };
        }
        if is_file {
            self.file_begun = true;
            self.state = State::File;
            let mut head = std::mem::take(&mut self.fields);
            head.set_file(file);
            if has_foreign_file_name {
                head.note_foreign_file_name();
            }
            return Ok(Some(FormEvent::Head(head)));
        }
        if self.fields.len() >= self.limits.fields_max {
            return Err(FormError::TooManyFields);
        }
        self.fields.reserve(&name)?;
        self.state = State::Value { name, has_foreign_name };
        Ok(None)
    }

    /// Charges bytes of the body to the head or the tail, and to a limit of their own. Of two limits the one
    /// that these bytes reach first is named. The delimiter behind the file counts to the tail.
    fn charge(&mut self, bytes: usize, own: Option<(usize, FormError)>) -> Result<(), FormError> {
        let (used, limit, too_large) = if self.file_begun {
            (&mut self.tail_bytes, self.limits.tail_bytes_max, FormError::TailTooLarge)
        } else {
            (&mut self.head_bytes, self.limits.head_bytes_max, FormError::HeadTooLarge)
        };
        let room = limit - *used;
        match own {
            Some((own_room, error)) if bytes > own_room && own_room <= room => Err(error),
            _ if bytes > room => Err(too_large),
            _ => {
                *used += bytes;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
