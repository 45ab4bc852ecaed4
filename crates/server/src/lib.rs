//! HTTP to protocol to store: access, ingest, callback, respond.
//!
//! [`Server`] is the store's HTTP face; [`listen`] is the accept loop that runs it, and any other service,
//! over TCP or TLS. A request goes `dispatch` → `route` → one file of `ops`; `ops/post_object` tells the
//! whole story of an upload.

mod access;
mod attribute_headers;
mod bucket_settings;
mod context;
pub mod destination_guard;
mod dispatch;
pub mod host;
pub mod limits;
pub mod listen;
mod object_attributes;
mod object_headers;
mod object_version;
mod operate;
mod ops;
mod precondition;
pub mod query;
mod request;
mod request_body;
pub mod request_id;
pub mod route;
mod server;
mod subject;
pub mod subresource;
mod wire_error;
pub mod wire_response;

pub use destination_guard::Permission;
pub use limits::Limits;
pub use server::{Credential, Server, ServerError, ServerOptions};
