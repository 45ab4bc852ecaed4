//! The access key: given, or made at the first start and kept in a file that only its owner can read. There is no
//! default.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use countersign_app::AccessKeySecret;

use super::{private_file, random};
use crate::command_line::flag_groups::KeyFlags;

/// The access key of a start.
#[derive(Debug, Clone)]
pub(crate) struct AccessKey {
    /// The public half.
    pub(crate) id: String,
    /// The secret half.
    pub(crate) secret: AccessKeySecret,
    /// Where it comes from.
    pub(crate) origin: Origin,
}

/// Where an access key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Given by flag, configuration or environment.
    Given,
    /// Read from this file.
    Kept(PathBuf),
    /// Made now, and kept in this file.
    MadeNow(PathBuf),
}

/// The access key to use with this data folder; one that is made is synced if `durable`.
pub(crate) fn access_key(flags: KeyFlags, data: &Path, durable: bool) -> anyhow::Result<AccessKey> {
    match (flags.access_key_id, flags.access_key_secret) {
        (Some(id), Some(secret)) if !id.is_empty() && !secret.as_bytes().is_empty() => {
            Ok(AccessKey { id, secret, origin: Origin::Given })
        }
        (None, None) => kept_or_made(data.join("credentials.toml"), durable),
        _ => bail!("an access key is an id and a secret, both given and neither empty"),
    }
}

/// The key that a data folder keeps.
pub(crate) fn kept(data: &Path) -> anyhow::Result<(String, AccessKeySecret)> {
    let path = data.join("credentials.toml");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let key = read(&text, path)?;
    Ok((key.id, key.secret))
}

fn kept_or_made(path: PathBuf, durable: bool) -> anyhow::Result<AccessKey> {
    match std::fs::read_to_string(&path) {
        Ok(text) => read(&text, path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path, durable),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn read(text: &str, path: PathBuf) -> anyhow::Result<AccessKey> {
    let value =
        |table: &toml::Table, key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let table: Option<toml::Table> = text.parse().ok();
    let halves =
        table.and_then(|table| value(&table, "access-key-id").zip(value(&table, "access-key-secret")));
    let (id, secret) = halves.with_context(|| {
        format!("{} does not hold an access-key-id and an access-key-secret", path.display())
    })?;
    Ok(AccessKey { id, secret: AccessKeySecret::from(secret), origin: Origin::Kept(path) })
}

fn make(path: PathBuf, durable: bool) -> anyhow::Result<AccessKey> {
    let (id, secret) = (format!("CS{}", random::capitals::<18>()?), random::text::<30>()?);
    let text = format!("access-key-id = \"{id}\"\naccess-key-secret = \"{secret}\"\n");
    private_file::write_new(&path, text.as_bytes(), durable)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(AccessKey { id, secret: AccessKeySecret::from(secret), origin: Origin::MadeNow(path) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: KeyFlags = KeyFlags { access_key_id: None, access_key_secret: None };

    #[test]
    fn the_first_start_makes_a_key_and_the_next_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let made = access_key(NONE, folder.path(), true).unwrap();
        assert!(matches!(made.origin, Origin::MadeNow(_)));
        let kept = access_key(NONE, folder.path(), true).unwrap();
        assert!(matches!(kept.origin, Origin::Kept(_)));
        assert_eq!((made.id, made.secret), (kept.id, kept.secret));
    }

    #[test]
    fn two_folders_never_share_a_key() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (one, other) =
            (access_key(NONE, one.path(), true).unwrap(), access_key(NONE, other.path(), true).unwrap());
        assert_ne!(one.id, other.id);
        assert_ne!(one.secret, other.secret);
    }

    #[test]
    fn half_a_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let half = KeyFlags { access_key_id: Some("id".into()), access_key_secret: None };
        assert!(access_key(half, folder.path(), true).is_err());
        let empty = KeyFlags { access_key_id: Some("id".into()), access_key_secret: Some("".into()) };
        assert!(access_key(empty, folder.path(), true).is_err());
    }

    #[test]
    fn a_given_key_writes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let given = KeyFlags { access_key_id: Some("id".into()), access_key_secret: Some("secret".into()) };
        assert_eq!(access_key(given, folder.path(), true).unwrap().origin, Origin::Given);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_broken_file_is_one_sentence_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.toml");
        std::fs::write(&path, "access-key-id = 5").unwrap();
        let error = access_key(NONE, folder.path(), true).unwrap_err().to_string();
        assert!(error.contains("credentials.toml"), "{error}");
        assert_eq!(std::fs::read_to_string(path).unwrap(), "access-key-id = 5");
    }
}
