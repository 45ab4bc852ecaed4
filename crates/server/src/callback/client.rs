//! Calls applications: the room between an upload's commit and its answer (CB-42 to CB-69).
//!
//! Owns everything that a call needs: addresses, connections, signatures, places and budgets. It takes an entry of
//! the outbox and gives an outcome, whoever asks; the request that owes the callback is not known here. What the
//! outcome means for the uploader is decided elsewhere.
//!
//! Each URL in turn: resolve the name once, judge the addresses, connect to the very address that was judged (or
//! use a connection to it that is open already), sign, send, read a bounded answer. A failure is logged once, here,
//! with everything that tells why.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_clock::{Clock, Random};
use countersign_protocol::ObjectKey;
use countersign_protocol::callback::parameter::CallbackParameterError;
use countersign_protocol::callback::{CallbackFailure, CallbackUrl};
use countersign_quota::places::Places;
use countersign_store::{CloseOutboxEntry, DeliveryOutcome, QueryError, Store};
use countersign_sys::{RsaKeyError, RsaMd5Key};
use rustls_pki_types::CertificateDer;
use tracing::Instrument as _;

use crate::budget::fair_budget::FairBudget;
use crate::budget::holder::CallbackDestination;
use crate::callback::address::{AllowedAddresses, Resolver, UndeliverableCallback};
use crate::callback::attempt_metrics::AttemptMetrics;
use crate::callback::budget::{
    CallbackBudget, CallbackRoom, CallbackShares, OutboxUsage, REFUSED_BODY_BYTES_MAX,
};
use crate::callback::destination_guard::AllowedNetwork;
use crate::callback::exchange::{Call, CallbackReply, Exchange};
use crate::callback::message::CallbackMessage;
use crate::callback::plan::{CallbackPlan, UploadRequest};
use crate::callback::progress::{Phase, Progress};
use crate::callback::signing::{CallbackSignature, CallbackSigner};
use crate::callback::wait::CallbackWait;
use crate::error_chain::ErrorChain;
use crate::limits::Limits;
use crate::measures::BoundMetrics;

/// How many addresses of one name are tried.
const ADDRESSES_MAX: usize = 4;

/// What a client is made of.
pub(crate) struct CallbackClientOptions {
    /// Where the outbox is.
    pub(crate) store: Store,
    /// Tells the time and waits.
    pub(crate) clock: Clock,
    /// What the keys of hash functions are drawn from.
    pub(crate) random: Random,
    /// Networks that callbacks may go to although they are not public.
    pub(crate) allowed: Vec<AllowedNetwork>,
    /// Asks for the addresses of hosts.
    pub(crate) resolver: Resolver,
    /// The key that signs.
    pub(crate) key: RsaMd5Key,
    /// Where receivers find its public half.
    pub(crate) key_url: String,
    /// The account that owns the buckets.
    pub(crate) owner_id: &'static str,
    /// Certificate authorities that are trusted besides the public ones.
    pub(crate) extra_roots: Vec<CertificateDer<'static>>,
    /// What answers may hold, applications' among them.
    pub(crate) answers: FairBudget,
    /// Sizes, counts and times.
    pub(crate) limits: Limits,
}

