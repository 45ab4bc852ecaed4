//! Fakes, fault devices and conformance suites; never published.

pub mod test_clock;

pub use test_clock::TestClock;
