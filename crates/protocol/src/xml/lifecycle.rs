//! Reads and writes a bucket's lifecycle rules (BKT-13 to BKT-17): expiration by days or date under a prefix. Filters
//! and transitions are refused as not implemented, because a rule that ignores its filter deletes too much.

use std::collections::HashSet;

use jiff::Timestamp;

use super::XmlError;
use super::element::{Element, read};
use super::writer::{XmlWriter, is_writable};
use super::xml_error::LifecycleContradiction;
use crate::iso_time;

const BYTES_MAX: usize = 2 * 1024 * 1024;
const RULES_MAX: usize = 1000;
const ID_BYTES_MAX: usize = 255;
const NOT_IMPLEMENTED: [&str; 5] =
    ["Tag", "Filter", "Transition", "NoncurrentVersionExpiration", "NoncurrentVersionTransition"];

/// A bucket's rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LifecycleConfiguration {
    /// In the order written.
    pub rules: Vec<LifecycleRule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleRule {
    /// The id; where the client gave none, see [`LifecycleConfiguration::name_rules`].
    pub id: String,
    /// What keys begin with; empty for the whole bucket.
    pub prefix: String,
    /// Whether it is carried out.
    pub enabled: bool,
    /// When objects are deleted.
    pub expiration: Option<Expiration>,
    /// When unfinished multipart uploads are deleted.
    pub abort_multipart_upload: Option<AbortMultipartUpload>,
}

/// When objects are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiration {
    /// So many days after they were last written.
    Days(u32),
    /// All that were last written before this moment.
    CreatedBeforeDate(Timestamp),
    /// All, from this moment on.
    Date(Timestamp),
}

/// When unfinished multipart uploads are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbortMultipartUpload {
    /// So many days after they began.
    Days(u32),
    /// All that began before this moment.
    CreatedBeforeDate(Timestamp),
}

