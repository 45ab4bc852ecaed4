//! Maintenance commands of a data folder: `scrub`, `backup`, `restore` and `export`.

pub(crate) mod backup;
pub(crate) mod export;
pub(crate) mod scrub;

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// How far something is, on a line of the terminal that is written over; without a terminal, nothing.
struct ProgressLine {
    clock: countersign_store::Clock,
    told: jiff::Timestamp,
    wanted: bool,
}

impl ProgressLine {
    fn new(clock: &countersign_store::Clock) -> ProgressLine {
        let wanted = std::io::stderr().is_terminal();
        ProgressLine { clock: clock.clone(), told: jiff::Timestamp::UNIX_EPOCH, wanted }
    }

    fn tell(&mut self, text: impl FnOnce() -> String) {
        let now = self.clock.wall();
        let due = now.duration_since(self.told).unsigned_abs() >= Duration::from_millis(500);
        if self.wanted && due {
            self.told = now;
            eprint!("\r\x1b[K{}", text());
            let _not_seen = std::io::stderr().flush();
        }
    }

    fn clear(&self) {
        if self.wanted {
            eprint!("\r\x1b[K");
        }
    }
}

/// A number of bytes as people say it.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for larger in units {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

/// A count with its noun.
fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts_are_said_as_people_say_them() {
        assert_eq!(
            [size(0), size(1023), size(1024), size(5 << 30)],
            ["0 bytes", "1023 bytes", "1.0 KiB", "5.0 GiB"]
        );
        assert_eq!([count(1, "object"), count(0, "blob")], ["1 object", "0 blobs"]);
    }
}
