//! The two decisions that an application can take over: which user a request belongs to and what it may upload, and
//! what each upload is answered.

use std::{future::Future, pin::Pin, sync::Arc};

use http::{StatusCode, request::Parts};

use super::AppOptions;
use crate::{answer::Answer, callback_verifier::VerifiedCallback, grant::Grant, upload_path::UploadPath};

/// What a request wants to be authorized for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `GET /signature`: to upload.
    Signature,
    /// `GET /uploads`: to see what was uploaded into the folder.
    Uploads,
}

/// A request before anything is signed or shown for it.
#[derive(Clone, Debug)]
pub struct Question {
    /// What for.
    pub purpose: Purpose,
    /// The folder that is asked for, if one is. It need not be the user's: the grant's folder confines it.
    pub path: Option<UploadPath>,
    /// The request's head, with what a login in front has put into its headers or extensions.
    pub request: Parts,
}

impl Question {
    /// A header of the request, where it is there once and is text.
    ///
    /// ```
    /// use countersign_app::router::hooks::{Purpose, Question};
    ///
    /// let (request, _) = http::Request::get("/signature")
    ///     .header("x-user", "42")
    ///     .header("x-role", "a")
    ///     .header("x-role", "b")
    ///     .body(())?
    ///     .into_parts();
    /// let question = Question { purpose: Purpose::Signature, path: None, request };
    /// assert_eq!(question.header("x-user"), Some("42"));
    /// assert_eq!(question.header("x-role"), None, "of two, which one did the login set?");
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.request.headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    }
}

/// Grants a request what it may upload, or answers it otherwise.
pub type Authorize =
    Arc<dyn Fn(Question) -> Pin<Box<dyn Future<Output = Result<Grant, Answer>> + Send>> + Send + Sync>;

/// Says yes (200) or no to a verified upload.
pub type OnUpload =
    Arc<dyn Fn(VerifiedCallback) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

impl AppOptions {
    /// Asks this function about each request for a signature or for the list of uploads: who it is of, and which folder,
    /// size and types he may have. `path` in the query may name a folder below that one, and the list shows what is
    /// below it. The grant comes back with the callback ([`VerifiedCallback::grant`]), and callbacks that carry none
    /// are refused. An `Err` is the answer to the request.
    ///
    /// ```
    /// use axum::body::Body;
    /// use countersign_app::{
    ///     AccessKeySecret, AppOptions, CallbackVerifier, Signer, SignerOptions, Timestamp, UploadLedger,
    ///     answer::Answer, grant::Grant, router, upload_path::UploadPath,
    /// };
    /// use tower::ServiceExt as _;
    /// # use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = Arc::new(Timestamp::now);
    /// # let signing = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", "http://127.0.0.1:9817/photos");
    /// # let signer = Signer::new(signing, clock.clone())?;
    /// # let options = AppOptions::new(signer, CallbackVerifier::new(), UploadLedger::in_memory()?, clock);
    /// let options = options.authorize(async |question| {
    ///     let refused = |_| Answer::refusal(http::StatusCode::FORBIDDEN, "NoFolder", "this user has no folder");
    ///     let user = question.header("x-user").unwrap_or("guest");
    ///     Ok(Grant::new(user, UploadPath::normalise(&format!("users/{user}")).map_err(refused)?))
    /// });
    /// let app = router::signature_routes(options);
    /// let of = |user: &str| http::Request::get("/signature").header("x-user", user).body(Body::empty());
    /// let answer = axum::body::to_bytes(app.clone().oneshot(of("42")?).await?.into_body(), 10_000).await?;
    /// assert!(String::from_utf8_lossy(&answer).contains(r#""dir":"users/42/""#));
    /// assert_eq!(app.oneshot(of("..")?).await?.status(), 403);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn authorize<F: Future<Output = Result<Grant, Answer>> + Send + 'static>(
        mut self,
        authorize: impl Fn(Question) -> F + Send + Sync + 'static,
    ) -> Self {
        self.authorize = Some(Arc::new(move |question| Box::pin(authorize(question))));
        self
    }

    /// Asks this function about each upload, after its callback was verified. What it answers is recorded and goes to
    /// the uploader. It is asked until it has answered 200 to an upload, so it may be asked more than once, and must be
    /// done within the 5 seconds that the store waits. It goes before [`forward`](Self::forward).
    ///
    /// ```
    /// use axum::body::Body;
    /// use countersign_app::{
    ///     AccessKeySecret, AppOptions, CallbackVerifier, Signer, SignerOptions, Timestamp, UploadLedger, answer::Answer, router,
    /// };
    /// use tower::ServiceExt as _;
    /// # use std::sync::{Arc, Mutex};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = Arc::new(Timestamp::now);
    /// # let signing = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", "http://127.0.0.1:9817/photos");
    /// # let signer = Signer::new(signing, clock.clone())?;
    /// # let ledger = UploadLedger::in_memory()?;
    /// # let mut options = AppOptions::new(signer, CallbackVerifier::new().pin_alibaba()?, ledger, clock);
    /// # options.called_path = Some("/index.php".to_owned());
    /// let buckets = Arc::new(Mutex::new(Vec::new()));
    /// let table = Arc::clone(&buckets);
    /// let options = options.on_upload(move |callback| {
    ///     // A row in a table of the application's own.
    ///     table.lock().unwrap().push(callback.facts.bucket.clone());
    ///     async move { Answer::accepting(&callback.facts) }
    /// });
    /// let genuine = http::Request::post("/callback?id=1&index=2")
    ///     .header("authorization", "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==")
    ///     .header("x-oss-pub-key-url", "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ==")
    ///     .body(Body::from("bucket=yonghu-test"))?;
    /// assert_eq!(router::callback_routes(options).oneshot(genuine).await?.status(), 200);
    /// assert_eq!(*buckets.lock().unwrap(), [Some("yonghu-test".to_owned())]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_upload<F: Future<Output = Answer> + Send + 'static>(
        mut self,
        on_upload: impl Fn(VerifiedCallback) -> F + Send + Sync + 'static,
    ) -> Self {
        self.on_upload = Some(Arc::new(move |callback| Box::pin(on_upload(callback))));
        self
    }

    /// What a request is granted, held against what the signer permits; `None` where nobody is asked and everybody has
    /// [`AppOptions::folder`].
    pub(super) async fn granted(
        &self,
        purpose: Purpose,
        path: Option<&UploadPath>,
        request: &Parts,
    ) -> Result<Option<Grant>, Answer> {
        let Some(authorize) = &self.authorize else { return Ok(None) };
        let grant = authorize(Question { purpose, path: path.cloned(), request: request.clone() }).await?;
        match grant.check(self.signer.options()) {
            Ok(()) => Ok(Some(grant)),
            Err(error) => {
                tracing::error!(%error, "what the application grants cannot be signed");
                // Folders and limits are the operator's to know; they stay in the log.
                let message = "the application grants something that cannot be signed";
                Err(Answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, "GrantUnusable", message))
            }
        }
    }

    /// The folder that a request is confined to.
    pub(super) fn folder_of<'a>(&'a self, grant: Option<&'a Grant>) -> &'a UploadPath {
        grant.map_or(&self.folder, |grant| &grant.folder)
    }
}
