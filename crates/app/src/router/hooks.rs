//! What an application decides by itself: whose folder a request may upload into, what else is signed for it, and
//! what is said to each upload.

use std::{future::Future, pin::Pin, sync::Arc};

use http::request::Parts;

use crate::{answer::Answer, callback_verifier::VerifiedCallback, upload_path::UploadPath};

/// The folder that a request may upload into; `None` refuses it.
pub type FolderFor = Arc<dyn Fn(&Parts) -> Option<UploadPath> + Send + Sync>;

/// The custom values that are signed for a request, names with their `x:`.
pub type ValuesFor = Arc<dyn Fn(&Parts) -> Vec<(String, String)> + Send + Sync>;

/// Says yes (200) or no to a verified upload.
pub type OnUpload =
    Arc<dyn Fn(VerifiedCallback) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

impl super::AppOptions {
    /// Gives each request the folder that this function finds for it, from what a login in front has put into the
    /// request's headers or extensions. `path` in the query may name a folder below it.
    #[must_use]
    pub fn folder_for(
        mut self,
        folder_for: impl Fn(&Parts) -> Option<UploadPath> + Send + Sync + 'static,
    ) -> Self {
        self.folder_for = Some(Arc::new(folder_for));
        self
    }

    /// Signs custom values for each request, `("x:user", "42")` for instance: the policy pins them, `/signature?fields=1`
    /// lists them as form fields, and the callback's body says them where its template names them (`${x:user}`).
    #[must_use]
    pub fn values_for(
        mut self,
        values_for: impl Fn(&Parts) -> Vec<(String, String)> + Send + Sync + 'static,
    ) -> Self {
        self.values_for = Some(Arc::new(values_for));
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

    /// The folder that a request may upload into: the hook's, else the signer's own.
    pub(super) fn folder_of(&self, parts: &Parts) -> Option<UploadPath> {
        match &self.folder_for {
            Some(folder_for) => folder_for(parts),
            None => {
                let signer = self.signer.options();
                Some(signer.directory.as_ref().unwrap_or(&signer.root).clone())
            }
        }
    }
}
