//! Tells from a verified callback which user an upload was granted to, by the grant that the signer put into its body.

use super::{
    Signer,
    sealed_grant::{self, NotGranted},
};
use crate::{callback_verifier::VerifiedCallback, grant::Grant, signer_options::SignerOptionsError};

impl Signer {
    /// Whether a grant finds a place in the callback's body, and the key is told beside it, so that this is known before
    /// the first upload.
    ///
    /// # Errors
    /// [`SignerOptionsError::GrantUnplaced`].
    ///
    /// ```
    /// use countersign_app::{AccessKeySecret, CallbackOptions, Signer, SignerOptions, Timestamp};
    /// # use std::sync::Arc;
    ///
    /// let signer = |body: &str| {
    ///     let host = "http://127.0.0.1:9817/photos";
    ///     let mut options = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", host);
    ///     let to = CallbackOptions::to("http://127.0.0.1:8000/callback");
    ///     options.callback = Some(CallbackOptions { body: body.to_owned(), ..to });
    ///     Signer::new(options, Arc::new(Timestamp::now))
    /// };
    /// assert!(signer("object=${object}&size=${size}")?.check_grants().is_ok());
    /// assert!(signer("size=${size}")?.check_grants().is_err(), "whose folder it is in could not be checked");
    /// # Ok::<(), countersign_app::signer_options::SignerOptionsError>(())
    /// ```
    pub fn check_grants(&self) -> Result<(), SignerOptionsError> {
        let Some(callback) = &self.options.callback else { return Ok(()) };
        if sealed_grant::finds_a_place(callback) { Ok(()) } else { Err(SignerOptionsError::GrantUnplaced) }
    }

    /// Whom an upload was granted to, by a callback that was verified: user, folder and values. Sizes and types were
    /// enforced by the store and are not told again.
    ///
    /// # Errors
    /// [`NotGranted`].
    ///
    /// ```
    /// use countersign_app::{
    ///     AccessKeySecret, CallbackOptions, Signer, SignerChoice, SignerOptions, Timestamp, grant::Grant,
    ///     upload_path::UploadPath,
    /// };
    /// # use countersign_app::{CallbackVerifier, recorded_request::RecordedRequest};
    /// # use countersign_protocol::callback::{CallbackParameter, CallbackVariables, signature::{CallbackSignError, sign}};
    /// # use base64::{Engine, engine::general_purpose::STANDARD};
    /// # use std::sync::Arc;
    ///
    /// let host = "http://127.0.0.1:9817/photos";
    /// let mut options = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", host);
    /// let to = CallbackOptions::to("http://127.0.0.1:8000/callback");
    /// options.callback = Some(CallbackOptions { body: "object=${object}".to_owned(), ..to });
    /// let signer = Signer::new(options, Arc::new(Timestamp::now))?;
    ///
    /// let grant = Grant::new("42", UploadPath::normalise("users/42")?);
    /// let signed = signer.sign(None, &SignerChoice { grant: Some(grant), ..Default::default() })?;
    /// # // The store's part: it fills the template of the callback in, signs it and sends it.
    /// # let callback = signed.form_fields().into_iter().find(|(name, _)| *name == "callback").unwrap().1.to_owned();
    /// # let key = countersign_sys::RsaMd5Key::generate_1024_for_tests()?;
    /// # let verifier = CallbackVerifier::new().pin("http://127.0.0.1:9817/key.pem", &key.public_key_pem()?)?;
    /// # let rsa_md5 = |message: &[u8]| key.sign(message).map_err(|error| CallbackSignError { reason: error.to_string() });
    /// # let received = |object: &str| -> Result<_, Box<dyn std::error::Error>> {
    /// #     let parameter = CallbackParameter::parse(&callback)?.unwrap();
    /// #     let variables = CallbackVariables { object: object.to_owned(), ..Default::default() };
    /// #     let body = parameter.body.expand(&variables, parameter.body_type);
    /// #     let (head, _) = http::Request::post("/callback")
    /// #         .header("authorization", sign(&rsa_md5, "/callback", None, body.as_bytes())?)
    /// #         .header("x-oss-pub-key-url", STANDARD.encode("http://127.0.0.1:9817/key.pem"))
    /// #         .body(())?
    /// #         .into_parts();
    /// #     Ok(verifier.verify_request(RecordedRequest::new(&head, body.into()), None)?)
    /// # };
    /// // … and when the store reports uploads with this signature:
    /// assert_eq!(signer.granted(&received("users/42/a.jpg")?)?.user, "42");
    /// assert!(signer.granted(&received("users/43/a.jpg")?).is_err(), "another user's folder");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn granted(&self, callback: &VerifiedCallback) -> Result<Grant, NotGranted> {
        sealed_grant::read(&self.options, callback)
    }
}
