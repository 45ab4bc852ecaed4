//! What an application decides by itself: who a request is of and what may be uploaded by it, and what is said to each
//! upload.

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
    /// # use countersign_app::{AppOptions, answer::Answer};
    /// # fn with(options: AppOptions) -> AppOptions {
    /// options.on_upload(|callback| async move {
    ///     // Write it into a table of your own here.
    ///     println!("{:?} is stored as {:?}", callback.facts.name, callback.facts.key);
    ///     Answer::accepting(&callback.facts)
    /// })
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
