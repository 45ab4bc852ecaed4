//! Makes the store and its HTTP server from flags: the same for `serve` and `store`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use countersign_server::{
    AllowedNetwork, CALLBACK_KEY_PATH, Credential, Limits, Server, ServerOptions, system_resolver,
};
use countersign_store::catalog::SharedCatalog;
use countersign_store::{Clock, OpenError, Random, ScrubPace, Store, StoreOptions};
use countersign_sys::RsaMd5Key;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::credentials::AccessKey;
use crate::command_line::flag_groups::StoreSettings;
use crate::network::reachable::Reachable;

/// How long deleted bytes stay. Readers are in this process and hold what they read, so it need only be longer
/// than the moment between finding an object and beginning to read it.
const GARBAGE_GRACE: Duration = Duration::from_secs(5);

/// A store with its HTTP face, not yet listening.
pub(crate) struct StoreServer {
    /// Everything that is kept.
    pub(crate) store: Store,
    /// What answers requests.
    pub(crate) server: Server,
    /// The address that callbacks name for the key they are signed with.
    pub(crate) callback_key_url: String,
    /// The public half of that key.
    pub(crate) callback_key_pem: String,
}

/// What a store is made of beside its settings.
pub(crate) struct Parts<'a> {
    /// The data folder, which is there.
    pub(crate) data: &'a Path,
    /// Opens the catalog, where it is a database.
    pub(crate) shared_catalog: Option<Arc<dyn SharedCatalog>>,
    /// Whether what is acknowledged must outlive the machine; see [`StoreOptions::durable`].
    pub(crate) durable: bool,
    /// The source of time.
    pub(crate) clock: &'a Clock,
    /// The owner's key.
    pub(crate) access_key: &'a AccessKey,
    /// Where the store will listen.
    pub(crate) reachable: &'a Reachable,
    /// Networks that callbacks may go to, beside those in the settings.
    pub(crate) also_allow: Vec<AllowedNetwork>,
}

/// Opens the store and puts its server together.
pub(crate) async fn open(
    settings: &StoreSettings,
    callback_key: RsaMd5Key,
    parts: Parts<'_>,
) -> anyhow::Result<StoreServer> {
    let mut options = StoreOptions::new(parts.data, parts.clock.clone());
    options.garbage_grace = GARBAGE_GRACE;
    options.durable = parts.durable;
    options.shared_catalog = parts.shared_catalog;
    let store = match Store::open(options).await {
        // Says of itself which folder.
        Err(error @ (OpenError::Folder { .. } | OpenError::SharedCatalog(_))) => return Err(error.into()),
        opened => {
            opened.with_context(|| format!("the data folder {} cannot be used", parts.data.display()))?
        }
    };
    if let Some(every) = settings.scrub.scrub_every.0 {
        let bytes_per_second = settings.scrub.scrub_rate;
        store
            .scrub_in_background(ScrubPace { every, bytes_per_second })
            .context("the scrub cannot be started")?;
    }
    let base = settings.public_store_url.clone().unwrap_or_else(|| parts.reachable.own_url());
    let own_key_url = || format!("{base}{CALLBACK_KEY_PATH}");
    let callback_key_url = settings.public_key_url.clone().unwrap_or_else(own_key_url);
    let callback_key_pem = callback_key.public_key_pem().context("the callback key cannot be published")?;
    let mut callback_allow = settings.callback_allow.clone();
    callback_allow.extend(parts.also_allow);
    let server = Server::new(ServerOptions {
        store: store.clone(),
        clock: parts.clock.clone(),
        random: Random::system(),
        credentials: vec![Credential {
            id: parts.access_key.id.clone(),
            secret: parts.access_key.secret.clone(),
        }],
        domains: settings.domain.clone(),
        cname: settings.cname.clone(),
        region: settings.region.clone(),
        advertised_endpoint: settings.advertised_endpoint.clone(),
        public_store_url: settings.public_store_url.clone(),
        callback_allow,
        callback_key,
        callback_key_url: callback_key_url.clone(),
        callback_resolver: system_resolver(),
        callback_extra_roots: certificates(&settings.callback_ca)?,
        form_etag: settings.form_etag,
        limits: limits(settings),
    })?;
    Ok(StoreServer { store, server, callback_key_url, callback_key_pem })
}

fn limits(settings: &StoreSettings) -> Limits {
    let defaults = Limits::default();
    Limits {
        callback_body_bytes_max: settings.callback_body_max,
        // It holds a few of the longest, whatever their length is.
        callback_bodies_bytes_max: defaults
            .callback_bodies_bytes_max
            .max(settings.callback_body_max.saturating_mul(16)),
        callbacks_owed_bytes_max: settings.callback_owed_bytes_max,
        callbacks_owed_max: settings.callback_owed_max,
        ..defaults
    }
}

/// The certificates in these PEM files; each must hold one.
pub(crate) fn certificates(files: &[PathBuf]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let mut roots = Vec::new();
    for file in files {
        let certificates = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .with_context(|| format!("{} holds no certificate", file.display()))?;
        roots.extend(certificates);
    }
    Ok(roots)
}
