//! The upload callback (CB-1 to CB-70): the parameter a client sends, the body made of it, the signature over
//! the request, and what each failure is called.
//!
//! Pure: nothing here opens a connection. Whether an address may be called is the server's question; here
//! only the spelling of the URL is judged.

pub mod answer;
pub mod callback_document;
pub mod cause;
mod json_object;
pub mod outcome;
pub mod parameter;
pub mod reference;
pub mod signature;
pub mod template;
pub mod url;

pub use callback_document::CallbackDocument;
pub use cause::CallbackCause;
pub use outcome::CallbackFailure;
pub use parameter::{CallbackParameter, CallbackParameterError};
pub use template::{BodyType, CallbackVariables, ImageInfo, Template};
pub use url::CallbackUrl;

/// The longest callback or callback-var parameter, in bytes of its base64 text.
pub const PARAMETER_BYTES_MAX: usize = 5 * 1024;
/// How many URLs a callback may name.
pub const URLS_MAX: usize = 5;
