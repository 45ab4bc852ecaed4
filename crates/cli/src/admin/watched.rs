//! What the administration listener reports: a server's health, and the state that is measured.

use std::sync::Arc;

use crate::setup::store_server::StoreServer;

/// How a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Readiness {
    /// Whether requests should be sent to it.
    pub(super) ready: bool,
    /// One or more whole lines that say so, or why not.
    pub(super) text: String,
}

/// A server that is watched.
pub(crate) struct Watched {
    /// Says how it is, at once.
    pub(super) health: Arc<dyn Fn() -> Readiness + Send + Sync>,
    /// Brings those metrics up to date that are a state and not a count. Blocks: sizes of files are asked for.
    pub(super) measure: Arc<dyn Fn() + Send + Sync>,
}

impl Watched {
    /// A store, as its health page says it is.
    pub(crate) fn store(opened: &StoreServer) -> Watched {
        let (healthy, measured) = (opened.server.clone(), opened.server.clone());
        let health = move || {
            let (ready, text) = healthy.health();
            Readiness { ready, text }
        };
        Watched { health: Arc::new(health), measure: Arc::new(move || measured.measure()) }
    }

    /// An application server, which is well while it answers.
    pub(crate) fn application() -> Watched {
        let health = || Readiness { ready: true, text: "ok\n".to_owned() };
        Watched { health: Arc::new(health), measure: Arc::new(|| {}) }
    }
}
