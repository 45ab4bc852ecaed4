//! For application servers: sign upload policies, verify callbacks, keep a ledger.
//!
//! Three ways in, each resting on the one before:
//!
//! * plain functions: [`Signer::sign`], [`CallbackVerifier::verify`], [`UploadLedger::record`];
//! * the tower layer [`VerifyCallbackLayer`] in front of a handler of yours;
//! * [`router()`], the three endpoints ready to be mounted.
//!
//! What is signed here is checked by Countersign's own store with the same code, and by OSS.
//!
//! ```
//! use countersign_app::{AccessKeySecret, CallbackOptions, Signer, SignerChoice, SignerOptions, Timestamp};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = "https://photos.oss-cn-hangzhou.aliyuncs.com";
//! let mut options = SignerOptions::new("key id", AccessKeySecret::new("secret"), "photos", host);
//! options.callback = Some(CallbackOptions::to("https://app.example/callback"));
//! let signer = Signer::new(options, std::sync::Arc::new(Timestamp::now))?;
//! let answer = signer.sign(Some("user-dir/42/"), &SignerChoice::default())?;
//! assert_eq!((answer.host(), answer.dir()), (host, "user-dir/42/"));
//! # Ok(())
//! # }
//! ```

pub mod answer;
pub mod application;
mod byte_budget;
pub mod callback_verifier;
pub mod clock;
pub mod forward;
pub mod grant;
pub mod layer;
pub mod ledger;
mod ordered_members;
pub mod pins;
pub mod recorded_request;
pub mod router;
pub mod signature_hook;
pub mod signer;
pub mod signer_options;
#[cfg(test)]
mod test_vectors;
pub mod upload_facts;
pub mod upload_path;

pub use callback_verifier::{CallbackVerifier, VerifiedCallback};
pub use clock::Clock;
pub use countersign_protocol::access_key::AccessKeySecret;
pub use jiff::Timestamp;
pub use layer::VerifyCallbackLayer;
pub use ledger::UploadLedger;
pub use pins::{Pins, StoreKind};
pub use router::{app_options::AppOptions, router};
pub use signer::{Signer, signature_answer::SignatureAnswer, signer_choice::SignerChoice};
pub use signer_options::{CallbackOptions, SignatureVersion, SignerOptions};
