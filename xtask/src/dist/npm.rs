//! Makes the tarballs for npm.

use std::path::PathBuf;

use super::Ingredients;

/// Makes it, and gives the files that are published.
pub(super) fn build(_ingredients: &Ingredients) -> anyhow::Result<Vec<PathBuf>> {
    anyhow::bail!("the tarballs for npm cannot be made yet")
}
