//! Reads, evaluates and prints one condition of a policy.
//!
//! Clauses POL-17 to POL-28, POL-39.

use super::json::Json;
use super::{FailedCondition, PolicyError, PolicyFacts, SizeRange};

/// The most of a condition that an answer repeats.
const PRINTED_CHARACTERS_MAX: usize = 1_024;
/// The most of a form's value that an answer repeats.
const GOT_CHARACTERS_MAX: usize = 256;

/// What one item of `conditions` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Field(Condition),
    Size(SizeRange),
}

/// A demand on one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    /// As the policy spells it, without the `$`.
    field: String,
    demand: Demand,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Demand {
    Equals(String),
    StartsWith(String),
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Item {
    pub(super) fn read(json: Json) -> Result<Self, PolicyError> {
        match json {
            Json::Object(members) => read_simple(members).map(Self::Field),
            Json::Array(items) => read_list(items),
            _ => Err(PolicyError::ConditionShape),
        }
    }
}

/// `{"field":"value"}`.
fn read_simple(members: Vec<(String, Json)>) -> Result<Condition, PolicyError> {
    let mut members = members.into_iter();
    match (members.next(), members.next()) {
        (Some((name, Json::Text(value))), None) => {
            Ok(Condition { field: field_name(name)?, demand: Demand::Equals(value) })
        }
        (Some(_), None) => Err(PolicyError::OperandType),
        _ => Err(PolicyError::SimpleConditionMembers),
    }
}

/// `["operator", …]`.
fn read_list(items: Vec<Json>) -> Result<Item, PolicyError> {
    let surplus = items.len() > 3;
    let mut items = items.into_iter();
    let operator = match items.next() {
        Some(Json::Text(operator)) if !operator.starts_with('$') => operator,
        _ => return Err(PolicyError::OperatorMissing),
    };
    if !matches!(operator.as_str(), "eq" | "starts-with" | "in" | "not-in" | "content-length-range") {
        return Err(PolicyError::OperatorUnknown { operator: operator.chars().take(64).collect() });
    }
    let (Some(first), Some(second)) = (items.next(), items.next()) else {
        return Err(PolicyError::ItemMissing);
    };
    if surplus {
        return Err(PolicyError::ItemSurplus);
    }
    if operator == "content-length-range" {
        return read_range(&first, &second).map(Item::Size);
    }
    let Json::Text(name) = first else { return Err(PolicyError::OperandType) };
    let demand = match operator.as_str() {
        "eq" => Demand::Equals(text(second)?),
        "starts-with" => Demand::StartsWith(text(second)?),
        "in" => Demand::In(texts(second)?),
        _ => Demand::NotIn(texts(second)?),
    };
    Ok(Item::Field(Condition { field: field_name(name)?, demand }))
}

fn read_range(minimum: &Json, maximum: &Json) -> Result<SizeRange, PolicyError> {
    let bytes_min = integer(minimum).ok_or(PolicyError::RangeMinimum)?;
    let bytes_max = integer(maximum).ok_or(PolicyError::RangeMaximum)?;
    if bytes_max < bytes_min {
        return Err(PolicyError::RangeReversed);
    }
    Ok(SizeRange { bytes_min, bytes_max })
}

fn integer(json: &Json) -> Option<u64> {
    match json {
        Json::Number(written) => written.parse().ok(),
        _ => None,
    }
}

fn text(json: Json) -> Result<String, PolicyError> {
    match json {
        Json::Text(text) => Ok(text),
        _ => Err(PolicyError::OperandType),
    }
}

fn texts(json: Json) -> Result<Vec<String>, PolicyError> {
    match json {
        Json::Array(items) => items.into_iter().map(text).collect(),
        _ => Err(PolicyError::OperandType),
    }
}

/// The `$` in front may be missing.
fn field_name(spelt: String) -> Result<String, PolicyError> {
    let name = spelt.strip_prefix('$').map_or(spelt.clone(), str::to_owned);
    if name.is_empty() { Err(PolicyError::OperandType) } else { Ok(name) }
}

impl Condition {
    /// Whether the condition is about the field.
    pub(super) fn names(&self, field: &str) -> bool {
        self.field.eq_ignore_ascii_case(field)
    }

    /// Whether the condition demands that the field equals the value.
    pub(super) fn pins(&self, field: &str, value: &str) -> bool {
        self.names(field) && matches!(&self.demand, Demand::Equals(pinned) if pinned == value)
    }

    /// `None` if the form meets the condition.
    ///
    /// A field whose absence stores nothing meets, absent, no demand but `not-in`. An empty prefix means "any
    /// value", and a content type there always is, so that one demand is met even where none is known.
    pub(super) fn failure(&self, facts: &PolicyFacts<'_>) -> Option<FailedCondition> {
        let got = facts.value(&self.field);
        let met = match (&self.demand, got) {
            (Demand::Equals(value), Some(got)) => got == value,
            (Demand::StartsWith(prefix), Some(got)) => got.starts_with(prefix.as_str()),
            (Demand::In(values), Some(got)) => values.iter().any(|value| value == got),
            (Demand::NotIn(values), Some(got)) => !values.iter().any(|value| value == got),
            (Demand::NotIn(_), None) => true,
            (Demand::StartsWith(prefix), None) => {
                prefix.is_empty() && (self.names("content-type") || self.names("x-oss-content-type"))
            }
            (Demand::Equals(_) | Demand::In(_), None) => false,
        };
        if met {
            return None;
        }
        Some(FailedCondition {
            field: self.field.clone(),
            condition: self.printed(),
            got: got.map(|got| got.chars().take(GOT_CHARACTERS_MAX).collect()),
        })
    }

    /// In list form, whichever form it came in: `["eq", "$key", "a"]`.
    fn printed(&self) -> String {
        let (operator, operand) = match &self.demand {
            Demand::Equals(value) => ("eq", quoted(value)),
            Demand::StartsWith(prefix) => ("starts-with", quoted(prefix)),
            Demand::In(values) => ("in", quoted_list(values)),
            Demand::NotIn(values) => ("not-in", quoted_list(values)),
        };
        let whole = format!("[\"{operator}\", {}, {operand}]", quoted(&format!("${}", self.field)));
        whole.chars().take(PRINTED_CHARACTERS_MAX).collect()
    }
}

fn quoted(text: &str) -> String {
    let shortened: String = text.chars().take(PRINTED_CHARACTERS_MAX).collect();
    serde_json::Value::from(shortened).to_string()
}

fn quoted_list(values: &[String]) -> String {
    let values: Vec<String> = values.iter().take(64).map(|value| quoted(value)).collect();
    format!("[{}]", values.join(", "))
}
