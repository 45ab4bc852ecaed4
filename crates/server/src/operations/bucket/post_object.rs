//! PostObject (POST-1 to POST-67): a form from a browser, from its first byte to its answer.
//!
//! Each stage consumes what the one before it made: without fields no grant, without a grant no bytes,
//! without sealed bytes nothing to commit, and only what is committed is called back and answered.

use countersign_protocol::url_encoding::encode_path;
use countersign_protocol::xml::PostResponse;
use countersign_protocol::{ErrorCode, ObjectKey, WireError, ec};
use countersign_store::ObjectRecord;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use std::pin::pin;

use crate::listen::request_log;
use crate::measures::Stage;
use crate::object::etag::etag_of;
use crate::operations::operation::{Handler, Operation, UnknownParameters};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::request_body::RequestBody;
use crate::response::traffic_limit::TrafficLimit;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};
use crate::upload::answer;
use crate::upload::commit;
use crate::upload::form_head;
use crate::upload::grant::{Reply, WriteGrant};
use crate::upload::ingest;

/// What may stand around the file: fields before and behind it.
const AROUND_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Its declaration. The form proves what it may; its fields are checked where its grant is made.
pub(crate) const OPERATION: Operation = Operation {
    name: "PostObject",
    methods: &["POST"],
    unknown_parameters: UnknownParameters::Ignored,
    handler: Handler::Unsigned(|context, call, body| Box::pin(run(context, call, body))),
    ..Operation::ON_BUCKET
};

/// Takes one form.
pub(crate) async fn run(
    context: &RequestContext,
    call: &Call,
    body: &mut RequestBody,
) -> Result<WireResponse, OperationError> {
    let _under_way = context.server.metrics.upload();
    refuse_oversized(context, body.declared_bytes())?;
    body.demand_digest(&call.parts.headers)?;

    let limit = TrafficLimit::asked(call)?;
    let content_type = call.header(CONTENT_TYPE.as_str());
    let (mut fields, head_share, mut file) =
        context.in_stage(Stage::Head, pin!(form_head::read(content_type, body, context))).await?;
    fields.merge_callback_variables().map_err(WireError::from)?;
    let authorising = WriteGrant::for_form(context, call, &fields, file.watch(), limit);
    let (grant, reply) = context.in_stage(Stage::Authorise, pin!(authorising)).await?;
    drop((fields, head_share));

    let sealed = ingest::take_in(context, &grant, &mut file).await?;
    let (key, bytes) = (grant.key().clone(), sealed.len());
    let stored = commit::commit(context, grant, sealed).await?;

    let mut response =
        answer::respond(context, call, stored, |object| plain(context, call, &key, object, &reply));
    if let Some(limit) = limit {
        limit.tell(bytes, response.headers_mut());
    }
    if request_log::is_wanted() {
        let key = Some(key.as_str().to_owned());
        response.extensions_mut().insert(request_log::LoggedObject { bucket: None, key });
    }
    Ok(response)
}

/// Refuses by its announced length what cannot possibly fit, before any of it is read.
fn refuse_oversized(context: &RequestContext, declared_bytes: Option<u64>) -> Result<(), WireError> {
    let bytes_max = context.server.options.limits.object_bytes_max.saturating_add(AROUND_FILE_BYTES_MAX);
    if declared_bytes.is_some_and(|bytes| bytes > bytes_max) {
        return Err(WireError::new(ErrorCode::InvalidArgument)
            .with_message("Post body size must be less than 5G.")
            .with_ec(ec::POST_FILE_TOO_LARGE));
    }
    Ok(())
}

/// The answer to a form without callback (POST-52 to POST-60).
fn plain(
    context: &RequestContext,
    call: &Call,
    key: &ObjectKey,
    object: &ObjectRecord,
    reply: &Reply,
) -> WireResponse {
    match reply {
        Reply::Ok => wire_response::empty(StatusCode::OK),
        Reply::NoContent => wire_response::empty(StatusCode::NO_CONTENT),
        Reply::Redirect(address) => {
            let mut response = wire_response::empty(StatusCode::SEE_OTHER);
            response.headers_mut().insert(LOCATION, address.clone());
            response
        }
        Reply::Created => {
            let location = location(context, call, key);
            let document = PostResponse {
                bucket: call.bucket().unwrap_or_default().to_owned(),
                location: location.clone(),
                key: key.as_str().to_owned(),
                etag: etag_of(object.md5, object.crc64, object.len),
            };
            let mut response = wire_response::xml(StatusCode::CREATED, document.to_xml());
            if let Ok(location) = HeaderValue::from_str(&location) {
                response.headers_mut().insert(LOCATION, location);
            }
            response
        }
    }
}

/// Where the object is, by the host under which the form was sent.
fn location(context: &RequestContext, call: &Call, key: &ObjectKey) -> String {
    let scheme = if context.secure { "https" } else { "http" };
    let (host, key) = (&call.host, encode_path(key.as_str()));
    // A bucket that the host does not name stands in the path.
    match call.parts.uri.path().trim_matches('/') {
        "" => format!("{scheme}://{host}/{key}"),
        bucket => format!("{scheme}://{host}/{bucket}/{key}"),
    }
}
