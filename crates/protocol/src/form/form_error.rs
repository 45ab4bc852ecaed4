//! Errors of a form, and OSS's code and message for each (POST-12 to POST-33, ERR-24).

use crate::{ErrorCode, WireError, ec};

/// Why a form is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The Content-Type is not `multipart/form-data`.
    #[error("the content type is not multipart/form-data")]
    NotMultipart,
    /// `multipart/form-data` without a boundary.
    #[error("the content type names no boundary")]
    BoundaryMissing,
    /// A boundary that cannot delimit anything, or two of them.
    #[error("the boundary is empty, too long, named twice or holds forbidden characters")]
    BoundaryInvalid,
    /// A part without a Content-Disposition that names it.
    #[error("a part has no usable Content-Disposition")]
    PartWithoutDisposition,
    /// A header line that is none, or is not ended by CR LF.
    #[error("a part's header is malformed")]
    PartHeaderMalformed,
    /// A header that form parts do not have.
    #[error("a part has the unknown header {name:?}")]
    UnknownPartHeader {
        /// The header's name.
        name: String,
    },
    /// Content that would have to be decoded before it can be stored.
    #[error("a part has the transfer encoding {encoding:?}")]
    TransferEncoding {
        /// The encoding as it came.
        encoding: String,
    },
    /// A name, or the header that holds it, is too long.
    #[error("a field's name is too long")]
    NameTooLong,
    /// A value is too long.
    #[error("the value of {name:?} is too long")]
    ValueTooLong {
        /// The field's name, shortened.
        name: String,
    },
    /// A value is no UTF-8.
    #[error("the value of {name:?} is not UTF-8")]
    ValueNotUtf8 {
        /// The field's name, shortened.
        name: String,
    },
    /// The key takes the file's name, which is no UTF-8.
    #[error("the key takes the file's name, which is not UTF-8")]
    FileNameNotUtf8,
    /// Too much in front of the file.
    #[error("what precedes the file is too large")]
    HeadTooLarge,
    /// Too many fields in front of the file.
    #[error("too many fields precede the file")]
    TooManyFields,
    /// Two fields whose names differ in letter case at most.
    #[error("the field {name:?} is named twice")]
    FieldNamedTwice {
        /// The field's name, shortened.
        name: String,
    },
    /// No field `key` in front of the file.
    #[error("the form has no key in front of its file")]
    KeyMissing,
    /// The form ended without a file.
    #[error("the form has no file")]
    FileMissing,
    /// A second file.
    #[error("the form has a second file")]
    SecondFile,
    /// Too much behind the file.
    #[error("what follows the file is too large")]
    TailTooLarge,
    /// The body ended before its closing delimiter.
    #[error("the body ends before the form does")]
    Truncated,
}

impl From<FormError> for WireError {
    fn from(error: FormError) -> Self {
        let malformed = |number| Self::new(ErrorCode::MalformedPOSTRequest).with_ec(number);
        match error {
            FormError::NotMultipart | FormError::BoundaryMissing | FormError::BoundaryInvalid => {
                Self::new(ErrorCode::RequestIsNotMultiPartContent)
            }
            FormError::PartWithoutDisposition | FormError::PartHeaderMalformed => {
                malformed(ec::POST_PART_DISPOSITION)
            }
            FormError::UnknownPartHeader { name } => {
                argument("The bucket POST contains unrecognized field name.", name)
            }
            FormError::TransferEncoding { encoding } => {
                argument("The Content-Transfer-Encoding of a form part is not supported.", encoding)
            }
            FormError::NameTooLong => Self::new(ErrorCode::FieldItemTooLong).with_ec(ec::POST_NAME_TOO_LONG),
            FormError::ValueTooLong { name } => Self::new(ErrorCode::FieldItemTooLong)
                .with_message("Your value of form field is too long.")
                .with_ec(ec::POST_VALUE_TOO_LONG)
                .with_element("ArgumentName", name),
            FormError::ValueNotUtf8 { name } => argument("The form field is not valid UTF-8.", name),
            FormError::FileNameNotUtf8 => {
                argument("The characters encoding must be utf-8.", "filename".to_owned())
            }
            FormError::HeadTooLarge | FormError::TooManyFields => {
                Self::new(ErrorCode::MaxPOSTPreDataLengthExceededError)
            }
            FormError::FieldNamedTwice { name } => {
                argument("The bucket POST contains the same field name more than once.", name)
            }
            FormError::KeyMissing => {
                // Most often the file stands before the fields; live answers of OSS say so too.
                argument(
                    "The bucket POST must contain the specified 'key'. If it is specified, please check the order of the fields",
                    "key".to_owned(),
                )
            }
            FormError::FileMissing => malformed(ec::POST_FILE_MISSING),
            FormError::SecondFile => Self::new(ErrorCode::IncorrectNumberOfFilesInPOSTRequest),
            FormError::TailTooLarge => Self::new(ErrorCode::MalformedPOSTRequest)
                .with_message("The form fields following the upload file were too large."),
            FormError::Truncated => malformed(ec::POST_BODY_TRUNCATED),
        }
    }
}

fn argument(message: &'static str, name: String) -> WireError {
    WireError::new(ErrorCode::InvalidArgument).with_message(message).with_element("ArgumentName", name)
}

/// A name for an error message: the first bytes tell which field is meant.
pub(super) fn shortened(name: &str) -> String {
    const BYTES_MAX: usize = 128;
    let end = (0..=name.len().min(BYTES_MAX)).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    name.get(..end).unwrap_or_default().to_owned()
}
