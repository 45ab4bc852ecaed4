//! Interprets a bucket's settings: where they are kept, which origins may read from it, and when objects expire.

pub(crate) mod cors;
pub(crate) mod form_coverage;
pub(crate) mod lifecycle;
pub mod mode;
pub(crate) mod refused_origins;
pub(crate) mod rules;
pub mod settings;
