//! The two decisions that an application can take over: which user a request belongs to and what it may upload, and
//! what each upload is answered.

use std::{future::Future, pin::Pin, sync::Arc};

use http::request::Parts;

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