impl LifecycleConfiguration {
    /// Reads the body of PutBucketLifecycle, or what [`Self::to_xml`] wrote.
    ///
    /// # Errors
    /// [`XmlError`]: not well-formed, two rules with one id or prefix, or an element that is not built, by name.
    ///
    /// ```
    /// use countersign_protocol::xml::{Expiration, LifecycleConfiguration, XmlError};
    ///
    /// let rule = |more: &str| {
    ///     format!("<LifecycleConfiguration><Rule><Prefix>tmp/</Prefix><Status>Enabled</Status>{more}</Rule></LifecycleConfiguration>")
    /// };
    /// let week = LifecycleConfiguration::parse(rule("<Expiration><Days>7</Days></Expiration>").as_bytes())?;
    /// assert_eq!(week.rules[0].expiration, Some(Expiration::Days(7)));
    ///
    /// let tagged = rule("<Expiration><Days>7</Days></Expiration><Tag><Key>a</Key><Value>b</Value></Tag>");
    /// let refused = LifecycleConfiguration::parse(tagged.as_bytes());
    /// assert_eq!(refused, Err(XmlError::NotImplemented { name: "Tag" }), "ignoring it would delete too much");
    /// # Ok::<(), XmlError>(())
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        let root = read(bytes, "LifecycleConfiguration", BYTES_MAX)?;
        root.only(&["Rule"])?;
        let rules = root.all("Rule").map(read_rule).collect::<Result<Vec<_>, _>>()?;
        match rules.len() {
            0 => return Err(XmlError::Missing { name: "Rule" }),
            count if count > RULES_MAX => {
                return Err(XmlError::TooManyItems { name: "Rule", items_max: RULES_MAX });
            }
            _ => {}
        }
        let mut ids = HashSet::new();
        if !rules.iter().filter(|rule| !rule.id.is_empty()).all(|rule| ids.insert(rule.id.as_str())) {
            return Err(XmlError::Lifecycle(LifecycleContradiction::SameId));
        }
        let mut prefixes = HashSet::new();
        if !rules.iter().all(|rule| prefixes.insert(rule.prefix.as_str())) {
            return Err(XmlError::Lifecycle(LifecycleContradiction::SamePrefix));
        }
        Ok(Self { rules })
    }

    /// Refuses two rules that do the same to objects of which some are under both prefixes: which of them should
    /// hold there, the document does not say. Disabled rules count, as they may be enabled.
    ///
    /// # Errors
    /// `LifecycleContradiction::Overlap`, as an [`XmlError`].
    ///
    /// ```
    /// use countersign_protocol::xml::LifecycleConfiguration;
    ///
    /// let rule = |prefix: &str| {
    ///     format!("<Rule><Prefix>{prefix}</Prefix><Status>Enabled</Status><Expiration><Days>7</Days></Expiration></Rule>")
    /// };
    /// let of = |rules: String| LifecycleConfiguration::parse(format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>").as_bytes());
    /// assert!(of(rule("a/") + &rule("b/"))?.refuse_overlaps().is_ok());
    /// assert!(of(rule("a/") + &rule("a/b/"))?.refuse_overlaps().is_err());
    /// # Ok::<(), countersign_protocol::xml::XmlError>(())
    /// ```
    pub fn refuse_overlaps(&self) -> Result<(), XmlError> {
        let expiring = |rule: &&LifecycleRule| rule.expiration.is_some();
        let aborting = |rule: &&LifecycleRule| rule.abort_multipart_upload.is_some();
        let mut prefixes: [Vec<&str>; 2] = [
            self.rules.iter().filter(expiring).map(|rule| rule.prefix.as_str()).collect(),
            self.rules.iter().filter(aborting).map(|rule| rule.prefix.as_str()).collect(),
        ];
        for prefixes in &mut prefixes {
            // In order, whatever stands between a prefix and a longer one begins with it too.
            prefixes.sort_unstable();
            if prefixes.windows(2).any(|pair| matches!(pair, [short, long] if long.starts_with(short))) {
                return Err(XmlError::Lifecycle(LifecycleContradiction::Overlap));
            }
        }
        Ok(())
    }

    /// Gives every rule without an id one that `make` makes.
    ///
    /// ```
    /// use countersign_protocol::xml::LifecycleConfiguration;
    ///
    /// let sent = b"<LifecycleConfiguration><Rule><Prefix>tmp/</Prefix><Status>Enabled</Status>\
    ///     <Expiration><Days>7</Days></Expiration></Rule></LifecycleConfiguration>";
    /// let mut rules = LifecycleConfiguration::parse(sent)?;
    /// rules.name_rules(|| "made-here".to_owned());
    /// assert!(rules.to_xml().contains("<Rule><ID>made-here</ID><Prefix>tmp/</Prefix>"));
    /// assert_eq!(LifecycleConfiguration::parse(rules.to_xml().as_bytes())?, rules, "it reads what it writes");
    /// # Ok::<(), countersign_protocol::xml::XmlError>(())
    /// ```
    pub fn name_rules(&mut self, mut make: impl FnMut() -> String) {
        for rule in self.rules.iter_mut().filter(|rule| rule.id.is_empty()) {
            rule.id = make();
        }
    }

    /// The document, as GetBucketLifecycle answers it.
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new("LifecycleConfiguration");
        for rule in &self.rules {
            writer.open("Rule");
            writer.leaf("ID", &rule.id);
            writer.leaf("Prefix", &rule.prefix);
            writer.leaf("Status", if rule.enabled { "Enabled" } else { "Disabled" });
            if let Some(expiration) = rule.expiration {
                writer.open("Expiration");
                match expiration {
                    Expiration::Days(days) => writer.plain("Days", days),
                    Expiration::CreatedBeforeDate(date) => {
                        writer.leaf("CreatedBeforeDate", iso_time::format(date));
                    }
                    Expiration::Date(date) => writer.leaf("Date", iso_time::format(date)),
                }
                writer.close();
            }
            if let Some(abort) = rule.abort_multipart_upload {
                writer.open("AbortMultipartUpload");
                match abort {
                    AbortMultipartUpload::Days(days) => writer.plain("Days", days),
                    AbortMultipartUpload::CreatedBeforeDate(date) => {
                        writer.leaf("CreatedBeforeDate", iso_time::format(date));
                    }
                }
                writer.close();
            }
            writer.close();
        }
        writer.finish()
    }
}

