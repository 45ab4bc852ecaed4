//! Opens a catalog: checks that its schema and its server are fit, that it belongs to this data folder, and takes the
//! right to write.

use crate::failure::{Failure, catalog_error};
use crate::location::{Location, Password};
use crate::rows::{column, number};
use crate::schema::{self, Migration, SCHEMA};
use crate::session::Connecting;
use crate::tls::TlsError;
use countersign_store::Clock;
use countersign_store::catalog::{BlobFolder, CatalogError, EngineError};
use tokio_postgres::Client;

/// A catalog could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenPostgresError {
    /// The database could not be reached.
    #[error("the database at {location} cannot be reached: {said}")]
    Unreachable {
        /// Where it should be.
        location: Location,
        /// What was said.
        said: EngineError,
    },
    /// TLS could not be prepared.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The database has no schema, or an earlier one.
    #[error(
        "the database at {location} has schema {found}, and this program needs {SCHEMA}; \
         run `countersign migrate --catalog {location}` while no gateway uses it"
    )]
    SchemaTooOld {
        /// The database.
        location: Location,
        /// Its schema; 0 when it has none.
        found: i64,
    },
    /// The database has a later schema.
    #[error(
        "the database at {location} has schema {found}, which a later program made; this one knows {SCHEMA}"
    )]
    SchemaTooNew {
        /// The database.
        location: Location,
        /// Its schema.
        found: i64,
    },
    /// The server would lose what it has acknowledged.
    #[error(
        "the database server has {} off, and would lose what it has acknowledged; switch it on, or say \
         --catalog-may-forget where losing uploads is fine", settings.join(" and ")
    )]
    Forgetful {
        /// The settings that are off.
        settings: Vec<String>,
    },
    /// The catalog belongs to another data folder.
    #[error("the catalog at {location} belongs to another data folder, whose files its objects are in")]
    OtherFolder {
        /// The database.
        location: Location,
    },
    /// The data folder has files of another catalog.
    #[error(
        "the catalog at {location} is new, and the data folder has files of another catalog, which would be taken for \
         left over and deleted"
    )]
    FolderInUse {
        /// The database.
        location: Location,
    },
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// A connection to begin with.
pub(crate) async fn reach(location: &Location, connecting: &Connecting) -> Result<Client, OpenPostgresError> {
    connecting.connect().await.map_err(|failure| OpenPostgresError::Unreachable {
        location: location.clone(),
        said: failure.said(),
    })
}

/// Refuses a database of another schema, or whose server forgets.
pub(crate) async fn check(
    client: &Client,
    location: &Location,
    may_forget: bool,
) -> Result<(), OpenPostgresError> {
    let location = || location.clone();
    match schema::found(client).await? {
        found if found < SCHEMA => {
            return Err(OpenPostgresError::SchemaTooOld { location: location(), found });
        }
        found if found > SCHEMA => {
            return Err(OpenPostgresError::SchemaTooNew { location: location(), found });
        }
        _ => {}
    }
    if !may_forget {
        let settings = schema::forgetful_settings(client).await?;
        if !settings.is_empty() {
            return Err(OpenPostgresError::Forgetful { settings });
        }
    }
    Ok(())
}

/// Takes the right to write, for the gateway of this data folder, and answers the epoch. Waits for a batch that an
/// earlier gateway has under way; after that it has none, and the next one is refused.
pub(crate) async fn claim(
    client: &mut Client,
    location: &Location,
    folder: BlobFolder,
) -> Result<i64, OpenPostgresError> {
    const RAISE: &str = "UPDATE state SET epoch = epoch + 1 WHERE one = 1 RETURNING epoch, data_folder";
    let transaction = client.transaction().await.map_err(catalog_error)?;
    let row = transaction.query_one(RAISE, &[]).await.map_err(catalog_error)?;
    let known: Option<&[u8]> = column(&row, 1)?;
    match known {
        Some(known) if *known == folder.id => {}
        Some(_) => return Err(OpenPostgresError::OtherFolder { location: location.clone() }),
        None if !folder.is_new => return Err(OpenPostgresError::FolderInUse { location: location.clone() }),
        None => {
            let bind = "UPDATE state SET data_folder = $1 WHERE one = 1";
            transaction.execute(bind, &[&&folder.id[..]]).await.map_err(catalog_error)?;
        }
    }
    let epoch = number(&row, 0)?;
    transaction.commit().await.map_err(catalog_error)?;
    Ok(epoch as i64)
}

/// What a database needs to be of this program's schema.
///
/// # Errors
/// [`OpenPostgresError`].
pub async fn migrations_needed(
    location: &Location,
    password: Option<&Password>,
    clock: &Clock,
) -> Result<Vec<Migration>, OpenPostgresError> {
    let client = reach(location, &Connecting::new(location, password, clock)?).await?;
    Ok(needed(&client, location).await?.into_iter().map(|(migration, _)| migration).collect())
}

/// Brings a database to this program's schema, and answers what was done.
///
/// # Errors
/// [`OpenPostgresError`].
pub async fn migrate(
    location: &Location,
    password: Option<&Password>,
    clock: &Clock,
) -> Result<Vec<Migration>, OpenPostgresError> {
    let mut client = reach(location, &Connecting::new(location, password, clock)?).await?;
    let mut done = Vec::new();
    for (migration, sql) in needed(&client, location).await? {
        schema::run(&mut client, migration.number, sql, clock.wall().as_microsecond())
            .await
            .map_err(Failure::into_catalog_error)?;
        done.push(migration);
    }
    Ok(done)
}

async fn needed(
    client: &Client,
    location: &Location,
) -> Result<Vec<(Migration, &'static str)>, OpenPostgresError> {
    let found = schema::found(client).await?;
    if found > SCHEMA {
        return Err(OpenPostgresError::SchemaTooNew { location: location.clone(), found });
    }
    Ok(schema::needed(found).collect())
}
