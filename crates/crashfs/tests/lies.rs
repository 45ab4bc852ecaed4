//! The checker finds every disk and every order of work that breaks a promise. Each of them changes a recording of
//! the real store, so these tests fail when the checker goes blind, or when the store no longer needs what was taken
//! away.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use countersign_crashfs::{Campaign, LIES, SCENARIOS, rehearse};

const CAMPAIGN: Campaign =
    Campaign { states_max: 2000, chances: 2, second_every: 0, seed: 7, kills: 0, stop_at_first: true };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_every_broken_disk_and_store() {
    let mut believed = Vec::new();
    for lie in LIES {
        let scenario = SCENARIOS.iter().find(|scenario| scenario.name == lie.scenario).unwrap();
        let (counts, failures) = CAMPAIGN.play(lie.told(rehearse(scenario).await)).await;
        match failures.first() {
            Some(failure) => println!("{}: after {} states: {failure:?}", lie.name, counts.states),
            None => believed.push(lie.name),
        }
    }
    assert!(believed.is_empty(), "the checker believes: {believed:#?}");
}
