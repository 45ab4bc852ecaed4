//! Asks an application over HTTP which user a request belongs to and what it may upload, before anything is signed
//! (`--signature-hook`).
//!
//! The question is a GET with the caller's own `Cookie` and `Authorization: Bearer`, which the application knows how to
//! read, and no other header of the caller's unless it is named. The answer is a [`Grant`] in JSON
//! ([`hook_answer`]). Whatever else comes, or nothing, is a refusal: nothing is signed on an answer that was not
//! understood, no answer is kept for another request, no redirect is followed, and no cookie of the application's goes
//! back. `docs/your-application.md` tells the application's side.

use std::{net::IpAddr, net::SocketAddr, sync::Arc, time::Duration};

use axum::extract::ConnectInfo;
use bytes::Bytes;
use countersign_protocol::url_encoding;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version, header, request::Parts};
use http_body_util::Full;
use rustls_pki_types::CertificateDer;
use thiserror::Error;

use crate::{
    answer::Answer,
    application::{ApplicationClient, ApplicationError, ApplicationUrlError, Bounds},
    grant::Grant,
    router::{
        app_options::AppOptions,
        hooks::{Purpose, Question},
    },
};
use hook_answer::{UnusableAnswer, read_grant, read_message};
use hook_places::{HookPlaces, QUESTIONS_MAX};

pub mod hook_answer;
mod hook_places;

/// Within this time the application must have answered whole.
pub const HOOK_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest answer that is read.
pub const HOOK_ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Headers that are this server's to write, or that would change how the request is framed or where it goes.
const NEVER_PASSED_ON: [&str; 13] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Prefix of the headers that are Countersign's own.
const OWN_PREFIX: &str = "x-countersign-";

type ClientOf = Arc<dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync>;

/// Asks an application about callers. Clones share its places.
#[derive(Clone)]
pub struct SignatureHook {
    application: ApplicationClient,
    further: Vec<HeaderName>,
    client_of: ClientOf,
    places: HookPlaces,
}

/// A header that cannot be passed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name:?} is no header that can be passed on to an application")]
pub struct HookHeaderError {
    /// What was named.
    pub name: String,
}

