//! The path of a request: to its operation, past the access checks, through it, and to the answer.

pub(crate) mod dispatch;
pub(crate) mod perform;
pub(crate) mod query_parameter;
pub(crate) mod route;
pub(crate) mod route_error;
