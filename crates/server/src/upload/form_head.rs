//! Stage 1 of PostObject: reads the body up to the file, which stays unread.
//!
//! It does not know what the fields mean.
//!
//! Clauses POST-26 to POST-30.

use std::sync::Arc;

use bytes::Bytes;
use countersign_protocol::form::{FormError, FormEvent, FormFields, FormLimits, FormParser};
use countersign_protocol::{ErrorCode, WireError};

use crate::budget::body_watch::BodyWatch;
use crate::budget::head_budget::HeadShare;
use crate::request::context::RequestContext;
use crate::request::request_body::{BodyError, RequestBody};
use crate::response::wire_error::OperationError;

/// The file of a form, still to be read.
pub(crate) struct FormFile<'b> {
    parser: FormParser,
    body: &'b mut RequestBody,
}

/// Reads a form up to its file, which may take only so long: a few heads that arrive almost whole and then
/// crawl could otherwise keep the budget from everybody.
pub(crate) async fn read<'b>(
    content_type: Option<&str>,
    body: &'b mut RequestBody,
    context: &RequestContext,
) -> Result<(FormFields, HeadShare, FormFile<'b>), OperationError> {
    let share = HeadShare::none_yet(&context.server.form_heads, context.client.into(), body.watch());
    let reading = read_within(content_type, body, share);
    let options = &context.server.options;
    match options.clock.timeout(options.limits.form_head_timeout, reading).await {
        Ok(head) => head,
        Err(_) => Err(ErrorCode::RequestTimeout.into()),
    }
}

async fn read_within<'b>(
    content_type: Option<&str>,
    body: &'b mut RequestBody,
    mut share: HeadShare,
) -> Result<(FormFields, HeadShare, FormFile<'b>), OperationError> {
    let boundary = FormParser::boundary(content_type.unwrap_or_default()).map_err(WireError::from)?;
    let mut parser = FormParser::new(&boundary, FormLimits::default());
    loop {
        match parser.next_event().map_err(WireError::from)? {
            FormEvent::Head(fields) => return Ok((fields, share, FormFile { parser, body })),
            FormEvent::NeedMore => {
                share.hold(parser.retained_bytes())?;
                match body.chunk().await.map_err(body_error)? {
                    Some(chunk) => {
                        share.grow(chunk.len())?;
                        parser.push(chunk);
                    }
                    None => parser.finish_input(),
                }
            }
            // The parser gives the head before anything else; a form without one is an error of its own.
            FormEvent::Data(_) | FormEvent::End => return Err(WireError::from(FormError::FileMissing).into()),
        }
    }
}

impl FormFile<'_> {
    /// How fast the file comes.
    pub(crate) fn watch(&self) -> &Arc<BodyWatch> {
        self.body.watch()
    }

    /// The next bytes of the file. `None` once the closing delimiter was seen and the whole body was read.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, OperationError> {
        loop {
            match self.parser.next_event().map_err(WireError::from)? {
                FormEvent::Data(bytes) => return Ok(Some(bytes)),
                FormEvent::End => return Ok(None),
                FormEvent::NeedMore => match self.body.chunk().await.map_err(body_error)? {
                    Some(chunk) => self.parser.push(chunk),
                    None => self.parser.finish_input(),
                },
                FormEvent::Head(_) => return Err(WireError::from(FormError::SecondFile).into()),
            }
        }
    }
}

/// A form that breaks off is a malformed form, whichever layer notices first.
fn body_error(error: BodyError) -> OperationError {
    match error {
        BodyError::Incomplete(cause) => {
            tracing::debug!(%cause, "a form broke off");
            WireError::from(FormError::Truncated).into()
        }
        other => other.into(),
    }
}
