//! The log: to standard error, so that standard output stays what a person or a script reads.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::command_line::LogFormat;

/// The variable that chooses what is logged.
const VARIABLE: &str = "COUNTERSIGN_LOG";
/// What is logged when nothing is chosen: what needs attention, one line for each request, and certificates that were
/// read again. A certificate that does not hold is told where the connection was wanted, and need not be told twice.
const DEFAULT_FILTER: &str = "warn,request=info,reload=info,rustls_platform_verifier=off";

/// The same beside a test, whose own output is what is read: no line for each request.
const QUIET_FILTER: &str = "warn,rustls_platform_verifier=off";

/// Starts the log, with a line for each request or without. Colours are for terminals: a file would hold their codes.
pub(crate) fn start(format: LogFormat, requests: bool) -> anyhow::Result<()> {
    let filter = match std::env::var(VARIABLE) {
        Ok(chosen) if !chosen.trim().is_empty() => EnvFilter::try_new(&chosen).with_context(|| {
            format!("{VARIABLE}={chosen:?} is not understood; write it as in info or warn,request=off")
        })?,
        _ if requests => EnvFilter::new(DEFAULT_FILTER),
        _ => EnvFilter::new(QUIET_FILTER),
    };
    let colours = std::io::stderr().is_terminal();
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).init()
        }
    }
    Ok(())
}
