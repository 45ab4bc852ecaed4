//! Budgets and quotas: what requests share and may run out of (memory, places, lines of the log), divided fairly.
//!
//! Counts and judges only. Who is refused, and what he is told, is decided where a share is taken.

pub(crate) mod body_watch;
pub(crate) mod fair_budget;
pub(crate) mod head_budget;
pub(crate) mod holder;
pub(crate) mod said_once;
