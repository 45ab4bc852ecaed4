//! Tells other commands where the store of a data folder listens: by a file in the folder that the running store
//! writes and removes again. It holds the access key and only its owner can read it.

use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::credentials::AccessKey;
use super::private_file;
use super::store_server::StoreServer;
use crate::command_line::flag_groups::StoreSettings;
use crate::environment::InstanceEnvironment;
use crate::network::reachable::Reachable;

/// The file's name. JSON, whose members are those of [`InstanceEnvironment`].
const FILE: &str = "running.json";
/// The file with the public half of the callback key, for receivers on this machine.
const KEY_FILE: &str = "callback_pub_key_v1.pem";
/// How long an announced store may take to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Says where the store on this folder is reached, until the value is dropped.
#[derive(Debug)]
pub(crate) struct AnnouncedStore(PathBuf);

/// Writes the public callback key into the folder and says where; the key of an older start is overwritten.
pub(crate) fn publish_key(data: &Path, pem: &str) -> anyhow::Result<String> {
    let path = std::path::absolute(data.join(KEY_FILE))?;
    replace(&path, pem.as_bytes())?;
    Ok(path.display().to_string())
}

/// What a store with these settings says of itself; an application server and a bucket are for the caller to add.
pub(crate) fn describe(
    data: &Path,
    opened: &StoreServer,
    key: &AccessKey,
    settings: &StoreSettings,
    reachable: &Reachable,
) -> anyhow::Result<InstanceEnvironment> {
    Ok(InstanceEnvironment {
        store_url: reachable.own_url(),
        app_url: None,
        callback_key_url: opened.callback_key_url.clone(),
        callback_key_file: publish_key(data, &opened.callback_key_pem)?,
        region: settings.region.clone(),
        bucket: None,
        access_key_id: key.id.clone(),
        access_key_secret: key.secret.clone(),
        data: std::path::absolute(data)?.display().to_string(),
    })
}

/// Announces a store that runs. One that ended without removing its file is overwritten.
pub(crate) fn announce(data: &Path, environment: &InstanceEnvironment) -> anyhow::Result<AnnouncedStore> {
    let path = data.join(FILE);
    replace(&path, &serde_json::to_vec(environment)?)?;
    Ok(AnnouncedStore(path))
}

fn replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let written = match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => private_file::write_new_unsynced(path, content),
    };
    written.with_context(|| format!("{} cannot be written", path.display()))
}

impl Drop for AnnouncedStore {
    fn drop(&mut self) {
        // What is left behind names an address at which nothing answers, which the next command says.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What runs on a data folder. Blocks for a moment.
pub(crate) fn find(data: &Path) -> anyhow::Result<InstanceEnvironment> {
    let environment = announced(data)?;
    let address = environment.store_url.split_once("://").and_then(|(_, rest)| rest.parse().ok());
    let answers =
        address.is_some_and(|address| TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_ok());
    if !answers {
        bail!("no store runs on {}: the last one ended without saying so", data.display());
    }
    Ok(environment)
}

/// The address of the store that runs on a data folder.
pub(crate) fn address(data: &Path) -> anyhow::Result<String> {
    Ok(announced(data)?.store_url)
}

fn announced(data: &Path) -> anyhow::Result<InstanceEnvironment> {
    let path = data.join(FILE);
    let unreadable = || format!("{} cannot be read", path.display());
    match std::fs::read(&path) {
        Ok(json) => serde_json::from_slice(&json).with_context(unreadable),
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "no store runs on {}: start one, name another folder with --data, or the store's address with --endpoint",
            data.display()
        ),
        Err(error) => Err(error).with_context(unreadable),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn environment(store_url: &str) -> InstanceEnvironment {
        InstanceEnvironment {
            store_url: store_url.to_owned(),
            app_url: None,
            callback_key_url: format!("{store_url}/key"),
            callback_key_file: "/key".to_owned(),
            region: "cn-hangzhou".to_owned(),
            bucket: None,
            access_key_id: "id".to_owned(),
            access_key_secret: "secret".into(),
            data: "/data".to_owned(),
        }
    }

    #[test]
    fn a_store_is_found_while_it_runs_and_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        assert!(address(folder.path()).unwrap_err().to_string().starts_with("no store runs on"));
        let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listening.local_addr().unwrap());
        let announced = announce(folder.path(), &environment(&url)).unwrap();
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it holds the secret");
        assert_eq!(find(folder.path()).unwrap().store_url, url);
        assert_eq!(address(folder.path()).unwrap(), url);
        drop(announced);
        assert!(address(folder.path()).is_err());
    }

    #[test]
    fn a_killed_stores_announcement_is_not_taken_for_a_running_store() {
        let folder = tempfile::tempdir().unwrap();
        let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listening.local_addr().unwrap());
        drop(listening);
        let _announced = announce(folder.path(), &environment(&url)).unwrap();
        assert!(find(folder.path()).unwrap_err().to_string().contains("no store runs on"));
    }
}
