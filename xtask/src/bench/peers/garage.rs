//! Runs garage, one node, in its default set-up: LMDB, no fsync of data or metadata. A separate process of another
//! project (AGPL), started and talked to over HTTP and nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::free_port::free_address;

/// Made up; garage wants keys of this shape.
const KEY_ID: &str = "GK31c2f218a2e44f485b94239e";
const KEY_SECRET: &str = "b892c0665f0ada8a4755dae98baa3b133590e11dae3bcc1f9d769d67f16c3835";
const RPC_SECRET: &str = "6f1c0f1d7c6b4f0c9d0e5a4b3c2d1e0f6f1c0f1d7c6b4f0c9d0e5a4b3c2d1e0f";

/// Where it lies: in `GARAGE`, in the folder that the instruments' README names, or in the search path.
pub(super) fn program() -> Option<PathBuf> {
    let named = std::env::var_os("GARAGE").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let built = home.map(|home| home.join(".cache/countersign-bench/opt/garage/bin/garage"));
    let searched = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).map(|folder| folder.join("garage")).collect::<Vec<_>>());
    named.into_iter().chain(built).chain(searched.unwrap_or_default()).find(|path| path.is_file())
}

/// The command that runs it with its key and its bucket made.
pub(super) fn command(address: &str, folder: &Path) -> anyhow::Result<Command> {
    let (rpc, admin) = (free_address()?, free_address()?);
    let configuration = folder.join("garage.toml");
    let text = format!(
        "metadata_dir = \"{folder}/meta\"
data_dir = \"{folder}/data\"
db_engine = \"lmdb\"
replication_factor = 1
rpc_bind_addr = \"{rpc}\"
rpc_public_addr = \"{rpc}\"
rpc_secret = \"{RPC_SECRET}\"
[s3_api]
s3_region = \"us-east-1\"
api_bind_addr = \"{address}\"
root_domain = \".s3.garage.localhost\"
[admin]
api_bind_addr = \"{admin}\"
",
        folder = folder.display()
    );
    std::fs::write(&configuration, text)?;
    let mut command = Command::new(program().unwrap_or_else(|| PathBuf::from("garage")));
    command.arg("-c").arg(configuration).args(["server", "--single-node", "--default-bucket"]);
    command.env("GARAGE_DEFAULT_ACCESS_KEY", KEY_ID).env("GARAGE_DEFAULT_SECRET_KEY", KEY_SECRET);
    command.env("GARAGE_DEFAULT_BUCKET", "bench").env("RUST_LOG", "warn");
    Ok(command)
}

/// What the generator has to know.
pub(super) fn load_arguments() -> Vec<&'static str> {
    vec!["--dialect", "s3", "--access-key-id", KEY_ID, "--access-key-secret", KEY_SECRET]
}
