//! The writer's connection: its settings, its prepared statements, and the epoch that says which gateway writes.
//!
//! Each open of the catalog raises the epoch in the row of `state`, and each batch takes its numbers from that row
//! only under its own epoch. So an earlier gateway that still runs is refused with its next batch, and since the
//! raising waits for the row, nothing of it is under way when the new one begins to read.

use crate::failure::Failure;
use crate::location::{Location, Password};
use crate::rows::object_columns;
use crate::tls::{Connector, TlsError};
use countersign_store::Clock;
use std::time::Duration;
use tokio_postgres::{Client, Config, Statement};

/// How long a round trip may take: the server gives up sooner, by the settings below.
pub(crate) const ROUND_TRIP_TIMEOUT: Duration = Duration::from_secs(20);

/// What a connection of the writer is told. An engine that does not know one does without: none of them is needed for
/// a right answer.
///
/// The time limits end what a lost connection has left behind, which would hold the lock. The plans are those
/// for tables that grow: one that was made while they were empty, or before the server has looked at them, would read
/// them whole, or sort all that follows to take a page of it.
const SETTINGS: [&str; 11] = [
    "SET lock_timeout = '5s'",
    "SET statement_timeout = '15s'",
    "SET idle_in_transaction_session_timeout = '10s'",
    "SET tcp_user_timeout = '15s'",
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET enable_sort = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    // A plan that has to do what is off counts as dear, and would be compiled for longer than it runs.
    "SET jit = off",
    "SET plan_cache_mode = force_generic_plan",
];

/// Connects, with the settings of a connection that writes or of one that reads.
pub(crate) async fn connect(
    config: &Config,
    connector: &Connector,
    clock: &Clock,
) -> Result<Client, Failure> {
    let connected = clock.timeout(ROUND_TRIP_TIMEOUT, config.connect(connector.clone())).await;
    let (client, connection) = connected.map_err(|_| Failure::not_in_time())??;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the catalog's database has ended");
        }
    });
    let prepared = clock.timeout(ROUND_TRIP_TIMEOUT, prepare_client(&client)).await;
    prepared.map_err(|_| Failure::not_in_time())??;
    Ok(client)
}

/// Tells a connection its settings.
pub(crate) async fn prepare_client(client: &Client) -> Result<(), Failure> {
    let told = SETTINGS.map(|setting| client.batch_execute(setting));
    for outcome in futures_util::future::join_all(told).await {
        match outcome {
            Err(error) if error.as_db_error().is_none() => return Err(error.into()),
            Err(error) => tracing::debug!(%error, "the database does not know a setting; it does without"),
            Ok(()) => {}
        }
    }
    client.batch_execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
    Ok(())
}

/// What the writer connects with.
#[derive(Clone)]
pub(crate) struct Connecting {
    pub(crate) config: Config,
    pub(crate) connector: Connector,
    pub(crate) clock: Clock,
}

impl Connecting {
    /// With what the location says.
    pub(crate) fn new(
        location: &Location,
        password: Option<&Password>,
        clock: &Clock,
    ) -> Result<Connecting, TlsError> {
        let (config, connector) = location.connector(password)?;
        Ok(Connecting { config, connector, clock: clock.clone() })
    }

    /// A connection with nothing prepared.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        connect(&self.config, &self.connector, &self.clock).await
    }

    /// A connection that writes.
    pub(crate) async fn session(&self) -> Result<Session, Failure> {
        let client = self.connect().await?;
        let prepared = self.clock.timeout(ROUND_TRIP_TIMEOUT, Statements::prepare(&client)).await;
        let statements = prepared.map_err(|_| Failure::not_in_time())??;
        Ok(Session { client, statements })
    }
}

