//! What an operation declares of itself, in one constant in its own file: how a request asks for it, which query
//! parameters it accepts, which headers it refuses, who may do it, and the function that does it.
//!
//! Routing, access checks, refusals of what is not implemented and `docs/api.md` are derived from these
//! declarations; nothing else says what an operation is. An operation of the API that is not implemented is a
//! declaration without a function. How a request is matched is [`crate::routing::route`]'s.

use std::fmt;
use std::pin::Pin;

use http::HeaderMap;

use crate::access::Action;
use crate::access::resource::{BucketResource, ObjectResource};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::query::Query;
use crate::request::request_body::RequestBody;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::WireResponse;

/// What an operation comes to.
pub(crate) type Outcome = Result<WireResponse, OperationError>;

/// An operation under way. Operations are large futures: in a box they are in no connection's own.
pub(crate) type Answer<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// The declaration of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    /// Its name in the API reference.
    pub(crate) name: &'static str,
    /// The methods that ask for it.
    pub(crate) methods: &'static [&'static str],
    /// What it is done to.
    pub(crate) place: Place,
    /// The sub-resource that asks for it.
    pub(crate) sub_resource: Option<SubResource>,
    /// What else tells it from another operation with the same method and sub-resource.
    pub(crate) only_with: Option<Mark>,
    /// Lists of further query parameters that it accepts, besides the signature's.
    pub(crate) parameters: &'static [&'static [&'static str]],
    /// What becomes of parameters that neither it nor the API knows.
    pub(crate) unknown_parameters: UnknownParameters,
    /// Lists of request headers that are refused by name, since they would have no effect.
    pub(crate) refused_headers: &'static [&'static [&'static str]],
    /// Who may do it, and the function that does it.
    pub(crate) handler: Handler,
}

/// What an operation is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The account: the bare endpoint.
    Service,
    /// A bucket.
    Bucket,
    /// An object.
    Object,
    /// Any of these: the method alone asks for it.
    Anywhere,
}

/// The part of a bucket or an object that an operation is about, as the query names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SubResource {
    word: &'static str,
    /// Only together with this further word and value.
    with: Option<(&'static str, &'static str)>,
}

/// What tells two operations apart that have method and sub-resource in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// This query parameter with this value.
    Parameter(&'static str, &'static str),
    /// This header, with any value.
    Header(&'static str),
}

/// What becomes of a query parameter that neither the operation nor the API knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownParameters {
    /// All are ignored: pages write a bare number behind such a URL to get past a cache.
    Ignored,
    /// With a value it is ignored, as OSS does. Without one it could be a word that is newer than this store, and is
    /// refused.
    IgnoredWithValue,
    /// All are refused, and `x-oss-request-payer` with them.
    Refused,
    /// The query is not looked at: it is that of another request.
    Unread,
}

/// Who may do an operation, what is found before it begins, and the function that does it.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Without a signature in header or URL: a browser's preflight, or a form, which brings its own proof.
    Unsigned(for<'a> fn(&'a RequestContext, &'a Call, &'a mut RequestBody) -> Answer<'a>),
    /// For the owner only, on what need not exist: the account, or a bucket that is to be created.
    Account(for<'a> fn(&'a RequestContext, &'a Call, &'a mut RequestBody) -> Answer<'a>),
    /// On an existing bucket, for principals that may do this to it.
    Bucket(
        Action,
        for<'a> fn(&'a RequestContext, &'a Call, BucketResource, &'a mut RequestBody) -> Answer<'a>,
    ),
    /// On a key in an existing bucket, whether it holds an object or not, for principals that may do this to it.
    Object(
        Action,
        for<'a> fn(&'a RequestContext, &'a Call, ObjectResource, &'a mut RequestBody) -> Answer<'a>,
    ),
    /// Not implemented here: refused by the operation's name.
    NotImplemented,
}

impl Operation {
    /// What an operation on the account is unless it says otherwise.
    pub(crate) const ON_SERVICE: Self = Self {
        name: "",
        methods: &[],
        place: Place::Service,
        sub_resource: None,
        only_with: None,
        parameters: &[],
        unknown_parameters: UnknownParameters::IgnoredWithValue,
        refused_headers: &[],
        handler: Handler::NotImplemented,
    };
    /// What an operation on a bucket is unless it says otherwise.
    pub(crate) const ON_BUCKET: Self = Self { place: Place::Bucket, ..Self::ON_SERVICE };
    /// What an operation on an object is unless it says otherwise.
    pub(crate) const ON_OBJECT: Self = Self { place: Place::Object, ..Self::ON_SERVICE };
    /// What an operation is for which the method alone asks, unless it says otherwise.
    pub(crate) const ANYWHERE: Self = Self { place: Place::Anywhere, ..Self::ON_SERVICE };

    /// An operation of the API that this store does not have, by the word that asks for it.
    pub(crate) const fn lacks(
        self,
        name: &'static str,
        methods: &'static [&'static str],
        word: &'static str,
    ) -> Self {
        Self { name, methods, sub_resource: Some(SubResource::word(word)), ..self }
    }

    /// One whose word is narrowed by a further word and its value.
    pub(crate) const fn lacks_with(
        self,
        name: &'static str,
        methods: &'static [&'static str],
        word: &'static str,
        with: (&'static str, &'static str),
    ) -> Self {
        Self { name, methods, sub_resource: Some(SubResource::word_with(word, with)), ..self }
    }

    /// Whether there is a function that does it.
    pub(crate) const fn is_implemented(&self) -> bool {
        !matches!(self.handler, Handler::NotImplemented)
    }

    /// Whether the method asks for it.
    pub(crate) fn has_method(&self, method: &str) -> bool {
        self.methods.contains(&method)
    }

    /// Whether a query parameter is one that the operation names, itself or as its sub-resource.
    pub(crate) fn accepts(&self, parameter: &str) -> bool {
        self.sub_resource.is_some_and(|part| part.words().any(|word| word == parameter))
            || self.parameters.iter().any(|list| list.contains(&parameter))
    }
}

impl SubResource {
    /// The sub-resource of this word.
    pub(crate) const fn word(word: &'static str) -> Self {
        Self { word, with: None }
    }

    /// The sub-resource of this word where a further word has this value: `policy&comp=callback`.
    pub(crate) const fn word_with(word: &'static str, with: (&'static str, &'static str)) -> Self {
        Self { word, with: Some(with) }
    }

    /// Its words.
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        [self.word].into_iter().chain(self.with.map(|(name, _)| name))
    }

    /// Whether a query names it.
    pub(crate) fn is_in(self, query: &Query) -> bool {
        query.has(self.word) && self.with.is_none_or(|(name, value)| query.get(name) == Some(value))
    }
}

/// As a query writes it.
impl fmt::Display for SubResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)?;
        self.with.map_or(Ok(()), |(name, value)| write!(f, "&{name}={value}"))
    }
}

impl Mark {
    /// Whether a request bears it.
    pub(crate) fn is_on(self, query: &Query, headers: &HeaderMap) -> bool {
        match self {
            Self::Parameter(name, value) => query.get(name) == Some(value),
            Self::Header(name) => headers.contains_key(name),
        }
    }
}
