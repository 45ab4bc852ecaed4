//! For application servers: sign upload policies, verify callbacks, keep a ledger.
//!
//! Three ways in, each resting on the one before:
//!
//! * plain functions: [`Signer::sign`], [`CallbackVerifier::verify`], [`UploadLedger::record`];
//! * the tower layer [`VerifyCallbackLayer`] in front of a handler of yours;
//! * [`router()`], the three endpoints ready to be mounted.
//!
//! What is signed here is checked by Countersign's own store with the same code, and by OSS.

pub mod admission;
pub mod allowed_origins;
pub mod answer;
pub mod callback_verifier;
pub mod clock;
pub mod forward;
pub mod key_address;
pub mod layer;
pub mod ledger;
pub mod recorded_request;
pub mod router;
pub mod signature_answer;
pub mod signer;
pub mod signer_options;
pub mod upload_facts;
pub mod upload_path;
pub mod upload_record;

#[cfg(test)]
mod signed_callback;

pub use callback_verifier::{CallbackVerifier, VerifiedCallback};
pub use clock::Clock;
pub use countersign_protocol::access_key::AccessKeySecret;
pub use jiff::Timestamp;
pub use layer::VerifyCallbackLayer;
pub use ledger::UploadLedger;
pub use router::{AppOptions, router};
pub use signature_answer::SignatureAnswer;
pub use signer::{Signer, SignerChoice};
pub use signer_options::{CallbackOptions, SignatureVersion, SignerOptions};
