//! Runs a scenario against the embedded store on a recorded disk.

use crate::beginning;
use crate::recorded_store::{DATA, RecordedStore, Recording, put, real_folder};
use crate::scenario::{Scenario, Step};
use crate::trace::Trace;
use crate::verdict::{blob_files, observe};
use crate::world::Effect;
use countersign_store::{ApplyError, CommitError, DeliveryOutcome};
use countersign_testkit::TestClock;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// How long a sync waits in a rehearsal, so that whoever answers before it is caught.
const BEFORE_SYNC: Duration = Duration::from_millis(1);

/// Runs a scenario from the beginning.
pub async fn rehearse(scenario: &Scenario) -> Recording {
    let (initial, base) = beginning::of(scenario.begins, DATA).await;
    let folder = real_folder();
    let trace = Trace::begin(folder.path(), initial, BEFORE_SYNC).expect("a real folder is laid out");
    let stage =
        RecordedStore::open(trace, TestClock::new(), scenario.unnamed_files).await.expect("a first start");
    let mut rehearsal = Rehearsal { stage, folders: vec![folder] };
    for step in scenario.steps {
        rehearsal.step(*step).await;
    }
    rehearsal.stage.end(base)
}

struct Rehearsal {
    stage: RecordedStore,
    folders: Vec<TempDir>,
}

impl Rehearsal {
    async fn step(&mut self, step: Step) {
        let stage = &self.stage;
        match step {
            Step::Do(verb) => stage.perform(verb).await.expect("a healthy store"),
            Step::Together(verbs) => {
                let tasks: Vec<_> = verbs.iter().map(|verb| (stage.clone(), *verb)).collect();
                let tasks = tasks
                    .into_iter()
                    .map(|(stage, verb)| tokio::spawn(async move { stage.perform(verb).await }));
                for task in tasks.collect::<Vec<_>>() {
                    task.await.expect("a client").expect("a healthy store");
                }
            }
            Step::CloseLater(key) => {
                let (id, payload) = stage.owed_for(key).await;
                stage.begin(vec![Effect::NotOwed(payload)]);
                stage.store.close_outbox_entry(id, DeliveryOutcome::Delivered);
            }
            Step::Refused(key, len) => {
                let (content, held) = stage.sealed(key, len).await.expect("a healthy store");
                let put = put(key, content, held.attributes, true, None);
                let refused = stage.store.commit(put).await;
                assert!(matches!(refused, Err(CommitError::Refused(_))), "{refused:?}");
            }
            Step::NoRoomForName(key, len) => {
                let (content, held) = stage.sealed(key, len).await.expect("a healthy store");
                let before = blob_files(stage.trace.folder());
                stage.trace.fill_up("data/blobs/0");
                let refused = stage.store.commit(put(key, content, held.attributes, false, None)).await;
                assert!(matches!(refused, Err(CommitError::Failed(ApplyError::Full))), "{refused:?}");
                assert_eq!(blob_files(stage.trace.folder()), before, "a blob was left that nothing names");
            }
            Step::Abandon(len) => drop(stage.sealed("abandoned", len).await),
            Step::Sweep => drop(stage.store.sweep().await.expect("the sweeper")),
            Step::Pass(seconds) => stage.clock.advance(seconds),
            Step::Checkpoint(mode) => stage.checkpoint(mode),
            Step::Reopen => {
                stage.store.shutdown().await;
                self.open_again(Arc::clone(&self.stage.trace)).await;
            }
            Step::Kill => self.kill().await,
            Step::KillInCommit(verb) => {
                stage.trace.kill_in_commit(".sqlite-wal");
                let (acknowledged, number) = (stage.perform(verb).await, stage.operations().len() - 1);
                assert!(acknowledged.is_err(), "a commit was acknowledged without a sync of the log");
                self.kill().await;
                let found = observe(&self.stage.store).await.expect("the store after a kill");
                self.stage.shown(&found, number);
            }
        }
    }

    /// The process ends as it is, and another starts.
    async fn kill(&mut self) {
        let folder = real_folder();
        let trace = self.stage.trace.killed(folder.path()).expect("a real folder is laid out");
        self.folders.push(folder);
        self.open_again(trace).await;
    }

    async fn open_again(&mut self, trace: Arc<Trace>) {
        self.stage = self.stage.clone().opened_again(trace).await.expect("a start after an end");
    }
}
