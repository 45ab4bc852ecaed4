//! Plays a power loss at every point of a recording, and counts.

use crate::disk::{Disk, Image};
use crate::event::{Entry, Event};
use crate::loss::Loss;
use crate::recorded_store::Recording;
use crate::survival::{Chances, Survival};
use crate::verdict::{Expectation, Restart, judge, judge_killed};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub struct Campaign {
    /// At most so many states, of which those at syncs come first; the others are drawn.
    pub states_max: usize,
    /// How many chances are taken at each point.
    pub chances: usize,
    /// One of so many states gets a second power loss, in the recovery or right after it. 0: none.
    pub second_every: u64,
    /// At how many points of the trace the process is killed and started again before the power goes.
    pub kills: usize,
    /// Where the chances begin.
    pub seed: u64,
    /// Whether the first failure ends it.
    pub stop_at_first: bool,
}

/// What was tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries of the traces.
    pub entries: usize,
    /// Sync points at which durability was frozen: before each and after it.
    pub sync_points: usize,
    /// Different states that a store was opened on.
    pub states: usize,
    /// Of these, after a second power loss.
    pub second: usize,
    /// Points at which the process was killed, started again and used, before the power went.
    pub kills: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { entries, sync_points, states, second, kills } = self;
        write!(
            f,
            "{entries} entries, {sync_points} sync points frozen, {states} states tried ({second} after a second power loss), {kills} kills"
        )
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.entries += other.entries;
        self.sync_points += other.sync_points;
        self.states += other.states;
        self.second += other.second;
        self.kills += other.kills;
    }
}

/// A state in which the store broke its word.
#[derive(Debug, Clone)]
pub struct Failure {
    /// How many entries of the trace had happened.
    pub at: usize,
    /// The entry that would have been next.
    pub next: String,
    /// What survived.
    pub survival: Survival,
    /// What was wrong.
    pub loss: Loss,
    /// What else had happened.
    pub way: Way,
}

/// How a state came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By one power loss.
    PowerLoss,
    /// By a second one, in the recovery from the first or right after it.
    SecondPowerLoss,
    /// By a kill, or a power loss in the start after a kill or right after it.
    Kill,
}

/// A state to be tried: after so many entries, with this survival.
type Planned = (usize, Survival);

/// Stores that are judged at the same time.
const AT_ONCE: usize = 3;

impl Campaign {
    /// Plays it.
    pub async fn play(&self, recording: Recording) -> (Counts, Vec<Failure>) {
        let recording = Arc::new(recording);
        let mut counts = Counts {
            entries: recording.entries.len(),
            sync_points: recording.entries.iter().filter(|entry| entry.is_sync()).count(),
            ..Counts::default()
        };
        let (mut failures, mut seen, mut running) = (Vec::new(), BTreeSet::new(), JoinSet::new());
        let mut disk = Disk::new(&recording.initial);
        let mut expected = Expectation::new(Arc::clone(&recording));
        let mut taken = 0;
        for (at, survival) in self.plan(&recording) {
            for entry in &recording.entries[taken..at] {
                disk.apply(entry);
                expected.take(entry);
            }
            taken = at;
            let image = disk.survivors(&survival);
            if !seen.insert((image.fingerprint(), expected.acknowledged())) {
                continue;
            }
            let trial = Trial { image, expected: expected.clone(), number: seen.len() as u64 };
            let (campaign, next) = (*self, recording.entries.get(at).map_or("the end".to_owned(), describe));
            running.spawn(async move {
                let (counts, loss) = campaign.judge(trial).await;
                (counts, loss.map(|(loss, way)| Failure { at, next, survival, loss, way }))
            });
            while running.len() >= AT_ONCE {
                note(&mut counts, &mut failures, running.join_next().await);
            }
            if self.stop_at_first && !failures.is_empty() {
                break;
            }
        }
        self.kill(&recording, &mut running);
        while let Some(judged) = running.join_next().await {
            note(&mut counts, &mut failures, Some(judged));
        }
        (counts, failures)
    }

