//! Every input that ever mattered is run again, without an engine.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the functions between the tests are tests too")]

use std::path::PathBuf;

use countersign_fuzz::TARGETS;

fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn every_input_of_every_corpus_keeps_what_must_hold() {
    for target in TARGETS {
        let inputs = inputs(target.name);
        assert!(inputs.len() >= 10, "{} has only {} inputs", target.name, inputs.len());
        for (path, bytes) in inputs {
            let kept = std::panic::catch_unwind(|| (target.run)(&bytes));
            assert!(kept.is_ok(), "{}", path.display());
        }
    }
}

#[test]
fn every_input_cut_short_or_with_a_byte_changed_keeps_it_too() {
    for target in TARGETS {
        for (path, bytes) in inputs(target.name) {
            for place in (0..bytes.len()).step_by(1 + bytes.len() / 16) {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << (place % 8);
                for input in [&bytes[..place], &changed[..]] {
                    let kept = std::panic::catch_unwind(|| (target.run)(input));
                    assert!(kept.is_ok(), "{} at {place}", path.display());
                }
            }
        }
    }
}

#[test]
fn the_corpora_stay_small() {
    let bytes: usize =
        TARGETS.iter().flat_map(|target| inputs(target.name)).map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes <= 300_000, "{bytes} bytes");
}
