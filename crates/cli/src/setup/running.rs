//! Services that run: started on their listeners, stopped in the order that lets uploads finish.

use std::time::Duration;

use axum::Router;
use countersign_server::Server;
use countersign_server::listen::{ListenOptions, listen};
use countersign_store::Store;
use hyper::body::Incoming;
use hyper_util::service::TowerToHyperService;
use tokio::task::JoinSet;

use super::listeners::Bound;
use super::shutdown::StopSwitch;

/// How long commits and callbacks under way get after the store's listeners have ended.
const FINISH_TIMEOUT: Duration = Duration::from_secs(60);

/// One service on its listeners.
pub(crate) struct Running {
    stop: StopSwitch,
    tasks: JoinSet<()>,
}

impl Running {
    /// Starts the store's HTTP face.
    pub(crate) fn store(bound: Bound, server: &Server, options: &ListenOptions) -> Self {
        let (stop, mut tasks) = (StopSwitch::new(), JoinSet::new());
        for listener in bound.listeners {
            tasks.spawn(listen(listener, server.clone(), options.clone(), stop.thrown()));
        }
        let (background, stopped) = (server.clone(), stop.thrown());
        tasks.spawn(async move { background.run_background(stopped).await });
        Running { stop, tasks }
    }

    /// Starts an application server.
    pub(crate) fn app(bound: Bound, router: &Router, options: &ListenOptions) -> Self {
        let (stop, mut tasks) = (StopSwitch::new(), JoinSet::new());
        for listener in bound.listeners {
            let service = TowerToHyperService::new(router.clone().into_service::<Incoming>());
            tasks.spawn(listen(listener, service, options.clone(), stop.thrown()));
        }
        Running { stop, tasks }
    }

    /// Stops accepting and waits until what is under way has ended.
    pub(crate) async fn end(mut self) {
        self.stop.throw();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Ends a store: its listeners, then the commits and callbacks under way, then the data folder.
pub(crate) async fn end_store(running: Running, server: &Server) {
    running.end().await;
    if tokio::time::timeout(FINISH_TIMEOUT, server.finish()).await.is_err() {
        tracing::warn!("callbacks were still under way when the time was over; they stay listed as owed");
    }
}

/// Frees the data folder, once nothing uses it any more.
pub(crate) async fn close(store: &Store) {
    store.shutdown().await;
}
