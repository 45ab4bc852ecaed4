//! The PostObject form (POST-12 to POST-39): `multipart/form-data` with small fields first and one file.
//!
//! The parser is sans-I/O: the caller pushes what arrives and pulls events. It reads every byte once,
//! whatever the chunks, holds no more than the limits allow, and hands the file on as slices of the very
//! buffers that were pushed. It knows nothing of what the fields mean; that is [`crate::policy`],
//! [`crate::post_signature`] and the server.

mod boundary;
mod callback_variables;
mod delimiter;
mod filename_variable;
mod foreign_text;
mod form_error;
mod form_fields;
mod form_limits;
mod form_parser;
mod header_parameters;
mod part_header;

pub use boundary::Boundary;
pub use filename_variable::{final_key, takes_file_name};
pub use form_error::FormError;
pub use form_fields::{FilePart, FormFields, effective_content_type};
pub use form_limits::FormLimits;
pub use form_parser::{FormEvent, FormParser};
