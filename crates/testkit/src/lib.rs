//! Fakes, fault devices and conformance suites; never published.
