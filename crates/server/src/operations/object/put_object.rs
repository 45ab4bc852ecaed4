//! PutObject (OBJ-1 to OBJ-11): bytes with a length or in chunks, checked against every digest that came with
//! them, then stored and called back by the same stages as a form.
//!
//! The body is not touched before everything that can be decided without it is decided: only then does a
//! client that waits for `100 Continue` get it.

use countersign_protocol::{
    ErrorCode, ObjectAcl, WireError,
    callback::{
        CallbackParameter,
        parameter::{Argument, parse_callback_var},
    },
    policy::SizeRange,
};
use http::{HeaderMap, StatusCode, header::TRANSFER_ENCODING};

use crate::access::resource::{self, ObjectResource};
use crate::access::{Action, Principal};
use crate::bucket_rules::settings;
use crate::budget::holder::UploadHolder;
use crate::callback::plan::CallbackPlan;
use crate::object::attribute_headers;
use crate::operations::operation::{Handler, Operation};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::request_body::RequestBody;
use crate::request::unserved_header;
use crate::response::traffic_limit::{Pace, TrafficLimit};
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};
use crate::state::EtagSource;
use crate::upload::answer;
use crate::upload::commit::{self, Upload};
use crate::upload::ingest::{Intake, SealedUpload, Sender};

/// Headers that ask for what this store does not do, and must not seem to do.
const UNBUILT_HEADERS: [&str; 3] = [
    "x-oss-server-side-encryption",
    "x-oss-server-side-data-encryption",
    "x-oss-server-side-encryption-key-id",
];

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "PutObject",
    methods: &["PUT"],
    parameters: &[&["callback", "callback-var", "x-oss-traffic-limit"]],
    refused_headers: &[unserved_header::ON_UPLOAD, unserved_header::PART, unserved_header::CONDITIONS],
    handler: Handler::Object(Action::WriteObject, |context, call, object, body| {
        Box::pin(run(context, call, object, body))
    }),
    ..Operation::ON_OBJECT
};

/// Stores one object.
pub(crate) async fn run(
    context: &RequestContext,
    call: &Call,
    object: ObjectResource,
    body: &mut RequestBody,
) -> Result<WireResponse, OperationError> {
    let principal = object.principal.clone();
    let mut upload = authorise(call, object)?;
    require_a_length(&call.parts.headers, body)?;
    body.demand_digest(&call.parts.headers)?;
    let crc64 = demanded_crc64(call)?;
    let limit = TrafficLimit::asked(call)?;
    if let Some(plan) = upload.callback.take() {
        let of = (upload.bucket.as_str(), &upload.key, upload.attributes.content_type.as_str());
        upload.callback = Some(context.server.callbacks.admit(plan, context.of_upload(), of).await?);
    }
    let holder = match resource::header_key(call).filter(|_| principal == Principal::Owner) {
        Some(id) => UploadHolder::Key(id),
        None => UploadHolder::Client(context.client.into()),
    };
    let sealed = ingest(context, holder, body, limit).await?;
    let bytes = sealed.blob.len();
    if crc64.is_some_and(|demanded| demanded != sealed.blob.crc64()) {
        return Err(ErrorCode::InvalidCRC64.into());
    }
    if principal == Principal::Anonymous {
        // The lists may have changed while the bytes came, which may have taken hours.
        resource::object(context, call, principal, Action::WriteObject).await?;
    }
    let stored = commit::commit(context, upload, sealed).await?;
    let mut response = answer::respond(context, call, stored, |_| wire_response::empty(StatusCode::OK));
    if let Some(limit) = limit {
        limit.tell(bytes, response.headers_mut());
    }
    Ok(response)
}

/// Everything that the head of the request decides.
fn authorise(call: &Call, object: ObjectResource) -> Result<Upload, WireError> {
    let headers = &call.parts.headers;
    if let Some(name) = UNBUILT_HEADERS.into_iter().find(|name| headers.contains_key(*name)) {
        return Err(WireError::new(ErrorCode::NotImplemented).with_element("Header", name));
    }
    object.rules.mode.check_key(&object.key)?;
    let attributes = attribute_headers::gather_headers(object.key.as_str(), headers)?
        .in_class_of_bucket(settings::storage_class(&object.bucket));
    if object.principal == Principal::Anonymous && attributes.acl != ObjectAcl::Default {
        // A list of its own would outlive the bucket's, which only the owner may decide.
        return Err(WireError::new(ErrorCode::AccessDenied)
            .with_message("You do not have write acl permission on this object."));
    }
    let forbid_overwrite = attribute_headers::forbids_overwrite(call.header("x-oss-forbid-overwrite"))?;
    if forbid_overwrite && object.current.is_some() {
        return Err(WireError::new(ErrorCode::FileAlreadyExists).with_element("Key", object.key.as_str()));
    }
    Ok(Upload {
        callback: callback_plan(call, &object.principal)?,
        bucket: object.bucket.name.clone(),
        key: object.key,
        attributes,
        forbid_overwrite,
        operation: "PutObject",
    })
}

/// The callback that the request asks for, in a header or in the query.
fn callback_plan(call: &Call, principal: &Principal) -> Result<Option<CallbackPlan>, WireError> {
    let one_place = |argument: Argument, header: &str| {
        argument.from_one_place(call.header(header), call.query.get(argument.as_str()))
    };
    let parameter = one_place(Argument::Callback, "x-oss-callback")?;
    let variables = one_place(Argument::CallbackVar, "x-oss-callback-var")?;
    let Some(parameter) = parameter.filter(|text| !text.is_empty()) else { return Ok(None) };
    let Some(parameter) = CallbackParameter::parse(parameter)? else { return Ok(None) };
    let custom = variables.filter(|text| !text.is_empty()).map(parse_callback_var).transpose()?;
    Ok(Some(CallbackPlan::new(parameter, custom.unwrap_or_default(), principal.account())))
}

/// A body has a length, or is chunked; without both, nothing says where it ends.
fn require_a_length(headers: &HeaderMap, body: &RequestBody) -> Result<(), WireError> {
    if body.declared_bytes().is_none() && !headers.contains_key(TRANSFER_ENCODING) {
        return Err(ErrorCode::MissingContentLength.into());
    }
    Ok(())
}

fn demanded_crc64(call: &Call) -> Result<Option<u64>, WireError> {
    let Some(text) = call.header("x-oss-hash-crc64ecma") else { return Ok(None) };
    let number = text.trim().parse().map_err(|_| {
        WireError::new(ErrorCode::InvalidArgument)
            .with_element("ArgumentName", "x-oss-hash-crc64ecma")
            .with_element("ArgumentValue", text)
    })?;
    Ok(Some(number))
}

async fn ingest(
    context: &RequestContext,
    holder: UploadHolder,
    body: &mut RequestBody,
    limit: Option<TrafficLimit>,
) -> Result<SealedUpload, OperationError> {
    let mut pace = limit.map(|limit| Pace::of(limit, &context.server.options.clock));
    let size = SizeRange { bytes_min: 0, bytes_max: context.server.options.limits.object_bytes_max };
    let sender = Sender { holder, body: body.watch() };
    let mut intake = Intake::begin(context, sender, size, body.declared_bytes(), EtagSource::Md5).await?;
    while let Some(chunk) = body.chunk().await? {
        let bytes = chunk.len();
        intake.take(chunk).await?;
        if let Some(pace) = &mut pace {
            pace.pass(bytes).await;
        }
    }
    intake.seal().await
}
