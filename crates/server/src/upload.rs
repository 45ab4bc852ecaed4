//! The stages of an upload (POST-61): the form's head, the grant, the bytes, the commit, the answer.

pub(crate) mod answer;
pub(crate) mod commit;
pub(crate) mod form_head;
pub(crate) mod grant;
pub(crate) mod image_info;
pub(crate) mod ingest;
pub(crate) mod stored_form;
