//! Passes verified callbacks on to an existing application (`--forward`), which keeps its callback handler.
//!
//! Owns the one request that passes a verified callback on. It carries a verdict that only a trusted way may bring, and
//! with a secret of both sides a [`proof`] that the application can check itself, whatever way it came: who
//! uploaded, into which folder, and with which values. The application is asked within a bounded time, and its answer
//! is relayed.

use std::{str::FromStr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::Full;
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;

use crate::{
    answer::Answer,
    application::{ApplicationClient, ApplicationError, ApplicationUrlError, Bounds, header_value},
    callback_verifier::VerifiedCallback,
};
use proof::ForwardSecrets;

pub mod proof;

/// Within this time the application must have answered whole; the store gives up after 5 seconds.
pub const FORWARD_TIMEOUT: Duration = Duration::from_secs(4);
/// The longest answer that is relayed: the store takes no longer one.
pub const FORWARD_ANSWER_BYTES_MAX: usize = 3 * 1024 * 1024;
/// What the answers that are being relayed may hold together, in bytes.
const ANSWERS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Tells the application that the callback was verified. Whatever a caller sends under this name is dropped.
pub const VERDICT_HEADER: &str = "x-countersign-verdict";
/// The path and query that the store called, which its signature covers.
pub const PATH_HEADER: &str = "x-countersign-callback-path";
/// The address of the key that verified.
pub const KEY_URL_HEADER: &str = "x-countersign-key-url";
/// Who uploaded what for whom, under an HMAC: see [`proof`]. Whatever a caller sends under this name is dropped.
pub const PROOF_HEADER: &str = "x-countersign-proof";

/// The only headers that are passed on. None of them is covered by the store's signature: they are what an existing
/// handler needs to read the body and to verify it once more. Whom a callback claims to come from (`x-oss-requester`,
/// `x-oss-owner`, `x-oss-bucket`) is not among them, nor what a login in front might have set.
const PASSED_ON: [&str; 9] = [
    "authorization",
    "content-md5",
    "content-type",
    "date",
    "user-agent",
    "x-oss-pub-key-url",
    "x-oss-request-id",
    "x-oss-signature-version",
    "x-oss-tag",
];

/// Where verified callbacks are passed on to.
#[derive(Clone, Debug)]
pub struct Forward {
    application: ApplicationClient,
    secrets: Option<ForwardSecrets>,
}

impl FromStr for Forward {
    type Err = ApplicationUrlError;

    fn from_str(url: &str) -> Result<Self, ApplicationUrlError> {
        let bounds = Bounds {
            time: FORWARD_TIMEOUT,
            answer_bytes_max: FORWARD_ANSWER_BYTES_MAX,
            answers_bytes_max: ANSWERS_BYTES_MAX,
        };
        Ok(Self { application: ApplicationClient::new(url, bounds)?, secrets: None })
    }
}

impl Forward {
    /// Gives the application another time than [`FORWARD_TIMEOUT`].
    ///
    /// ```
    /// use countersign_app::forward::Forward;
    ///
    /// let forward: Forward = "http://127.0.0.1:8000/oss/callback".parse()?;
    /// let forward = forward.with_timeout(std::time::Duration::from_millis(1_500));
    /// # let _ = forward;
    /// assert!("ftp://127.0.0.1/".parse::<Forward>().is_err(), "http or https");
    /// # Ok::<(), countersign_app::application::ApplicationUrlError>(())
    /// ```
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.application = self.application.with_timeout(timeout);
        self
    }

    /// Trusts these certificate authorities too, where the address is https.
    ///
    /// # Errors
    /// [`ApplicationUrlError::Tls`] when one of them cannot be read.
    pub fn trusting(mut self, roots: &[CertificateDer<'static>]) -> Result<Self, ApplicationUrlError> {
        self.application = self.application.trusting(roots)?;
        Ok(self)
    }

    /// Proves to the application what is passed on, by secrets that it knows.
    ///
    /// ```
    /// use countersign_app::forward::{Forward, proof::ForwardSecrets};
    ///
    /// let secrets = ForwardSecrets::parse("3c8e1f0a9d7b4c55")?;
    /// let forward = "https://app.example/oss".parse::<Forward>()?.trusting(&[])?.proving(secrets);
    /// assert!(!format!("{forward:?}").contains("3c8e"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn proving(mut self, secrets: ForwardSecrets) -> Self {
        self.secrets = Some(secrets);
        self
    }

    /// Passes a verified callback on and brings the application's answer: its status, its type and its body. A
    /// redirect is an answer like others and is not followed.
    ///
    /// # Errors
    /// When there is no whole answer in time.
    ///
    /// ```
    /// use countersign_app::{CallbackVerifier, Timestamp, forward::Forward, recorded_request::RecordedRequest};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (head, _) = http::Request::post("/index.php?id=1&index=2")
    /// #     .header("authorization", "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==")
    /// #     .header("x-oss-pub-key-url", "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ==")
    /// #     .body(())?
    /// #     .into_parts();
    /// # let received = RecordedRequest::new(&head, "bucket=yonghu-test".into());
    /// let callback = CallbackVerifier::new().pin_alibaba()?.verify_request(received, None)?;
    ///
    /// // An application that has had its callback handler for years, and here only says no.
    /// let handler = axum::routing::post(|body: String| async move {
    ///     assert_eq!(body, "bucket=yonghu-test");
    ///     (axum::http::StatusCode::FORBIDDEN, "no")
    /// });
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let url = format!("http://{}/oss", listener.local_addr()?);
    /// tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/oss", handler)).await });
    ///
    /// let answer = url.parse::<Forward>()?.send(&callback, Timestamp::now()).await?;
    /// assert_eq!((answer.status.as_u16(), answer.accepts()), (403, false));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send(
        &self,
        callback: &VerifiedCallback,
        now: Timestamp,
    ) -> Result<Answer, ApplicationError> {
        self.application.ask(self.request(callback, now)?).await
    }

    fn request(
        &self,
        callback: &VerifiedCallback,
        now: Timestamp,
    ) -> Result<Request<Full<Bytes>>, ApplicationError> {
        let recorded = &callback.request;
        let mut request = Request::builder()
            .method(recorded.method.clone())
            .uri(&self.application.path_and_query)
            .body(Full::new(recorded.body.clone()))?;
        let headers = request.headers_mut();
        *headers = passed_on(&recorded.headers);
        // The signed id, where there is one, and not what the header says.
        if let Some(id) = &callback.facts.request_id {
            headers.insert("x-oss-request-id", header_value(id)?);
        }
        headers.insert(VERDICT_HEADER, HeaderValue::from_static("verified"));
        headers.insert(PATH_HEADER, header_value(&recorded.path)?);
        headers.insert(KEY_URL_HEADER, header_value(&callback.key_url)?);
        if let Some(secrets) = &self.secrets {
            let proof = secrets.proof(callback.grant.as_ref(), now, &recorded.body);
            headers.insert(PROOF_HEADER, header_value(&proof)?);
        }
        Ok(request)
    }
}

fn passed_on(received: &HeaderMap) -> HeaderMap {
    let listed = PASSED_ON.iter().filter_map(|name| {
        let name = HeaderName::from_static(name);
        received.get(&name).map(|value| (name.clone(), value.clone()))
    });
    listed.collect()
}

#[cfg(test)]
mod tests;
