//! The long soak test, for `cargo xtask soak`.

use std::time::Duration;

use countersign_conformance::soak::{SoakOptions, run};

fn main() {
    let mut words = std::env::args().skip(1);
    let (mut minutes, mut seed) = (10.0, None);
    while let Some(word) = words.next() {
        let value = words.next();
        match (word.as_str(), value.as_deref().map(str::parse::<f64>)) {
            ("--minutes", Some(Ok(given))) => minutes = given,
            ("--seed", _) => seed = value.and_then(|text| text.parse().ok()),
            _ => {
                eprintln!("usage: soak [--minutes N] [--seed N]");
                std::process::exit(2);
            }
        }
    }
    let seed = seed.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond().unsigned_abs());
    run(SoakOptions {
        seed,
        least_time: Duration::from_secs_f64(minutes * 60.0),
        least_kills: 10,
        least_acknowledged: 1_000,
        longest_round: Duration::from_secs(15),
        bytes_max: 8 << 20,
        settle: true,
    });
}
