//! The store over HTTP: reads a request, decides whether it is allowed, carries it out and answers.
//!
//! [`Server`] is a hyper service; [`listen`] is the accept loop that runs it, and any other service, over TCP
//! or TLS. A request goes `routing/dispatch` → `routing/route` → one file of `operations`;
//! `operations/bucket/post_object` tells the whole story of an upload. Paths say where a file is: nothing is imported under a shorter name.

mod access;
pub mod bucket_rules;
mod callback;
mod holder;
pub mod listen;
pub mod object;
mod operations;
pub mod request;
mod response;
mod routing;
mod server;
mod upload;

pub use callback::address::{Resolver, UndeliverableCallback, system_resolver};
pub use callback::destination_guard::Permission;
pub use callback::message::CallbackMessage;
pub use operations::own_page::CALLBACK_KEY_PATH;
pub use server::limits::Limits;
pub use server::{Credential, EtagSource, Server, ServerError, ServerOptions};