    /// Judges a state and, now and then, one that a second power loss leaves.
    async fn judge(&self, trial: Trial) -> (Counts, Option<(Loss, Way)>) {
        let mut counts = Counts { states: 1, ..Counts::default() };
        let recovery = match judge(trial.image, &trial.expected).await {
            Err(loss) => return (counts, Some((loss, Way::PowerLoss))),
            Ok(recovery) => recovery,
        };
        if self.second_every == 0 || !trial.number.is_multiple_of(self.second_every) {
            return (counts, None);
        }
        let mut chances = Chances::new(self.seed ^ trial.number);
        let at = chances.below(recovery.entries.len() as u64 + 1) as usize;
        let (disk, expected) = after(Arc::new(recovery), at);
        let survival = drawn(&mut chances, disk.pending().len());
        counts += Counts { states: 1, second: 1, ..Counts::default() };
        let second = judge(disk.survivors(&survival), &expected).await;
        (counts, second.err().map(|loss| (loss, Way::SecondPowerLoss)))
    }

    /// Starts the trials with a kill.
    fn kill(&self, recording: &Arc<Recording>, running: &mut JoinSet<(Counts, Option<Failure>)>) {
        let mut chances = Chances::new(self.seed ^ 0x6b69_6c6c);
        let entries = recording.entries.len();
        let drawn: BTreeSet<usize> = if self.kills > entries {
            (0..=entries).collect()
        } else {
            (0..self.kills).map(|_| chances.below(entries as u64 + 1) as usize).collect()
        };
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        for at in drawn {
            let (recording, at_once, seed) = (Arc::clone(recording), Arc::clone(&at_once), chances.draw());
            running.spawn(async move {
                let _turn = at_once.acquire().await;
                let next = recording.entries.get(at).map_or("the end".to_owned(), describe);
                let (counts, failed) = judge_kill(recording, at, seed).await;
                let failure =
                    failed.map(|(survival, loss)| Failure { at, next, survival, loss, way: Way::Kill });
                (counts, failure)
            });
        }
    }

    /// Which states are tried, in the order of the trace.
    fn plan(&self, recording: &Recording) -> Vec<Planned> {
        let mut chances = Chances::new(self.seed);
        let (mut first, mut other) = (Vec::new(), Vec::new());
        let mut disk = Disk::new(&recording.initial);
        let mut after_sync = false;
        for at in 0..=recording.entries.len() {
            let next = recording.entries.get(at);
            let pending = disk.pending().len();
            let at_sync = after_sync || next.is_none_or(Entry::is_sync);
            let kept = if at_sync { &mut first } else { &mut other };
            kept.extend([Survival::Nothing, Survival::Everything].map(|survival| (at, survival)));
            kept.push((at, drawn(&mut chances, pending)));
            other.extend([Survival::Bytes, Survival::Names].map(|survival| (at, survival)));
            other.extend((1..pending).map(|count| (at, Survival::First(count))));
            other.extend((0..pending).map(|lost| (at, Survival::AllBut(lost))));
            other.extend((0..pending).map(|kept| (at, Survival::Only(kept))));
            other.extend((0..self.chances).map(|_| (at, drawn(&mut chances, 0))));
            if let Some(entry) = next {
                disk.apply(entry);
                after_sync = entry.is_sync();
            }
        }
        // A draw without replacement: the first so many of a shuffled list.
        let wanted = self.states_max.saturating_sub(first.len()).min(other.len());
        for place in 0..wanted {
            let with = place + chances.below((other.len() - place) as u64) as usize;
            other.swap(place, with);
        }
        first.extend(other.drain(..wanted));
        first.sort_by_key(|(at, _)| *at);
        first
    }
}

/// A state and what is expected of it.
struct Trial {
    image: Image,
    expected: Expectation,
    number: u64,
}

type Judged = Result<(Counts, Option<Failure>), JoinError>;

