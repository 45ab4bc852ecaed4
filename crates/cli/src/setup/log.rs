//! Sets up the log: to standard error, so that standard output stays what a person or a script reads, and by a thread
//! of its own, so that a slow reader of the log delays nothing.

mod line_buffer;
mod line_fields;

use std::io::{self, IsTerminal as _};
use std::panic::{self, PanicHookInfo};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;
use countersign_store::Clock;
use tracing_subscriber::EnvFilter;

use super::clock;
use crate::command_line::flag_groups::LogFormat;
use line_buffer::LineBuffer;
use line_fields::LineFields;

/// The variable that chooses what is logged.
const VARIABLE: &str = "COUNTERSIGN_LOG";
/// What is logged when nothing is chosen: what needs attention, one line for each request, certificates that were
/// read again, and a catalog that is brought to a new schema. A certificate that does not hold is told where the
/// connection was wanted, and need not be told twice.
const DEFAULT_FILTER: &str = "warn,request=info,reload=info,migration=info,rustls_platform_verifier=off";

/// The same beside a test, whose own output is what is read: no line for each request.
const QUIET_FILTER: &str = "warn,rustls_platform_verifier=off";

/// How long an end waits for the last lines.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(2);

/// The lines of this process that are not written yet.
static LINES: OnceLock<LineBuffer> = OnceLock::new();

/// Starts the log, with a line for each request or without. Colours are for terminals: a file would hold their codes.
pub(crate) fn start(format: LogFormat, requests: bool) -> anyhow::Result<()> {
    let filter = match std::env::var(VARIABLE) {
        Ok(chosen) if !chosen.trim().is_empty() => EnvFilter::try_new(&chosen).with_context(|| {
            format!("{VARIABLE}={chosen:?} is not understood; write it as in info or warn,request=off")
        })?,
        _ if requests => EnvFilter::new(DEFAULT_FILTER),
        _ => EnvFilter::new(QUIET_FILTER),
    };
    let colours = io::stderr().is_terminal();
    let clock = clock::real(0);
    let of_the_thread = clock.clone();
    let dropped = move |lines| dropped_line(format, &of_the_thread, lines);
    let lines = LineBuffer::start(clock, io::stderr(), dropped).context("the log cannot be started")?;
    let lines = LINES.get_or_init(|| lines);
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .with_writer(move || lines.clone());
    match format {
        LogFormat::Text => log.fmt_fields(LineFields).init(),
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(true).init()
        }
    }
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Waits for the last lines to be written, but not for a reader that has stopped.
pub(crate) fn finish() {
    if let Some(lines) = LINES.get() {
        lines.flush(FLUSH_TIME_MAX);
    }
}

/// The line that stands for those that were dropped, in the log's own format. It passes no filter: it is about the log.
fn dropped_line(format: LogFormat, clock: &Clock, lines: u64) -> String {
    let now = clock.wall();
    let message = "log lines were dropped, because the log was not read fast enough";
    match format {
        LogFormat::Text => format!("{now:.6}  WARN log: {message} lines={lines}\n"),
        LogFormat::Json => format!(
            "{{\"timestamp\":\"{now:.6}\",\"level\":\"WARN\",\"message\":\"{message}\",\"lines\":{lines},\"target\":\"log\"}}\n"
        ),
    }
}

/// A panic is a line like all others: written where it happens, it would wait for the reader.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("no message");
    tracing::error!(thread = thread.name(), place, message, "a thread panicked");
}
