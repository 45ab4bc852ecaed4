//! The pool of connections that answer queries. A query has one to itself while it runs; each is one statement, or a
//! few that need not agree with each other, and none keeps a transaction open.

use crate::failure::{Failure, catalog_error};
use crate::rows::column;
use crate::session::{Connecting, ROUND_TRIP_TIMEOUT, prepare_client};
use countersign_store::Clock;
use countersign_store::catalog::{CatalogError, EngineError};
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSqlOwned, ToSql};

/// How long a query waits for a connection of the pool.
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(5);

/// The pool. Clones share it.
#[derive(Clone)]
pub(crate) struct Readers {
    pool: Pool,
    clock: Clock,
}

/// A statement's values.
pub(crate) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Readers {
    /// At most so many connections, made when they are needed.
    pub(crate) fn new(connecting: &Connecting, connections: usize) -> Result<Readers, CatalogError> {
        let fast = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(connecting.config.clone(), connecting.connector.clone(), fast);
        let settings = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
            Box::pin(async move {
                let told = prepare_client(client).await;
                told.map_err(|failure| HookError::message(failure.to_string()))
            })
        });
        let pool = Pool::builder(manager)
            .max_size(connections.max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT_FOR_CONNECTION))
            .create_timeout(Some(WAIT_FOR_CONNECTION))
            .post_create(settings)
            .build()
            .map_err(|error| CatalogError::Engine(EngineError::new(error)))?;
        Ok(Readers { pool, clock: connecting.clock.clone() })
    }

    async fn connection(&self) -> Result<Object, CatalogError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => catalog_error(error),
            PoolError::Closed => CatalogError::Closed,
            error => CatalogError::Unavailable(EngineError::new(error)),
        })
    }

    /// The rows of a statement. A connection that turns out to have ended, as all have once the database was started
    /// anew, is replaced by another once.
    pub(crate) async fn rows(&self, statement: &str, values: Values<'_>) -> Result<Vec<Row>, CatalogError> {
        for _ in 0..self.pool.status().max_size {
            let connection = self.connection().await?;
            match self.ask(&connection, statement, values).await {
                Err(CatalogError::Unavailable(_)) if connection.is_closed() => {}
                answer => return answer,
            }
        }
        let connection = self.connection().await?;
        self.ask(&connection, statement, values).await
    }

    async fn ask(
        &self,
        connection: &Object,
        statement: &str,
        values: Values<'_>,
    ) -> Result<Vec<Row>, CatalogError> {
        let asked = async {
            let statement = connection.prepare_cached(statement).await?;
            connection.query(&statement, values).await
        };
        match self.clock.timeout(ROUND_TRIP_TIMEOUT, asked).await {
            Ok(answer) => answer.map_err(catalog_error),
            Err(_) => Err(Failure::not_in_time().into_catalog_error()),
        }
    }

    /// The one value that a statement answers.
    pub(crate) async fn value<T: FromSqlOwned>(
        &self,
        statement: &str,
        values: Values<'_>,
    ) -> Result<Option<T>, CatalogError> {
        let rows = self.rows(statement, values).await?;
        rows.first().map(|row| column(row, 0)).transpose()
    }

    /// Takes no more queries.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}
