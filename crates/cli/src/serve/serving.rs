//! What the routes of `serve` share.

use countersign_app::router::admission::Admission;
use countersign_app::{AppOptions, UploadLedger};
use countersign_server::Server;
use countersign_store::{Clock, Health, Store};

use super::serve_document::Facts;
use crate::network::reachable::Reachable;
use crate::setup::credentials::AccessKey;
use crate::setup::store_server::StoreServer;

/// Made once, at the start.
pub(super) struct Serving {
    pub(super) admission: Admission,
    pub(super) facts: Facts,
    pub(super) store: Store,
    pub(super) server: Server,
    pub(super) reachable: Reachable,
    pub(super) access_key: AccessKey,
    pub(super) clock: Clock,
    pub(super) ledger: UploadLedger,
}

impl Serving {
    pub(super) fn new(
        app: &AppOptions,
        opened: &StoreServer,
        reachable: &Reachable,
        access_key: AccessKey,
        clock: Clock,
        facts: Facts,
    ) -> Self {
        Serving {
            admission: app.admission.clone(),
            facts,
            store: opened.store.clone(),
            server: opened.server.clone(),
            reachable: reachable.clone(),
            access_key,
            clock,
            ledger: app.ledger.clone(),
        }
    }

    /// Whether the store takes writes. The page is answered by the same process, so that it is there is shown
    /// by the answer itself.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.store.health(), Health::Good)
    }
}