/// Why a caller gets no grant.
#[derive(Debug, Error)]
pub enum HookRefusal {
    /// Two headers where one decides who the caller is.
    #[error("the request has more than one {name} header")]
    RepeatedCredential {
        /// The header.
        name: &'static str,
    },
    /// The application answered 401.
    #[error("the application does not know who asks")]
    NotLoggedIn {
        /// Its own words, if it had any.
        message: Option<String>,
    },
    /// The application answered 403.
    #[error("the application does not permit it")]
    NotPermitted {
        /// Its own words, if it had any.
        message: Option<String>,
    },
    /// Too many questions are under way.
    #[error("too many questions to the application are under way")]
    Busy,
    /// There was no answer, or none that could be read.
    #[error(transparent)]
    NoAnswer(#[from] ApplicationError),
    /// A status that means nothing here: a redirect, 404, 500.
    #[error("the application answered {status} to a signature hook, which is none of 200, 401 and 403")]
    Status {
        /// The status.
        status: StatusCode,
    },
    /// 200 with something else than a grant.
    #[error("the application's answer is no grant: {0}")]
    Unusable(#[from] UnusableAnswer),
}

impl SignatureHook {
    /// Asks the application at this address, http or https.
    ///
    /// # Errors
    /// [`ApplicationUrlError`].
    ///
    /// ```
    /// use countersign_app::{application::ApplicationUrlError, signature_hook::SignatureHook};
    ///
    /// assert!(SignatureHook::new("http://127.0.0.1:8000/may-upload").is_ok());
    /// assert!(matches!(SignatureHook::new("app.example"), Err(ApplicationUrlError::NotHttp { .. })));
    /// assert!(matches!(SignatureHook::new("http://me:secret@app.example/"), Err(ApplicationUrlError::UserInfo)));
    /// ```
    pub fn new(url: &str) -> Result<Self, ApplicationUrlError> {
        let bounds = Bounds {
            time: HOOK_TIMEOUT,
            answer_bytes_max: HOOK_ANSWER_BYTES_MAX,
            answers_bytes_max: HOOK_ANSWER_BYTES_MAX * QUESTIONS_MAX,
        };
        Ok(Self {
            application: ApplicationClient::new(url, bounds)?,
            further: Vec::new(),
            client_of: Arc::new(connected_from),
            places: HookPlaces::default(),
        })
    }

    /// Trusts these certificate authorities too, where the address is https.
    ///
    /// # Errors
    /// [`ApplicationUrlError::Tls`] when one of them cannot be read.
    pub fn trusting(mut self, roots: &[CertificateDer<'static>]) -> Result<Self, ApplicationUrlError> {
        self.application = self.application.trusting(roots)?;
        Ok(self)
    }

    /// Gives the application another time than [`HOOK_TIMEOUT`].
    ///
    /// ```
    /// use countersign_app::router::hooks::{Purpose, Question};
    /// use countersign_app::signature_hook::{HookRefusal, SignatureHook};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // It accepts connections and never answers.
    /// let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let hook = SignatureHook::new(&format!("http://{}/", silent.local_addr()?))?.trusting(&[])?
    ///     .with_timeout(std::time::Duration::from_millis(20));
    /// let (request, _) = http::Request::get("/signature").body(())?.into_parts();
    /// let refused = hook.ask(&Question { purpose: Purpose::Signature, path: None, request }).await.unwrap_err();
    /// assert_eq!(refused.code().1, "SignatureHookTooSlow");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.application = self.application.with_timeout(timeout);
        self
    }

    /// Passes these headers of the caller's on as well, for instance what a proxy's login sets. The proxy must drop them
    /// from what comes in.
    ///
    /// # Errors
    /// [`HookHeaderError`] for what frames the request, and for this server's own.
    ///
    /// ```
    /// use countersign_app::signature_hook::SignatureHook;
    ///
    /// let hook = SignatureHook::new("http://127.0.0.1:8000/may-upload")?.passing_on(["x-user"])?;
    /// let refused = hook.passing_on(["Content-Length"]).map(|_| ()).unwrap_err();
    /// assert_eq!(refused.name, "Content-Length");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn passing_on<'n>(
        mut self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, HookHeaderError> {
        for name in names {
            let parsed = name.parse::<HeaderName>().ok().filter(|name| {
                !NEVER_PASSED_ON.contains(&name.as_str()) && !name.as_str().starts_with(OWN_PREFIX)
            });
            self.further.push(parsed.ok_or_else(|| HookHeaderError { name: name.to_owned() })?);
        }
        Ok(self)
    }

    /// Says by which address callers are told apart when places are short; without it, by that of the connection where
    /// axum knows it.
    ///
    /// ```
    /// use countersign_app::signature_hook::SignatureHook;
    ///
    /// // Behind a proxy that writes X-Real-IP itself, every connection comes from one address.
    /// let by_header = |request: &http::request::Parts| request.headers.get("x-real-ip")?.to_str().ok()?.parse().ok();
    /// let (request, _) = http::Request::get("/signature").header("x-real-ip", "203.0.113.7").body(())?.into_parts();
    /// assert_eq!(by_header(&request), Some("203.0.113.7".parse::<std::net::IpAddr>()?));
    /// let hook = SignatureHook::new("http://127.0.0.1:8000/may-upload")?.with_client_of(by_header);
    /// # let _ = hook;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_client_of(
        mut self,
        client_of: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.client_of = Arc::new(client_of);
        self
    }

    /// Asks about one request.
    ///
    /// # Errors
    /// [`HookRefusal`]; never a grant that the application did not give.
    ///
    /// ```
    /// use axum::{Json, Router, routing::get};
    /// use countersign_app::router::hooks::{Purpose, Question};
    /// use countersign_app::signature_hook::{HookRefusal, SignatureHook};
    /// use http::{HeaderMap, StatusCode};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // The application: it knows its own cookies.
    /// let may_upload = async |headers: HeaderMap| match headers.get("cookie") {
    ///     Some(cookie) if cookie == "session=1" => Ok(Json(serde_json::json!({ "user": "42", "folder": "users/42/" }))),
    ///     _ => Err(StatusCode::UNAUTHORIZED),
    /// };
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let hook = SignatureHook::new(&format!("http://{}/may-upload", listener.local_addr()?))?;
    /// tokio::spawn(async move { axum::serve(listener, Router::new().route("/may-upload", get(may_upload))).await });
    ///
    /// let question = |cookie: &str| -> Result<Question, http::Error> {
    ///     let (request, _) = http::Request::get("/signature").header("cookie", cookie).body(())?.into_parts();
    ///     Ok(Question { purpose: Purpose::Signature, path: None, request })
    /// };
    /// let grant = hook.ask(&question("session=1")?).await?;
    /// assert_eq!((grant.user.as_str(), grant.folder.as_str()), ("42", "users/42/"));
    /// let refused = hook.ask(&question("session=2")?).await;
    /// assert!(matches!(refused, Err(HookRefusal::NotLoggedIn { .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ask(&self, question: &Question) -> Result<Grant, HookRefusal> {
        let request = self.request(question)?;
        let place = self.places.take((self.client_of)(&question.request), request.headers());
        let place = place.ok_or(HookRefusal::Busy)?;
        let answer = tokio::select! {
            biased;
            () = place.gives_way() => return Err(HookRefusal::Busy),
            answer = self.application.ask(request) => answer?,
        };
        match answer.status {
            StatusCode::OK => Ok(read_grant(&answer)?),
            StatusCode::UNAUTHORIZED => Err(HookRefusal::NotLoggedIn { message: read_message(&answer) }),
            StatusCode::FORBIDDEN => Err(HookRefusal::NotPermitted { message: read_message(&answer) }),
            status => Err(HookRefusal::Status { status }),
        }
    }

