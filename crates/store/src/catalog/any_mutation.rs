//! Brings mutations of every kind to a catalog in one batch, and answers each in its own kind.
//!
//! A catalog applies a batch in order in one transaction and gives every mutation its answer as it applies it. The
//! batch as a whole is answered when the transaction is durable, and only then does a caller read the answers of
//! its mutations: those of a transaction that was rolled back are never looked at.

use super::placed::PlacedContent;
use crate::ApplyError;
use crate::catalog_error::EngineError;
use crate::mutation::{
    Answered, CloseOutboxEntry, CreateBucket, DeleteBucket, DeleteObject, Mutation, PutAttributes, PutObject,
    PutSetting,
};
use tokio::sync::oneshot;

/// A mutation of any kind on its way to the catalog.
#[derive(Debug)]
pub enum AnyMutation {
    /// Makes a bucket.
    CreateBucket(Asked<CreateBucket>),
    /// Removes an empty bucket.
    DeleteBucket(Asked<DeleteBucket>),
    /// Writes or removes a setting.
    PutSetting(Asked<PutSetting>),
    /// Puts an object whose bytes are placed.
    PutObject(Asked<PutObject<PlacedContent>>),
    /// Writes the attributes of an object.
    PutAttributes(Asked<PutAttributes>),
    /// Deletes an object.
    DeleteObject(Asked<DeleteObject>),
    /// Notes how a delivery ended.
    CloseOutboxEntry(Asked<CloseOutboxEntry>),
}

/// A mutation that a catalog takes as it is: it holds no bytes, or bytes that are durable where they lie.
pub trait Placed: Mutation {
    /// It among those of every kind.
    fn any(asked: Asked<Self>) -> AnyMutation;
}

impl Placed for CreateBucket {
    fn any(asked: Asked<Self>) -> AnyMutation {
        AnyMutation::CreateBucket(asked)
    }
}

impl Placed for DeleteBucket {
    fn any(asked: Asked<Self>) -> AnyMutation {
        AnyMutation::DeleteBucket(asked)
    }
}

impl Placed for PutSetting {
    fn any(asked: Asked<Self>) -> AnyMutation {
        AnyMutation::PutSetting(asked)
    }
}

impl Placed for PutObject<PlacedContent> {
    fn any(asked: Asked<Self>) -> AnyMutation {
        AnyMutation::PutObject(asked)
    }
}

impl Placed for PutAttributes {
    fn any(asked: Asked<Self>) -> AnyMutation {
        AnyMutation::PutAttributes(asked)
    }
}

impl Placed for DeleteObject {
    fn any(asked: Asked<Self>) -> AnyMutation {
        AnyMutation::DeleteObject(asked)
    }
}

impl Placed for CloseOutboxEntry {
    fn any(asked: Asked<Self>) -> AnyMutation {
        AnyMutation::CloseOutboxEntry(asked)
    }
}

impl<M: Placed> From<Asked<M>> for AnyMutation {
    fn from(asked: Asked<M>) -> AnyMutation {
        M::any(asked)
    }
}

/// A mutation, and where its answer goes.
pub struct Asked<M: Mutation> {
    /// What is to be done.
    pub mutation: M,
    /// Where the answer goes.
    pub reply: Reply<M>,
}

impl<M: Mutation> Asked<M> {
    /// Asks for a mutation, and waits for its answer with the other half.
    pub fn new(mutation: M) -> (Asked<M>, Answer<M>) {
        let (reply, answer) = Reply::new();
        (Asked { mutation, reply }, answer)
    }

    /// Asks for a mutation that is done without telling anyone; a refusal is logged.
    pub fn without_answer(mutation: M) -> Asked<M> {
        Asked { mutation, reply: Reply(None) }
    }

    /// Applies the mutation and gives its answer.
    ///
    /// # Errors
    /// Those of `apply`, when the engine failed: then no answer is given, and none is needed, since the batch fails.
    pub fn answer_with<E>(self, apply: impl FnOnce(M) -> Result<Answered<M>, E>) -> Result<(), E> {
        let answer = apply(self.mutation)?;
        self.reply.give(answer);
        Ok(())
    }
}

impl<M: Mutation + std::fmt::Debug> std::fmt::Debug for Asked<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.mutation.fmt(f)
    }
}

/// Where the answer of a mutation goes; nowhere when nothing waits for it.
pub struct Reply<M: Mutation>(Option<oneshot::Sender<Answered<M>>>);

/// The answer of a mutation, to be read when its batch is committed.
pub struct Answer<M: Mutation>(oneshot::Receiver<Answered<M>>);

impl<M: Mutation> Reply<M> {
    /// Both halves.
    pub(crate) fn new() -> (Reply<M>, Answer<M>) {
        let (sender, receiver) = oneshot::channel();
        (Reply(Some(sender)), Answer(receiver))
    }

    fn give(self, answer: Answered<M>) {
        match (self.0, answer) {
            // One that hung up needs no answer.
            (Some(sender), answer) => drop(sender.send(answer)),
            (None, Err(refused)) => {
                tracing::debug!(%refused, "a change that nobody waits for was refused");
            }
            (None, Ok(_)) => {}
        }
    }
}

impl<M: Mutation> Answer<M> {
    /// What the mutation was answered with. To be called when the batch is committed.
    ///
    /// # Errors
    /// [`ApplyError::Engine`] when the catalog committed the batch and left this mutation without an answer, which
    /// the conformance suite does not let pass.
    pub fn read(mut self) -> Result<Answered<M>, ApplyError> {
        self.0.try_recv().map_err(|_| ApplyError::Engine(EngineError::new("a mutation was not answered")))
    }
}
