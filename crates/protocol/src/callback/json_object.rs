//! Reads a base64 parameter as one flat JSON object. A name that occurs twice is refused, because two readers could
//! take different values.
//!
//! Clauses CB-6, CB-7.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::PARAMETER_BYTES_MAX;

/// Standard alphabet; some clients strip the padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a parameter is no such object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JsonObjectError {
    /// Longer than [`PARAMETER_BYTES_MAX`].
    TooLong,
    /// Not base64.
    NotBase64,
    /// Not UTF-8, not JSON, not an object, or a name twice. Holds the decoded text.
    NotJson(String),
}

/// The members in order and the decoded text.
pub(super) fn read(base64: &str) -> Result<(Members, String), JsonObjectError> {
    if base64.len() > PARAMETER_BYTES_MAX {
        return Err(JsonObjectError::TooLong);
    }
    let bytes = LENIENT.decode(base64).map_err(|_| JsonObjectError::NotBase64)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| JsonObjectError::NotJson(String::from_utf8_lossy(error.as_bytes()).into_owned()))?;
    match serde_json::from_str(&text) {
        Ok(members) => Ok((members, text)),
        Err(_) => Err(JsonObjectError::NotJson(text)),
    }
}

/// The members of an object in order, each name once.
#[derive(Debug)]
pub(super) struct Members(pub(super) Vec<(String, Value)>);

impl Members {
    /// The value of a member; JSON's `null` counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value)
            .filter(|v| !v.is_null())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a name occurs twice"));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
