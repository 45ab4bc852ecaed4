//! Dispatches a request to its operation and turns the outcome into the answer. Common headers are set here, so that
//! refusals have them like successes.

use std::pin::pin;
use std::sync::Arc;

use countersign_protocol::{ErrorCode, WireError, http_date};
use http::header::{CONNECTION, DATE, HOST, SERVER};
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use tracing::Instrument as _;

use crate::access::resource;
use crate::budget::fair_budget::NoRoom;
use crate::limits::ANSWER_BYTES_UNCOUNTED;
use crate::listen::{Peer, request_log};
use crate::measures::{self, MeasuredRequest};
use crate::operations::bucket::cors;
use crate::operations::{self, own_page};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::framing;
use crate::request::host::HostNames;
use crate::request::location::Location;
use crate::request::query::Query;
use crate::request::request_body::RequestBody;
use crate::response::header_names::HeaderNames;
use crate::response::wire_error::{self, OperationError};
use crate::response::wire_response::{Counted, ResponseBody, WireResponse};
use crate::routing::perform::{self, perform};
use crate::routing::route;
use crate::routing::route_error::RouteError;
use crate::state::ServerState;

/// Answers requests. Holds what is needed only to find out what a request is about, and to write its answer.
pub(crate) struct Dispatcher {
    /// What every request needs.
    pub(crate) state: Arc<ServerState>,
    hosts: HostNames,
    /// How the names of an answer's headers are written.
    header_names: HeaderNames,
}

