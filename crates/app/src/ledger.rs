//! The upload ledger: every upload that the store reported, recorded once, however often it was reported.
//!
//! Owns a SQLite file of its own, written before the callback is answered, because the uploader hears "done" on
//! the strength of that answer. All work runs on blocking threads. It does not know what makes a callback
//! genuine: only verified ones are handed to it.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::Connection;

use crate::answer::Answer;
use upload_record::UploadRecord;

mod formats;
mod ledger_error;

mod rows;
mod upload_query;
pub mod upload_record;

pub use ledger_error::LedgerError;
pub use upload_query::{UPLOADS_BYTES_MAX, UPLOADS_MAX, UploadQuery};

/// The ledger. Cloning it is cheap and shares the file.
#[derive(Clone)]
pub struct UploadLedger {
    connection: Arc<Mutex<Connection>>,
}

impl UploadLedger {
    /// Opens the ledger in this file, which is made when it is missing. Blocks for a moment.
    ///
    /// # Errors
    /// When the file cannot be opened, or has a later format: then no byte of it changes.
    ///
    /// ```
    /// use countersign_app::ledger::{UploadLedger, UploadQuery};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let folder = tempfile::tempdir()?;
    /// let ledger = UploadLedger::open(&folder.path().join("uploads.db"))?;
    /// assert!(ledger.uploads(UploadQuery::default()).await?.is_empty());
    /// assert!(UploadLedger::open(folder.path()).is_err(), "a folder is no file");
    /// # Ok(())
    /// # }
    /// ```
    pub fn open(file: &Path) -> Result<Self, LedgerError> {
        formats::refuse_later(file)?;
        Self::prepare(Connection::open(file)?)
    }

    /// A ledger that is gone with the program: for tests and trials.
    ///
    /// # Errors
    /// When SQLite cannot be started.
    pub fn in_memory() -> Result<Self, LedgerError> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(connection: Connection) -> Result<Self, LedgerError> {
        formats::bring_up_to_date(&connection)?;
        rows::prepare(&connection)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Writes a record down durably, or, when this upload is recorded already, counts the call.
    ///
    /// Gives the answer that stands: the first that accepted the upload. A later call replaces an answer that
    /// did not accept, so that a store which tries again can turn a no into a yes, and never the reverse.
    ///
    /// # Errors
    /// When nothing was written.
    ///
    /// ```
    /// use countersign_app::{Timestamp, answer::Answer, ledger::UploadLedger, upload_facts::UploadFacts};
    /// use countersign_app::{recorded_request::RecordedRequest, ledger::upload_record::UploadRecord};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // What the store sends about one upload, whenever it tries again.
    /// let (head, _) = http::Request::post("/callback").body(())?.into_parts();
    /// let request = RecordedRequest::new(&head, "object=a.jpg&reqId=5F00".into());
    /// let facts = UploadFacts::of(&request.body);
    /// let called = |answer| UploadRecord::new(facts.clone(), request.clone(), answer, Timestamp::now());
    ///
    /// let ledger = UploadLedger::in_memory()?;
    /// let busy = Answer::refusal(http::StatusCode::SERVICE_UNAVAILABLE, "Busy", "try again");
    /// let yes = Answer::accepting(&facts);
    /// assert_eq!(ledger.record(called(busy.clone())).await?, busy);
    /// assert_eq!(ledger.record(called(yes.clone())).await?, yes, "a no becomes a yes");
    /// assert_eq!(ledger.record(called(busy)).await?, yes, "and never the reverse");
    /// assert_eq!(ledger.uploads(Default::default()).await?[0].calls, 3, "one upload, three calls");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn record(&self, record: UploadRecord) -> Result<Answer, LedgerError> {
        self.on_blocking_thread(move |connection| rows::record(connection, &record)).await
    }

    /// The accepting answer that this upload was given before, if there is one; counts the call.
    ///
    /// # Errors
    /// When the ledger cannot be read or the call not be counted.
    ///
    /// ```
    /// use countersign_app::{Timestamp, answer::Answer, ledger::UploadLedger, upload_facts::UploadFacts};
    /// use countersign_app::{recorded_request::RecordedRequest, ledger::upload_record::{UploadRecord, identity_of}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (head, _) = http::Request::post("/callback").body(())?.into_parts();
    /// let request = RecordedRequest::new(&head, "object=a.jpg&reqId=5F00".into());
    /// let facts = UploadFacts::of(&request.body);
    /// let identity = identity_of(&facts, &request);
    ///
    /// let ledger = UploadLedger::in_memory()?;
    /// assert_eq!(ledger.accepted_before(identity.clone()).await?, None);
    /// let yes = Answer::accepting(&facts);
    /// ledger.record(UploadRecord::new(facts, request, yes.clone(), Timestamp::now())).await?;
    /// assert_eq!(ledger.accepted_before(identity).await?, Some(yes), "so the application is not asked again");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn accepted_before(&self, identity: String) -> Result<Option<Answer>, LedgerError> {
        self.on_blocking_thread(move |connection| rows::accepted_before(connection, &identity)).await
    }

    /// Lists uploads, newest first: at most as many as [`UPLOADS_BYTES_MAX`] bytes hold.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    ///
    /// ```
    /// use countersign_app::{Timestamp, answer::Answer, upload_facts::UploadFacts, upload_path::UploadPath};
    /// use countersign_app::ledger::{UploadLedger, UploadQuery};
    /// use countersign_app::{recorded_request::RecordedRequest, ledger::upload_record::UploadRecord};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let ledger = UploadLedger::in_memory()?;
    /// for body in ["object=users/42/a.jpg&reqId=1", "object=users/43/b.jpg&reqId=2"] {
    ///     let (head, _) = http::Request::post("/callback").body(())?.into_parts();
    ///     let facts = UploadFacts::of(body.as_bytes());
    ///     let answer = Answer::accepting(&facts);
    ///     ledger.record(UploadRecord::new(facts, RecordedRequest::new(&head, body.into()), answer, Timestamp::now())).await?;
    /// }
    /// let folder = UploadPath::normalise("users/42/")?;
    /// let found = ledger.uploads(UploadQuery { folder, ..UploadQuery::default() }).await?;
    /// assert_eq!(found.len(), 1);
    /// assert_eq!(found[0].key.as_deref(), Some("users/42/a.jpg"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn uploads(&self, query: UploadQuery) -> Result<Vec<UploadRecord>, LedgerError> {
        self.on_blocking_thread(move |connection| rows::uploads(connection, &query)).await
    }

    async fn on_blocking_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let shared = Arc::clone(&self.connection);
        let job = move || {
            // A panic of another job leaves no half transaction behind: each is one statement.
            let connection: MutexGuard<'_, Connection> =
                shared.lock().unwrap_or_else(PoisonError::into_inner);
            work(&connection)
        };
        tokio::task::spawn_blocking(job).await.map_err(|_| LedgerError::Interrupted)?
    }
}

#[cfg(test)]
mod tests;
