//! Where the records are: in the data folder, or in a database.

use std::sync::Arc;

use clap::Args;
use countersign_catalog_postgres::{Location, Password, SharedDatabase};
use countersign_store::catalog::SharedCatalog;

/// The variable that PostgreSQL's own programs read a password from.
const PGPASSWORD: &str = "PGPASSWORD";

/// A database for the records. Without one they are in the data folder.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CatalogFlags {
    /// Keep the records in this PostgreSQL database instead of the data folder, which holds the files all the same, as in
    /// postgres://USER@HOST/DATABASE. TLS is verified, but on this machine, where there is none; sslmode=verify-full,
    /// sslmode=disable and sslrootcert=FILE say otherwise. `countersign migrate` makes the tables.
    #[arg(long, value_name = "URL", help_heading = "Catalog")]
    pub(crate) catalog: Option<Location>,
    /// The password of its user, where it asks for one; better given in the environment, where other users of the machine
    /// cannot read it. PGPASSWORD counts too.
    #[arg(
        long,
        env = "COUNTERSIGN_CATALOG_PASSWORD",
        hide_env_values = true,
        value_name = "SECRET",
        value_parser = password,
        help_heading = "Catalog"
    )]
    pub(crate) catalog_password: Option<Password>,
    /// Start although the database server has fsync or synchronous_commit off, and would lose what it has acknowledged.
    #[arg(long, requires = "catalog", help_heading = "Catalog")]
    pub(crate) catalog_may_forget: bool,
}

/// Flags of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateFlags {
    #[command(flatten)]
    pub(crate) catalog: CatalogFlags,
    /// Only say what would be done; exits with 1 when anything would.
    #[arg(long)]
    pub(crate) check: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "clap asks for a result")]
fn password(text: &str) -> Result<Password, std::convert::Infallible> {
    Ok(Password::new(text.to_owned()))
}

impl CatalogFlags {
    /// The database, if one is named.
    pub(crate) fn database(&self) -> Option<SharedDatabase> {
        let location = self.catalog.clone()?;
        let password = self.password();
        Some(SharedDatabase { location, password, may_forget: self.catalog_may_forget })
    }

    /// Refuses a throw-away data folder for a database that stays: the files of its objects would be gone.
    pub(crate) fn refuse_ephemeral(&self, ephemeral: bool) -> anyhow::Result<()> {
        anyhow::ensure!(
            !ephemeral || self.catalog.is_none(),
            "--ephemeral throws the files away whose records --catalog keeps; use one of the two"
        );
        Ok(())
    }

    /// What opens it.
    pub(crate) fn shared(&self) -> Option<Arc<dyn SharedCatalog>> {
        self.database().map(|database| Arc::new(database) as Arc<dyn SharedCatalog>)
    }

    /// The password that was given, in whichever way.
    pub(crate) fn password(&self) -> Option<Password> {
        let given = || std::env::var(PGPASSWORD).ok().filter(|given| !given.is_empty()).map(Password::new);
        self.catalog_password.clone().or_else(given)
    }

    /// Says where the records are, in the column where the other lines have it.
    pub(crate) fn say(&self, column: usize) {
        if let Some(location) = &self.catalog {
            say!("{:column$}{location}", "catalog");
        }
    }
}
