//! Flags that several commands have in common.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use countersign_app::AccessKeySecret;
use countersign_server::listen::TrustedProxy;
use countersign_server::{AllowedNetwork, EtagSource};

use super::given_address::{base_url, key_url, origin};
use super::scrub_schedule::BackgroundScrubFlags;

/// The data folder when none is named.
pub(crate) const DEFAULT_DATA: &str = "countersign-data";

/// Where a server keeps its data, or that it keeps none.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataFlags {
    /// Where everything is kept.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    /// Keep nothing: the data folder is a throw-away one, in memory where there is room, nothing is synced, and it is
    /// removed at the end, or by the next start where the process was killed.
    #[arg(long, conflicts_with = "data")]
    pub(crate) ephemeral: bool,
    /// Make that throw-away folder in this one. Without it /dev/shm where that is in memory and has room, else the
    /// folder for temporary files.
    #[arg(long, value_name = "DIR", requires = "ephemeral")]
    pub(crate) ephemeral_in: Option<PathBuf>,
}

/// The access key. Without one, the first start makes one and keeps it in the data folder.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyFlags {
    /// The access key id.
    #[arg(long, env = "COUNTERSIGN_ACCESS_KEY_ID", value_name = "ID", help_heading = "Access key")]
    pub(crate) access_key_id: Option<String>,
    /// Its secret; better given in the environment, where other users of the machine cannot read it.
    #[arg(
        long,
        env = "COUNTERSIGN_ACCESS_KEY_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        value_parser = secret,
        help_heading = "Access key"
    )]
    pub(crate) access_key_secret: Option<AccessKeySecret>,
}

/// Who stands in front of the listeners.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProxyFlags {
    /// Believe what proxies at this address or network say of the client's address, in X-Forwarded-For or by the
    /// PROXY protocol, as in 10.0.0.5 or fd00::/8; repeatable. Nobody is believed without it.
    #[arg(long, value_name = "NET", help_heading = "Proxy")]
    pub(crate) trusted_proxy: Vec<TrustedProxy>,
}

/// TLS for the command's listeners.
#[derive(Debug, Args)]
pub(crate) struct TlsFlags {
    /// The certificate chain, PEM; with it the listeners speak https.
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "TLS")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "TLS")]
    pub(crate) tls_key: Option<PathBuf>,
}

/// How the log is written. COUNTERSIGN_LOG chooses what is in it.
#[derive(Debug, Args)]
pub(crate) struct LogFlags {
    /// How the log on standard error is written: text for people, json for programs, one object a line.
    #[arg(long, value_name = "text|json", value_parser = log_format, default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// See [`LogFlags`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("write text or json".to_owned()),
    }
}

/// The one flag that only tests use.
#[derive(Debug, Args)]
pub(crate) struct ClockFlags {
    /// Move the clock by so many seconds; for tests of what happens later.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true, hide = true)]
    pub(crate) clock_offset: i64,
}

/// How the store answers and calls.
#[derive(Debug, Args)]
pub(crate) struct StoreSettings {
    /// Put what this folder holds into the store at the start: a folder for each bucket, as `export` writes it or made by
    /// hand. What is there already stays as it is.
    #[arg(long, value_name = "DIR", help_heading = "Store")]
    pub(crate) seed: Option<PathBuf>,
    /// A host name of the endpoint, so that BUCKET.NAME is a bucket; repeatable.
    #[arg(long, value_name = "NAME", help_heading = "Store")]
    pub(crate) domain: Vec<String>,
    /// Bind a whole host name to a bucket; repeatable.
    #[arg(long, value_name = "HOST=BUCKET", value_parser = host_and_bucket, help_heading = "Store")]
    pub(crate) cname: Vec<(String, String)>,
    /// The region that signatures name.
    #[arg(long, value_name = "ID", default_value = "cn-hangzhou", help_heading = "Store")]
    pub(crate) region: String,
    /// Let callbacks go to this network although it is not public; repeatable.
    #[arg(long, value_name = "CIDR[:PORT]", help_heading = "Store")]
    pub(crate) callback_allow: Vec<AllowedNetwork>,
    /// The longest body of a callback with its variables in it, as in 64KiB; an upload that asks for more is refused.
    #[arg(long, value_name = "SIZE", default_value = "64KiB", value_parser = super::quantity::bytes_held, help_heading = "Store")]
    pub(crate) callback_body_max: usize,
    /// What callbacks that no application has acknowledged may take in the catalog, as in 32MiB; while it is full, uploads
    /// with a callback are refused, those of the destination that holds most first.
    #[arg(long, value_name = "SIZE", default_value = "32MiB", value_parser = super::quantity::bytes_held, help_heading = "Store")]
    pub(crate) callback_owed_bytes_max: usize,
    /// How many callbacks may be owed at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000, help_heading = "Store")]
    pub(crate) callback_owed_max: usize,
    /// Trust this certificate authority (PEM) when calling an application by https; repeatable.
    #[arg(long, value_name = "FILE", help_heading = "Store")]
    pub(crate) callback_ca: Vec<PathBuf>,
    /// The address under which browsers reach the store, when it is not the one listened on.
    #[arg(long, value_name = "URL", value_parser = base_url, help_heading = "Store")]
    pub(crate) public_store_url: Option<String>,
    /// The address that callbacks name for the key they are signed with, for receivers that insist on one. The key is
    /// served at /_countersign/callback_pub_key_v1.pem of the store, under any host that is not a bucket's.
    #[arg(long, value_name = "URL", value_parser = key_url, help_heading = "Store")]
    pub(crate) public_key_url: Option<String>,
    /// The endpoint that ListBuckets and GetBucketInfo name; the request's own host when not given.
    #[arg(long, value_name = "HOST", help_heading = "Store")]
    pub(crate) advertised_endpoint: Option<String>,
    /// What the ETag of a form upload is made of: its MD5, as OSS answers, or its CRC-64, which large uploads wait
    /// less for; then there is no Content-MD5 either.
    #[arg(long, value_name = "md5|crc64", value_parser = etag_source, default_value = "md5", help_heading = "Store")]
    pub(crate) form_etag: EtagSource,
    #[command(flatten)]
    pub(crate) scrub: BackgroundScrubFlags,
}

