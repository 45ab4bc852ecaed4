//! Sizes as people write them: `4K`, `64M`, `1G`, in powers of two.

use anyhow::Context as _;

/// Bytes of a size such as `4096`, `4K`, `64M` or `1G`.
pub(crate) fn bytes_of(text: &str) -> anyhow::Result<u64> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'K')) => (text.get(..at), 1 << 10),
        Some((at, 'M')) => (text.get(..at), 1 << 20),
        Some((at, 'G')) => (text.get(..at), 1 << 30),
        _ => (Some(text), 1),
    };
    let number: u64 =
        digits.and_then(|digits| digits.parse().ok()).context("a size is 4096, 4K, 64M or 1G")?;
    number.checked_mul(unit).context("the size is too large")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_powers_of_two() {
        assert_eq!(bytes_of("4096").unwrap(), 4096);
        assert_eq!(bytes_of("4K").unwrap(), 4096);
        assert_eq!(bytes_of("64M").unwrap(), 64 << 20);
        assert_eq!(bytes_of("1G").unwrap(), 1 << 30);
        for wrong in ["", "K", "4k", "4KB", "-1"] {
            assert!(bytes_of(wrong).is_err(), "{wrong:?}");
        }
    }
}
