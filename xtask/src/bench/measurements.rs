//! What was measured, by peer and case, and the medians of it. A peer that failed in some round keeps its reason.

use super::Bench;
use super::instrument::LoadFigures;
use super::peers::{Peer, RunningPeer};

/// One load of one peer in one round.
struct Measurement {
    peer: Peer,
    case: String,
    figures: LoadFigures,
}

/// All loads of a group of rows.
#[derive(Default)]
pub(super) struct Measurements {
    all: Vec<Measurement>,
    failures: Vec<(Peer, String)>,
}

/// One peer that runs, and where its figures go.
pub(super) struct Turn<'a> {
    bench: &'a Bench,
    into: &'a mut Measurements,
    /// The peer whose turn it is.
    pub(super) running: &'a RunningPeer,
}

impl Turn<'_> {
    /// Loads the peer and keeps the figures under the name of this case.
    pub(super) fn load(&mut self, case: &str, arguments: &str) -> anyhow::Result<()> {
        let figures = self.bench.instruments.load(self.running, arguments)?;
        let peer = self.running.peer();
        println!("{}", line(peer, case, &figures));
        self.into.all.push(Measurement { peer, case: case.to_owned(), figures });
        Ok(())
    }

    /// Loads the peer and keeps nothing.
    pub(super) fn warm_up(&self, arguments: &str) -> anyhow::Result<()> {
        self.bench.instruments.load(self.running, arguments).map(|_| ())
    }
}

impl Measurements {
    /// Starts each of the peers that are present in turn, in every round, and lets `measure` load it.
    pub(super) fn in_turn(
        bench: &Bench,
        peers: &[Peer],
        extra: &[&str],
        mut measure: impl FnMut(&mut Turn<'_>) -> anyhow::Result<()>,
    ) -> Measurements {
        let mut all = Measurements::default();
        for round in 1..=bench.rounds {
            println!("round {round}");
            for peer in peers.iter().copied().filter(|peer| bench.peers.contains(peer)) {
                let extra = if peer == Peer::Countersign { extra } else { &[] };
                let measured = peer
                    .start(&bench.instruments, &bench.data, extra)
                    .and_then(|running| measure(&mut Turn { bench, into: &mut all, running: &running }));
                if let Err(error) = measured {
                    println!("{:<12} failed: {error:#}", peer.name());
                    all.failures.push((peer, format!("{error:#}")));
                }
            }
        }
        all
    }

    /// The median of a figure over the rounds, or why there is none.
    pub(super) fn median(
        &self,
        peer: Peer,
        case: &str,
        of: impl Fn(&LoadFigures) -> f64,
    ) -> Result<f64, String> {
        let figures = self.all.iter().filter(|one| one.peer == peer && one.case == case);
        median(figures.map(|one| of(&one.figures)).collect()).ok_or_else(|| self.why_not(peer))
    }

    /// The peers and cases that have figures, in the order they were first measured.
    pub(super) fn measured(&self) -> Vec<(Peer, String)> {
        let mut found: Vec<(Peer, String)> = Vec::new();
        for one in &self.all {
            if !found.iter().any(|(peer, case)| *peer == one.peer && *case == one.case) {
                found.push((one.peer, one.case.clone()));
            }
        }
        found
    }

    /// How often this was measured.
    pub(super) fn runs(&self, peer: Peer, case: &str) -> usize {
        self.all.iter().filter(|one| one.peer == peer && one.case == case).count()
    }

    fn why_not(&self, peer: Peer) -> String {
        match self.failures.iter().find(|(failed, _)| *failed == peer) {
            Some((_, why)) => format!("{} failed: {why}", peer.name()),
            None => format!("{} was not measured", peer.name()),
        }
    }
}

/// The middle one, or the mean of the two in the middle.
pub(super) fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let upper = *figures.get(figures.len() / 2)?;
    let lower = *figures.get((figures.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

fn line(peer: Peer, case: &str, figures: &LoadFigures) -> String {
    format!(
        "{:<12} {case:<28} {:>9.0}/s {:>7.1} MB/s  p50 {:>8.3}  p99 {:>8.3}  p99.9 {:>8.3}  max {:>8.1} ms  \
         cpu/1k {:>7.3}  others {:.2}",
        peer.name(),
        figures.per_second,
        figures.megabytes_per_second,
        figures.p50_ms,
        figures.p99_ms,
        figures.p99_9_ms,
        figures.longest_ms,
        figures.cpu_per_thousand(),
        figures.other_cpu_cores,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_not_moved_by_one_bad_round() {
        assert_eq!(median(vec![10.0, 1000.0, 11.0]), Some(11.0));
        assert_eq!(median(vec![4.0, 2.0]), Some(3.0));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn a_figure_that_is_missing_says_why() {
        let failures = vec![(Peer::Garage, "it ended".to_owned())];
        let all = Measurements { failures, ..Measurements::default() };
        let missing = |peer| all.median(peer, "x", |figures| figures.p50_ms).unwrap_err();
        assert_eq!(missing(Peer::Garage), "garage failed: it ended");
        assert_eq!(missing(Peer::Nginx), "nginx was not measured");
    }
}
