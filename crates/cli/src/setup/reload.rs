//! Reads certificates again at SIGHUP, and does nothing else. Without certificates there is nothing to read, and the
//! process goes on all the same: a closed terminal or a log rotation never ends it.

use std::sync::Arc;

use countersign_server::listen::TlsFiles;
use tokio::signal::unix::{SignalKind, signal};

/// Follows the signal from now on.
pub(crate) fn on_hangup(tls: Option<Arc<TlsFiles>>) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            read_again(tls.as_deref());
        }
    });
    Ok(())
}

fn read_again(tls: Option<&TlsFiles>) {
    match tls.map(TlsFiles::reload) {
        Some(Ok(())) => tracing::info!(target: "reload", "the certificate was read again and is in use"),
        Some(Err(error)) => {
            tracing::error!(target: "reload", %error, "the old certificate stays in use");
        }
        None => tracing::info!(target: "reload", "SIGHUP: there is no certificate to read again"),
    }
}