/// Why a client cannot be put together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallbackClientError {
    /// The public half of the key cannot be written.
    #[error("the callback key cannot be used")]
    Key(#[from] RsaKeyError),
    /// TLS towards applications cannot be set up.
    #[error("TLS for callbacks cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// Why an upload is refused for the sake of its callback.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallbackNotAdmitted {
    /// The outbox could not be asked what it holds.
    #[error("the outbox could not be counted")]
    Outbox(#[from] QueryError),
    /// Its body could grow too long.
    #[error(transparent)]
    TooLong(#[from] CallbackParameterError),
    /// It has no room.
    #[error(transparent)]
    NoRoom(#[from] CallbackRoom),
}

/// Calls applications.
pub(crate) struct CallbackClient {
    clock: Clock,
    store: Store,
    budget: CallbackBudget,
    /// A place for each attempt that is under way.
    places: Arc<Places<CallbackDestination, CallbackWait>>,
    addresses: AllowedAddresses,
    signer: CallbackSigner,
    exchange: Exchange,
    attempt_timeout: Duration,
    body_bytes_max: usize,
    metrics: AttemptMetrics,
    key_pem: String,
}

/// A callback that is signed while the entry that owes it is written.
pub(crate) struct PreparedCallback {
    message: Arc<CallbackMessage>,
    signature: CallbackSignature,
    shares: Option<CallbackShares>,
}

/// An entry of the outbox: a callback that is owed.
pub(crate) struct OutboxEntry {
    id: u64,
    message: Arc<CallbackMessage>,
    /// For the first URL, where it was begun already.
    signature: Option<CallbackSignature>,
    /// What it holds of the budgets, where it is not kept already.
    shares: Option<CallbackShares>,
}

/// How the attempts ended.
struct Delivery {
    /// The answer, or the last URL's failure.
    outcome: Result<CallbackReply, CallbackFailure>,
    /// Whether no URL leads to a destination that is permitted.
    refused_everywhere: bool,
}

impl PreparedCallback {
    /// What the outbox keeps, for an object with this key.
    pub(crate) fn payload(&mut self, key: &ObjectKey) -> Vec<u8> {
        let payload = self.message.to_payload();
        if let Some(shares) = &mut self.shares {
            shares.written(payload.len(), key.as_str().len());
        }
        payload
    }

    /// The entry, now that it is written under this number.
    pub(crate) fn written(self, id: u64) -> OutboxEntry {
        let Self { message, signature, shares } = self;
        OutboxEntry { id, message, signature: Some(signature), shares }
    }
}

impl CallbackClient {
    /// With empty budgets.
    pub(crate) fn new(options: CallbackClientOptions) -> Result<Self, CallbackClientError> {
        let CallbackClientOptions {
            store,
            clock,
            random,
            allowed,
            resolver,
            key,
            key_url,
            owner_id,
            extra_roots,
            answers,
            limits,
        } = options;
        Ok(Self {
            clock: clock.clone(),
            store,
            budget: CallbackBudget::new(&limits, &random),
            places: Places::new(limits.callbacks_max),
            addresses: AllowedAddresses {
                clock: clock.clone(),
                resolver,
                allowed,
                lookups: FairBudget::new(usize::MAX, limits.callback_lookups_max, &random),
                // Half of the attempt's time, so that it is told what was waited for.
                patience: limits.callback_timeout / 2,
            },
            key_pem: key.public_key_pem()?,
            signer: CallbackSigner::new(key),
            exchange: Exchange::new(
                &extra_roots,
                (&key_url, owner_id),
                clock,
                answers,
                limits.callback_reply_bytes_max,
            )?,
            attempt_timeout: limits.callback_timeout,
            body_bytes_max: limits.callback_body_bytes_max,
            metrics: AttemptMetrics::register(),
        })
    }

    /// The public half of the key, as the store serves it.
    pub(crate) fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// What is owed now, for the health page.
    pub(crate) fn outbox_usage(&self) -> OutboxUsage {
        self.budget.usage()
    }

    /// Reads off what is bounded, for monitors.
    pub(crate) fn measure(&self, metrics: &BoundMetrics) {
        let (used, max) = self.places.in_use();
        metrics.places("callbacks", used, max);
        let (lookups, lookups_max) = (self.addresses.lookups.held(), self.addresses.lookups.max());
        metrics.places("lookups", lookups.entries as u64, lookups_max.entries as u64);
        let (bodies, bodies_max) = self.budget.under_way();
        metrics.bytes("callback_bodies", bodies.bytes as u64, bodies_max.bytes as u64);
        let owed = self.budget.usage();
        metrics.places("owed_callbacks", owed.held.entries as u64, owed.max.entries as u64);
        metrics.bytes("owed_callbacks", owed.held.bytes as u64, owed.max.bytes as u64);
        metrics.outbox(owed.held.entries as u64, owed.held.bytes as u64);
    }

    /// Counts what an earlier run left owed, once.
    pub(crate) async fn count_outbox(&self) -> Result<(), QueryError> {
        self.budget.ready(&self.store).await
    }

    /// Which of these URLs (with `;` between them) could not be called as things stand.
    pub(crate) async fn undeliverable(&self, callback_url: &str) -> Vec<UndeliverableCallback> {
        self.addresses.undeliverable(callback_url).await
    }

    /// Refuses a body that could grow too long for an upload with this bucket, key and type, and takes the callback's
    /// share of what all callbacks may hold. Before the upload's bytes are taken.
    pub(crate) async fn admit(
        &self,
        mut plan: CallbackPlan,
        request: UploadRequest<'_>,
        upload: (&str, &ObjectKey, &str),
    ) -> Result<CallbackPlan, CallbackNotAdmitted> {
        let body_bytes = plan.body_bytes_max(request, upload, self.body_bytes_max)?;
        self.count_outbox().await?;
        let shares = self.budget.take(plan.first_url(), body_bytes).inspect_err(|room| {
            let host = plan.first_url().map_or("", |url| url.host.as_str());
            tracing::warn!(request_id = request.id, host, "an upload is refused: {room}");
        })?;
        Ok(plan.holding(shares))
    }

    /// Begins to sign a message for its first URL.
    pub(crate) fn prepare(
        &self,
        message: CallbackMessage,
        shares: Option<CallbackShares>,
    ) -> PreparedCallback {
        let message = Arc::new(message);
        let signature = self.signer.begin(&message, 0);
        PreparedCallback { message, signature, shares }
    }

    /// Calls the application and notes in the outbox what came of it. The answer counts to `client`, who is waiting
    /// for it.
    pub(crate) async fn carry_out(
        &self,
        entry: OutboxEntry,
        client: IpAddr,
    ) -> Result<CallbackReply, CallbackFailure> {
        let OutboxEntry { id, message, signature, shares } = entry;
        let delivery = self.deliver(client, &message, signature).await;
        self.note(id, &message, &delivery, shares).await;
        delivery.outcome
    }

    /// Calls the URLs in order until one answers well; else the last one's failure.
    async fn deliver(
        &self,
        client: IpAddr,
        message: &Arc<CallbackMessage>,
        mut signature: Option<CallbackSignature>,
    ) -> Delivery {
        let mut refused_everywhere = true;
        let mut outcome = Err(CallbackFailure::Unreachable);
        for (place, url) in message.urls.iter().enumerate() {
            let signature = signature.take().unwrap_or_else(|| self.signer.begin(message, place));
            let progress = Progress::of(client);
            let span = tracing::debug_span!(
                "callback_attempt",
                request_id = %message.request_id,
                phase = tracing::field::Empty,
                outcome = tracing::field::Empty,
            );
            let attempt = self.attempt_in_a_place(message, url, signature, &progress);
            outcome = attempt.instrument(span.clone()).await;
            let phase = progress.phase();
            span.record("phase", phase.word());
            span.record("outcome", self.metrics.ended(&outcome, phase));
            match &outcome {
                Ok(_) => break,
                Err(failure) => {
                    log(message, url, &progress, failure);
                    refused_everywhere &= matches!(failure, CallbackFailure::DestinationRefused { .. });
                }
            }
        }
        Delivery { refused_everywhere: refused_everywhere && outcome.is_err(), outcome }
    }

    /// One attempt, which counts to its URL's destination and may have to give way.
    async fn attempt_in_a_place(
        &self,
        message: &Arc<CallbackMessage>,
        url: &CallbackUrl,
        signature: CallbackSignature,
        progress: &Progress,
    ) -> Result<CallbackReply, CallbackFailure> {
        let wait = Arc::new(CallbackWait::begun_now(&self.clock));
        // Never waited for: a callback that leads back here must not wait for itself.
        let place = self.places.take(CallbackDestination::from(url), Arc::clone(&wait));
        let _place = place.ok_or(CallbackFailure::TooManyRequests)?;
        let deadline = self.clock.after(self.attempt_timeout);
        let attempt = self.attempt(message, url, signature, deadline, progress);
        tokio::select! {
            biased;
            () = wait.gives_way() => Err(CallbackFailure::GaveWay),
            outcome = self.clock.timeout_at(deadline, attempt) => outcome.unwrap_or(Err(CallbackFailure::TimedOut)),
        }
    }

    async fn attempt(
        &self,
        message: &Arc<CallbackMessage>,
        url: &CallbackUrl,
        signature: CallbackSignature,
        deadline: Instant,
        progress: &Progress,
    ) -> Result<CallbackReply, CallbackFailure> {
        let mut addresses = self.addresses.of(url, progress).await?;
        addresses.truncate(ADDRESSES_MAX);
        progress.enter(Phase::Sign);
        let signature = signature.ready().await?;
        let call = Call { message, url, addresses: &addresses, signature: &signature, deadline };
        self.exchange.call(call, progress).await
    }

    /// Notes the outcome. The answer waits for it only where the application did not confirm: whoever was told so finds
    /// the callback among those that were tried.
    async fn note(
        &self,
        id: u64,
        message: &CallbackMessage,
        delivery: &Delivery,
        shares: Option<CallbackShares>,
    ) {
        let failure = match &delivery.outcome {
            Ok(_) => return self.store.close_outbox_entry(id, DeliveryOutcome::Delivered),
            Err(failure) => failure.message(),
        };
        let outcome = if delivery.refused_everywhere {
            // The entry keeps the beginning of its body, for as long as there is room.
            let payload = message.refused_form(REFUSED_BODY_BYTES_MAX).to_payload();
            DeliveryOutcome::Refused { error: failure, payload }
        } else {
            if let Some(shares) = shares {
                shares.keep_owed();
            }
            DeliveryOutcome::Failed(failure)
        };
        let refused_bytes = match &outcome {
            DeliveryOutcome::Refused { payload, .. } => Some(payload.len()),
            _ => None,
        };
        let noted = self.store.commit(CloseOutboxEntry { id, outcome }).await;
        if let Some(bytes) = refused_bytes {
            self.budget.keep_refused(&self.store, id, bytes);
        }
        if let Err(error) = noted {
            tracing::warn!(id, error = %ErrorChain(&error), "it could not be noted that a callback was tried in vain");
        }
    }
}

/// The one line about a failed attempt.
fn log(message: &CallbackMessage, url: &CallbackUrl, progress: &Progress, failure: &CallbackFailure) {
    let (phase, address, reason) = (progress.phase(), progress.address(), progress.reasons());
    let request_id = &message.request_id;
    let destination = url.origin();
    tracing::warn!(%request_id, %destination, address, %phase, reason, %failure, "a callback failed");
}

#[cfg(test)]
mod tests;
