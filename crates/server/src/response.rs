//! Answers: their bodies, their errors, and the endpoint that they advertise.

pub(crate) mod endpoint;
pub(crate) mod gzip;
pub(crate) mod header_names;
pub(crate) mod object_headers;
pub(crate) mod one_at_a_time;
pub(crate) mod traffic_limit;
pub(crate) mod wire_error;
pub(crate) mod wire_response;
