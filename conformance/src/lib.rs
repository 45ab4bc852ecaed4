//! Black-box tests of the built binary; this library only holds their shared harness.
