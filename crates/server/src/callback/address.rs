//! Resolves a callback's host to addresses, once, and checks each of them against the allowed networks.
//!
//! Clauses CB-46, CB-64.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use countersign_clock::Clock;
use countersign_protocol::callback::{CallbackFailure, CallbackUrl};

use crate::budget::fair_budget::{BudgetShare, FairBudget};
use crate::callback::destination_guard::{self, AllowedNetwork};
use crate::callback::progress::{Phase, Progress};
use countersign_quota::client_network::ClientNetwork;

/// How often one that waits for a place looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Gives the addresses of a host and port. It may block: each question has a thread of its own.
pub type Resolver = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// A callback URL that could not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin} could not be called: {reason}")]
pub struct UndeliverableCallback {
    /// The URL's [`CallbackUrl::origin`]; `…` where it is no URL, since who knows what stands in it then.
    pub origin: String,
    /// Why, naming the option that would permit it where one would.
    pub reason: String,
}

/// Asks the system.
pub fn system_resolver() -> Resolver {
    Arc::new(|host, port| (host, port).to_socket_addrs().map(Iterator::collect))
}

/// Finds the addresses that callbacks may go to.
pub(super) struct AllowedAddresses {
    /// Times the waiting.
    pub(super) clock: Clock,
    /// Asks for the addresses of a host.
    pub(super) resolver: Resolver,
    /// Networks that callbacks may go to although they are not public.
    pub(super) allowed: Vec<AllowedNetwork>,
    /// One permit for each name that is being resolved.
    pub(super) lookups: FairBudget,
    /// How long one waits for such a permit.
    pub(super) patience: Duration,
}

impl AllowedAddresses {
    /// Those of the URLs that have no address or none that is permitted.
    pub(super) async fn undeliverable(&self, callback_url: &str) -> Vec<UndeliverableCallback> {
        let mut found = Vec::new();
        for text in callback_url.split(';').map(str::trim).filter(|text| !text.is_empty()) {
            let progress = Progress::of(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            let (origin, failure) = match CallbackUrl::parse(text) {
                Ok(url) => {
                    (url.origin(), self.of(&url, &progress).await.err().map(|failure| failure.to_string()))
                }
                Err(error) => ("…".to_owned(), Some(error.to_string())),
            };
            if let Some(failure) = failure {
                let reasons = progress.reasons();
                let reason = if reasons.is_empty() { failure } else { reasons };
                found.push(UndeliverableCallback { origin, reason });
            }
        }
        found
    }

    /// The addresses of the URL's host that the guard lets through; IPv4 first, as OSS knows nothing else.
    pub(super) async fn of(
        &self,
        url: &CallbackUrl,
        progress: &Progress,
    ) -> Result<Vec<SocketAddr>, CallbackFailure> {
        let mut addresses = self.resolve(url, progress).await?;
        progress.enter(Phase::Judge);
        addresses.sort_by_key(SocketAddr::is_ipv6);
        let mut refused = None;
        let mut permitted = Vec::with_capacity(addresses.len());
        for address in addresses {
            match destination_guard::check(address, &self.allowed) {
                Ok(address) => permitted.push(address),
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        if let (true, Some(refusal)) = (permitted.is_empty(), refused) {
            progress.because(&refusal);
            return Err(CallbackFailure::DestinationRefused { allow: refusal.option() });
        }
        Ok(permitted)
    }

    async fn resolve(
        &self,
        url: &CallbackUrl,
        progress: &Progress,
    ) -> Result<Vec<SocketAddr>, CallbackFailure> {
        if let Ok(address) = url.host.parse::<Ipv4Addr>() {
            return Ok(vec![SocketAddr::from((address, url.port))]);
        }
        let unresolved = |error: &dyn std::fmt::Display| {
            progress.because(error);
            CallbackFailure::NameUnresolved
        };
        // Half of the attempt's time, so that it is told what was waited for.
        let waiting = self.clock.timeout(
            self.patience,
            lookup_place(&self.clock, &self.lookups, ClientNetwork::from(progress.client())),
        );
        let place = match waiting.await {
            Ok(place) => place,
            Err(_) => {
                return Err(unresolved(&"too many names are being resolved, and nobody answers for them"));
            }
        };
        let (host, port) = (url.host.clone(), url.port);
        let resolver = Arc::clone(&self.resolver);
        // The thread keeps the place, not whoever waits: names that nobody answers for must not take the threads
        // that wait for the disk.
        let asked = tokio::task::spawn_blocking(move || {
            let addresses = resolver(&host, port);
            drop(place);
            addresses
        });
        match asked.await {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(unresolved(&error)),
            Err(lost) => Err(unresolved(&lost)),
        }
    }
}

/// A place among the names that are being asked for. A client has at most half of what is free, so that one whose
/// names lead nowhere does not keep the names of others from being asked for.
async fn lookup_place(clock: &Clock, lookups: &FairBudget, client: ClientNetwork) -> BudgetShare {
    loop {
        if let Ok(place) = lookups.take(&client, 0) {
            return place;
        }
        clock.sleep(LOOK_AGAIN).await;
    }
}
