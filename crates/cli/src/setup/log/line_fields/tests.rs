//! Fields of the text log: quoting, escaping, and the sources of errors.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Lines;

    fn make_writer(&'w self) -> Lines {
        self.clone()
    }
}

/// What is written while this runs, without the time in front.
fn written(log: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_ansi(false)
        .fmt_fields(LineFields)
        .with_writer(lines.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, log);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn quotes_every_value_that_is_more_than_one_word() {
    let lines = written(|| {
        tracing::info!(target: "t", text = "a", number = 5, yes = true, plain = %"10.0.0.5:81", "it is said");
        tracing::info!(target: "t", words = %"two words", like_a_field = %"a=b", empty = %"", debug = ?"q\"", "said");
        tracing::info!(target: "t", some = ?Some("x"), brace = %"a}b", path = %"a\\b");
    });
    assert_eq!(
        lines,
        [
            r#" INFO t: it is said text="a" number=5 yes=true plain=10.0.0.5:81"#,
            r#" INFO t: said words="two words" like_a_field="a=b" empty="" debug="q\"""#,
            r#" INFO t: some="Some(\"x\")" brace="a}b" path="a\\b""#,
        ]
    );
}

#[test]
fn nothing_that_is_logged_ends_a_line_or_looks_like_another_field() {
    let hostile = "a\nWARN t: forged request_id=1\r\u{1b}[31m\u{2028}\u{202e}\0";
    let lines = written(|| {
        tracing::warn!(target: "t", text = hostile, shown = %hostile, debug = ?hostile, "{hostile}");
        let _span = tracing::error_span!(target: "t", "request", key = hostile).entered();
        tracing::warn!(target: "t", "within");
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in &lines {
        assert!(
            !line.chars().any(|letter| letter.is_control() || "\u{2028}\u{202e}".contains(letter)),
            "{line}"
        );
        let unquoted: String = line.split('"').step_by(2).collect();
        assert!(!unquoted.contains("forged"), "{line}");
    }
    assert!(lines[1].starts_with(" WARN request{key=\"a\\nWARN t: forged"), "{}", lines[1]);
}

#[test]
fn an_error_is_written_with_what_it_came_from() {
    #[derive(Debug, thiserror::Error)]
    #[error("it failed")]
    struct Outer(#[source] io::Error);
    let error = Outer(io::Error::other("the disk"));
    let lines = written(|| tracing::warn!(target: "t", error = &error as &dyn Error, "no"));
    assert_eq!(lines, [r#" WARN t: no error="it failed: the disk""#]);
}
