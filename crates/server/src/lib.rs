//! HTTP to protocol to store: access, ingest, callback, respond.
//!
//! [`Server`] is the store's HTTP face; [`listen`] is the accept loop that runs it, and any other service,
//! over TCP or TLS. A request goes `dispatch` → `route` → one file of `ops`; `ops/post_object` tells the
//! whole story of an upload.

mod access;
mod attribute_headers;
mod bucket_settings;
mod callback_dispatch;
pub mod callback_message;
mod commit;
mod context;
mod cors;
pub mod destination_guard;
mod dispatch;
mod endpoint;
mod form_head;
pub mod host;
mod image_info;
mod ingest;
pub mod lifecycle;
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
mod upload_answer;
mod upload_grant;
mod wire_error;
pub mod wire_response;

pub use callback_message::CallbackMessage;
pub use destination_guard::Permission;
pub use limits::Limits;
pub use ops::own_page::CALLBACK_KEY_PATH;
pub use server::{Credential, Server, ServerError, ServerOptions};
