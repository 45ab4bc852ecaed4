//! HTTP to protocol to store: access, ingest, callback, respond.
//!
//! [`Server`] is the store's HTTP face; [`listen`] is the accept loop that runs it, and any other service,
//! over TCP or TLS. A request goes `request/dispatch` → `request/route` → one file of `ops`;
//! `ops/post_object` tells the whole story of an upload.

mod access;
mod bucket_rules;
mod callback;
mod holder;
pub mod listen;
mod object;
mod ops;
mod request;
mod response;
mod server;
mod upload;

use access::subject;
use bucket_rules::{cors, refused_origins};
use callback::{callback_budget, callback_dispatch};
use object::{object_headers, object_version, precondition};
use request::{body_watch, context, dispatch, operate, request_body, unserved_header};
use response::{endpoint, gzip, header_names, one_at_a_time, traffic_limit, wire_error};
use upload::{
    commit, form_coverage, form_head, head_budget, image_info, ingest, stored_form, upload_answer,
    upload_grant,
};

pub use bucket_rules::{bucket_mode, bucket_settings, lifecycle};
pub use callback::{
    callback_dispatch::{Resolver, UndeliverableCallback, system_resolver},
    callback_message,
    callback_message::CallbackMessage,
};
pub use callback::{destination_guard, destination_guard::Permission};
pub use object::{attribute_headers, object_attributes};
pub use ops::own_page::CALLBACK_KEY_PATH;
pub use request::{framing, host, query, request_id, route, subresource};
pub use response::wire_response;
use server::fair_budget;
pub use server::{Credential, EtagSource, Server, ServerError, ServerOptions};
pub use server::{limits, limits::Limits};
