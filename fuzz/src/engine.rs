//! Links the targets to libFuzzer, which brings its own `main`. `FUZZ_TARGET` names the target.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

static CHOSEN: OnceLock<fn(&[u8])> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let run = CHOSEN.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        countersign_fuzz::target(&name).map_or(no_target, |target| target.run)
    });
    run(data);
});

fn no_target(_: &[u8]) {
    eprintln!("FUZZ_TARGET names no target");
    std::process::exit(2);
}
