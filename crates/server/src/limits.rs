//! The limits that a store runs with, in one place (POST-26 to POST-30, CB-39, CB-57, CB-58).
//!
//! Nothing here is decided by a client. Tests shorten the durations; an operator may lower the sizes.

use std::time::Duration;

use countersign_protocol::callback::parameter::BODY_BYTES_MAX;

/// How many compressed answers may be made or waiting for their readers: at most 2 MiB each while made, 1 MiB after.
pub(crate) const GZIP_ANSWERS_MAX: usize = 32;
/// How many images are measured at the same time; each holds at most 176 KiB of its file.
pub(crate) const IMAGE_HEADERS_MAX: usize = 16;
/// An answer up to this length does not count among those that clients have not read yet.
pub(crate) const ANSWER_BYTES_UNCOUNTED: usize = 4 * 1024;

/// Sizes, counts and durations that bound what one request, and all of them together, may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest object that one form or one PutObject may store, in bytes.
    pub object_bytes_max: u64,
    /// The largest XML document a request may carry as its body, in bytes.
    pub document_bytes_max: usize,
    /// What the heads of all uploads that are not yet authorised may hold together, in bytes. When it is short the
    /// largest gives way.
    pub form_heads_bytes_max: usize,
    /// How long a read of a request body may bring nothing before the request is given up.
    pub body_idle_timeout: Duration,
    /// The least rate of a request body, in bytes per second, in every `body_idle_timeout` that is spent waiting
    /// for it. Zero switches the check off.
    pub body_rate_min: u64,
    /// How long the fields in front of a form's file may take, all together: until they are there, they hold
    /// a share of what all heads may have.
    pub form_head_timeout: Duration,
    /// How many bytes of a refused body are read, so that the sender gets to see its answer.
    pub refusal_drain_bytes_max: u64,
    /// How long a refused body is read.
    pub refusal_drain_timeout: Duration,
    /// How many uploads may stream at the same time. With the next one the slowest of the client that has most
    /// gives way, or it is answered 503 itself.
    pub uploads_max: usize,
    /// How many callbacks may be under way at the same time. With the next one the oldest to the destination that
    /// has most gives way, or it is not made itself.
    pub callbacks_max: usize,
    /// How many names of callback hosts may be resolved at the same time. Each takes a thread for as long as the
    /// system asks for the name, which goes on when the callback is given up.
    pub callback_lookups_max: usize,
    /// What one attempt at one callback URL may take, from resolving its name to the last byte of its answer.
    pub callback_timeout: Duration,
    /// The longest answer of an application, in bytes.
    pub callback_reply_bytes_max: u64,
    /// The longest body of a callback with its variables in it, in bytes.
    pub callback_body_bytes_max: usize,
    /// What the bodies of all callbacks under way may hold together, in bytes.
    pub callback_bodies_bytes_max: usize,
    /// What the callbacks that are owed may hold in the catalog, in bytes, with those under way.
    pub callbacks_owed_bytes_max: usize,
    /// How many callbacks may be owed, with those under way.
    pub callbacks_owed_max: usize,
    /// What the entries of refused destinations may hold in the catalog, in bytes; the oldest make room.
    pub callbacks_refused_bytes_max: usize,
    /// What answers that clients have not read yet may hold together, in bytes, with the answers of applications
    /// that are being read. Short ones do not count.
    pub answers_bytes_max: usize,
    /// What the XML documents in requests may hold together, in bytes.
    pub documents_bytes_max: usize,
    /// How many lists are made at the same time; further ones wait, holding nothing.
    pub listings_max: usize,
    /// How often lifecycle rules are carried out.
    pub lifecycle_interval: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            object_bytes_max: 5 * 1024 * 1024 * 1024,
            document_bytes_max: 2 * 1024 * 1024,
            form_heads_bytes_max: 64 * 1024 * 1024,
            body_idle_timeout: Duration::from_secs(60),
            body_rate_min: 256,
            form_head_timeout: Duration::from_secs(60),
            refusal_drain_bytes_max: 8 * 1024 * 1024,
            refusal_drain_timeout: Duration::from_secs(5),
            uploads_max: 1024,
            callbacks_max: 512,
            callback_lookups_max: 32,
            callback_timeout: Duration::from_secs(5),
            callback_reply_bytes_max: 3 * 1024 * 1024,
            callback_body_bytes_max: BODY_BYTES_MAX,
            callback_bodies_bytes_max: 32 * 1024 * 1024,
            callbacks_owed_bytes_max: 32 * 1024 * 1024,
            callbacks_owed_max: 100_000,
            callbacks_refused_bytes_max: 16 * 1024 * 1024,
            answers_bytes_max: 64 * 1024 * 1024,
            documents_bytes_max: 32 * 1024 * 1024,
            listings_max: 8,
            lifecycle_interval: Duration::from_secs(60),
        }
    }
}
