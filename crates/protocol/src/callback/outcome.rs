//! Failures of a callback after the object was stored, and what the uploader is told: 203 CallbackFailed with OSS's
//! words for that cause (CB-59 to CB-65).

use super::cause::{CallbackCause, CauseRow};
use crate::error_xml::WireError;

/// A failed callback. The object stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackFailure {
    /// The application answered with another status than 200.
    #[error("the application answered {status}")]
    ErrorStatus {
        /// Its status.
        status: u16,
    },
    /// The answer is no JSON.
    #[error("the application's answer is not JSON")]
    AnswerNotJson,
    /// No complete answer in time.
    #[error("no complete answer in time")]
    TimedOut,
    /// Nothing accepted the connection.
    #[error("the application cannot be reached")]
    Unreachable,
    /// The host name leads nowhere.
    #[error("the host name cannot be resolved")]
    NameUnresolved,
    /// TLS could not be agreed upon.
    #[error("the TLS handshake failed")]
    TlsFailed,
    /// The connection broke in the middle of the answer, or it is no HTTP.
    #[error("the answer broke off")]
    AnswerBroken,
    /// No Content-Length.
    #[error("the answer has no Content-Length")]
    LengthMissing,
    /// A Content-Length that is no positive number.
    #[error("the answer's Content-Length is no positive number")]
    LengthInvalid,
    /// A Content-Length above the limit.
    #[error("the answer is too long")]
    LengthTooLong,
    /// Too many callbacks are under way.
    #[error("too many callbacks are under way")]
    TooManyRequests,
    /// It was under way, and gave its place to a callback to another destination.
    #[error("it gave its place to a callback to another destination")]
    GaveWay,
    /// The application answered, and answers that clients have not read yet hold all the room there is.
    #[error("the application's answer could not be held")]
    AnswersTooMany,
    /// The destination is not permitted.
    #[error("the destination is refused; {allow} would permit it")]
    DestinationRefused {
        /// The option that would permit it, `--callback-allow 10.0.0.5/32:80`.
        allow: String,
    },
    /// The store's own key failed.
    #[error("the callback could not be signed")]
    NotSigned,
}

impl CallbackFailure {
    /// The cause in the table.
    ///
    /// ```
    /// use countersign_protocol::callback::CallbackFailure;
    ///
    /// let refused = CallbackFailure::DestinationRefused { allow: "--callback-allow 10.0.0.5/32:80".to_owned() };
    /// assert_eq!(refused.cause().row().anchor, "destination-refused");
    /// ```
    pub fn cause(&self) -> CallbackCause {
        match self {
            Self::ErrorStatus { .. } => CallbackCause::ErrorStatus,
            Self::AnswerNotJson => CallbackCause::AnswerNotJson,
            Self::TimedOut => CallbackCause::TimedOut,
            Self::Unreachable => CallbackCause::Unreachable,
            Self::NameUnresolved => CallbackCause::NameUnresolved,
            Self::TlsFailed => CallbackCause::TlsFailed,
            Self::AnswerBroken => CallbackCause::AnswerBroken,
            Self::LengthMissing => CallbackCause::LengthMissing,
            Self::LengthInvalid => CallbackCause::LengthInvalid,
            Self::LengthTooLong => CallbackCause::LengthTooLong,
            Self::TooManyRequests => CallbackCause::TooManyRequests,
            Self::GaveWay => CallbackCause::GaveWay,
            Self::AnswersTooMany => CallbackCause::AnswersTooMany,
            Self::DestinationRefused { .. } => CallbackCause::DestinationRefused,
            Self::NotSigned => CallbackCause::NotSigned,
        }
    }

    /// The message word for word.
    ///
    /// Source: CB-59 to CB-65.
    ///
    /// ```
    /// use countersign_protocol::callback::CallbackFailure;
    ///
    /// assert_eq!(CallbackFailure::ErrorStatus { status: 404 }.message(), "Error status : 404.");
    /// assert_eq!(CallbackFailure::TimedOut.message(), "Cost too long time.");
    /// assert_eq!(CallbackFailure::TimedOut.ec(), "0007-00000202");
    /// ```
    pub fn message(&self) -> String {
        let message = self.cause().row().message;
        match self {
            Self::ErrorStatus { status } => message.replace("{status}", &status.to_string()),
            _ => message.to_owned(),
        }
    }

    /// The EC number.
    pub fn ec(&self) -> &'static str {
        self.cause().row().ec
    }
}

impl From<CallbackFailure> for WireError {
    fn from(failure: CallbackFailure) -> Self {
        let error = wire_error(failure.cause().row()).with_message(failure.message());
        match failure {
            CallbackFailure::DestinationRefused { allow } => error.with_element("CallbackAllow", allow),
            _ => error,
        }
    }
}

/// The error of a row, with the name of its page.
pub(super) fn wire_error(row: &CauseRow) -> WireError {
    WireError::new(row.code()).with_message(row.message).with_ec(row.ec).with_topic(row.anchor)
}
