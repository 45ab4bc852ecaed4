//! The POST policy (protocol 01 §3): what a signer allowed, and whether a form keeps to it.
//!
//! A policy constrains only the fields it names. Everything it says is enforced: an operator that is not
//! known is refused when the policy is read, and the size range leaves [`Policy::evaluate`] as a value that
//! whoever takes in the file must hold the bytes against.

mod condition;
mod document;
mod json;
mod policy_error;
mod size_range;

pub use document::PolicyDocument;
pub use policy_error::{FailedCondition, PolicyError, PolicyRefusal};
pub use size_range::{POST_OBJECT_BYTES_MAX, SizeOutsideRange, SizeRange};

use jiff::Timestamp;

use crate::form::FormFields;

/// A policy that was read and found well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    expiration: Timestamp,
}

/// What a policy is held against: the bucket of the request's host, and the form.
#[derive(Debug, Clone, Copy)]
pub struct PolicyFacts<'a> {
    /// The bucket, for which there is no form field.
    pub bucket: &'a str,
    /// The form. Its key counts unexpanded, its content type as the effective one.
    pub fields: &'a FormFields,
}

impl Policy {
    /// Reads the value of the form field `policy`: base64 of a JSON object.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn parse(base64: &str) -> Result<Self, PolicyError> {
        let _ = base64;
        Err(PolicyError::Blank)
    }

    /// The moment from which on the policy is void.
    pub fn expiration(&self) -> Timestamp {
        self.expiration
    }

    /// Whether the policy pins the field: some condition demands that it equals the given value.
    pub fn pins(&self, field: &str, value: &str) -> bool {
        let _ = (field, value);
        false
    }

    /// Whether any condition names the field.
    pub fn names(&self, field: &str) -> bool {
        let _ = field;
        false
    }

    /// Holds the form against the policy and gives the sizes it allows.
    ///
    /// # Errors
    /// [`PolicyRefusal::Expired`], else all conditions that failed.
    pub fn evaluate(&self, facts: &PolicyFacts<'_>, now: Timestamp) -> Result<SizeRange, PolicyRefusal> {
        let _ = (facts, now);
        Err(PolicyRefusal::Expired)
    }
}
