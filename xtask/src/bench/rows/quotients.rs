//! Figures of two peers in one case, and their quotient.

use crate::bench::instrument::LoadFigures;
use crate::bench::measurements::Measurements;
use crate::bench::peers::Peer;
use crate::bench::report::short;

/// A figure of two peers, and the quotient of the two.
pub(super) fn quotient(
    all: &Measurements,
    case: &str,
    (one, other): (Peer, Peer),
    unit: &str,
    of: fn(&LoadFigures) -> f64,
) -> Result<(String, f64), String> {
    let (figure, other_figure) = (all.median(one, case, of)?, all.median(other, case, of)?);
    Ok((format!("{} of {} {unit}", short(figure), short(other_figure)), figure / other_figure))
}

/// The quotient of Countersign's rate and another's.
pub(super) fn rates(all: &Measurements, case: &str, other: Peer) -> Result<(String, f64), String> {
    quotient(all, case, (Peer::Countersign, other), "/s", |figures| figures.per_second)
}

/// The quotient of Countersign's megabytes per second and another's.
pub(super) fn throughputs(all: &Measurements, case: &str, other: Peer) -> Result<(String, f64), String> {
    quotient(all, case, (Peer::Countersign, other), "MB/s", |figures| figures.megabytes_per_second)
}
