//! HTTP to protocol to store: access, ingest, callback, respond.

pub mod host;
pub mod query;
pub mod route;
pub mod subresource;
