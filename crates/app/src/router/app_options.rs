//! What the routes are made of, and the two decisions in it that an application can take over.

use std::{future::Future, sync::Arc};

use http::{StatusCode, request::Parts};

use super::{
    admission::Admission,
    allowed_origins::AllowedOrigins,
    hooks::{Authorize, OnUpload, Purpose, Question},
    testing::TestingChoices,
};
use crate::{
    answer::Answer,
    callback_verifier::{CallbackVerifier, VerifiedCallback},
    clock::Clock,
    forward::Forward,
    grant::Grant,
    layer::CALLBACK_BODY_BYTES_MAX,
    ledger::UploadLedger,
    signer::Signer,
    upload_path::UploadPath,
};

/// Picks the upload address for the one who asks, from the server's own list; `None` means the configured one.
pub type HostChooser = Arc<dyn Fn(&Parts) -> Option<String> + Send + Sync>;

/// What the router is made of.
#[derive(Clone)]
pub struct AppOptions {
    /// Signs uploads.
    pub signer: Arc<Signer>,
    /// Knows the store's key.
    pub verifier: CallbackVerifier,
    /// Remembers the uploads.
    pub ledger: UploadLedger,
    /// Tells when a callback arrived.
    pub clock: Clock,
    /// Who may ask for signatures and read the ledger.
    pub admission: Admission,
    /// Pages served elsewhere that may ask for signatures.
    pub origins: AllowedOrigins,
    /// Whether `version=1|4` and `callback=0|1` in the query of `/signature` are the caller's choice.
    pub switches: bool,
    /// Makes `bucket=NAME` and `callback_url=URL` the caller's choice too, of a throw-away instance's tests. Without it
    /// both are refused.
    pub testing: Option<TestingChoices>,
    /// The folder that everybody's uploads stay in, and whose uploads are listed, where no request is authorized by
    /// itself: the signer's own.
    pub folder: UploadPath,
    /// Says who a request is of and what it may upload, see [`AppOptions::authorize`].
    pub authorize: Option<Authorize>,
    /// Has the say about each upload, see [`AppOptions::on_upload`].
    pub on_upload: Option<OnUpload>,
    /// The upload address for a caller, where that depends on the caller.
    pub host_chooser: Option<HostChooser>,
    /// The path that the store calls, where a proxy in front changes it.
    pub called_path: Option<String>,
    /// An existing application that has the say about each upload.
    pub forward: Option<Forward>,
    /// The longest body of a callback, in bytes.
    pub callback_body_bytes_max: usize,
}

impl AppOptions {
    /// Everybody may ask, pages of this address only, nothing to switch and nothing behind.
    ///
    /// ```
    /// use countersign_app::{
    ///     AccessKeySecret, AppOptions, CallbackVerifier, Signer, SignerOptions, Timestamp, UploadLedger,
    /// };
    /// # use std::sync::Arc;
    ///
    /// let clock = Arc::new(Timestamp::now);
    /// let signing = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", "http://127.0.0.1:9817/photos");
    /// let signer = Signer::new(signing, clock.clone())?;
    /// let verifier = CallbackVerifier::new().pin_alibaba()?;
    /// let options = AppOptions::new(signer, verifier, UploadLedger::in_memory()?, clock);
    /// assert!(options.admission.is_open() && options.authorize.is_none());
    /// assert_eq!(options.folder.as_str(), "user-dir/", "the signer's own folder");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(signer: Signer, verifier: CallbackVerifier, ledger: UploadLedger, clock: Clock) -> Self {
        let own = signer.options();
        let folder = own.directory.as_ref().unwrap_or(&own.root).clone();
        Self {
            signer: Arc::new(signer),
            verifier,
            ledger,
            clock,
            admission: Admission::open(),
            origins: AllowedOrigins::SameOnly,
            switches: false,
            testing: None,
            folder,
            authorize: None,
            on_upload: None,
            host_chooser: None,
            called_path: None,
            forward: None,
            callback_body_bytes_max: CALLBACK_BODY_BYTES_MAX,
        }
    }
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
