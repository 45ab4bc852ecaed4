//! `countersign health`: asks the health pages of running servers, for monitors and for the health check of a
//! container, which has no other program to ask with.

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::{StatusCode, Url};

use crate::command_line::health_flags::HealthFlags;
use crate::setup::{running_app, running_store};
use crate::wording::{innermost, on_one_line};

/// The exit code for all that is not well; what cannot be asked is not well either.
const EXIT_UNWELL: u8 = 1;
/// The longest one page may take: less than what monitors usually wait.
const TIMEOUT: Duration = Duration::from_secs(4);
/// The health page of a store.
const STORE_PAGE: &str = "/_countersign/healthz";
/// The health page of an application server.
const APP_PAGE: &str = "/healthz";
/// How many bytes of an answer are read, up to the end of the piece that they come in.
const READ_MAX: usize = 16 * 1024;
/// How many letters of it are shown.
const SHOWN_MAX: usize = 2_000;

/// What a page said.
struct Said {
    status: StatusCode,
    text: String,
}

/// Asks, prints what is said, and exits with 0 if all is well.
pub(crate) async fn run(flags: HealthFlags) -> anyhow::Result<ExitCode> {
    let asked = match &flags.url {
        Some(url) => Ok(vec![url.clone()]),
        None => announced(&flags.data),
    };
    let addresses = match asked {
        Ok(addresses) => addresses,
        Err(error) => return Ok(unwell(&crate::wording::sentence(&error))),
    };
    for address in &addresses {
        match ask(address).await {
            Ok(said) if said.status == StatusCode::OK && flags.quiet => {}
            Ok(said) if said.status == StatusCode::OK => say!("{address} {}", shown(&said.text)),
            Ok(said) => {
                return Ok(unwell(&format!("{address} {} {}", said.status.as_u16(), shown(&said.text))));
            }
            Err(error) => return Ok(unwell(&format!("no answer from {address}: {}", innermost(&error)))),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the store and the application server on a data folder listen; one of them is enough.
fn announced(data: &Path) -> anyhow::Result<Vec<Url>> {
    let app = running_app::address(data)?;
    let store = match running_store::address(data) {
        Err(error) if app.is_none() => return Err(error),
        Err(_none_runs) => None,
        Ok(store) => Some(store),
    };
    let parsed = |address: String| address.parse().with_context(|| format!("{address:?} is no address"));
    store.into_iter().chain(app).map(parsed).collect()
}

fn unwell(why: &str) -> ExitCode {
    warn_line!("countersign: {why}");
    ExitCode::from(EXIT_UNWELL)
}

/// Asks exactly the page that is named; at a bare address the store's page, and the application server's where there is none.
async fn ask(address: &Url) -> Result<Said, reqwest::Error> {
    let client = client_for(address)?;
    let get = async |url: Url| {
        let mut answer = client.get(url).send().await?;
        let (status, mut body) = (answer.status(), Vec::new());
        while let Some(piece) = answer.chunk().await?.filter(|_| body.len() < READ_MAX) {
            body.extend_from_slice(&piece);
        }
        Ok(Said { status, text: String::from_utf8_lossy(&body).into_owned() })
    };
    if address.path() != "/" || address.query().is_some() {
        return get(address.clone()).await;
    }
    let page = |path: &str| {
        let mut page = address.clone();
        page.set_path(path);
        page
    };
    match get(page(STORE_PAGE)).await? {
        said if said.status == StatusCode::NOT_FOUND => get(page(APP_PAGE)).await,
        said => Ok(said),
    }
}

/// A client that goes straight there and follows nothing. On this machine a certificate is for the name that others
/// know, so the connection by number is taken without one; nothing secret is sent.
fn client_for(address: &Url) -> Result<reqwest::Client, reqwest::Error> {
    let host = address.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let own = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    reqwest::Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .danger_accept_invalid_certs(own)
        .build()
}

/// The answer's lines on one, for logs and for `docker inspect`.
fn shown(text: &str) -> String {
    let short: String = text.trim().chars().take(SHOWN_MAX).collect();
    on_one_line(&short.replace('\n', "; "))
}
