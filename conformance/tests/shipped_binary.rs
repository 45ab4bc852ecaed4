//! What is shipped: its size, which is that of the release build without its debug lines, as `--profile dist` strips it,
//! and what is left out of the libraries in it.

use std::process::Command;

use countersign_conformance::running::binary_path;

/// A start would wait longer for it than for all else; `.cargo/config.toml` leaves it out.
#[test]
fn no_random_number_waits_for_jitter_of_the_processor() {
    let names = |wanted: &str| {
        let found = Command::new("grep").args(["-aqF", wanted]).arg(binary_path()).status();
        found.expect("grep starts").success()
    };
    assert!(names("RAND_bytes"), "a binary without names would show nothing");
    assert!(!names("jent_read_entropy"));
}

const BYTES_MAX: u64 = 25_000_000;

#[test]
fn the_stripped_binary_is_under_25_mb() {
    let binary = binary_path();
    if cfg!(debug_assertions) {
        eprintln!("not measured: {} is not optimised", binary.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let stripped = folder.path().join("countersign");
    assert!(Command::new("strip").arg("-o").arg(&stripped).arg(&binary).status().unwrap().success());
    let bytes = std::fs::metadata(&stripped).unwrap().len();
    assert!(bytes < BYTES_MAX, "{bytes} bytes");
    // It still runs.
    assert!(Command::new(&stripped).arg("--version").output().unwrap().status.success());
}
