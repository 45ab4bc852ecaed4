//! `countersign app`: runs the application server alone, in front of this store or of the real OSS.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use axum::Router;
use axum::routing::get;
use countersign_app::router::admission::Admission;
use countersign_app::router::allowed_origins::AllowedOrigins;
use countersign_app::router::{date::dated, uploads_routes};
use countersign_app::upload_path::UploadPath;
use countersign_app::{
    AccessKeySecret, AppOptions, CallbackVerifier, Pins, Signer, SignerOptions, StoreKind,
};
use countersign_server::listen::request_log::RequestLog;
use countersign_store::Clock;
use http::HeaderName;

use crate::admin::{Admin, Watched};
use crate::command_line::app_flags::AppFlags;
use crate::network::reachable::Reachable;
use crate::serve::DEFAULT_APP_PORT;
use crate::setup::data_folder::{self, DataFolder};
use crate::setup::listeners::{self, Wanted};
use crate::setup::running::Running;
use crate::setup::shutdown::EndSignals;
use crate::setup::{clock, readiness, running_app, signing};

/// Runs until it is asked to stop.
pub(crate) async fn run(mut flags: AppFlags) -> anyhow::Result<ExitCode> {
    let signals = EndSignals::listen()?;
    refuse_open_listener(&flags)?;
    let options = listeners::options(&flags.tls, &flags.proxy, RequestLog::Full, 1)?;
    let bound = listeners::bind(Wanted::or_default(flags.listen, DEFAULT_APP_PORT), None).await?;
    // Before the routes are made, so that they are measured.
    let admin = Admin::bind(flags.admin).await?;
    let reachable =
        Reachable::new(options.tls.is_some(), bound.addresses.clone(), flags.public_app_url.clone());
    let folder = DataFolder::make(&mut flags.place)?;
    let clock = clock::real(flags.clock.clock_offset);
    let app = app_options(&flags, &clock)?;
    let host = app.signer.options().host.clone();
    let callback =
        app.signer.options().callback.as_ref().map_or("none", |callback| callback.url.as_str()).to_owned();
    let pinned = pins_in_words(app.signer.options());
    let router = routes(app);
    say!("signing uploads to    {host}");
    say!("application server    {}", reachable.own_url());
    if let Some(url) = admin.metrics_url() {
        say!("metrics               {url}");
    }
    say!("callback              {callback}");
    say!("pinned                {pinned}");
    if flags.place.ephemeral {
        say!("ledger                in memory, gone at the end");
    } else {
        say!("ledger                {}", flags.place.data.join("ledger.sqlite").display());
    }
    folder.say("signing uploads to    ".len());
    say!("stop                  Ctrl-C");
    let announced = running_app::announce(&flags.place.data, &reachable.own_url())?;
    let listening = Running::app(bound, &router, &options);
    let admin = admin.start(Watched::application());
    readiness::ready();
    signals.asked().await;
    readiness::stopping();
    admin.stopping();
    drop(announced);
    listening.end().await;
    admin.end().await;
    folder.end()?;
    Ok(ExitCode::SUCCESS)
}

/// The library's endpoints. The list is the operator's, of every folder, unless an application says whose it is.
fn routes(app: AppOptions) -> Router {
    let clock = Arc::clone(&app.clock);
    let list = uploads_routes(AppOptions { folder: UploadPath::whole_bucket(), ..app.clone() });
    let health = Router::new().route("/healthz", get(|| async { "ok\n" }));
    dated(countersign_app::router(app).merge(list).merge(health), clock)
}

/// A listener that others reach would sign for anybody.
fn refuse_open_listener(flags: &AppFlags) -> anyhow::Result<()> {
    let proven =
        flags.token.is_some() || flags.trusted_header.is_some() || flags.signing.signature_hook.is_some();
    let open = flags.listen.filter(|address: &SocketAddr| !address.ip().is_loopback());
    match open {
        Some(address) if !proven => bail!(
            "{address} is reached by others, and whoever reaches it could upload: give a --token, the --trusted-header \
             that your proxy sets after its login, or a --signature-hook"
        ),
        _ => Ok(()),
    }
}

fn app_options(flags: &AppFlags, clock: &Clock) -> anyhow::Result<AppOptions> {
    let signer = Signer::new(signer_options(flags)?, clock.to_wall())?;
    let ledger = data_folder::ledger(&flags.place)?;
    let mut app = AppOptions::new(signer, verifier(flags)?, ledger, clock.to_wall());
    app.admission = admission(flags)?;
    app.origins = AllowedOrigins::from_list(flags.signing.allow_origin.clone());
    app.called_path.clone_from(&flags.called_path);
    app.callback_body_bytes_max = flags.callback_body_max;
    app.folder = app.signer.options().root.clone();
    signing::with_application(app, &flags.signing)
}

fn signer_options(flags: &AppFlags) -> anyhow::Result<SignerOptions> {
    let (Some(id), Some(secret)) = (&flags.key.access_key_id, &flags.key.access_key_secret) else {
        bail!("signing needs COUNTERSIGN_ACCESS_KEY_ID and COUNTERSIGN_ACCESS_KEY_SECRET");
    };
    if id.is_empty() || secret.as_bytes().is_empty() {
        bail!("COUNTERSIGN_ACCESS_KEY_ID and COUNTERSIGN_ACCESS_KEY_SECRET may not be empty");
    }
    let host = flags.host.as_deref().context("--host is missing: the address that uploads go to")?;
    let bucket = match &flags.bucket {
        Some(bucket) => bucket.clone(),
        None => {
            bucket_in(host).context("--bucket is missing, and the host's name does not begin with one")?
        }
    };
    let mut options = SignerOptions::new(id, secret.clone(), bucket, host);
    options.store = flags.store_kind.unwrap_or_else(|| store_behind(host, &flags.callback_key));
    options.region.clone_from(&flags.region);
    options.security_token.clone_from(&flags.security_token);
    let own = flags.public_app_url.as_ref().map(|url| format!("{url}/callback"));
    signing::apply(&mut options, &flags.signing, flags.signing.callback_url.clone().or(own))?;
    if options.root != UploadPath::whole_bucket()
        && options.directory.is_none()
        && flags.signing.root.is_none()
    {
        options.directory = Some(options.root.clone());
    }
    Ok(options)
}

