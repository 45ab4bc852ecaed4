//! Reads the grant that a PutObject asks for from its headers and query (OBJ-1 to OBJ-11).

use countersign_protocol::callback::CallbackParameter;
use countersign_protocol::callback::parameter::{Argument, parse_callback_var};
use countersign_protocol::policy::SizeRange;
use countersign_protocol::{ErrorCode, WireError};
use http::HeaderMap;
use http::header::TRANSFER_ENCODING;

use crate::access::Principal;
use crate::access::resource::{self, ObjectResource};
use crate::bucket_rules::settings;
use crate::budget::holder::UploadHolder;
use crate::callback::plan::CallbackPlan;
use crate::object::attribute_headers;
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::request_body::RequestBody;
use crate::response::traffic_limit::TrafficLimit;
use crate::response::wire_error::OperationError;
use crate::state::EtagSource;
use crate::upload::grant::{Allowed, Asked, Leave, Target, WriteGrant};

/// Headers that ask for what this store does not do, and must not seem to do.
const UNBUILT_HEADERS: [&str; 3] = [
    "x-oss-server-side-encryption",
    "x-oss-server-side-data-encryption",
    "x-oss-server-side-encryption-key-id",
];

impl WriteGrant {
    /// Decides about a PutObject, and what its body has to be: of a known length or in chunks, and what its digests say.
    pub(crate) async fn for_put(
        context: &RequestContext,
        call: &Call,
        object: ObjectResource,
        body: &mut RequestBody,
    ) -> Result<Self, OperationError> {
        let principal = object.principal.clone();
        let (allowed, callback) = read_head(call, object)?;
        require_a_length(&call.parts.headers, body)?;
        body.demand_digest(&call.parts.headers)?;
        let crc64 = demanded_crc64(call)?;
        let limit = TrafficLimit::asked(call)?;
        let holder = match resource::header_key(call).filter(|_| principal == Principal::Owner) {
            Some(id) => UploadHolder::Key(id),
            None => UploadHolder::Client(context.client.into()),
        };
        let asked = Asked {
            operation: "PutObject",
            callback,
            size: SizeRange::ANY,
            announced_bytes: body.declared_bytes(),
            crc64,
            etag: EtagSource::Md5,
            limit,
            holder,
            body: body.watch(),
        };
        allowed.granted(context, asked).await
    }
}

/// Everything that the head of the request decides.
fn read_head(call: &Call, object: ObjectResource) -> Result<(Allowed, Option<CallbackPlan>), WireError> {
    let headers = &call.parts.headers;
    if let Some(name) = UNBUILT_HEADERS.into_iter().find(|name| headers.contains_key(*name)) {
        return Err(WireError::new(ErrorCode::NotImplemented).with_element("Header", name));
    }
    let ObjectResource { principal, bucket, rules, key, current } = object;
    let class = settings::storage_class(&bucket).to_owned();
    let target = Target::new(principal, Leave::OfObject, bucket, key, rules.mode)?;
    let attributes = attribute_headers::gather_headers(target.key.as_str(), headers)?;
    let wanted = target.with(attributes.in_class_of_bucket(&class))?;
    let forbid_overwrite = attribute_headers::forbids_overwrite(call.header("x-oss-forbid-overwrite"))?;
    let existing = current.map(|(_, attributes)| attributes.acl);
    let allowed = wanted.allowed_by(rules.acl, existing, forbid_overwrite)?;
    let callback = callback_plan(call, allowed.principal())?;
    Ok((allowed, callback))
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
