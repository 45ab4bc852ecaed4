//! Fills a store from a folder of files (`--seed DIR`), and writes such folders (`countersign export DIR`).
//!
//! The format is for people, to be written by hand and kept in a repository:
//!
//! ```text
//! DIR/BUCKET/KEY        the bytes of an object, its key being the path
//! DIR/BUCKET.toml       what the bucket is set to, and of objects what their files do not say; may be left out
//! DIR/BUCKET.files/…    objects whose keys are no paths (`a//b`, `dir/`, `..`), which BUCKET.toml names
//! DIR/MANIFEST          of an export: every file with its length and CRC-64
//! ```
//!
//! No bucket's name has a dot, so nothing of this is in the way of a key. Every file in a bucket's folder is an object,
//! as it is called: nothing is unescaped. A folder with a MANIFEST must be what was exported; without one it is taken as
//! it is. Symbolic links are refused and never followed.

mod exporting;
mod folder;
mod key_path;
mod loading;
mod manifest;
mod reading;
mod seed_error;
mod sidecar;

#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::Context as _;
use countersign_store::Store;

pub(crate) use exporting::{Exported, export};
pub(crate) use loading::{SeedCounts, load};
pub(crate) use seed_error::SeedError;

/// Puts the folder of `--seed` into the store, if there is one.
pub(crate) async fn at_start(store: &Store, folder: Option<&Path>) -> anyhow::Result<Option<SeedCounts>> {
    let Some(folder) = folder else { return Ok(None) };
    let seeded = Box::pin(load(store, folder)).await;
    seeded.map(Some).with_context(|| format!("the seed {} cannot be used", folder.display()))
}