    fn request(&self, question: &Question) -> Result<Request<Full<Bytes>>, HookRefusal> {
        let own = &self.application.path_and_query;
        let separator = if own.contains('?') { '&' } else { '?' };
        let purpose = match question.purpose {
            Purpose::Signature => "signature",
            Purpose::Uploads => "uploads",
        };
        let path = question.path.as_ref();
        let path = path.map(|path| format!("&path={}", url_encoding::encode(path.as_str())));
        let target = format!("{own}{separator}for={purpose}{}", path.unwrap_or_default());
        let mut request = Request::get(target).body(Full::default()).map_err(ApplicationError::from)?;
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("countersign"));
        let received = &question.request.headers;
        if let Some(cookie) = cookie(&question.request)? {
            headers.insert(header::COOKIE, cookie);
        }
        if let Some(authorization) = only(received, header::AUTHORIZATION, "Authorization")?
            && is_bearer(authorization)
        {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        for name in &self.further {
            headers.remove(name);
            for value in received.get_all(name) {
                headers.append(name.clone(), value.clone());
            }
        }
        Ok(request)
    }
}

impl AppOptions {
    /// Asks an application over HTTP, in the place of [`authorize`](Self::authorize).
    #[must_use]
    pub fn signature_hook(self, hook: SignatureHook) -> Self {
        self.authorize(move |question| {
            let hook = hook.clone();
            async move { hook.ask(&question).await.map_err(Answer::from) }
        })
    }
}

/// The address that axum says a request came from, where it was told to.
fn connected_from(request: &Parts) -> Option<IpAddr> {
    request.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
}

