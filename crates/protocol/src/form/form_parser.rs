//! The form as a sequence of events: head, data, end.

use bytes::Bytes;

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

/// Reads one form.
#[derive(Debug)]
pub struct FormParser {}

impl FormParser {
    /// Reads the boundary from a Content-Type; the same as [`Boundary::of_content_type`].
    ///
    /// # Errors
    /// See there.
    pub fn boundary(content_type: &str) -> Result<Boundary, FormError> {
        Boundary::of_content_type(content_type)
    }

    /// A parser for a body with the given boundary.
    pub fn new(boundary: &Boundary, limits: FormLimits) -> Self {
        let _ = (boundary, limits);
        Self {}
    }

    /// Hands over the next bytes of the body. Pull events until [`FormEvent::NeedMore`] before the next push,
    /// or what waits grows.
    pub fn push(&mut self, chunk: Bytes) {
        let _ = chunk;
    }

    /// Says that the body has ended as its framing promised.
    pub fn finish_input(&mut self) {}

    /// The next event. After an error the parser repeats it; after the end, [`FormEvent::End`].
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn next_event(&mut self) -> Result<FormEvent, FormError> {
        Ok(FormEvent::NeedMore)
    }
}
