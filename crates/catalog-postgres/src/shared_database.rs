//! Opens the catalog for a store, as the store asks for it.

use crate::catalog::{PostgresCatalog, PostgresOptions};
use crate::location::{Location, Password};
use crate::writer::Patience;
use countersign_store::Clock;
use countersign_store::catalog::{Catalog, Opening, SharedCatalog, SharedCatalogOptions};
use std::error::Error;
use std::sync::Arc;

/// A database that holds a catalog.
#[derive(Debug, Clone)]
pub struct SharedDatabase {
    /// Where it is.
    pub location: Location,
    /// Its password, where it asks for one.
    pub password: Option<Password>,
    /// Whether the server may lose what it has acknowledged.
    pub may_forget: bool,
}

fn failed(error: impl Error + Send + Sync + 'static) -> Box<dyn Error + Send + Sync> {
    Box::new(error)
}

impl SharedCatalog for SharedDatabase {
    fn open(&self, options: SharedCatalogOptions) -> Opening {
        let options = PostgresOptions {
            location: self.location.clone(),
            password: self.password.clone(),
            folder: options.folder,
            may_forget: self.may_forget,
            clock: options.clock,
            random: options.random,
            health: options.health,
            read_connections: options.read_connections,
            garbage_grace: options.garbage_grace,
            patience: Patience::default(),
        };
        Box::pin(async move {
            let catalog: Arc<dyn Catalog> = Arc::new(PostgresCatalog::open(options).await.map_err(failed)?);
            Ok(catalog)
        })
    }

    fn open_beside(&self, clock: &Clock) -> Opening {
        let (database, clock) = (self.clone(), clock.clone());
        Box::pin(async move {
            let password = database.password.as_ref();
            let opened = PostgresCatalog::open_beside(&database.location, password, &clock, 1).await;
            let catalog: Arc<dyn Catalog> = Arc::new(opened.map_err(failed)?);
            Ok(catalog)
        })
    }
}