/// What stores behind the host. OSS is reached by names only, also by names of the operator's, and signs its callbacks
/// with a key of Alibaba's.
fn store_behind(host: &str, callback_keys: &[(String, PathBuf)]) -> StoreKind {
    let own_key = callback_keys.iter().any(|(url, _)| !url.contains(".alicdn.com/"));
    let unnamed = reqwest::Url::parse(host).is_ok_and(|url| {
        url.host_str().is_some_and(|host| host == "localhost" || host.ends_with(".localhost"))
            || url.domain().is_none()
    });
    if own_key || unnamed { StoreKind::of_host(host) } else { StoreKind::Oss }
}

/// What is said of the pins at the start.
fn pins_in_words(options: &SignerOptions) -> &'static str {
    match (options.pins, options.store) {
        (Pins::Tutorial, _) => "none",
        (Pins::Usual, StoreKind::Oss) => {
            "the callback only, for OSS refuses more in the samples' forms; --pin pins more"
        }
        (Pins::All, StoreKind::Oss) => {
            "callback, access control list, class; uploaders must ask for fields=1"
        }
        (_, StoreKind::Countersign) => "callback, access control list, class",
    }
}

/// `demo` in `https://demo.oss-cn-hangzhou.aliyuncs.com`, and the first part of the path behind a number.
fn bucket_in(host: &str) -> Option<String> {
    let url = reqwest::Url::parse(host).ok()?;
    let in_path = url.path_segments().and_then(|mut parts| parts.next().map(str::to_owned));
    match url.domain() {
        Some(domain) if domain.contains('.') => domain.split('.').next().map(str::to_owned),
        _ => in_path.filter(|bucket| !bucket.is_empty()),
    }
}

fn verifier(flags: &AppFlags) -> anyhow::Result<CallbackVerifier> {
    let mut verifier = CallbackVerifier::new().pin_alibaba()?;
    for (url, file) in &flags.callback_key {
        let pem =
            std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        verifier = verifier.pin(url, &pem)?;
    }
    Ok(verifier)
}

fn admission(flags: &AppFlags) -> anyhow::Result<Admission> {
    let mut admission = Admission::open();
    if let Some(token) = &flags.token {
        admission = admission.or_token(token.clone());
    }
    if let Some(header) = &flags.trusted_header {
        let (name, value) = trusted_header(header).context("--trusted-header")?;
        admission = admission.or_trusted_header(name, value);
    }
    Ok(admission)
}

/// `NAME` or `NAME=VALUE`. An empty value is refused: an empty header is what a proxy sends for nobody.
fn trusted_header(text: &str) -> anyhow::Result<(HeaderName, Option<AccessKeySecret>)> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    if value.is_some_and(str::is_empty) {
        bail!("{text:?} has no value; write NAME=VALUE, or NAME for any that is not empty");
    }
    let parsed = name.parse().ok().with_context(|| format!("{name:?} is no name of a header"))?;
    Ok((parsed, value.map(AccessKeySecret::from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_header_is_a_name_or_a_name_with_a_value() {
        assert_eq!(trusted_header("X-User").unwrap(), (HeaderName::from_static("x-user"), None));
        assert_eq!(trusted_header("X-Key=a=b").unwrap().1, Some(AccessKeySecret::from("a=b")));
        for wrong in ["X-User=", "", "=", "=a", "a b"] {
            assert!(trusted_header(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_store_of_ours_is_known_by_its_number_or_by_where_its_key_lies() {
        let key = |url: &str| vec![(url.to_owned(), PathBuf::new())];
        let own = key("https://store.example.com/_countersign/callback_pub_key_v1.pem");
        for (host, keys, kind) in [
            ("https://demo.oss-cn-hangzhou.aliyuncs.com", &own, StoreKind::Oss),
            ("https://cdn.example.com", &vec![], StoreKind::Oss),
            ("https://cdn.example.com", &key("https://gosspublic.alicdn.com/k.pem"), StoreKind::Oss),
            ("https://store.example.com/demo", &own, StoreKind::Countersign),
            ("http://127.0.0.1:9817/demo", &vec![], StoreKind::Countersign),
            ("http://[::1]:9817/demo", &vec![], StoreKind::Countersign),
            ("http://demo.localhost:9817", &vec![], StoreKind::Countersign),
        ] {
            assert_eq!(store_behind(host, keys), kind, "{host}");
        }
    }

    #[test]
    fn the_bucket_is_read_from_the_hosts_name_or_from_the_path_behind_a_number() {
        assert_eq!(bucket_in("https://demo.oss-cn-hangzhou.aliyuncs.com").as_deref(), Some("demo"));
        assert_eq!(bucket_in("http://127.0.0.1:9817/photos").as_deref(), Some("photos"));
        assert_eq!(bucket_in("http://localhost:9817/photos").as_deref(), Some("photos"));
        assert_eq!(bucket_in("http://127.0.0.1:9817"), None);
    }
}
