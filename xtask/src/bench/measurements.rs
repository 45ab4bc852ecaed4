//! The measured values, by peer and case, and their medians. A peer that failed in some round keeps its reason.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::bench_setup::Bench;
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
    limits: BTreeMap<String, Vec<f64>>,
    failures: Vec<(Peer, String)>,
}

/// Peers that are measured in turn.
#[derive(Clone, Copy)]
pub(super) struct Turns<'a> {
    /// The run.
    pub(super) bench: &'a Bench,
    /// Who; those that are not present are passed over.
    pub(super) peers: &'a [Peer],
    /// How often each has its turn.
    pub(super) rounds: usize,
    /// Further arguments of Countersign.
    pub(super) extra: &'a [&'a str],
    /// Further arguments of the reference.
    pub(super) reference_extra: &'a [&'a str],
}

/// One peer that runs, and where its figures go.
pub(super) struct Turn<'a> {
    bench: &'a Bench,
    into: &'a mut Measurements,
    /// The peer whose turn it is.
    pub(super) running: &'a mut RunningPeer,
}

impl<'a> Turns<'a> {
    /// These peers, as often as the run's flags say.
    pub(super) fn of(bench: &'a Bench, peers: &'a [Peer]) -> Turns<'a> {
        Turns { bench, peers, rounds: bench.rounds, extra: &[], reference_extra: &[] }
    }

    /// Starts each peer that is present in turn, in every round, and lets `measure` load it.
    pub(super) fn measure(
        self,
        mut measure: impl FnMut(&mut Turn<'_>) -> anyhow::Result<()>,
    ) -> Measurements {
        let mut all = Measurements::default();
        for round in 1..=self.rounds {
            println!("round {round}");
            for peer in self.peers.iter().copied().filter(|peer| self.bench.measures(*peer)) {
                let measured = self.start(peer).and_then(|mut running| {
                    measure(&mut Turn { bench: self.bench, into: &mut all, running: &mut running })
                });
                if let Err(error) = measured {
                    println!("{:<12} failed: {error:#}", peer.name());
                    all.failures.push((peer, format!("{error:#}")));
                }
            }
        }
        all
    }

    fn start(&self, peer: Peer) -> anyhow::Result<RunningPeer> {
        // What the last peer left unwritten is not this one's burden.
        let _ = Command::new("sync").status();
        let extra = match peer {
            Peer::Countersign => self.extra,
            Peer::Reference => self.reference_extra,
            _ => &[],
        };
        peer.start(&self.bench.instruments, &self.bench.data, extra)
    }
}

impl Turn<'_> {
    /// Whose turn it is.
    pub(super) fn peer(&self) -> Peer {
        self.running.peer()
    }

    /// Loads the peer and keeps the figures under the name of this case.
    pub(super) fn load(&mut self, case: &str, arguments: &str) -> anyhow::Result<()> {
        let figures = self.bench.instruments.load(self.running, arguments)?;
        self.into.keep(self.running.peer(), case, figures);
        Ok(())
    }

    /// As [`Turn::load`], of a server that runs beside the peer.
    pub(super) fn load_at(
        &mut self,
        beside: &RunningPeer,
        case: &str,
        arguments: &str,
    ) -> anyhow::Result<()> {
        let figures = self.bench.instruments.load(beside, arguments)?;
        self.into.keep(beside.peer(), case, figures);
        Ok(())
    }

    /// Loads the peer and keeps nothing.
    pub(super) fn warm_up(&self, arguments: &str) -> anyhow::Result<()> {
        self.bench.instruments.load(self.running, arguments).map(|_| ())
    }

    /// Kills the peer while it is uploaded to, and says how long it takes to be back.
    pub(super) fn ready_again_after_kill(&mut self) -> anyhow::Result<Duration> {
        let load = "--operation post --connections 16 --seconds 5 --prefix killed";
        let mut loading =
            self.bench.instruments.load_command(self.running, load).stdout(Stdio::null()).spawn()?;
        std::thread::sleep(Duration::from_secs(1));
        let took = self.running.ready_again_after_kill();
        loading.wait()?;
        took
    }

    /// Measures a limit of the machine while the peer idles, and keeps its figures.
    pub(super) fn limit(&mut self, measure: &str) -> anyhow::Result<()> {
        let figures = self.bench.instruments.limit(measure, &self.bench.data)?;
        for (name, figure) in figures {
            if let Some(figure) = figure {
                println!("{:<12} {measure:<10} {name:<32} {figure:.3}", "limit");
                self.into.limits.entry(format!("{measure} {name}")).or_default().push(figure);
            }
        }
        Ok(())
    }
}

