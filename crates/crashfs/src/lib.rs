//! A disk that loses what was not synced, and a checker of what the store finds after that.
//!
//! A *rehearsal* runs a scenario against the embedded store as it is, on a recorded disk: one blob device and one
//! SQLite VFS write a single ordered [`trace`]. Then, for every point of the trace, a power loss is played: the
//! [`disk`] model says what is durable and what is pending there, a [`survival`] says which of the pending changes
//! reached the disk, and what is left is laid out as a real data folder. The store opens it by its own recovery and
//! a verdict compares what it finds with what clients were told. [`LIES`] are told to check the checker.
//!
//! # Unsafe code
//!
//! SQLite's own file operations can be stood between only by a VFS, which is a table of C functions. They are in
//! one module, `recorded_vfs`, with their argument. The crate is for tests and is never shipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is here runs in tests only, where a panic is a failed test"
)]

mod beginning;
mod campaign;
pub mod disk;
pub mod event;
mod lies;
mod loss;
mod recorded_device;
mod recorded_store;
mod recorded_vfs;
mod rehearsal;
mod scenario;
pub mod survival;
pub mod trace;
mod verdict;
mod world;

pub use campaign::{Campaign, Counts, Failure, Way};
pub use lies::{LIES, Lie};
pub use loss::Loss;
pub use recorded_device::RecordedDevice;
pub use recorded_store::Recording;
pub use recorded_vfs::record;
pub use rehearsal::rehearse;
pub use scenario::{Begins, SCENARIOS, Scenario, Step, Verb};
