//! Words messages for the terminal: an error is one sentence that says nothing twice, and foreign text (names of
//! files, answers of servers) cannot break out of its line.

use std::error::Error;
use std::io::Write as _;

/// A line on standard output. A reader who has left is no error.
macro_rules! say {
    ($($text:tt)*) => { $crate::wording::print(&format!("{}\n", format_args!($($text)*))) };
}

/// A line on standard error, for people. Where that is gone too, there is nobody to tell.
macro_rules! warn_line {
    ($($text:tt)*) => { $crate::wording::print_error(&format!("{}\n", format_args!($($text)*))) };
}

/// An error with its causes; a cause that was told already is left out.
pub(crate) fn sentence(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// What an HTTP client's error comes from; the layers above it say only that there was one.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Prints a whole answer of a command. A reader who has seen enough and left, as `head` does, is no error.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        warn_line!("countersign: standard output cannot be written: {error}");
    }
}

/// Prints to standard error.
pub(crate) fn print_error(text: &str) {
    let _nobody_left_to_tell = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Without control characters, which could move the cursor or end the line.
pub(crate) fn on_one_line(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { '\u{fffd}' } else { sign }).collect()
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_cause_that_was_shown_is_not_repeated() {
        let error = anyhow!("no such file").context("a cannot be read: no such file").context("the folder");
        assert_eq!(sentence(&error), "the folder: a cannot be read: no such file");
    }

    #[test]
    fn the_cause_is_at_the_end_of_the_chain() {
        let error = anyhow!("refused").context("connecting").context("sending");
        assert_eq!(innermost(error.as_ref()), "refused");
    }

    #[test]
    fn a_name_cannot_break_its_line() {
        assert_eq!(on_one_line("a\nb\u{1b}[2J 照片"), "a\u{fffd}b\u{fffd}[2J 照片");
    }
}
