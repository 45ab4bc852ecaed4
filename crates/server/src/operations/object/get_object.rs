//! GetObject (OBJ-12 to OBJ-16, OBJ-20 to OBJ-29): conditions, one range, `response-*` overrides, the bytes as they
//! are read.

use std::io;

use countersign_protocol::{
    ErrorCode, WireError,
    byte_range::{self, RangeOutcome},
};
use countersign_store::{ObjectRecord, ReadError};
use futures_util::StreamExt as _;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_RANGE, CONTENT_TYPE,
        EXPIRES, RANGE,
    },
};

use crate::access::resource::{self, ObjectResource};
use crate::access::{Action, Principal};
use crate::object::attributes::ObjectAttributes;
use crate::object::etag::etag_of;
use crate::object::precondition;
use crate::operations::operation::{Handler, Operation, UnknownParameters};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::object_version;
use crate::response::gzip;
use crate::response::object_headers;
use crate::response::one_at_a_time::OneAtATime;
use crate::response::traffic_limit::TrafficLimit;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, ContentStream, ResponseBody, WireResponse};

/// How often a key is resolved anew when its bytes are gone before the first was read.
const RESOLUTIONS_MAX: usize = 4;
/// The overrides of a signed request, and the header that each replaces.
const OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-content-type", CONTENT_TYPE),
    ("response-content-language", CONTENT_LANGUAGE),
    ("response-expires", EXPIRES),
    ("response-cache-control", CACHE_CONTROL),
    ("response-content-disposition", CONTENT_DISPOSITION),
    ("response-content-encoding", CONTENT_ENCODING),
];

/// The names of the overrides.
const OVERRIDE_PARAMETERS: &[&str] =
    &[OVERRIDES[0].0, OVERRIDES[1].0, OVERRIDES[2].0, OVERRIDES[3].0, OVERRIDES[4].0, OVERRIDES[5].0];

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "GetObject",
    methods: &["GET"],
    parameters: &[OVERRIDE_PARAMETERS, &["versionId", "x-oss-traffic-limit"]],
    unknown_parameters: UnknownParameters::Ignored,
    handler: Handler::Object(Action::ReadObject, |context, call, object, _| {
        Box::pin(run(context, call, object))
    }),
    ..Operation::ON_OBJECT
};

/// Sends an object or a part of it.
async fn run(
    context: &RequestContext,
    call: &Call,
    object: ObjectResource,
) -> Result<WireResponse, OperationError> {
    check_overrides(call, &object.principal)?;
    object_version::require_the_only_one(&call.query, &object.key)?;
    let store = &context.server.options.store;
    let (mut record, mut attributes) = object.existing()?.clone();
    for _ in 1..RESOLUTIONS_MAX {
        match answer(context, call, &record, &attributes).await {
            // Overwritten or deleted since the key was resolved: what the key holds now is the answer.
            Err(OperationError::Read(ReadError::Gone)) => {
                let found = store.object(&object.bucket.name, object.key.as_str()).await?;
                let found = found.ok_or_else(|| resource::no_such_key(&object.key))?;
                if found.sequence == record.sequence {
                    return Err(store.missing(&record).into());
                }
                record = found;
                attributes = ObjectAttributes::decode(&record.attributes);
            }
            outcome => return outcome,
        }
    }
    answer(context, call, &record, &attributes).await
}

async fn answer(
    context: &RequestContext,
    call: &Call,
    record: &ObjectRecord,
    attributes: &ObjectAttributes,
) -> Result<WireResponse, OperationError> {
    let offered = gzip::is_offered(attributes, record.len);
    if let Some(mut unmodified) = object_headers::answer_conditions(&call.parts.headers, record, attributes)?
    {
        if offered {
            gzip::vary(unmodified.headers_mut());
        }
        return Ok(unmodified);
    }
    let (status, range) = match requested_range(call, record) {
        RangeOutcome::Whole => (StatusCode::OK, 0..record.len),
        RangeOutcome::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first..last.saturating_add(1)),
        RangeOutcome::Unsatisfiable => return Err(ErrorCode::InvalidRange.into()),
    };
    let limit = TrafficLimit::asked(call)?;
    let compressed = match offered && limit.is_none() && gzip::is_asked(call) {
        true => gzip::body(context, record).await?,
        false => None,
    };
    let is_compressed = compressed.is_some();
    let body = match compressed {
        Some(body) => body,
        None => read(context, record, range.clone(), limit).await?,
    };
    let mut response = wire_response::with_body(status, body);
    let headers = response.headers_mut();
    object_headers::describe(record, attributes, headers);
    if offered {
        gzip::vary(headers);
    }
    if is_compressed {
        gzip::describe(headers);
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let shown = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), record.len);
        object_headers::put(headers, CONTENT_RANGE, &shown);
        // The digest is the whole object's, and this is not the whole.
        headers.remove("content-md5");
    }
    if let Some(limit) = limit {
        limit.tell(range.end.saturating_sub(range.start), headers);
    }
    override_headers(call, headers)?;
    Ok(response)
}

async fn read(
    context: &RequestContext,
    record: &ObjectRecord,
    range: std::ops::Range<u64>,
    limit: Option<TrafficLimit>,
) -> Result<ResponseBody, OperationError> {
    let remaining = range.end.saturating_sub(range.start);
    let reader = context.server.options.store.read(record, range).await?;
    let request_id = context.request_id;
    let content: ContentStream = Box::pin(OneAtATime::of(reader.map(move |chunk| {
        chunk.map_err(|error| {
            tracing::error!(%request_id, %error, "the bytes of an object could not be read to their end");
            io::Error::other(error)
        })
    })));
    let content = match limit {
        Some(limit) => limit.slow_down(&context.server.options.clock, content),
        None => content,
    };
    Ok(ResponseBody::Stream { content, remaining })
}

fn requested_range(call: &Call, record: &ObjectRecord) -> RangeOutcome {
    let Some(range) = call.parts.headers.get(RANGE) else { return RangeOutcome::Whole };
    let tag = etag_of(record.md5, record.crc64, record.len);
    if !precondition::range_holds(&call.parts.headers, &tag, record.modified) {
        return RangeOutcome::Whole;
    }
    let standard =
        call.header("x-oss-range-behavior").is_some_and(|word| word.eq_ignore_ascii_case("standard"));
    // A header that is no text is no range; OSS then sends the whole object.
    range.to_str().map_or(RangeOutcome::Whole, |range| byte_range::resolve(range, record.len, standard))
}

fn check_overrides(call: &Call, principal: &Principal) -> Result<(), WireError> {
    if *principal == Principal::Anonymous && OVERRIDES.iter().any(|(word, _)| call.query.has(word)) {
        return Err(WireError::new(ErrorCode::InvalidRequest)
            .with_message("Request specific response headers cannot be used for anonymous GET requests."));
    }
    Ok(())
}

fn override_headers(call: &Call, headers: &mut HeaderMap) -> Result<(), WireError> {
    for (word, name) in OVERRIDES {
        let Some(text) = call.query.get(word).filter(|text| !text.is_empty()) else { continue };
        let value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
            WireError::new(ErrorCode::InvalidArgument)
                .with_element("ArgumentName", word)
                .with_element("ArgumentValue", text)
        })?;
        headers.insert(name, value);
    }
    object_headers::serve_safely(headers);
    Ok(())
}
