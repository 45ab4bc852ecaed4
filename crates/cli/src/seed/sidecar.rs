//! The sidecar of a bucket, `BUCKET.toml`: the bucket's settings, and of each object what its file does not say.
//!
//! Whatever is left out is as it is for an upload that says nothing: the type follows from the key's ending, the
//! list is the bucket's. It is written in one order, so that equal buckets have equal sidecars.

mod cors;
mod lifecycle;

use std::collections::BTreeMap;

use countersign_protocol::{Acl, ObjectAcl};
use countersign_server::bucket_rules::mode::BucketMode;
use countersign_server::bucket_rules::settings;
use countersign_server::object::attribute_headers;
use countersign_server::object::attributes::{ObjectAttributes, content_type_of_key};
use countersign_store::BucketRecord;
use serde::{Deserialize, Serialize};

use cors::CorsTable;
use lifecycle::LifecycleTable;

const METADATA: &str = "x-oss-meta-";

/// What a sidecar says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Sidecar {
    /// `private`, `public-read` or `public-read-write`; private when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acl: Option<String>,
    /// `guarded`, `compat` or `strict`; guarded when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    /// `Standard` or `IA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    storage_class: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cors: Option<CorsTable>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lifecycle: Vec<LifecycleTable>,
    /// Of objects by their keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) objects: BTreeMap<String, ObjectTable>,
}

/// What is said of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ObjectTable {
    /// The file in `BUCKET.files` that holds it, where its key is no path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cache_control: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_disposition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acl: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    storage_class: Option<String>,
    /// What its ETag is made of: `md5`, or `crc64` as with `--form-etag crc64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// User metadata, without `x-oss-meta-`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, Values>,
}

/// A header's value, or several of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

impl Sidecar {
    /// Reads a sidecar.
    ///
    /// # Errors
    /// The line, and what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, (Option<usize>, String)> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| line_of(text, span.start));
            (line, error.message().replace('\n', " "))
        })
    }

    /// The sidecar of a bucket without its objects.
    pub(super) fn of_bucket(bucket: &BucketRecord) -> Result<Self, String> {
        let mut sidecar = Self { mode: Some(BucketMode::default().as_str().to_owned()), ..Self::default() };
        for (name, value) in &bucket.settings {
            let text = || {
                std::str::from_utf8(value).map(str::to_owned).map_err(|_| format!("its {name} is no text"))
            };
            match name.as_str() {
                settings::ACL => sidecar.acl = Some(text()?),
                settings::MODE => sidecar.mode = Some(text()?),
                settings::STORAGE_CLASS => sidecar.storage_class = Some(text()?),
                settings::CORS => sidecar.cors = Some(CorsTable::of_document(value)?),
                settings::LIFECYCLE => sidecar.lifecycle = lifecycle::of_document(value)?,
                other => return Err(format!("it has a setting {other:?}, which this version does not know")),
            }
        }
        // Said only where it is not what it is anyway.
        sidecar.acl = sidecar.acl.filter(|acl| acl != Acl::Private.as_str());
        sidecar.settings().map(|_| sidecar)
    }

    /// The sidecar as a file.
    pub(super) fn to_text(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| error.to_string())
    }

    /// The settings of the bucket, as the store keeps them.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn settings(&self) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let acl =
            self.acl.as_deref().map_or(Ok(Acl::Private), Acl::parse).map_err(|error| error.to_string())?;
        let mode = self.mode.as_deref().map_or(Some(BucketMode::Guarded), BucketMode::parse);
        let mode = mode.ok_or("the mode of a bucket is guarded, compat or strict")?;
        let mut settings = BTreeMap::from([
            (settings::ACL.to_owned(), acl.as_str().into()),
            (settings::MODE.to_owned(), mode.as_str().into()),
        ]);
        if let Some(class) = &self.storage_class {
            let class = attribute_headers::storage_class(class).map_err(|error| error.to_string())?;
            settings.insert(settings::STORAGE_CLASS.to_owned(), class.into());
        }
        if let Some(cors) = &self.cors {
            settings.insert(settings::CORS.to_owned(), cors.to_document()?);
        }
        if !self.lifecycle.is_empty() {
            settings.insert(settings::LIFECYCLE.to_owned(), lifecycle::to_document(&self.lifecycle)?);
        }
        Ok(settings)
    }

    /// The class of objects that have none of their own.
    fn class(&self) -> &str {
        self.storage_class.as_deref().unwrap_or("Standard")
    }

    /// What is kept with an object of this key.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn attributes(&self, key: &str) -> Result<ObjectAttributes, String> {
        let unsaid = ObjectTable::default();
        let table = self.objects.get(key).unwrap_or(&unsaid);
        let named = [
            ("cache-control", &table.cache_control),
            ("content-disposition", &table.content_disposition),
            ("content-encoding", &table.content_encoding),
            ("expires", &table.expires),
            ("x-oss-object-acl", &table.acl),
            ("x-oss-storage-class", &table.storage_class),
        ];
        let mut headers: Vec<(String, &str)> = Vec::new();
        for (name, value) in named {
            headers.extend(value.as_deref().map(|value| (name.to_owned(), value)));
        }
        for (name, values) in &table.metadata {
            let name = format!("{METADATA}{name}");
            match values {
                Values::One(value) => headers.push((name, value)),
                Values::Several(values) => {
                    headers.extend(values.iter().map(|value| (name.clone(), value.as_str())))
                }
            }
        }
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let gathered = attribute_headers::gather(key, table.content_type.as_deref(), headers);
        let gathered = gathered.map_err(|error| error.to_string())?;
        Ok(gathered.in_class_of_bucket(self.class()))
    }

    /// Whether an object's ETag is made of its MD5.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn with_md5(&self, key: &str) -> Result<bool, String> {
        match self.objects.get(key).and_then(|table| table.etag.as_deref()) {
            None | Some("md5") => Ok(true),
            Some("crc64") => Ok(false),
            Some(other) => Err(format!("the etag is md5 or crc64, not {other:?}")),
        }
    }

    /// Notes what has to be said of an object, if anything.
    pub(super) fn note(
        &mut self,
        key: &str,
        attributes: &ObjectAttributes,
        with_md5: bool,
        file: Option<String>,
    ) {
        let mut metadata: BTreeMap<String, Values> = BTreeMap::new();
        for (name, value) in &attributes.metadata {
            let name = name.strip_prefix(METADATA).unwrap_or(name).to_owned();
            let together = match metadata.remove(&name) {
                None => Values::One(value.clone()),
                Some(Values::One(first)) => Values::Several(vec![first, value.clone()]),
                Some(Values::Several(mut values)) => {
                    values.push(value.clone());
                    Values::Several(values)
                }
            };
            metadata.insert(name, together);
        }
        let unsaid = |text: &str, usual: &str| (text != usual).then(|| text.to_owned());
        let table = ObjectTable {
            file,
            content_type: unsaid(&attributes.content_type, &content_type_of_key(key)),
            cache_control: attributes.cache_control.clone(),
            content_disposition: attributes.content_disposition.clone(),
            content_encoding: attributes.content_encoding.clone(),
            expires: attributes.expires.clone(),
            acl: unsaid(attributes.acl.as_str(), ObjectAcl::Default.as_str()),
            storage_class: unsaid(attributes.storage_class(), self.class()),
            etag: (!with_md5).then(|| "crc64".to_owned()),
            metadata,
        };
        if table != ObjectTable::default() {
            self.objects.insert(key.to_owned(), table);
        }
    }
}

/// The number of the line in which this byte is.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests;
