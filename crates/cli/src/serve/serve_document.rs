//! Handles `GET /serve.json`: the addresses and limits that the page must know.

use anyhow::Context as _;
use countersign_app::AppOptions;
use serde_json::{Value, json};

use super::addresses::Addresses;
use super::demo_bucket::{BUCKET, RETENTION_HOURS};
use crate::command_line::serve_flags::ServeFlags;
use crate::network::qr_code;

/// What does not change while the program runs.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    switches: bool,
    callback: &'static str,
    bytes_max: u64,
    types: Vec<String>,
    directory: String,
    /// The address for phones, with its token.
    pub(super) phone_url: Option<String>,
    qr_svg: Option<String>,
}

impl Facts {
    pub(super) fn new(
        flags: &ServeFlags,
        app: &AppOptions,
        addresses: &Addresses,
        token: Option<&str>,
    ) -> anyhow::Result<Self> {
        let signer = app.signer.options();
        let callback = match (&signer.callback, &flags.signing.callback_url) {
            (None, _) => "none",
            (Some(_), None) => "own",
            (Some(_), Some(_)) => "other",
        };
        let phone_url = phone_url(flags, addresses, token);
        let qr_svg = phone_url.as_deref().map(qr_code::as_svg).transpose().context("the QR code")?;
        let directory = signer.directory.as_ref().unwrap_or(&signer.root).as_str().to_owned();
        Ok(Facts {
            switches: app.switches,
            callback,
            bytes_max: *signer.size_bytes.end(),
            types: signer.content_types.clone(),
            directory,
            phone_url,
            qr_svg,
        })
    }

    /// The document for someone who reaches the store at `store`.
    pub(super) fn document(&self, store: &str, ready: bool) -> Value {
        let lan = self
            .phone_url
            .as_ref()
            .zip(self.qr_svg.as_ref())
            .map(|(url, qr)| json!({ "url": url, "qr": qr }));
        json!({
            "switches": self.switches,
            "callback": self.callback,
            "retentionHours": RETENTION_HOURS,
            "limits": { "maxBytes": self.bytes_max, "types": self.types },
            "dir": self.directory,
            "store": { "url": store, "ready": ready },
            "lan": lan,
            "bucket": BUCKET,
        })
    }
}

/// The address that a phone opens, where the page is open to others.
fn phone_url(flags: &ServeFlags, addresses: &Addresses, token: Option<&str>) -> Option<String> {
    let token = token?;
    let base = match (&flags.public_app_url, addresses.lan) {
        (Some(public), _) => public.clone(),
        (None, Some(lan)) => addresses.app.url_for(lan),
        (None, None) => addresses.app.own_url(),
    };
    Some(format!("{base}/?token={token}"))
}
