//! The flags of the scrub that runs within a store: how often, and how fast.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;

/// How the store looks for damage while it runs.
#[derive(Debug, Args)]
pub(crate) struct BackgroundScrubFlags {
    /// Verify everything that is stored this long after the last time: 7d, 12h, 30m, or off.
    #[arg(long, value_name = "TIME", default_value = "7d", help_heading = "Store")]
    pub(crate) scrub_every: ScrubEvery,
    /// Read at most so much per second for it; a bare number counts MiB.
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "8MiB",
        value_parser = super::quantity::bytes_per_second,
        help_heading = "Store"
    )]
    pub(crate) scrub_rate: u64,
}

/// From the end of a scrub to the beginning of the next; none switches it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScrubEvery(pub(crate) Option<Duration>);

impl FromStr for ScrubEvery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(ScrubEvery(None));
        }
        // A bare number has no unit here that anybody could know.
        if text.ends_with(|sign: char| sign.is_ascii_digit()) {
            return Err("write a time with d, h, m or s behind it, as in 7d; or off".to_owned());
        }
        super::quantity::duration(text).map(|every| ScrubEvery(Some(every)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_its_unit_or_off() {
        let every = |text: &str| text.parse::<ScrubEvery>().map(|every| every.0.map(|time| time.as_secs()));
        assert_eq!(every("off"), Ok(None));
        assert_eq!(every("7d"), Ok(Some(604_800)));
        assert_eq!(every("90s"), Ok(Some(90)));
        for wrong in ["", "7", "d", "-1h", "7 d", "1w", "99999999999999999999d", "日"] {
            assert!(every(wrong).is_err(), "{wrong}");
        }
    }
}
