//! The rows of the table, in groups that are measured together. A group knows its goals and what is compared
//! with what; how a peer is started or loaded it does not know.

mod small_uploads;

use super::Bench;
use super::measurements::Measurements;
use super::peers::Peer;
use super::report::{Outcome, short};

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
pub(super) const ROWS: &[RowGroup] = &[RowGroup {
    name: "small",
    about: "PostObject 4 KiB at 1, 16 and 64 connections",
    measure: small_uploads::measure,
}];

/// Rates of Countersign and of another peer, and the ratio between them.
fn rate_ratio(all: &Measurements, case: &str, other: Peer) -> Result<(String, f64), String> {
    let ours = all.median(Peer::Countersign, case, |figures| figures.per_second)?;
    let theirs = all.median(other, case, |figures| figures.per_second)?;
    Ok((format!("{} of {} /s", short(ours), short(theirs)), ours / theirs))
}
