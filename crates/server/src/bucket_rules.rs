//! What a bucket's settings mean: where they are kept, who may read from a page of another origin, and when
//! objects expire.

pub mod bucket_mode;
pub mod bucket_settings;
pub(crate) mod cors;
pub mod lifecycle;
pub(crate) mod refused_origins;
