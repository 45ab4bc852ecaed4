//! Reads POST policies and evaluates forms against them (POL-1 to POL-41).
//!
//! A policy constrains only the fields it names, by the values that will be stored ([`PolicyFacts`]). Everything
//! it says is enforced: an operator that is not known is refused when the policy is read, and the size range leaves
//! [`Policy::evaluate`] as a value that the receiver of the file must hold its bytes against.

mod condition;
mod document;
mod json;
mod policy_error;
mod policy_facts;
mod size_range;

pub use document::PolicyDocument;
pub use policy_error::{FailedCondition, PolicyError, PolicyRefusal};
pub use policy_facts::{PolicyFacts, StoredValues};
pub use size_range::{POST_OBJECT_BYTES_MAX, SizeOutsideRange, SizeRange};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::{Timestamp, civil};

use condition::{Condition, Item};
use json::Json;

/// Some signers leave the padding out; that changes nothing of what is meant.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Real policies have about ten.
const CONDITIONS_MAX: usize = 1_000;

/// A policy that was read and found well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    expiration: Timestamp,
    conditions: Vec<Condition>,
    sizes: SizeRange,
}

impl Policy {
    /// Reads the value of the form field `policy`: base64 of a JSON object. White space in the base64, which
    /// old encoders insert, is skipped.
    ///
    /// Source: POL-1 to POL-41.
    ///
    /// # Errors
    /// See [`PolicyError`].
    ///
    /// ```
    /// use countersign_protocol::WireError;
    /// use countersign_protocol::policy::{Policy, PolicyDocument, PolicyError};
    ///
    /// let written = PolicyDocument::new("2030-01-01T00:00:00Z".parse()?).starts_with("key", "user/42/");
    /// let policy = Policy::parse(&written.to_base64())?;
    /// assert!(policy.names("key") && !policy.names("content-type"));
    ///
    /// let refused = Policy::parse("not base64!").unwrap_err();
    /// assert_eq!(refused, PolicyError::NotBase64);
    /// assert_eq!(WireError::from(refused).ec(), Some("0006-00000202"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse(base64: &str) -> Result<Self, PolicyError> {
        let solid: Vec<u8> = base64.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        if solid.is_empty() {
            return Err(PolicyError::Blank);
        }
        let decoded = BASE64.decode(solid).map_err(|_| PolicyError::NotBase64)?;
        let text = String::from_utf8(decoded).map_err(|_| PolicyError::NotJson { detail: String::new() })?;
        Self::parse_json(&text)
    }

    /// Reads the JSON of a policy.
    ///
    /// # Errors
    /// See [`PolicyError`].
    ///
    /// ```
    /// use countersign_protocol::policy::{Policy, PolicyError};
    ///
    /// let policy = Policy::parse_json(r#"{"expiration":"2030-01-01T00:00:00Z","conditions":[{"bucket":"demo"}]}"#)?;
    /// assert_eq!(policy.expiration().to_string(), "2030-01-01T00:00:00Z");
    ///
    /// let odd = r#"{"expiration":"2030-01-01T00:00:00Z","conditions":[["matches","$key","*.jpg"]]}"#;
    /// assert!(matches!(Policy::parse_json(odd), Err(PolicyError::OperatorUnknown { .. })), "never ignored");
    /// # Ok::<(), PolicyError>(())
    /// ```
    pub fn parse_json(text: &str) -> Result<Self, PolicyError> {
        let Json::Object(members) = json::read(text)? else { return Err(PolicyError::NotAnObject) };
        let (mut expiration, mut conditions) = (None, None);
        for (name, value) in members {
            match name.as_str() {
                "expiration" => expiration = Some(value),
                "conditions" => conditions = Some(value),
                _ => {}
            }
        }
        let (expiration, conditions) = match (expiration, conditions) {
            (Some(expiration), Some(conditions)) => (expiration, conditions),
            (None, None) => return Err(PolicyError::BothMissing),
            (None, Some(_)) => return Err(PolicyError::ExpirationMissing),
            (Some(_), None) => return Err(PolicyError::ConditionsMissing),
        };
        let mut policy =
            Self { expiration: read_expiration(&expiration)?, conditions: Vec::new(), sizes: SizeRange::ANY };
        policy.read_conditions(conditions)?;
        Ok(policy)
    }

    fn read_conditions(&mut self, conditions: Json) -> Result<(), PolicyError> {
        let Json::Array(items) = conditions else { return Err(PolicyError::ConditionsNotArray) };
        if items.is_empty() {
            return Err(PolicyError::ConditionsEmpty);
        }
        if items.len() > CONDITIONS_MAX {
            return Err(PolicyError::TooManyConditions { max: CONDITIONS_MAX });
        }
        for item in items {
            match Item::read(item)? {
                Item::Field(condition) => self.conditions.push(condition),
                Item::Size(range) => self.sizes = self.sizes.intersect(range),
            }
        }
        Ok(())
    }

    /// The moment from which on the policy is void.
    pub fn expiration(&self) -> Timestamp {
        self.expiration
    }

    /// Whether the policy pins the field: some condition demands that it equals the given value.
    ///
    /// ```
    /// use countersign_protocol::policy::Policy;
    ///
    /// let conditions = r#"[["eq","$callback","e30="],["starts-with","$key","user/"]]"#;
    /// let policy = Policy::parse_json(&format!(r#"{{"expiration":"2030-01-01T00:00:00Z","conditions":{conditions}}}"#))?;
    /// assert!(policy.pins("callback", "e30="));
    /// assert!(!policy.pins("key", "user/"), "a prefix leaves the rest to the uploader");
    /// # Ok::<(), countersign_protocol::policy::PolicyError>(())
    /// ```
    pub fn pins(&self, field: &str, value: &str) -> bool {
        self.conditions.iter().any(|condition| condition.pins(field, value))
    }

    /// Whether any condition names the field.
    pub fn names(&self, field: &str) -> bool {
        self.conditions.iter().any(|condition| condition.names(field))
    }

    /// Holds the form against the policy and gives the sizes it allows.
    ///
    /// Source: POL-1 to POL-41.
    ///
    /// # Errors
    /// [`PolicyRefusal::Expired`], else all conditions that failed.
    ///
    /// ```
    /// use countersign_protocol::form::{FilePart, FormFields};
    /// use countersign_protocol::policy::{Policy, PolicyDocument, PolicyFacts, PolicyRefusal};
    ///
    /// let document = PolicyDocument::new("2030-01-01T00:00:00Z".parse()?)
    ///     .starts_with("key", "user/42/")
    ///     .content_length_range(1, 1_000);
    /// let policy = Policy::parse(&document.to_base64())?;
    /// let now = "2026-11-22T12:00:00Z".parse()?;
    ///
    /// let form = FormFields::from_parts([("key", "user/42/a.jpg")], FilePart::default())?;
    /// let sizes = policy.evaluate(&PolicyFacts::as_sent("photos", &form), now)?;
    /// assert_eq!((sizes.bytes_min, sizes.bytes_max), (1, 1_000), "to be enforced while the file arrives");
    ///
    /// let other = FormFields::from_parts([("key", "user/43/a.jpg")], FilePart::default())?;
    /// let refused = policy.evaluate(&PolicyFacts::as_sent("photos", &other), now).unwrap_err();
    /// let PolicyRefusal::ConditionsFailed(failed) = refused else { panic!("it has not expired") };
    /// assert_eq!(failed[0].condition, r#"["starts-with", "$key", "user/42/"]"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn evaluate(&self, facts: &PolicyFacts<'_>, now: Timestamp) -> Result<SizeRange, PolicyRefusal> {
        if now >= self.expiration {
            return Err(PolicyRefusal::Expired);
        }
        let failed: Vec<_> =
            self.conditions.iter().filter_map(|condition| condition.failure(facts)).collect();
        if failed.is_empty() { Ok(self.sizes) } else { Err(PolicyRefusal::ConditionsFailed(failed)) }
    }
}

/// `2014-12-01T12:00:00.000Z`, with any number of fractional digits or none. Only GMT is written so.
fn read_expiration(json: &Json) -> Result<Timestamp, PolicyError> {
    let Json::Text(text) = json else { return Err(PolicyError::ExpirationNotText) };
    if text.is_empty() {
        return Err(PolicyError::ExpirationEmpty);
    }
    let digits_only = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = text.strip_suffix('Z').is_some_and(|civil| {
        let (seconds, fraction) = civil.split_once('.').unwrap_or((civil, "0"));
        let separators = seconds.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
        seconds.len() == 19 && separators && digits_only(fraction)
    });
    if !shaped {
        return Err(PolicyError::ExpirationNotADate);
    }
    let moment: Option<Timestamp> = text.parse().ok();
    // The last day of the year 9999, which is how some signers write "never", is beyond the last moment.
    let never = || text.strip_suffix('Z')?.parse().ok().map(|_: civil::DateTime| Timestamp::MAX);
    moment.or_else(never).ok_or(PolicyError::ExpirationNotADate)
}

#[cfg(test)]
mod tests;