/// What the application server signs.
#[derive(Debug, Args)]
pub(crate) struct SigningFlags {
    /// The folder that every upload stays in.
    #[arg(long, value_name = "DIR", help_heading = "Signing")]
    pub(crate) root: Option<String>,
    /// The folder when nobody asks for one.
    #[arg(long, value_name = "DIR", help_heading = "Signing")]
    pub(crate) dir: Option<String>,
    /// The largest file, as in 10MB or 64KiB; a bare number counts bytes. 1000MiB when not given.
    #[arg(long, value_name = "SIZE", value_parser = super::quantity::bytes, help_heading = "Signing")]
    pub(crate) max_size: Option<u64>,
    /// A content type that is allowed (image/jpeg), or one family (image/*); repeatable, all when not given.
    #[arg(long = "type", value_name = "TYPE", help_heading = "Signing")]
    pub(crate) types: Vec<String>,
    /// How long a signature lasts, as in 5m; a bare number counts seconds. 5m when not given.
    #[arg(long, value_name = "TIME", value_parser = super::quantity::duration, help_heading = "Signing")]
    pub(crate) lifetime: Option<Duration>,
    /// The signature when the caller does not choose: 1 or 4.
    #[arg(long, value_name = "1|4", value_parser = clap::value_parser!(u8).range(1..=4), help_heading = "Signing")]
    pub(crate) signature_version: Option<u8>,
    /// Put callback, access control list and storage class into the policy, so that the uploader cannot change
    /// them: what is done anyway but before the real OSS, where uploaders must then ask for fields=1.
    #[arg(long, conflicts_with = "no_pin", help_heading = "Signing")]
    pub(crate) pin: bool,
    /// Sign exactly the tutorial's policy, which leaves all of that to the uploader.
    #[arg(long, help_heading = "Signing")]
    pub(crate) no_pin: bool,
    /// The bucket's storage class, to which uploads are pinned.
    #[arg(long, value_name = "CLASS", default_value = "Standard", help_heading = "Signing")]
    pub(crate) storage_class: String,
    /// Where the store calls back to; up to five addresses with `;` between them.
    #[arg(long, value_name = "URL", help_heading = "Callback")]
    pub(crate) callback_url: Option<String>,
    /// The Host header of the callback.
    #[arg(long, value_name = "HOST", help_heading = "Callback")]
    pub(crate) callback_host: Option<String>,
    /// The template of the callback's body.
    #[arg(long, value_name = "TEMPLATE", help_heading = "Callback")]
    pub(crate) callback_body: Option<String>,
    /// The type of the callback's body.
    #[arg(long, value_name = "TYPE", help_heading = "Callback")]
    pub(crate) callback_body_type: Option<String>,
    /// Ask this application (http or https) about each upload, after its callback was verified, and relay what it
    /// answers.
    #[arg(long, value_name = "URL", help_heading = "Callback")]
    pub(crate) forward: Option<String>,
    /// Trust this certificate authority (PEM) when forwarding by https; repeatable.
    #[arg(long, value_name = "FILE", help_heading = "Callback")]
    pub(crate) forward_ca: Vec<PathBuf>,
    /// Prove to that application who uploaded what, by a secret of both sides in this file: one a line, or two while one
    /// replaces the other.
    #[arg(long, value_name = "FILE", requires = "forward", help_heading = "Callback")]
    pub(crate) forward_secret_file: Option<PathBuf>,
    /// Ask this application (http or https) who a caller is and which folder, size and types he may have, before
    /// anything is signed; it gets the caller's Cookie and Authorization: Bearer.
    #[arg(long, value_name = "URL", help_heading = "Signing")]
    pub(crate) signature_hook: Option<String>,
    /// Trust this certificate authority (PEM) when asking by https; repeatable.
    #[arg(long, value_name = "FILE", requires = "signature_hook", help_heading = "Signing")]
    pub(crate) signature_hook_ca: Vec<PathBuf>,
    /// Pass this header of the caller's on to it too, for instance one that a login in front sets; repeatable.
    #[arg(long, value_name = "NAME", requires = "signature_hook", help_heading = "Signing")]
    pub(crate) signature_hook_header: Vec<String>,
    /// Pages of this origin may ask for signatures and, in `serve`, upload into its bucket (`*` for any); repeatable.
    #[arg(long, value_name = "ORIGIN", value_parser = origin, help_heading = "Signing")]
    pub(crate) allow_origin: Vec<String>,
}

#[expect(clippy::unnecessary_wraps, reason = "clap asks for a result")]
pub(super) fn secret(text: &str) -> Result<AccessKeySecret, std::convert::Infallible> {
    Ok(AccessKeySecret::from(text))
}

fn etag_source(text: &str) -> Result<EtagSource, String> {
    match text {
        "md5" => Ok(EtagSource::Md5),
        "crc64" => Ok(EtagSource::Crc64),
        _ => Err("write md5 or crc64".to_owned()),
    }
}

fn host_and_bucket(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((host, bucket)) if !host.is_empty() && !bucket.is_empty() => {
            Ok((host.to_owned(), bucket.to_owned()))
        }
        _ => Err("write HOST=BUCKET".to_owned()),
    }
}