fn note(counts: &mut Counts, failures: &mut Vec<Failure>, judged: Option<Judged>) {
    let (more, failure) = judged.expect("a task under way").expect("a judgement");
    *counts += more;
    failures.extend(failure);
}

/// The disk and what is expected of it after so many entries.
fn after(recording: Arc<Recording>, at: usize) -> (Disk, Expectation) {
    let (mut disk, mut expected) = (Disk::new(&recording.initial), Expectation::new(Arc::clone(&recording)));
    for entry in &recording.entries[..at] {
        disk.apply(entry);
        expected.take(entry);
    }
    (disk, expected)
}

/// The process is killed after so many entries and started again, once to work and once to write nothing; the power
/// goes at points after the kill.
async fn judge_kill(recording: Arc<Recording>, at: usize, seed: u64) -> (Counts, Option<(Survival, Loss)>) {
    let mut counts = Counts { kills: 1, ..Counts::default() };
    let mut chances = Chances::new(seed);
    let idle = [Restart::Stops, Restart::Checkpoints, Restart::Sweeps][chances.below(3) as usize];
    for restart in [Restart::Works, idle] {
        let (_, expected) = after(Arc::clone(&recording), at);
        let whole = match judge_killed(&expected, &recording.entries[..at], restart).await {
            Err(loss) => return (counts, Some((Survival::Everything, loss))),
            Ok(whole) => Arc::new(whole),
        };
        let mut seen = BTreeSet::new();
        for (at, survival) in planned_after_kill(&whole, at, restart, &mut chances) {
            let (disk, expected) = after(Arc::clone(&whole), at);
            let image = disk.survivors(&survival);
            if !seen.insert((image.fingerprint(), expected.acknowledged())) {
                continue;
            }
            counts.states += 1;
            if let Err(loss) = judge(image, &expected).await {
                return (counts, Some((survival, loss)));
            }
        }
    }
    (counts, None)
}

/// When the power goes after a kill: at the end and at a point drawn; where nothing was written, around every sync
/// as well, since what such a start does is little else.
fn planned_after_kill(
    whole: &Recording,
    killed: usize,
    restart: Restart,
    chances: &mut Chances,
) -> Vec<Planned> {
    let entries = &whole.entries;
    let since = killed + chances.below((entries.len() - killed) as u64) as usize;
    let mut planned = vec![(entries.len(), Survival::Nothing), (since, drawn(chances, 0))];
    if restart != Restart::Works {
        let syncs = (killed..entries.len()).filter(|at| entries[*at].is_sync());
        planned.extend(syncs.flat_map(|at| [at, at + 1]).map(|at| (at, Survival::Nothing)));
        planned.extend((killed..=entries.len()).map(|at| (at, drawn(chances, 0))).take(4));
        planned.sort_by_key(|(at, _)| *at);
        planned.dedup();
    }
    planned
}

/// Chance, or now and then the loss or the survival of one change.
fn drawn(chances: &mut Chances, pending: usize) -> Survival {
    let rank = chances.below(pending as u64) as usize;
    match chances.below(if pending > 0 { 6 } else { 3 }) {
        3 => Survival::First(rank),
        4 => Survival::AllBut(rank),
        5 => Survival::Only(rank),
        _ => Survival::Chance {
            seed: chances.draw(),
            per_mille: [100, 500, 900][chances.below(3) as usize],
            sector_bytes: [512, 4096][chances.below(2) as usize],
            junk: chances.below(4) == 0,
        },
    }
}

fn describe(entry: &Entry) -> String {
    let what = match &entry.event {
        Event::MakeFile(_) => "making a file",
        Event::MakeFolder(_) => "making a folder",
        Event::Write(..) => "a write to",
        Event::SetLen(..) => "cutting",
        Event::SyncFile(..) | Event::SyncFolder(..) => "the sync of",
        Event::Name(..) => "naming",
        Event::Unname(..) => "removing",
        Event::Begun(number) => return format!("operation {number} begins"),
        Event::Acknowledged(number) => return format!("operation {number} is acknowledged"),
    };
    format!("{what} /{}", entry.place)
}
