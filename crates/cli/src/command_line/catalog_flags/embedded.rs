//! No flags: a build without the feature `postgres` keeps the records in the data folder.

use std::sync::Arc;

use clap::Args;
use countersign_store::catalog::SharedCatalog;

/// None.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CatalogFlags {}

impl CatalogFlags {
    /// There is nothing to refuse.
    #[expect(clippy::unnecessary_wraps, reason = "other builds refuse something")]
    pub(crate) fn refuse_ephemeral(&self, _ephemeral: bool) -> anyhow::Result<()> {
        Ok(())
    }

    /// No database.
    pub(crate) fn shared(&self) -> Option<Arc<dyn SharedCatalog>> {
        None
    }

    /// Nothing to say.
    pub(crate) fn say(&self, _column: usize) {}
}
