//! The log: to standard error, so that standard output stays what a person or a script reads.

use tracing_subscriber::EnvFilter;

/// Starts the log; `COUNTERSIGN_LOG` chooses what is in it, as in `info` or `countersign_server=debug`.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env("COUNTERSIGN_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
