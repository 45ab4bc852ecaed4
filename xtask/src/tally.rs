//! Reads how many tests ran from what a test runner prints. Knows cargo-nextest, `cargo test`, `node --test`, pytest
//! and unittest, and nothing of how they are started.

/// Tests that passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many passed.
    pub(crate) passed: u64,
    /// How many failed, timed out or could not be run.
    pub(crate) failed: u64,
}

impl Tally {
    /// Adds what one line of output reports, if it is a line of totals.
    pub(crate) fn read(&mut self, line: &str) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) {
            self.read_node(rest);
        } else if line.starts_with("Summary [") {
            self.read_counts(line.split_once("run:").map_or("", |(_, counts)| counts));
        } else if let Some(rest) = line.strip_prefix("test result:") {
            self.read_counts(rest.split_once(". ").map_or("", |(_, counts)| counts));
        } else if line.starts_with("=====") && line.contains(" in ") {
            self.read_counts(line.trim_matches('='));
        } else if line.starts_with("Ran ") && line.contains(" test") {
            self.passed += second_word(line);
        } else if let Some(rest) = line.strip_prefix("FAILED (") {
            self.read_unittest_failures(rest);
        }
    }

    /// `pass 12`, `fail 0`, `cancelled 0`.
    fn read_node(&mut self, rest: &str) {
        let Some((word, count)) = rest.split_once(' ') else { return };
        let Ok(count) = count.trim().parse::<u64>() else { return };
        match word {
            "pass" => self.passed += count,
            "fail" | "cancelled" => self.failed += count,
            _ => {}
        }
    }

    /// `12 passed (1 slow), 3 failed, 1 timed out`, with commas or semicolons.
    fn read_counts(&mut self, counts: &str) {
        for part in counts.split([',', ';']) {
            let mut words = part.split_whitespace();
            let Some(count) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
            match words.next() {
                Some("passed") => self.passed += count,
                Some("failed" | "timed" | "exec" | "error" | "errors") => self.failed += count,
                _ => {}
            }
        }
    }

    /// `failures=1, errors=2)`, after a line that counted them as run.
    fn read_unittest_failures(&mut self, rest: &str) {
        for part in rest.trim_end_matches(')').split(", ") {
            if let Some((_, count)) =
                part.split_once('=').filter(|(word, _)| matches!(*word, "failures" | "errors"))
            {
                let count = count.parse().unwrap_or(0);
                self.failed += count;
                self.passed = self.passed.saturating_sub(count);
            }
        }
    }
}

fn second_word(line: &str) -> u64 {
    line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn reads_nextest() {
        let line =
            "     Summary [   1.005s] 7 tests run: 4 passed (1 slow), 2 failed, 1 timed out, 3 skipped";
        assert_eq!(read(&[line]), Tally { passed: 4, failed: 3 });
    }

    #[test]
    fn adds_the_binaries_of_cargo_test() {
        let tally = read(&[
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ]);
        assert_eq!(tally, Tally { passed: 7, failed: 1 });
    }

    #[test]
    fn reads_both_reporters_of_node() {
        assert_eq!(
            read(&["# tests 3", "# pass 2", "# fail 1", "# cancelled 0"]),
            Tally { passed: 2, failed: 1 }
        );
        assert_eq!(read(&["ℹ tests 3", "ℹ pass 3", "ℹ fail 0"]), Tally { passed: 3, failed: 0 });
    }

    #[test]
    fn reads_pytest_and_unittest() {
        assert_eq!(
            read(&["====== 1 failed, 8 passed, 1 error in 0.12s ======"]),
            Tally { passed: 8, failed: 2 }
        );
        assert_eq!(
            read(&["Ran 5 tests in 0.1s", "FAILED (failures=1, errors=1)"]),
            Tally { passed: 3, failed: 2 }
        );
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(read(&["12 passed the door", "# a heading", "Summary of it"]), Tally::default());
    }
}