fn only<'h>(
    headers: &'h HeaderMap,
    name: HeaderName,
    said: &'static str,
) -> Result<Option<&'h HeaderValue>, HookRefusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    // Of two, a proxy in front may have judged the one and the application reads the other.
    if values.next().is_some() { Err(HookRefusal::RepeatedCredential { name: said }) } else { Ok(first) }
}

/// The caller's cookies. HTTP/2 may split them into several headers, which belong together (RFC 9113, 8.2.3); in
/// HTTP/1.1 there is one.
fn cookie(request: &Parts) -> Result<Option<HeaderValue>, HookRefusal> {
    if request.version < Version::HTTP_2 {
        return Ok(only(&request.headers, header::COOKIE, "Cookie")?.cloned());
    }
    let pieces: Vec<&[u8]> =
        request.headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    let joined = (!pieces.is_empty()).then(|| HeaderValue::from_bytes(&pieces.join(&b"; "[..])));
    joined.transpose().map_err(|error| HookRefusal::NoAnswer(ApplicationError::Unwritable(error.into())))
}

fn is_bearer(authorization: &HeaderValue) -> bool {
    let scheme = authorization.as_bytes().split(|byte| *byte == b' ').next();
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
}

impl HookRefusal {
    /// The word for `Status` in the answer, and the status to send it with.
    ///
    /// ```
    /// use countersign_app::signature_hook::HookRefusal;
    ///
    /// let unknown = HookRefusal::NotLoggedIn { message: None };
    /// assert_eq!(unknown.code(), (http::StatusCode::UNAUTHORIZED, "NotLoggedIn"));
    /// let odd = HookRefusal::Status { status: http::StatusCode::FOUND };
    /// assert_eq!(odd.code(), (http::StatusCode::BAD_GATEWAY, "SignatureHookFailed"), "a redirect is no answer");
    /// ```
    #[must_use]
    pub fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::RepeatedCredential { .. } => (StatusCode::BAD_REQUEST, "RepeatedCredential"),
            Self::NotLoggedIn { .. } => (StatusCode::UNAUTHORIZED, "NotLoggedIn"),
            Self::NotPermitted { .. } => (StatusCode::FORBIDDEN, "NotPermitted"),
            Self::Busy | Self::NoAnswer(ApplicationError::AnswersTooMany) => {
                (StatusCode::SERVICE_UNAVAILABLE, "SignatureHookBusy")
            }
            Self::NoAnswer(ApplicationError::TooSlow) => {
                (StatusCode::GATEWAY_TIMEOUT, "SignatureHookTooSlow")
            }
            Self::NoAnswer(ApplicationError::Unreachable(_)) => {
                (StatusCode::BAD_GATEWAY, "SignatureHookUnreachable")
            }
            Self::NoAnswer(_) | Self::Status { .. } | Self::Unusable(_) => {
                (StatusCode::BAD_GATEWAY, "SignatureHookFailed")
            }
        }
    }
}

impl From<HookRefusal> for Answer {
    /// Tells the caller what he can do something about. What the application did wrong is for the operator's log: it
    /// may name addresses of the inside.
    fn from(refusal: HookRefusal) -> Self {
        let (status, code) = refusal.code();
        if status.is_server_error() {
            tracing::error!(code, error = %refusal, "the signature hook gave no grant");
        } else {
            tracing::info!(code, "the signature hook gave no grant");
        }
        let message = match refusal {
            HookRefusal::NotLoggedIn { message } => message.unwrap_or_else(|| "log in first".to_owned()),
            HookRefusal::NotPermitted { message } => {
                message.unwrap_or_else(|| "the application does not permit this upload".to_owned())
            }
            HookRefusal::RepeatedCredential { .. } => refusal.to_string(),
            HookRefusal::Busy => "the application is being asked by too many; try again".to_owned(),
            _ => "the application could not be asked who may upload".to_owned(),
        };
        Self::refusal(status, code, &message)
    }
}

#[cfg(test)]
mod tests;
