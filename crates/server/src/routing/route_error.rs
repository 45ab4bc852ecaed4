//! Why a request names no operation.

/// Why no operation was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RouteError {
    /// The API has no such method on this resource.
    #[error("the method is not allowed against this resource")]
    MethodNotAllowed,
    /// A word of the API's queries with which nothing is served here.
    #[error("the word {0} belongs to an operation that is not served here")]
    WordNotServed(String),
    /// A parameter that neither the operation nor the API knows, where none is ignored.
    #[error("the query parameter {name:?} is not one of this operation")]
    UnknownParameter {
        /// The parameter's name, decoded.
        name: String,
        /// Its value, decoded; empty for a bare name.
        value: String,
    },
}
