//! Errors of a policy itself, and of a form that does not meet it, with OSS's messages.
//!
//! Clauses POL-1 to POL-10, POL-24, POL-39 to POL-41.

use crate::{ErrorCode, WireError, ec};

/// Why a policy cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Nothing but white space.
    #[error("the policy is blank")]
    Blank,
    /// Not base64.
    #[error("the policy is not base64")]
    NotBase64,
    /// Not JSON, or JSON beyond the reader's bounds. The detail goes into the message as OSS words it.
    #[error("the policy is not JSON: {detail}")]
    NotJson {
        /// What the reader met, such as `unknown char e` or `, or ] expected`; may be empty.
        detail: String,
    },
    /// JSON, but no object.
    #[error("the policy is not a JSON object")]
    NotAnObject,
    /// A member that occurs twice in one object, of which readers would pick different ones.
    #[error("the policy names {name:?} twice in one object")]
    NamedTwice {
        /// The member's name, shortened.
        name: String,
    },
    /// Neither member.
    #[error("the policy has neither expiration nor conditions")]
    BothMissing,
    /// No `expiration`.
    #[error("the policy has no expiration")]
    ExpirationMissing,
    /// `expiration` is no string.
    #[error("the policy's expiration is not a string")]
    ExpirationNotText,
    /// `expiration` is empty.
    #[error("the policy's expiration is empty")]
    ExpirationEmpty,
    /// `expiration` is no moment in GMT.
    #[error("the policy's expiration is not a date like 2014-12-01T12:00:00.000Z")]
    ExpirationNotADate,
    /// No `conditions`.
    #[error("the policy has no conditions")]
    ConditionsMissing,
    /// `conditions` is no array.
    #[error("the policy's conditions are not an array")]
    ConditionsNotArray,
    /// `conditions` is empty.
    #[error("the policy's conditions are empty")]
    ConditionsEmpty,
    /// More conditions than any real policy has.
    #[error("the policy has more than {max} conditions")]
    TooManyConditions {
        /// The most that are read.
        max: usize,
    },
    /// A condition that is neither an object nor an array.
    #[error("a condition is neither an object nor an array")]
    ConditionShape,
    /// An object with no or several members.
    #[error("a simple condition does not have exactly one member")]
    SimpleConditionMembers,
    /// An array that does not begin with an operator.
    #[error("a condition names no operator")]
    OperatorMissing,
    /// An operator that OSS does not know.
    #[error("a condition has the unknown operator {operator:?}")]
    OperatorUnknown {
        /// The operator, shortened.
        operator: String,
    },
    /// Fewer items than the operator needs.
    #[error("a condition lacks an item")]
    ItemMissing,
    /// More items than the operator has.
    #[error("a condition has a surplus item")]
    ItemSurplus,
    /// A field name or operand of the wrong type.
    #[error("a condition's operand has the wrong type")]
    OperandType,
    /// A length range whose maximum is below its minimum.
    #[error("a length range's maximum is below its minimum")]
    RangeReversed,
    /// A minimum that is no integer.
    #[error("a length range's minimum is not an integer")]
    RangeMinimum,
    /// A maximum that is no integer.
    #[error("a length range's maximum is not an integer")]
    RangeMaximum,
}

impl From<PolicyError> for WireError {
    fn from(error: PolicyError) -> Self {
        let (number, message): (_, &'static str) = match error {
            PolicyError::NotJson { detail } => {
                let message = match detail.is_empty() {
                    true => "Invalid Policy: Invalid JSON. ".to_owned(),
                    false => format!("Invalid Policy: Invalid JSON: {detail}"),
                };
                return Self::new(ErrorCode::InvalidPolicyDocument)
                    .with_message(message)
                    .with_ec(ec::POLICY_NOT_JSON);
            }
            PolicyError::NamedTwice { name } => {
                return Self::new(ErrorCode::InvalidPolicyDocument)
                    .with_message(format!("Invalid Policy: Invalid JSON: duplicate name {name}"))
                    .with_ec(ec::POLICY_NOT_JSON);
            }
            PolicyError::OperatorUnknown { operator } => {
                return Self::new(ErrorCode::InvalidPolicyDocument)
                    .with_message(format!("Invalid Policy: Invalid Condition: unknown operator {operator}"))
                    .with_ec(ec::POLICY_OPERATOR_UNKNOWN);
            }
            PolicyError::Blank => (ec::POLICY_BLANK, "Invalid Policy: Policy is empty."),
            PolicyError::NotBase64 => {
                (ec::POLICY_NOT_BASE64, "Invalid Policy: Policy is not base64 encoded.")
            }
            PolicyError::NotAnObject => (ec::POLICY_NOT_JSON, "Invalid Policy: Invalid JSON. "),
            PolicyError::BothMissing => {
                (ec::POLICY_BOTH_MISSING, "Invalid Policy: Policy missing expiration and conditions.")
            }
            PolicyError::ExpirationMissing => {
                (ec::POLICY_EXPIRATION_MISSING, "Invalid Policy: Policy missing expiration.")
            }
            PolicyError::ExpirationNotText => {
                (ec::POLICY_EXPIRATION_NOT_TEXT, "Invalid Policy: Expiration must be a string.")
            }
            PolicyError::ExpirationEmpty => {
                (ec::POLICY_EXPIRATION_EMPTY, "Invalid Policy: Expiration can not be empty.")
            }
            PolicyError::ExpirationNotADate => {
                (ec::POLICY_INVALID, "Invalid Policy: Invalid expiration, expected 2014-12-01T12:00:00.000Z.")
            }
            PolicyError::ConditionsMissing => {
                (ec::POLICY_CONDITIONS_MISSING, "Invalid Policy: Policy missing conditions.")
            }
            PolicyError::ConditionsNotArray => {
                (ec::POLICY_CONDITIONS_NOT_ARRAY, "Invalid Policy: Conditions must be an array.")
            }
            PolicyError::ConditionsEmpty => {
                (ec::POLICY_CONDITIONS_EMPTY, "Invalid Policy: Conditions can not be empty.")
            }
            PolicyError::TooManyConditions { .. } => {
                (ec::POLICY_INVALID, "Invalid Policy: Policy has too many conditions.")
            }
            error => condition_words(&error),
        };
        Self::new(ErrorCode::InvalidPolicyDocument).with_message(message).with_ec(number)
    }
}

