//! Lifecycle rules in a sidecar: a table for each, with the days or dates beside the prefix.

use countersign_protocol::xml::{AbortMultipartUpload, Expiration, LifecycleConfiguration, LifecycleRule};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LifecycleTable {
    /// Made when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    prefix: String,
    /// Enabled when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    /// Objects are deleted so many days after they were written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    /// Objects that were written before this are deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_before: Option<Timestamp>,
    /// All objects are deleted from this moment on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    abort_multipart_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    abort_multipart_created_before: Option<Timestamp>,
}

/// Of the document that the store keeps.
pub(super) fn of_document(document: &[u8]) -> Result<Vec<LifecycleTable>, String> {
    let known =
        LifecycleConfiguration::parse(document).map_err(|error| format!("its lifecycle rules: {error}"))?;
    Ok(known.rules.into_iter().map(table).collect())
}

fn table(rule: LifecycleRule) -> LifecycleTable {
    let (mut days, mut created_before, mut date) = (None, None, None);
    match rule.expiration {
        Some(Expiration::Days(number)) => days = Some(number),
        Some(Expiration::CreatedBeforeDate(moment)) => created_before = Some(moment),
        Some(Expiration::Date(moment)) => date = Some(moment),
        None => {}
    }
    let (mut abort_multipart_days, mut abort_multipart_created_before) = (None, None);
    match rule.abort_multipart_upload {
        Some(AbortMultipartUpload::Days(number)) => abort_multipart_days = Some(number),
        Some(AbortMultipartUpload::CreatedBeforeDate(moment)) => {
            abort_multipart_created_before = Some(moment)
        }
        None => {}
    }
    LifecycleTable {
        id: (!rule.id.is_empty()).then_some(rule.id),
        prefix: rule.prefix,
        enabled: (!rule.enabled).then_some(false),
        days,
        created_before,
        date,
        abort_multipart_days,
        abort_multipart_created_before,
    }
}

/// The document that the store keeps, as the API would have taken it.
pub(super) fn to_document(tables: &[LifecycleTable]) -> Result<Vec<u8>, String> {
    let rules = tables.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    let mut named = LifecycleConfiguration { rules };
    let mut number = 0;
    let taken: Vec<String> = named.rules.iter().map(|rule| rule.id.clone()).collect();
    named.name_rules(|| {
        loop {
            number += 1;
            let id = format!("rule-{number}");
            if !taken.contains(&id) {
                return id;
            }
        }
    });
    let checked = LifecycleConfiguration::parse(named.to_xml().as_bytes());
    let checked = checked.map_err(|error| format!("lifecycle: {error}"))?;
    Ok(checked.to_xml().into_bytes())
}

fn rule(table: &LifecycleTable) -> Result<LifecycleRule, String> {
    let refusal = |what: &str| format!("lifecycle: a rule has only one of {what}");
    let expiration = match (table.days, table.created_before, table.date) {
        (None, None, None) => None,
        (Some(days), None, None) => Some(Expiration::Days(days)),
        (None, Some(moment), None) => Some(Expiration::CreatedBeforeDate(moment)),
        (None, None, Some(moment)) => Some(Expiration::Date(moment)),
        _ => return Err(refusal("days, created-before and date")),
    };
    let abort = match (table.abort_multipart_days, table.abort_multipart_created_before) {
        (None, None) => None,
        (Some(days), None) => Some(AbortMultipartUpload::Days(days)),
        (None, Some(moment)) => Some(AbortMultipartUpload::CreatedBeforeDate(moment)),
        _ => return Err(refusal("abort-multipart-days and abort-multipart-created-before")),
    };
    Ok(LifecycleRule {
        id: table.id.clone().unwrap_or_default(),
        prefix: table.prefix.clone(),
        enabled: table.enabled.unwrap_or(true),
        expiration,
        abort_multipart_upload: abort,
    })
}