impl Dispatcher {
    /// For requests under these names.
    pub(crate) fn new(state: Arc<ServerState>, hosts: HostNames) -> Self {
        Self { state, hosts, header_names: HeaderNames::default() }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> WireResponse {
        let clock = &self.state.options.clock;
        let (now, arrived) = (clock.wall(), clock.monotonic());
        let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
        let request_id = self.state.request_ids.fresh(now);
        if let Some(slot) = request.extensions().get::<request_log::IdSlot>() {
            slot.tell(request_id.as_str());
        }
        let (parts, incoming) = request.into_parts();
        let host = host_of(&parts);
        let location = Location::find(&self.hosts.resolve(&host), parts.uri.path());
        let context = RequestContext {
            server: Arc::clone(&self.state),
            request_id,
            now,
            arrived,
            client: peer.client,
            secure: peer.secure,
            span: measures::request_span(
                request_id.as_str(),
                parts.method.as_str(),
                location.bucket(),
                key_in(&location),
            ),
        };
        let body = RequestBody::new(incoming, &parts.headers, &context);
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let call = Call { parts, host, location, query };
        let span = context.span.clone();
        pin!(self.answer_call(&context, &call, body)).instrument(span).await
    }

    async fn answer_call(
        &self,
        context: &RequestContext,
        call: &Call,
        mut body: RequestBody,
    ) -> WireResponse {
        let mut measured = self.state.metrics.request(&self.state.options.clock, context.arrived);
        let outcome = operate(context, call, &mut body, &mut measured).await;
        let mut response = outcome.unwrap_or_else(|error| wire_error::respond(error, context, call));
        hold(context, call, &mut response);
        finish(context, call, &mut response).await;
        self.header_names.spell(response.extensions_mut()).await;
        close_if_unread(context, body, &mut response);
        name_for_the_log(call, &mut response);
        measured.status = Some(response.status().as_u16());
        response
    }
}

/// The key that the path names.
fn key_in(location: &Location) -> Option<&[u8]> {
    match location {
        Location::Object { key, .. } => Some(key),
        _ => None,
    }
}

/// Tells the log what the request was about. A form's key stands in the form, not in the path: the operation
/// told it.
fn name_for_the_log(call: &Call, response: &mut WireResponse) {
    if !request_log::is_wanted() {
        return;
    }
    let told = response.extensions_mut().remove::<request_log::LoggedObject>().unwrap_or_default();
    let in_path = key_in(&call.location).map(|key| String::from_utf8_lossy(key).into_owned());
    let bucket = call.bucket().map(str::to_owned);
    response.extensions_mut().insert(request_log::LoggedObject { bucket, key: in_path.or(told.key) });
}

async fn operate(
    context: &RequestContext,
    call: &Call,
    body: &mut RequestBody,
    measured: &mut MeasuredRequest<'_>,
) -> Result<WireResponse, OperationError> {
    framing::check(&call.parts).map_err(WireError::from)?;
    if let Location::Own(page) = &call.location {
        measured.operation = operations::OWN_PAGE;
        return own_page::run(context, call, page);
    }
    match route::operation(&call.parts.method, &call.location, &call.query, &call.parts.headers) {
        Ok(operation) => {
            context.span.record("operation", operation.name);
            measured.operation = operation.name;
            perform(operation, context, call, body).await
        }
        Err(error) => Err(refuse(error, context, call).await?.into()),
    }
}

/// Counts an answer until its client has read it; one that has no room is refused instead.
fn hold(context: &RequestContext, call: &Call, response: &mut WireResponse) {
    let counted = response.extensions().get::<Counted>().is_some();
    let ResponseBody::Bytes(body) = response.body_mut() else { return };
    let Some(bytes) = body.take_if(|bytes| !counted && bytes.len() > ANSWER_BYTES_UNCOUNTED) else { return };
    match context.server.answers.take(&context.client, bytes.len()) {
        Ok(share) => *body = Some(share.bind(bytes)),
        Err(NoRoom) => *response = wire_error::respond(ErrorCode::SlowDown.into(), context, call),
    }
}

/// Sets what every answer carries.
async fn finish(context: &RequestContext, call: &Call, response: &mut WireResponse) {
    let headers = response.headers_mut();
    cors::decorate(context, call, headers).await;
    headers.insert("x-oss-request-id", context.request_id.header_value());
    headers.insert(SERVER, HeaderValue::from_static("AliyunOSS"));
    // The date is the injected clock's, so that clients that measure their skew measure the right one.
    if let Ok(date) = HeaderValue::from_str(&http_date::format(context.now)) {
        headers.insert(DATE, date);
    }
    let elapsed = context.server.options.clock.since(context.arrived).as_millis();
    headers.insert("x-oss-server-time", HeaderValue::from(u64::try_from(elapsed).unwrap_or(u64::MAX)));
}

/// An answer that leaves bytes of the body unread ends the connection. Reading goes on beside it for a
/// while, since a sender that is cut off while it sends never looks at its answer.
fn close_if_unread(context: &RequestContext, body: RequestBody, response: &mut WireResponse) {
    if body.ended() {
        return;
    }
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    let limits = &context.server.options.limits;
    tokio::spawn(body.drain(limits.refusal_drain_bytes_max, limits.refusal_drain_timeout));
}

/// The host that is asked for: that of an absolute target, whatever `Host` says (RFC 9112 3.2.2).
fn host_of(parts: &http::request::Parts) -> String {
    let target = parts.uri.authority().map(http::uri::Authority::as_str);
    let header = || parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    target.or_else(header).unwrap_or_default().to_owned()
}

/// The refusal of what names no operation. What this store lacks is told to callers with a key only.
async fn refuse(
    error: RouteError,
    context: &RequestContext,
    call: &Call,
) -> Result<WireError, OperationError> {
    Ok(match error {
        RouteError::MethodNotAllowed => WireError::new(ErrorCode::MethodNotAllowed)
            .with_element("Method", call.parts.method.as_str())
            .with_element("ResourceType", call.location.resource_type()),
        RouteError::WordNotServed(word) => {
            resource::principal_on_bucket(context, call).await?;
            perform::not_implemented(&word)
        }
        RouteError::UnknownParameter { name, value } => WireError::new(ErrorCode::InvalidArgument)
            .with_message("The query parameter is not one of this operation.")
            .with_element("ArgumentName", name)
            .with_element("ArgumentValue", value),
    })
}
