//! Parses sizes and times as people write them: `10MB`, `64KiB`, `5m`. A bare number keeps the unit that its flag
//! always had.

use std::time::Duration;

/// A number of bytes: bare, or with B, kB, MB, GB, TB (powers of a thousand) or KiB, MiB, GiB, TiB.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    sized(text, 1)
        .ok_or_else(|| "write a number of bytes, bare or with a unit, as in 10MB or 64KiB".to_owned())
}

/// As [`bytes()`], of what is held in memory.
pub(super) fn bytes_held(text: &str) -> Result<usize, String> {
    bytes(text)?.try_into().map_err(|_| "that is more than this machine can hold".to_owned())
}

/// Bytes per second; a bare number counts MiB.
pub(super) fn bytes_per_second(text: &str) -> Result<u64, String> {
    sized(text, 1024 * 1024)
        .filter(|rate| *rate > 0)
        .ok_or_else(|| "write how much per second, as in 8MiB; a bare number counts MiB".to_owned())
}

/// A time; a bare number counts seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let refusal =
        || "write a time with d, h, m or s behind it, as in 5m; a bare number counts seconds".to_owned();
    let seconds = match in_parts(text).ok_or_else(refusal)? {
        (number, "" | "s") => Some(number),
        (number, "m") => number.checked_mul(60),
        (number, "h") => number.checked_mul(60 * 60),
        (number, "d") => number.checked_mul(24 * 60 * 60),
        _ => None,
    };
    seconds.map(Duration::from_secs).ok_or_else(refusal)
}

fn sized(text: &str, bare: u64) -> Option<u64> {
    let (number, unit) = in_parts(text)?;
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" => bare,
        "b" => 1,
        "kb" | "k" => 1_000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "tb" | "t" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// The digits, and what is behind them.
fn in_parts(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_or_without_its_unit() {
        for (text, expected) in [
            ("5", 5),
            ("0", 0),
            ("10MB", 10_000_000),
            ("10mb", 10_000_000),
            ("64KiB", 65_536),
            ("2GB", 2_000_000_000),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for wrong in ["", "MB", "-1", "1.5MB", "10 MB", "10XB", "99999999999TB", "\u{662d}"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
        assert_eq!((bytes_per_second("8"), bytes_per_second("8MB")), (Ok(8_388_608), Ok(8_000_000)));
        assert!(bytes_per_second("0").is_err());
    }

    #[test]
    fn a_time_is_a_number_with_or_without_its_unit() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("5m", 300), ("2h", 7_200), ("7d", 604_800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "d", "-1h", "7 d", "1w", "99999999999999999999d", "9999999999999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
