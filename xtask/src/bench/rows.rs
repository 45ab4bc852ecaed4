//! The rows of the table, in groups that are measured together. A group knows its goals and what is compared
//! with what; how a peer is started or loaded it does not know.

mod callbacks;
mod crowds;
mod downloads;
mod in_flight;
mod large_uploads;
mod million_objects;
mod quotients;
mod random_keys;
mod signatures;
mod small_uploads;
mod starts;
mod tails;

use super::bench_setup::Bench;
use super::report::Outcome;

/// Rows that are measured together.
pub(super) struct RowGroup {
    /// The name for `--rows`.
    pub(super) name: &'static str,
    /// What it measures.
    pub(super) about: &'static str,
    /// Measures, and puts its rows into the outcome.
    pub(super) measure: fn(&Bench, &mut Outcome) -> anyhow::Result<()>,
}

/// All groups, in the order of the document.
pub(super) const ROWS: &[RowGroup] = &[
    RowGroup {
        name: "small",
        about: "PostObject 4 KiB at 1, 16 and 64 connections",
        measure: small_uploads::measure_four_kib,
    },
    RowGroup { name: "tails", about: "PostObject 4 KiB at 16 connections for 60 s", measure: tails::measure },
    RowGroup {
        name: "medium",
        about: "PostObject 16 and 64 KiB at 16 connections",
        measure: small_uploads::measure_medium,
    },
    RowGroup {
        name: "keys",
        about: "PostObject 4 KiB with rising and random keys at 16 and 64 connections, and what the disk writes for it",
        measure: random_keys::measure,
    },
    RowGroup {
        name: "large",
        about: "PostObject and PutObject of 64 MiB and 1 GiB, one and four streams, and their memory",
        measure: large_uploads::measure,
    },
    RowGroup { name: "get", about: "GetObject 4 KiB and 64 MiB beside nginx", measure: downloads::measure },
    RowGroup { name: "signature", about: "the signature endpoint", measure: signatures::measure },
    RowGroup { name: "callback", about: "PostObject 4 KiB with a callback", measure: callbacks::measure },
    RowGroup {
        name: "crowds",
        about: "a client that behaves beside crawlers, heads without a key and an application that hangs",
        measure: crowds::measure,
    },
    RowGroup {
        name: "start",
        about: "a throw-away instance: time to ready, idle memory",
        measure: starts::measure,
    },
    RowGroup { name: "in-flight", about: "memory at 256 slow uploads", measure: in_flight::measure },
    RowGroup {
        name: "million",
        about: "a bucket of 1,000,000 small objects: rates, listing, disk, restart",
        measure: million_objects::measure,
    },
];
