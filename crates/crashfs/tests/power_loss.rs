//! The store keeps its promises at every point at which the power may go or the process may be killed.
//!
//! The quick form tries a part of the states, the same choices each time, and is in the gate. With
//! `COUNTERSIGN_CRASH=all` everything is tried; `cargo xtask crash` does that and prints the counts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use countersign_crashfs::{Campaign, SCENARIOS, rehearse};

const QUICK: Campaign =
    Campaign { states_max: 900, chances: 4, second_every: 8, kills: 24, seed: 1, stop_at_first: false };
const ALL: Campaign = Campaign {
    states_max: usize::MAX,
    chances: 40,
    second_every: 2,
    kills: usize::MAX,
    seed: 2,
    stop_at_first: false,
};

async fn keeps_its_word(name: &str) {
    let campaign = if std::env::var_os("COUNTERSIGN_CRASH").is_some() { ALL } else { QUICK };
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name).unwrap();
    let (counts, failures) = campaign.play(rehearse(scenario).await).await;
    println!("{name}: {counts}");
    for failure in failures.iter().take(10) {
        println!("{failure:?}");
    }
    assert!(failures.is_empty(), "{name}: the word was broken in {} states", failures.len());
}

macro_rules! scenarios {
    ($(fn $test:ident() plays $name:literal,)*) => {
        const TESTED: &[&str] = &[$($name),*];
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                keeps_its_word($name).await;
            }
        )*
    };
}

scenarios! {
    fn survives_a_first_start_and_small_uploads() plays "a first start and small uploads",
    fn survives_large_uploads() plays "large uploads",
    fn survives_where_no_file_can_be_without_a_name() plays "large uploads where no file can be without a name",
    fn survives_overwriting_both_ways() plays "overwriting both ways",
    fn survives_deleting_one_and_many_and_by_lifecycle() plays "deleting, one and many, and by lifecycle",
    fn survives_closing_what_is_owed() plays "owed entries that are closed",
    fn survives_several_clients_in_one_batch() plays "several clients in one batch",
    fn survives_checkpoints_in_between() plays "checkpoints in between",
    fn survives_good_and_bad_ends() plays "good and bad ends",
    fn survives_a_refused_upload_a_sweep_and_a_new_start() plays "a refused upload, a sweep and a new start",
    fn survives_uploads_that_come_to_nothing() plays "uploads that come to nothing",
    fn survives_a_kill_inside_a_commit_and_a_stop_without_a_write() plays "a kill inside a commit, then a stop without a write",
    fn survives_a_kill_inside_a_commit_and_a_checkpoint_or_a_sweep_without_a_write() plays "a kill inside a commit, then a checkpoint or a sweep without a write",
    fn survives_a_migration() plays "a catalog of schema 1",
}

#[test]
fn every_scenario_is_tested() {
    let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
    assert_eq!(names, TESTED);
}
