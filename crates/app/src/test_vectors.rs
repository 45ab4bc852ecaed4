//! Reads the golden vectors for unit tests: those of the repository, or those in the folder that `WIRE_VECTORS`
//! names, where `cargo xtask wire --flip` puts falsified ones. They are read when a test runs, so that no test has to
//! be built again for each of them.

/// The text of one file of vectors.
pub(crate) fn read(file: &str) -> String {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors").to_owned();
    let path = format!("{}/{file}", std::env::var("WIRE_VECTORS").unwrap_or(own));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
