//! The catalog behind a proxy that cuts its connections and swallows answers, and behind a database that goes away:
//! what was acknowledged is there, what was not is old or new and never half, and no change is made twice.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]
#![allow(clippy::disallowed_methods, reason = "a test may wait for the machine")]

mod cut_connections;
mod fault_proxy;
mod opening;
mod setting;
mod swallowed_commits;