/// A connection that writes, with its statements.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) statements: Statements,
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident: $sql:expr;)*) => {
        /// The prepared statements of a connection that writes.
        pub(crate) struct Statements { $($(#[$doc])* pub(crate) $name: Statement,)* }

        impl Statements {
            async fn prepare(client: &Client) -> Result<Statements, Failure> {
                let all = [$(client.prepare($sql)),*];
                let mut prepared = futures_util::future::try_join_all(all).await?.into_iter();
                let mut next = || prepared.next().expect("there are as many as were asked for");
                Ok(Statements { $($name: next(),)* })
            }
        }
    };
}

statements! {
    /// Waits for a transaction under way that wrote the same id.
    commit_id: "INSERT INTO commit_id(id, at) VALUES($1, $2)";
    /// Takes the write lock, and numbers.
    take_numbers: "UPDATE state SET next_number = next_number + $1 WHERE one = 1 AND epoch = $2
                   RETURNING next_number";
    find_objects: concat!(
        "SELECT o.bucket, o.key, ", object_columns!(), "
         FROM unnest($1::int8[], $2::bytea[]) AS asked(bucket, key)
         JOIN object o ON o.bucket = asked.bucket AND o.key = asked.key"
    );
    find_outbox: "SELECT id FROM outbox WHERE id = ANY($1)";
    find_held: "SELECT key FROM object WHERE bucket = $1 ORDER BY key LIMIT $2";
    all_buckets: crate::buckets::BUCKETS;
    all_settings: crate::buckets::SETTINGS;
    remove_buckets: "DELETE FROM bucket WHERE id = ANY($1)";
    remove_settings: "DELETE FROM setting WHERE bucket = ANY($1)";
    insert_buckets: "INSERT INTO bucket(id, name, created, revision)
                     SELECT * FROM unnest($1::int8[], $2::text[], $3::int8[], $4::int8[])";
    insert_settings: "INSERT INTO setting(bucket, name, value)
                      SELECT * FROM unnest($1::int8[], $2::text[], $3::bytea[])";
    delete_objects: "DELETE FROM object o USING unnest($1::int8[], $2::bytea[]) AS gone(bucket, key)
                     WHERE o.bucket = gone.bucket AND o.key = gone.key";
    insert_objects: "INSERT INTO object(bucket, key, seq, modified, len, md5, crc, blob, inline, attributes)
                     SELECT * FROM unnest($1::int8[], $2::bytea[], $3::int8[], $4::int8[], $5::int8[],
                                          $6::bytea[], $7::int8[], $8::bytea[], $9::int8[], $10::bytea[])";
    update_attributes: "UPDATE object o SET attributes = new.attributes
                        FROM unnest($1::int8[], $2::bytea[], $3::bytea[]) AS new(bucket, key, attributes)
                        WHERE o.bucket = new.bucket AND o.key = new.key";
    insert_inline: "INSERT INTO inline(id, bytes) SELECT * FROM unnest($1::int8[], $2::bytea[])";
    insert_garbage: "INSERT INTO garbage(id, blob, inline, not_before)
                     SELECT * FROM unnest($1::int8[], $2::bytea[], $3::int8[], $4::int8[])";
    insert_outbox: "INSERT INTO outbox(id, bucket, key, seq, created, payload, attempts, last_error)
                    SELECT * FROM unnest($1::int8[], $2::text[], $3::bytea[], $4::int8[], $5::int8[], $6::bytea[],
                                         $7::int4[], $8::text[])";
    close_outbox: "DELETE FROM outbox WHERE id = ANY($1)";
    try_outbox: "UPDATE outbox o SET attempts = o.attempts + tried.attempts, last_error = tried.last_error,
                     payload = coalesce(tried.payload, o.payload)
                 FROM unnest($1::int8[], $2::int4[], $3::text[], $4::bytea[])
                     AS tried(id, attempts, last_error, payload)
                 WHERE o.id = tried.id";
    forget_inline: "DELETE FROM inline WHERE id = ANY($1)";
    forget_garbage: "DELETE FROM garbage WHERE id = ANY($1)";
    put_mark: "UPDATE state SET blob_mark = $1 WHERE one = 1";
    forget_damage: "DELETE FROM damage WHERE content = ANY($1)";
    insert_damage: "INSERT INTO damage(content, bucket, key, seq, what, found)
                    SELECT * FROM unnest($1::int8[], $2::text[], $3::bytea[], $4::int8[], $5::text[], $6::int8[])";
    prune_damage: "DELETE FROM damage WHERE NOT EXISTS(SELECT 1 FROM object WHERE seq = damage.content)";
    put_progress: "UPDATE state SET scrub_position = $1, scrub_began = $2, scrub_ended = $3 WHERE one = 1";
    prune_commit_ids: "DELETE FROM commit_id WHERE at < $1";
}
