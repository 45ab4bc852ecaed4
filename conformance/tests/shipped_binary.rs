//! The size of what is shipped: the release build without its debug lines, as `--profile dist` strips it.

use std::process::Command;

use countersign_conformance::running::binary_path;

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
