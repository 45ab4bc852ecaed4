//! HTTP to protocol to store: access, ingest, callback, respond.
