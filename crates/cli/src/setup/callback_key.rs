//! The key pair that callbacks are signed with: made at the first start, kept in the data folder.

use std::path::Path;

use anyhow::Context as _;
use countersign_sys::RsaMd5Key;

use super::private_file;

/// The key of this data folder; made when there is none, and synced if `durable`.
pub(crate) fn load_or_make(data: &Path, durable: bool) -> anyhow::Result<RsaMd5Key> {
    let path = data.join("callback_key.pem");
    match std::fs::read(&path) {
        Ok(pem) => RsaMd5Key::from_pem(&pem).with_context(|| format!("{} holds no RSA key", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = RsaMd5Key::generate_2048().context("the callback key cannot be made")?;
            let pem = key.to_pem().context("the callback key cannot be written")?;
            private_file::write_new(&path, &pem, durable)
                .with_context(|| format!("{} cannot be written", path.display()))?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_start_has_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let made = load_or_make(folder.path(), true).unwrap().public_key_pem().unwrap();
        assert_eq!(load_or_make(folder.path(), true).unwrap().public_key_pem().unwrap(), made);
    }

    #[test]
    fn a_broken_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("callback_key.pem"), "no key").unwrap();
        assert!(load_or_make(folder.path(), true).unwrap_err().to_string().contains("callback_key.pem"));
    }
}
