//! The harness of the black-box tests: it starts the built binary on loopback, sends raw bytes, signs with code of its
//! own (nothing under test helps to make what tests it), and plays the application that a callback reaches.
//!
//! It is a test tool: a broken precondition ends the test with a panic that says what was missing.

pub mod application;
pub mod certificate;
pub mod form;
pub mod running;
pub mod signing;
pub mod soak;
pub mod store_client;
pub mod wire;

pub use application::{Application, Reply};
pub use form::{Form, MultipartBody};
pub use running::{Running, free_port};
pub use signing::{PolicyText, authorization_v1, sign_policy_v1, sign_policy_v4};
pub use store_client::StoreClient;
pub use wire::{Answer, Exchange, send};

/// The access key id that every test's store knows.
pub const ACCESS_KEY_ID: &str = "conformance-id";
/// The secret of [`ACCESS_KEY_ID`].
pub const ACCESS_KEY_SECRET: &str = "conformance-secret";
