//! Stages 4 and 5 of an upload: the one durable transaction that makes it visible, and the callback.
//!
//! With a callback both run in a task of their own, which the client cannot end by hanging up. That the
//! callback is owed is written in the same transaction as the object; the outcome closes the entry.

use std::sync::Arc;

use bytes::Bytes;
use countersign_protocol::ObjectKey;
use countersign_protocol::callback::CallbackFailure;
use countersign_store::{Applied, ApplyError, CommitError, Mutation, ObjectRecord, OwedEntry, OwedOutcome};

use crate::callback::budget::{self, CallbackShares};
use crate::callback::delivery::{self, CallbackReply, Delivery};
use crate::callback::message::{CallbackMessage, CallbackPlan, UploadFacts};
use crate::callback::signing::CallbackSignature;
use crate::object::attributes::ObjectAttributes;
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::upload::image_info;
use crate::upload::ingest::SealedUpload;

/// What is to be stored, and who is to be told.
#[derive(Debug)]
pub(crate) struct Upload {
    /// The bucket's name.
    pub(crate) bucket: String,
    /// The final key.
    pub(crate) key: ObjectKey,
    /// What is kept beside the bytes.
    pub(crate) attributes: ObjectAttributes,
    /// Refuse when the key holds an object already.
    pub(crate) forbid_overwrite: bool,
    /// The callback, if one was asked for.
    pub(crate) callback: Option<CallbackPlan>,
    /// `PostObject` or `PutObject`.
    pub(crate) operation: &'static str,
}

/// A stored object, and what the application said about it.
#[derive(Debug)]
pub(crate) struct StoredObject {
    /// The record.
    pub(crate) object: ObjectRecord,
    /// The callback's outcome; `None` when none was asked for.
    pub(crate) callback: Option<Result<CallbackReply, CallbackFailure>>,
}

/// Stores an upload and makes its callback.
pub(crate) async fn commit(
    context: &RequestContext,
    upload: Upload,
    sealed: SealedUpload,
) -> Result<StoredObject, OperationError> {
    if upload.callback.is_none() {
        // The store finishes what it was handed, whether or not somebody waits for it.
        let (object, _) = put(context, upload, sealed, None).await?;
        return Ok(StoredObject { object, callback: None });
    }
    let task_context = context.clone();
    let task = async move { commit_and_call(&task_context, upload, sealed).await };
    context.server.tasks.spawn(task).await?
}

async fn commit_and_call(
    context: &RequestContext,
    mut upload: Upload,
    sealed: SealedUpload,
) -> Result<StoredObject, OperationError> {
    let mut shares = upload.callback.as_mut().and_then(CallbackPlan::take_shares);
    let message = match upload.callback.take() {
        Some(plan) => Some(Arc::new(message(context, &upload, &sealed, plan).await)),
        None => None,
    };
    // It is made while the transaction waits for the disk.
    let signature = message.as_ref().map(|message| CallbackSignature::of_first_url(&context.server, message));
    let payload = message.as_ref().map(|message| message.to_payload());
    if let (Some(shares), Some(payload)) = (&mut shares, &payload) {
        shares.written(payload.len(), upload.key.as_str().len());
    }
    let (object, owed_id) = put(context, upload, sealed, payload).await?;
    let (Some(message), Some(signature)) = (message, signature) else {
        return Ok(StoredObject { object, callback: None });
    };
    let delivery = delivery::deliver(&context.server, context.client, &message, signature).await;
    if let Some(id) = owed_id {
        close_owed(context, id, &message, &delivery, shares).await;
    }
    Ok(StoredObject { object, callback: Some(delivery.outcome) })
}

/// Gives every variable of the callback its value.
async fn message(
    context: &RequestContext,
    upload: &Upload,
    sealed: &SealedUpload,
    plan: CallbackPlan,
) -> CallbackMessage {
    let image = match plan.wants_image() {
        true => image_info::read(&context.server.image_headers, &sealed.blob).await,
        false => None,
    };
    let facts = UploadFacts {
        bucket: &upload.bucket,
        key: &upload.key,
        content_type: &upload.attributes.content_type,
        operation: upload.operation,
        blob: &sealed.blob,
        image,
    };
    plan.into_message(context, facts)
}

/// The transaction. The upload's place is free as soon as it has ended.
async fn put(
    context: &RequestContext,
    upload: Upload,
    sealed: SealedUpload,
    owed: Option<Vec<u8>>,
) -> Result<(ObjectRecord, Option<u64>), OperationError> {
    let SealedUpload { blob, place } = sealed;
    let mutation = Mutation::PutObject {
        bucket: upload.bucket,
        key: Bytes::from(upload.key.into_string()),
        content: blob,
        attributes: upload.attributes.encode(),
        forbid_overwrite: upload.forbid_overwrite,
        owed: owed.map(|payload| OwedEntry { payload }),
    };
    let applied = context.server.options.store.commit(mutation).await;
    drop(place);
    match applied? {
        Applied::ObjectPut { object, owed_id } => Ok((object, owed_id)),
        other => {
            let reason = format!("a put was answered with {other:?}");
            Err(CommitError::Failed(ApplyError::Catalog { reason }).into())
        }
    }
}

/// Notes the outcome. The answer waits for it only where the application did not confirm: whoever was told so finds the
/// callback among those that were tried.
async fn close_owed(
    context: &RequestContext,
    id: u64,
    message: &CallbackMessage,
    delivery: &Delivery,
    shares: Option<CallbackShares>,
) {
    let store = &context.server.options.store;
    let noted = match &delivery.outcome {
        Ok(_) => return store.close_owed(id, OwedOutcome::Delivered),
        Err(failure) if delivery.refused_everywhere => {
            budget::keep_refused(context, id, message, failure.message()).await
        }
        Err(failure) => {
            if let Some(shares) = shares {
                shares.keep_owed();
            }
            let outcome = OwedOutcome::Failed(failure.message());
            store.commit(Mutation::CloseOwed { id, outcome }).await
        }
    };
    if let Err(error) = noted {
        tracing::warn!(id, %error, "it could not be noted that a callback was tried in vain");
    }
}
