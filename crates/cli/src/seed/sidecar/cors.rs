//! CORS rules in a sidecar, under the names that the API has for them.

use countersign_protocol::xml::{CorsConfiguration, CorsRule};
use serde::{Deserialize, Serialize};

/// The rules of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CorsTable {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    response_vary: bool,
    rules: Vec<RuleTable>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RuleTable {
    allowed_origins: Vec<String>,
    allowed_methods: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allowed_headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    expose_headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_age_seconds: Option<u32>,
}

impl CorsTable {
    /// Of the document that the store keeps.
    pub(super) fn of_document(document: &[u8]) -> Result<Self, String> {
        let known = CorsConfiguration::parse(document).map_err(|error| format!("its CORS rules: {error}"))?;
        let rules = known.rules.into_iter().map(|rule| RuleTable {
            allowed_origins: rule.allowed_origins,
            allowed_methods: rule.allowed_methods,
            allowed_headers: rule.allowed_headers,
            expose_headers: rule.expose_headers,
            max_age_seconds: rule.max_age_seconds,
        });
        Ok(Self { response_vary: known.response_vary, rules: rules.collect() })
    }

    /// The document that the store keeps, as the API would have taken it.
    pub(super) fn to_document(&self) -> Result<Vec<u8>, String> {
        let rules = self.rules.iter().map(|rule| CorsRule {
            allowed_origins: rule.allowed_origins.clone(),
            allowed_methods: rule.allowed_methods.clone(),
            allowed_headers: rule.allowed_headers.clone(),
            expose_headers: rule.expose_headers.clone(),
            max_age_seconds: rule.max_age_seconds,
        });
        let rules = CorsConfiguration { rules: rules.collect(), response_vary: self.response_vary };
        let checked =
            CorsConfiguration::parse(rules.to_xml().as_bytes()).map_err(|error| format!("cors: {error}"))?;
        Ok(checked.to_xml().into_bytes())
    }
}
