//! What a reading of a form comes to, whichever of the two it is.

/// A form read to its end or its error.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) filename: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) data: Vec<u8>,
}
