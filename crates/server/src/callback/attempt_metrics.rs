//! Counts the attempts of callbacks, by how they ended and in which phase.

use countersign_protocol::callback::CallbackFailure;
use metrics::{Counter, counter, describe_counter};

use crate::callback::progress::Phase;

/// The words for how an attempt ended.
const OUTCOMES: [&str; 4] = ["answered", "failed", "timed_out", "gave_way"];

/// The metrics, registered once.
pub(super) struct AttemptMetrics {
    attempts: Vec<(&'static str, Phase, Counter)>,
}

impl AttemptMetrics {
    /// Registers them.
    pub(super) fn register() -> Self {
        describe_counter!(
            "countersign_callback_attempts_total",
            "Calls to applications, by outcome and last phase."
        );
        let count = |outcome: &'static str, phase: Phase| {
            let counter = counter!(
                "countersign_callback_attempts_total", "outcome" => outcome, "phase" => phase.word()
            );
            (outcome, phase, counter)
        };
        let attempts =
            OUTCOMES.iter().flat_map(|outcome| Phase::ALL.map(|phase| count(outcome, phase))).collect();
        Self { attempts }
    }

    /// Counts one that ended in this phase; says in a word how.
    pub(super) fn ended<R>(&self, outcome: &Result<R, CallbackFailure>, phase: Phase) -> &'static str {
        let word = match outcome {
            Ok(_) => "answered",
            Err(CallbackFailure::TimedOut) => "timed_out",
            Err(CallbackFailure::GaveWay | CallbackFailure::TooManyRequests) => "gave_way",
            Err(_) => "failed",
        };
        let row = self.attempts.iter().find(|(outcome, of, _)| *outcome == word && *of == phase);
        if let Some((_, _, counter)) = row {
            counter.increment(1);
        }
        word
    }
}
