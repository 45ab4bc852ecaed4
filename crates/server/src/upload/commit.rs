//! Stages 4 and 5 of an upload: the one durable transaction that makes it visible, and the callback.
//!
//! With a callback both run in a task of their own, which the client cannot end by hanging up. That the
//! callback is owed is written in the same transaction as the object; the outcome closes the entry.

use bytes::Bytes;
use countersign_protocol::callback::CallbackFailure;
use countersign_store::{ObjectPut, ObjectRecord, OutboxEntry, PutObject};
use std::pin::pin;
use tracing::Instrument as _;

use crate::callback::exchange::CallbackReply;
use crate::callback::message::CallbackMessage;
use crate::callback::plan::{CallbackPlan, StoredUpload};
use crate::measures::Stage;
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::upload::grant::{Upload, WriteGrant};
use crate::upload::image_info;
use crate::upload::ingest::SealedUpload;

/// A stored object, and what the application said about it.
#[derive(Debug)]
pub(crate) struct StoredObject {
    /// The record.
    pub(crate) object: ObjectRecord,
    /// The callback's outcome; `None` when none was asked for.
    pub(crate) callback: Option<Result<CallbackReply, CallbackFailure>>,
}

/// Stores what was granted and makes its callback. The bucket's mode, and the rights of an anonymous uploader, are
/// checked once more before.
pub(crate) async fn commit(
    context: &RequestContext,
    grant: WriteGrant,
    sealed: SealedUpload,
) -> Result<StoredObject, OperationError> {
    grant.check_crc64(sealed.blob().crc64())?;
    grant.check_again(context).await?;
    let mut upload = grant.into_upload();
    let Some(plan) = upload.callback.take() else {
        // The store finishes what it was handed, whether or not somebody waits for it.
        let ObjectPut { object, .. } =
            context.in_stage(Stage::Commit, pin!(put(context, upload, sealed, None))).await?;
        return Ok(StoredObject { object, callback: None });
    };
    let task_context = context.clone();
    let task = async move { commit_and_call(&task_context, upload, plan, sealed).await };
    // In the request's span still: what fails here is found by the request's id.
    context.server.tasks.spawn(task.instrument(context.span.clone())).await?
}

async fn commit_and_call(
    context: &RequestContext,
    upload: Upload,
    mut plan: CallbackPlan,
    sealed: SealedUpload,
) -> Result<StoredObject, OperationError> {
    let callbacks = &context.server.callbacks;
    let shares = plan.take_shares();
    // It is signed while the transaction waits for the disk.
    let mut prepared = callbacks.prepare(message(context, &upload, &sealed, plan).await, shares);
    let payload = prepared.payload(&upload.key);
    let ObjectPut { object, outbox_id } =
        context.in_stage(Stage::Commit, pin!(put(context, upload, sealed, Some(payload)))).await?;
    let entry =
        prepared.written(outbox_id.expect("an object that is stored with an owed callback has its entry"));
    let outcome = context.in_stage(Stage::Callback, pin!(callbacks.carry_out(entry, context.client))).await;
    Ok(StoredObject { object, callback: Some(outcome) })
}

/// Gives every variable of the callback its value.
async fn message(
    context: &RequestContext,
    upload: &Upload,
    sealed: &SealedUpload,
    plan: CallbackPlan,
) -> CallbackMessage {
    let image = match plan.wants_image() {
        true => image_info::read(&context.server.image_headers, sealed.blob()).await,
        false => None,
    };
    let facts = StoredUpload {
        bucket: &upload.bucket,
        key: &upload.key,
        content_type: &upload.attributes.content_type,
        operation: upload.operation,
        blob: sealed.blob(),
        image,
    };
    plan.into_message(context.of_upload(), facts)
}

/// The transaction. The upload's place is free as soon as it has ended.
async fn put(
    context: &RequestContext,
    upload: Upload,
    sealed: SealedUpload,
    owed: Option<Vec<u8>>,
) -> Result<ObjectPut, OperationError> {
    let mutation = PutObject {
        bucket: upload.bucket,
        key: Bytes::from(upload.key.into_string()),
        content: sealed.into_blob(),
        attributes: upload.attributes.encode(),
        forbid_overwrite: upload.forbid_overwrite,
        outbox_entry: owed.map(|payload| OutboxEntry { payload }),
    };
    let applied = context.server.options.store.commit(mutation).await;
    drop(upload.place);
    Ok(applied?)
}
