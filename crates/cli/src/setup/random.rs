//! The only place of this binary that asks the system for random bytes.

use anyhow::anyhow;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Random text of letters, digits, `-` and `_` that holds so many bytes of chance.
pub(crate) fn text<const BYTES: usize>() -> anyhow::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<BYTES>()?))
}

/// Random capital letters and digits, as access key ids have them.
pub(crate) fn capitals<const LETTERS: usize>() -> anyhow::Result<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letters = bytes::<LETTERS>()?;
    let letter =
        |byte: u8| ALPHABET.get(usize::from(byte) % ALPHABET.len()).map_or('A', |letter| char::from(*letter));
    Ok(letters.into_iter().map(letter).collect())
}

#[expect(clippy::disallowed_methods, reason = "this is the home of randomness")]
fn bytes<const COUNT: usize>() -> anyhow::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no random bytes: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_long_enough_and_never_the_same() {
        let (one, other) = (text::<16>().unwrap(), text::<16>().unwrap());
        assert_eq!(one.len(), 22);
        assert_ne!(one, other);
        assert_eq!(capitals::<20>().unwrap().len(), 20);
    }
}
