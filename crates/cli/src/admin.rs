//! The administration listener: metrics and health, for monitors on this machine or in a private network.
//!
//! It is never the store's own listener: behind a proxy everybody comes from loopback there. It gives no objects and
//! takes no orders, and what it tells names no bucket, key, destination or address.

mod known_origin;
mod measuring;
mod pages;
mod watched;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use countersign_server::listen::ListenOptions;

use crate::command_line::admin_address::AdminAddress;
use crate::setup::listeners::{self, Bound, Wanted};
use crate::setup::running::Running;
use measuring::MetricsRecorder;
pub(crate) use watched::Watched;

/// The default port, where there is a default.
pub(crate) const DEFAULT_ADMIN_PORT: u16 = 9819;

/// How many connections it takes. A monitor needs one; idle ones give way.
const CONNECTIONS_MAX: usize = 16;
/// The longest head of a request.
const HEADER_BYTES_MAX: usize = 8 * 1024;
/// How long a head may take, a connection may be idle, and an answer may be left unread.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long requests under way get at the end.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// The listener, bound and not yet answering, where there is one. What counts something must be made after this, or it
/// counts for nobody.
pub(crate) struct Admin(Option<(Bound, MetricsRecorder)>);

impl Admin {
    /// Binds the listener where one is asked for.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub(crate) async fn bind(asked: Option<AdminAddress>) -> anyhow::Result<Admin> {
        let Some(AdminAddress::At(address)) = asked else { return Ok(Admin(None)) };
        let bound = listeners::bind(Wanted::Given(address), None).await?;
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "other machines can read the administration listener without a login");
        }
        Ok(Admin(Some((bound, MetricsRecorder::start()?))))
    }

    /// Binds the listener also where nothing is asked: at the default port, the next free one, or any.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub(crate) async fn bind_or_default(asked: Option<AdminAddress>) -> anyhow::Result<Admin> {
        if asked.is_some() {
            return Self::bind(asked).await;
        }
        let bound = match listeners::bind(Wanted::Default(DEFAULT_ADMIN_PORT), None).await {
            Ok(bound) => bound,
            // Nobody chose the number, so a start must not fail for want of it.
            Err(_) => {
                let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                listeners::bind(Wanted::Given(any), None).await?
            }
        };
        Ok(Admin(Some((bound, MetricsRecorder::start()?))))
    }

    /// Where the metrics are; `None` where they are nowhere.
    pub(crate) fn metrics_url(&self) -> Option<String> {
        let (bound, _) = self.0.as_ref()?;
        let address = bound.addresses.first()?;
        Some(format!("http://{address}{}", pages::METRICS_PATH))
    }

    /// Answers from now on.
    pub(crate) fn start(self, watched: Watched) -> RunningAdmin {
        let stopping = Arc::new(AtomicBool::new(false));
        let running = self.0.map(|(bound, measuring)| {
            let pages = pages::Pages::new(watched, Arc::clone(&stopping), measuring.begin());
            let router = Router::new().fallback(pages::answer).with_state(Arc::new(pages));
            Running::app(bound, &router, &listen_options())
        });
        RunningAdmin { running, stopping }
    }
}

fn listen_options() -> ListenOptions {
    ListenOptions {
        connections_max: CONNECTIONS_MAX,
        header_bytes_max: HEADER_BYTES_MAX,
        header_read_timeout: CLIENT_TIMEOUT,
        write_stall_timeout: CLIENT_TIMEOUT,
        shutdown_grace: SHUTDOWN_GRACE,
        ..ListenOptions::default()
    }
}

/// The listener while it answers, where there is one.
pub(crate) struct RunningAdmin {
    running: Option<Running>,
    stopping: Arc<AtomicBool>,
}

impl RunningAdmin {
    /// From now on the process is alive and not ready.
    pub(crate) fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Ends it: last of all, so that an end can be watched.
    pub(crate) async fn end(self) {
        if let Some(running) = self.running {
            running.end().await;
        }
    }
}

#[cfg(test)]
mod tests;