fn read_rule(rule: &Element) -> Result<LifecycleRule, XmlError> {
    if let Some(name) = NOT_IMPLEMENTED.into_iter().find(|name| rule.all(name).next().is_some()) {
        return Err(XmlError::NotImplemented { name });
    }
    rule.only(&["ID", "Prefix", "Status", "Expiration", "AbortMultipartUpload", "Days"])?;
    // An SDK repeats the days of its expiration here, where they say nothing.
    if rule.one("Days")?.is_some() && rule.one("Expiration")?.is_none() {
        return Err(XmlError::Unknown { name: "Days".to_owned(), parent: "Rule".to_owned() });
    }
    let id = rule
        .value_of("ID", |text| (text.len() <= ID_BYTES_MAX && is_writable(text)).then(|| text.to_owned()))?;
    let enabled = rule.value_of("Status", |text| match text {
        "Enabled" => Some(true),
        "Disabled" => Some(false),
        _ => None,
    })?;
    let read = LifecycleRule {
        id: id.unwrap_or_default(),
        prefix: read_prefix(rule)?,
        enabled: enabled.ok_or(XmlError::Missing { name: "Status" })?,
        expiration: rule.one("Expiration")?.map(read_expiration).transpose()?,
        abort_multipart_upload: rule.one("AbortMultipartUpload")?.map(read_abort).transpose()?,
    };
    if read.expiration.is_none() && read.abort_multipart_upload.is_none() {
        return Err(XmlError::Missing { name: "Expiration" });
    }
    Ok(read)
}

/// The prefix as written. One that cannot be written again is refused: whoever reads the rules and puts them
/// back would otherwise delete other objects.
fn read_prefix(rule: &Element) -> Result<String, XmlError> {
    let prefix = rule.text_of("Prefix")?.unwrap_or_default();
    if !is_writable(prefix) {
        return Err(XmlError::Value { name: "Prefix", value: prefix.chars().take(256).collect() });
    }
    Ok(prefix.to_owned())
}

fn read_expiration(element: &Element) -> Result<Expiration, XmlError> {
    if element.all("ExpiredObjectDeleteMarker").next().is_some() {
        return Err(XmlError::NotImplemented { name: "ExpiredObjectDeleteMarker" });
    }
    element.only(&["Days", "CreatedBeforeDate", "Date"])?;
    let days = element.value_of("Days", positive)?;
    let before = element.value_of("CreatedBeforeDate", iso_time::parse)?;
    let date = element.value_of("Date", iso_time::parse)?;
    match (days, before, date) {
        (Some(days), None, None) => Ok(Expiration::Days(days)),
        (None, Some(before), None) => Ok(Expiration::CreatedBeforeDate(before)),
        (None, None, Some(date)) => Ok(Expiration::Date(date)),
        (None, None, None) => Err(XmlError::Missing { name: "Days" }),
        _ => Err(XmlError::Lifecycle(LifecycleContradiction::DaysAndDate)),
    }
}

fn read_abort(element: &Element) -> Result<AbortMultipartUpload, XmlError> {
    element.only(&["Days", "CreatedBeforeDate"])?;
    let days = element.value_of("Days", positive)?;
    let before = element.value_of("CreatedBeforeDate", iso_time::parse)?;
    match (days, before) {
        (Some(days), None) => Ok(AbortMultipartUpload::Days(days)),
        (None, Some(before)) => Ok(AbortMultipartUpload::CreatedBeforeDate(before)),
        (None, None) => Err(XmlError::Missing { name: "Days" }),
        _ => Err(XmlError::Lifecycle(LifecycleContradiction::DaysAndDate)),
    }
}

fn positive(text: &str) -> Option<u32> {
    text.parse().ok().filter(|days| *days > 0)
}
