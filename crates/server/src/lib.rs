//! The store over HTTP: reads a request, decides whether it is allowed, carries it out and answers.
//!
//! [`Server`] is a hyper service; [`listen`] is the accept loop that runs it, and any other service, over TCP
//! or TLS. A request goes `routing/dispatch` → `routing/route` → one file of `operations`;
//! `operations/bucket/post_object` tells the whole story of an upload. Paths say where a file is: nothing is imported under a shorter name.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test may wait for the machine"))]

mod access;
pub mod bucket_rules;
mod budget;
mod callback;
mod error_chain;
mod limits;
pub mod listen;
mod measures;
pub mod object;
mod operations;
pub mod request;
pub mod request_id;
mod response;
mod routing;
mod server;
mod state;
mod upload;

pub use bucket_rules::lifecycle::LifecycleError;
pub use callback::address::{Resolver, UndeliverableCallback, system_resolver};
pub use callback::destination_guard::AllowedNetwork;
pub use callback::message::CallbackMessage;
pub use limits::Limits;
pub use operations::own_page::CALLBACK_KEY_PATH;
pub use server::{Server, ServerError, ServerOptions};
pub use state::{Credential, EtagSource};
