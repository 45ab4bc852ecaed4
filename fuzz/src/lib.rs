//! Fuzz targets of the wire. A target is a function over any bytes that panics when something that must
//! always hold does not: nothing panics or overflows, what is written reads back, and nothing is accepted
//! that a second, simpler reading inside the target refuses.
//!
//! `cargo xtask fuzz` links them with an engine and instrumentation; the tests of the gate replay the corpora
//! with neither.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target reports what it finds by a panic"
)]

mod callbacks;
mod form_bodies;
mod input;
mod notations;
mod policies;
mod signatures;
mod xml_requests;

/// One target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name, which is also its corpus's folder.
    pub name: &'static str,
    /// The longest input that the engine makes.
    pub bytes_max: usize,
    /// Runs one input; panics on a finding.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "form", bytes_max: 4_096, run: form_bodies::run },
    Target { name: "policy", bytes_max: 4_096, run: policies::run },
    Target { name: "signature", bytes_max: 2_048, run: signatures::run },
    Target { name: "callback", bytes_max: 4_096, run: callbacks::run },
    Target { name: "xml", bytes_max: 4_096, run: xml_requests::run },
    Target { name: "notation", bytes_max: 1_024, run: notations::run },
];

/// The target of a name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