impl Measurements {
    fn keep(&mut self, peer: Peer, case: &str, figures: LoadFigures) {
        println!("{}", line(peer, case, &figures));
        self.all.push(Measurement { peer, case: case.to_owned(), figures });
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

    /// The median of a limit's figure over the rounds.
    pub(super) fn limit(&self, measure: &str, name: &str) -> Result<f64, String> {
        let figures = self.limits.get(&format!("{measure} {name}")).cloned().unwrap_or_default();
        median(figures).ok_or_else(|| format!("the machine's limit `{measure}` was not measured"))
    }

    /// The peers and cases that have figures, in the order they were first measured.
    pub(super) fn measured(&self) -> Vec<(Peer, String)> {
        let mut found: Vec<(Peer, String)> = Vec::new();
        for one in &self.all {
            if !found.iter().any(|(peer, case)| *peer == one.peer && *case == one.case) {
                found.push((one.peer, one.case.clone()));
            }
        }
        found.sort_by_key(|(_, case)| self.all.iter().position(|one| one.case == *case));
        found
    }

    /// How often this was measured.
    pub(super) fn runs(&self, peer: Peer, case: &str) -> usize {
        self.all.iter().filter(|one| one.peer == peer && one.case == case).count()
    }

    /// Every failure, for a reader who wonders about a missing run.
    pub(super) fn failures(&self) -> impl Iterator<Item = String> {
        self.failures.iter().map(|(peer, why)| format!("{} failed in one round: {why}", peer.name()))
    }

    fn why_not(&self, peer: Peer) -> String {
        match self.failures.iter().find(|(failed, _)| *failed == peer) {
            Some((_, why)) => format!("{} failed: {why}", peer.name()),
            None if peer.is_installed() => format!("{} was not measured", peer.name()),
            None => format!("{} is not installed", peer.name()),
        }
    }
}

/// The middle one, or the mean of the two in the middle.
fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let upper = *figures.get(figures.len() / 2)?;
    let lower = *figures.get((figures.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

fn line(peer: Peer, case: &str, figures: &LoadFigures) -> String {
    format!(
        "{:<12} {case:<28} {:>9.0}/s {:>7.1} MB/s  p50 {:>8.3}  p99 {:>8.3}  p99.9 {:>8.3}  max {:>8.1} ms  \
         cpu/1k {:>7.3}  {:>6.1} MiB  others {:.2}  written ÷ stored {}",
        peer.name(),
        figures.per_second,
        figures.megabytes_per_second,
        figures.p50_ms,
        figures.p99_ms,
        figures.p99_9_ms,
        figures.longest_ms,
        figures.cpu_per_thousand(),
        figures.server_peak_resident_bytes as f64 / f64::from(1 << 20),
        figures.other_cpu_cores,
        figures.written_per_stored.map_or("–".to_owned(), |times| format!("{times:.2}")),
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
        let failures = vec![(Peer::Reference, "it ended".to_owned())];
        let all = Measurements { failures, ..Measurements::default() };
        let missing = |peer| all.median(peer, "x", |figures| figures.p50_ms).unwrap_err();
        assert_eq!(missing(Peer::Reference), "reference failed: it ended");
        assert_eq!(missing(Peer::Countersign), "countersign was not measured");
    }
}
