//! The flags of `app`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use countersign_app::{AccessKeySecret, StoreKind};

use super::admin_address::{AdminAddress, admin_address};
use super::flag_groups::{ClockFlags, DataFlags, KeyFlags, LogFlags, ProxyFlags, SigningFlags, TlsFlags};
use super::given_address::{base_url, listen_address};

/// Flags of `app`.
#[derive(Debug, Args)]
pub(crate) struct AppFlags {
    #[command(flatten)]
    pub(crate) place: DataFlags,
    /// The address to listen on. Without it 127.0.0.1:9818, or the next free port.
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub(crate) listen: Option<SocketAddr>,
    /// Where the administration listener is, with metrics and health for monitors of this machine or a private network.
    /// Without it there is none.
    #[arg(long, value_name = "ADDR|none", value_parser = admin_address)]
    pub(crate) admin: Option<AdminAddress>,
    /// The upload address that uploaders are told, as in `https://BUCKET.oss-cn-hangzhou.aliyuncs.com`.
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(crate) host: Option<String>,
    /// The bucket; the first part of the host's name when not given.
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<String>,
    /// What stores: oss refuses conditions on fields that a form lacks, countersign does not. Taken from the host's
    /// name and from --callback-key when not given.
    #[arg(long, value_name = "oss|countersign", value_parser = store_kind)]
    pub(crate) store_kind: Option<StoreKind>,
    /// The region that V4 signatures name.
    #[arg(long, value_name = "ID", default_value = "cn-hangzhou")]
    pub(crate) region: String,
    /// The token of temporary credentials (STS).
    #[arg(long, value_name = "TOKEN", env = "COUNTERSIGN_SECURITY_TOKEN", hide_env_values = true)]
    pub(crate) security_token: Option<String>,
    /// Trust callbacks signed with this key, published at that address; repeatable. Alibaba's is known.
    #[arg(long, value_name = "URL=FILE", value_parser = url_and_file)]
    pub(crate) callback_key: Vec<(String, PathBuf)>,
    /// The longest body of a callback that is read, as in 64KiB.
    #[arg(long, value_name = "SIZE", default_value = "64KiB", value_parser = super::quantity::bytes_held)]
    pub(crate) callback_body_max: usize,
    /// The path that the store calls, when a proxy in front changes it.
    #[arg(long, value_name = "PATH")]
    pub(crate) called_path: Option<String>,
    /// The address under which callers reach this server; the callback goes to its /callback when no
    /// --callback-url says otherwise.
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(crate) public_app_url: Option<String>,
    /// Whoever asks for signatures or the ledger must show this token.
    #[arg(long, value_name = "TOKEN", env = "COUNTERSIGN_TOKEN", hide_env_values = true, value_parser = token)]
    pub(crate) token: Option<AccessKeySecret>,
    /// Or a header that the proxy in front sets after its login: NAME, or NAME=VALUE.
    #[arg(long, value_name = "NAME[=VALUE]", hide_env_values = true)]
    pub(crate) trusted_header: Option<String>,
    #[command(flatten)]
    pub(crate) key: KeyFlags,
    #[command(flatten)]
    pub(crate) signing: SigningFlags,
    #[command(flatten)]
    pub(crate) tls: TlsFlags,
    #[command(flatten)]
    pub(crate) proxy: ProxyFlags,
    #[command(flatten)]
    pub(crate) log: LogFlags,
    #[command(flatten)]
    pub(crate) clock: ClockFlags,
}

fn store_kind(text: &str) -> Result<StoreKind, String> {
    match text {
        "oss" => Ok(StoreKind::Oss),
        "countersign" => Ok(StoreKind::Countersign),
        _ => Err("write oss or countersign".to_owned()),
    }
}

fn url_and_file(text: &str) -> Result<(String, PathBuf), String> {
    // The last `=`, because an address may hold one and a file name hardly does.
    match text.rsplit_once('=') {
        Some((url, file)) if !url.is_empty() && !file.is_empty() => Ok((url.to_owned(), PathBuf::from(file))),
        _ => Err("write URL=FILE".to_owned()),
    }
}

fn token(text: &str) -> Result<AccessKeySecret, String> {
    if text.len() < 6 {
        Err("a token has at least 6 letters".to_owned())
    } else {
        Ok(AccessKeySecret::from(text))
    }
}
