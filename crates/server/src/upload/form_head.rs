//! Stage 1 of PostObject: from the bytes of a body to the fields in front of the file and the unread file.
//!
//! The heads of all forms that are not yet authorised share one budget, so that strangers cannot fill the
//! memory with fields. It does not know what the fields mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use countersign_protocol::form::{FormError, FormEvent, FormFields, FormLimits, FormParser};
use countersign_protocol::{ErrorCode, WireError};

use crate::request_body::{BodyError, RequestBody};
use crate::server::ServerState;
use crate::wire_error::OperationError;

/// What all heads may hold together.
#[derive(Debug)]
pub(crate) struct HeadBudget {
    bytes_max: usize,
    held_bytes: AtomicUsize,
}

impl HeadBudget {
    /// An empty budget of so many bytes.
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, held_bytes: AtomicUsize::new(0) })
    }
}

/// A head's share of the budget, given back when it is dropped: once the form is authorised or refused.
#[derive(Debug)]
pub(crate) struct HeadShare {
    budget: Arc<HeadBudget>,
    bytes: usize,
}

impl HeadShare {
    fn none_yet(budget: &Arc<HeadBudget>) -> Self {
        Self { budget: Arc::clone(budget), bytes: 0 }
    }

    fn grow(&mut self, bytes: usize) -> Result<(), WireError> {
        let held = self.budget.held_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.bytes += bytes;
        if held > self.budget.bytes_max {
            return Err(WireError::new(ErrorCode::SlowDown));
        }
        Ok(())
    }
}

impl Drop for HeadShare {
    fn drop(&mut self) {
        self.budget.held_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

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
    server: &ServerState,
) -> Result<(FormFields, HeadShare, FormFile<'b>), OperationError> {
    let reading = read_within(content_type, body, &server.form_heads);
    match tokio::time::timeout(server.options.limits.form_head_timeout, reading).await {
        Ok(head) => head,
        Err(_) => Err(ErrorCode::RequestTimeout.into()),
    }
}

async fn read_within<'b>(
    content_type: Option<&str>,
    body: &'b mut RequestBody,
    budget: &Arc<HeadBudget>,
) -> Result<(FormFields, HeadShare, FormFile<'b>), OperationError> {
    let boundary = FormParser::boundary(content_type.unwrap_or_default()).map_err(WireError::from)?;
    let mut parser = FormParser::new(&boundary, FormLimits::default());
    let mut share = HeadShare::none_yet(budget);
    loop {
        match parser.next_event().map_err(WireError::from)? {
            FormEvent::Head(fields) => return Ok((fields, share, FormFile { parser, body })),
            FormEvent::NeedMore => match body.chunk().await.map_err(body_error)? {
                Some(chunk) => {
                    share.grow(chunk.len())?;
                    parser.push(chunk);
                }
                None => parser.finish_input(),
            },
            // The parser gives the head before anything else; a form without one is an error of its own.
            FormEvent::Data(_) | FormEvent::End => return Err(WireError::from(FormError::FileMissing).into()),
        }
    }
}

impl FormFile<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_share_one_budget_and_give_their_share_back() {
        let budget = HeadBudget::new(100);
        let mut first = HeadShare::none_yet(&budget);
        let mut second = HeadShare::none_yet(&budget);
        assert!(first.grow(60).is_ok());
        assert_eq!(second.grow(60).unwrap_err().code(), ErrorCode::SlowDown);
        drop(second);
        assert!(first.grow(40).is_ok());
        drop(first);
        assert_eq!(budget.held_bytes.load(Ordering::Relaxed), 0);
    }
}
