//! Writes the fields of a line of the text log so that a program can read them back: `name=value`, with quotes around
//! every value that is more than one word.
//!
//! Nothing that a client sends can end a line or begin a field: what is no plain word is quoted and escaped, the message
//! too. The grammar is in `docs/deploy.md`.

use std::error::Error;
use std::fmt::{self, Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// What the message's field is called.
const MESSAGE: &str = "message";
/// What the fields begin with that name the origin of a line that came from the `log` crate; the line has it already.
const ORIGIN_PREFIX: &str = "log.";

/// Writes fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineFields;

impl<'writer> FormatFields<'writer> for LineFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut words = Words { writer, begun: false, result: Ok(()) };
        fields.record(&mut words);
        words.result
    }
}

struct Words<'writer> {
    writer: Writer<'writer>,
    begun: bool,
    result: fmt::Result,
}

impl Words<'_> {
    fn put(&mut self, field: &Field, value: &str, plain: bool) {
        if self.result.is_err() || field.name().starts_with(ORIGIN_PREFIX) {
            return;
        }
        let blank = if std::mem::replace(&mut self.begun, true) { " " } else { "" };
        let name = field.name();
        let (name, equals) =
            if name == MESSAGE { ("", "") } else { (name.strip_prefix("r#").unwrap_or(name), "=") };
        self.result = self.put_all(&[blank, name, equals], value, plain);
    }

    /// Piece by piece: each line of each request passes here, and formatting costs several times as much.
    fn put_all(&mut self, before: &[&str], value: &str, plain: bool) -> fmt::Result {
        before.iter().try_for_each(|piece| self.writer.write_str(piece))?;
        if plain {
            return self.writer.write_str(value);
        }
        if value.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\') {
            // As `Debug` writes it, which looks at each character with more care than this one needs.
            return ["\"", value, "\""].iter().try_for_each(|piece| self.writer.write_str(piece));
        }
        write!(self.writer, "{value:?}")
    }

    /// What was written by `Display` or `Debug`.
    fn put_written(&mut self, field: &Field, value: &str) {
        let plain = match field.name() {
            MESSAGE => is_plain_message(value),
            _ => is_word(value) || is_quoted(value),
        };
        self.put(field, value, plain);
    }
}

impl Visit for Words<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value, field.name() == MESSAGE && is_plain_message(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            // A string takes whatever is written to it.
            let _always = write!(text, ": {error}");
            source = error.source();
        }
        self.put_written(field, &text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put_written(field, &format!("{value:?}"));
    }
}

/// One word, which needs no quotes.
fn is_word(value: &str) -> bool {
    let harmless = |letter: char| {
        letter.is_alphanumeric()
            || (letter.is_ascii_graphic() && !matches!(letter, '"' | '=' | '{' | '}' | '\\'))
    };
    !value.is_empty() && value.chars().all(harmless)
}

/// Words of a sentence, none of which looks like a field.
fn is_plain_message(value: &str) -> bool {
    !value.is_empty()
        && value.split(' ').all(|word| word.is_empty() || is_word(word))
        && !value.ends_with(' ')
}

/// Quoted already, as `Debug` does a string: whole, and with no control character in it.
fn is_quoted(value: &str) -> bool {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else { return false };
    let mut escaped = false;
    for letter in inner.chars() {
        if letter.is_control() || (letter == '"' && !escaped) {
            return false;
        }
        escaped = letter == '\\' && !escaped;
    }
    !escaped
}

#[cfg(test)]
mod tests;
