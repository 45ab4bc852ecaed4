//! Sends several statements at once: each is sent before the answer to the one before it has come, so that all of
//! them take one round trip. The server runs them in order.

use crate::failure::Failure;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

/// A statement's values.
pub(crate) type Values<'a> = Vec<&'a (dyn ToSql + Sync)>;

type Answered<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + Send + 'a>>;

enum Sent<'a> {
    UnderWay(Answered<'a>),
    Done(Option<Result<Vec<Row>, Error>>),
}

/// Statements on their way, in order.
pub(crate) struct Pipeline<'a> {
    client: &'a Client,
    sent: Vec<Sent<'a>>,
}

/// Which statement failed first, and why.
#[derive(Debug)]
pub(crate) struct FailedAt {
    /// Its place in the pipeline.
    pub(crate) statement: usize,
    /// The error.
    pub(crate) error: Error,
}

impl From<FailedAt> for Failure {
    fn from(failed: FailedAt) -> Failure {
        failed.error.into()
    }
}

impl<'a> Pipeline<'a> {
    /// Without a statement yet.
    pub(crate) fn new(client: &'a Client) -> Pipeline<'a> {
        Pipeline { client, sent: Vec::new() }
    }

    /// Adds a prepared statement with its values.
    pub(crate) fn add(&mut self, statement: &'a Statement, values: Values<'a>) {
        let client = self.client;
        self.push(async move { client.query(statement, &values).await });
    }

    /// Adds a statement without values and rows.
    pub(crate) fn add_plain(&mut self, statement: &'static str) {
        let client = self.client;
        self.push(async move { client.batch_execute(statement).await.map(|()| Vec::new()) });
    }

    fn push(&mut self, answered: impl Future<Output = Result<Vec<Row>, Error>> + Send + 'a) {
        self.sent.push(Sent::UnderWay(Box::pin(answered)));
    }

    /// How many statements it has.
    pub(crate) fn len(&self) -> usize {
        self.sent.len()
    }

    /// Sends them all, and answers the rows of each. The first failure is the one that counts: in a transaction the
    /// statements behind it are refused.
    pub(crate) async fn run(mut self) -> Result<Vec<Vec<Row>>, FailedAt> {
        poll_fn(|context| {
            let mut waiting = false;
            // The order in which they are looked at first is the order in which they are sent.
            for sent in &mut self.sent {
                if let Sent::UnderWay(answered) = sent {
                    match answered.as_mut().poll(context) {
                        Poll::Ready(answer) => *sent = Sent::Done(Some(answer)),
                        Poll::Pending => waiting = true,
                    }
                }
            }
            if waiting { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        let answers = self.sent.into_iter().enumerate().filter_map(|(statement, sent)| match sent {
            Sent::Done(Some(answer)) => Some(answer.map_err(|error| FailedAt { statement, error })),
            Sent::Done(None) | Sent::UnderWay(_) => None,
        });
        answers.collect()
    }
}
