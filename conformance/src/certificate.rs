//! Makes certificates with openssl, for tests of TLS.

use std::path::Path;
use std::process::{Command, Stdio};

/// Writes `cert.pem`, a self-signed certificate for this host name, and `key.pem` into the folder.
pub fn make(folder: &Path, host: &str) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", &format!("/CN={host}"), "-addext", &format!("subjectAltName=DNS:{host}")])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status()
        .expect("openssl starts");
    assert!(made.success(), "openssl makes a certificate for {host}");
}
