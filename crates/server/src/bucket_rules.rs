//! What a bucket's settings mean: where they are kept, who may read from a page of another origin, and when
//! objects expire.

pub(crate) mod cors;
pub(crate) mod form_coverage;
pub(crate) mod lifecycle;
pub mod mode;
pub(crate) mod refused_origins;
pub(crate) mod rules;
pub mod settings;