/// The words for what is wrong inside one condition.
fn condition_words(error: &PolicyError) -> (&'static str, &'static str) {
    match error {
        PolicyError::ConditionShape => {
            (ec::POLICY_CONDITION_SHAPE, "Invalid Policy: Invalid Condition: expected an object or an array.")
        }
        PolicyError::SimpleConditionMembers => (
            ec::POLICY_INVALID,
            "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
        ),
        PolicyError::OperatorMissing => {
            (ec::POLICY_CONDITION_WITHOUT_OPERATOR, "Invalid Policy: Invalid Condition: operator missing.")
        }
        PolicyError::ItemMissing => (ec::POLICY_INVALID, "Invalid Policy: Invalid Condition: item missing."),
        PolicyError::ItemSurplus => {
            (ec::POLICY_CONDITION_SURPLUS, "Invalid Policy: Invalid Condition: too many items.")
        }
        PolicyError::OperandType => {
            (ec::POLICY_OPERAND, "Invalid Policy: Invalid Condition: operand has the wrong type.")
        }
        PolicyError::RangeReversed => (
            ec::POLICY_RANGE_REVERSED,
            "Invalid Policy: Invalid content-length-range: maximum is less than minimum.",
        ),
        PolicyError::RangeMinimum => {
            (ec::POLICY_RANGE_MIN, "Invalid Policy: Invalid content-length-range: minimum is not an integer.")
        }
        PolicyError::RangeMaximum => {
            (ec::POLICY_RANGE_MAX, "Invalid Policy: Invalid content-length-range: maximum is not an integer.")
        }
        _ => (ec::POLICY_INVALID, "Invalid Policy: Invalid JSON. "),
    }
}

/// A condition that the form does not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCondition {
    /// The field, as the policy spells it, without `$`.
    pub field: String,
    /// The condition in list form as OSS prints it, shortened: `["eq", "$success_action_status", "200"]`.
    pub condition: String,
    /// What the form has instead, shortened; `None` when the field is absent.
    pub got: Option<String>,
}

impl FailedCondition {
    /// What the form has instead, and for the callback what to do: samples without a callback meet a pinned one first.
    fn explained(&self) -> String {
        let of_callback = self.condition.starts_with(r#"["eq", "$callback", "#);
        let wants_none = self.condition == r#"["eq", "$callback", ""]"#;
        match self.got.as_deref() {
            None | Some("") if of_callback => {
                "the form has no field callback; send the one that the signer answered \
                beside the policy, or ask the signer for a policy without it (/signature?callback=0)"
                    .to_owned()
            }
            Some(got) if wants_none => {
                format!(
                    "got {got:?}; this policy was signed for uploads without a callback, so leave the field out"
                )
            }
            Some(got) => format!("got {got:?}"),
            None => "the form has no such field".to_owned(),
        }
    }
}

/// Why a well-formed policy does not allow a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefusal {
    /// Its time is over.
    #[error("the policy has expired")]
    Expired,
    /// These conditions are not met: all of them, in the policy's order, at least one.
    #[error("{} conditions of the policy failed", .0.len())]
    ConditionsFailed(Vec<FailedCondition>),
}

/// The most text that the list of failed conditions takes in an answer.
const LIST_BYTES_MAX: usize = 4 << 10;

impl From<PolicyRefusal> for WireError {
    fn from(refusal: PolicyRefusal) -> Self {
        let denied = Self::new(ErrorCode::AccessDenied);
        let failed = match refusal {
            PolicyRefusal::Expired => {
                return denied
                    .with_message("Invalid according to Policy: Policy expired.")
                    .with_ec(ec::POLICY_EXPIRED);
            }
            PolicyRefusal::ConditionsFailed(failed) => failed,
        };
        let first = failed.first().map(|failed| failed.condition.as_str()).unwrap_or_default();
        let message = format!("Invalid according to Policy: Policy Condition failed: {first}");
        let error = denied.with_message(message).with_ec(ec::POLICY_CONDITION_FAILED);
        let mut list = String::new();
        for condition in &failed {
            if list.len() > LIST_BYTES_MAX {
                break;
            }
            let got = condition.explained();
            let separator = if list.is_empty() { "" } else { "; " };
            list.push_str(&format!("{separator}{}: {got}", condition.condition));
        }
        error.with_element("FailedConditions", list)
    }
}
