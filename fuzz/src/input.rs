//! Takes an input apart. Texts are separated by line ends where the target's own syntax has none, so that a
//! corpus can be read and written by hand.

/// What is left of an input.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next byte; nought behind the end.
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// What stands before the next separator.
    pub(crate) fn until(&mut self, separator: u8) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| *byte == separator);
        let (piece, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        piece
    }

    /// The next line as text; `None` when it is none.
    pub(crate) fn line(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.until(b'\n')).ok()
    }

    /// The lines that are left, as text.
    pub(crate) fn lines(&mut self) -> Vec<&'a str> {
        let mut lines = Vec::new();
        while !self.rest.is_empty() {
            lines.extend(self.line());
        }
        lines
    }

    /// Everything that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Everything that is left, as text.
    pub(crate) fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.rest).ok()
    }
}
