//! The log: to standard error, so that standard output stays what a person or a script reads.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What is logged when nothing is chosen. A certificate that does not hold is told where the connection was
/// wanted, and need not be told twice.
const DEFAULT_FILTER: &str = "warn,rustls_platform_verifier=off";

/// Starts the log; `COUNTERSIGN_LOG` chooses what is in it, as in `info` or `countersign_server=debug`. Colours
/// are for terminals: a file would hold their codes.
pub(crate) fn start() {
    let filter =
        EnvFilter::try_from_env("COUNTERSIGN_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
}
