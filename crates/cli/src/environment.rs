//! The environment variables by which tests and applications find a running instance.
//!
//! Three kinds: what is set; the proxy exceptions, which gain this machine's own names; and what must not be there,
//! because it would make an SDK act for another account or call another address.

pub(crate) mod shell;

use std::ffi::OsString;

use countersign_app::AccessKeySecret;
use serde::{Deserialize, Serialize};

/// What a running store, with or without an application server, says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InstanceEnvironment {
    /// Where the store listens, as in `http://127.0.0.1:9817`.
    pub(crate) store_url: String,
    /// Where the application server listens, if there is one.
    pub(crate) app_url: Option<String>,
    /// The address that callbacks name for the key they are signed with.
    pub(crate) callback_key_url: String,
    /// The file with the public half of that key, PEM.
    pub(crate) callback_key_file: String,
    /// The region that signatures name.
    pub(crate) region: String,
    /// The bucket that the application server signs for.
    pub(crate) bucket: Option<String>,
    /// The access key.
    pub(crate) access_key_id: String,
    /// Its secret.
    #[serde(with = "revealed")]
    pub(crate) access_key_secret: AccessKeySecret,
    /// The data folder.
    pub(crate) data: String,
}

/// Variables that make an SDK or a command-line tool act for another account, take a token along, or call elsewhere.
pub(crate) const REMOVED: &[&str] = &[
    "OSS_SESSION_TOKEN",
    "OSS_SECURITY_TOKEN",
    "OSS_PROFILE",
    "OSS_ROLE_ARN",
    "OSS_ROLE_SESSION_NAME",
    "OSSUTIL_PROFILE",
    "OSSUTIL_CONFIG_FILE",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
    "ALIBABA_CLOUD_SESSION_TOKEN",
    "ALIBABA_CLOUD_BEARER_TOKEN",
    "ALIBABA_CLOUD_PROFILE",
    "ALIBABA_CLOUD_PROFILE_MODE",
    "ALIBABA_CLOUD_CONFIG_FILE",
    "ALIBABA_CLOUD_CONFIG_PATH",
    "ALIBABA_CLOUD_CREDENTIALS_FILE",
    "ALIBABA_CLOUD_CREDENTIALS_URI",
    "ALIBABA_CLOUD_ECS_METADATA",
    "ALIBABA_CLOUD_ENDPOINT",
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_ROLE_SESSION_NAME",
    "ALIBABA_CLOUD_EXTERNAL_ID",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABACLOUD_ACCESS_KEY_ID",
    "ALIBABACLOUD_ACCESS_KEY_SECRET",
    "ALIBABACLOUD_SECURITY_TOKEN",
    "ALIBABACLOUD_PROFILE",
    "ALIBABACLOUD_CONFIG_PATH",
    "ALIBABACLOUD_ENDPOINT",
    "ALIBABACLOUD_ROLE_ARN",
    "ALICLOUD_ACCESS_KEY",
    "ALICLOUD_ACCESS_KEY_ID",
    "ALICLOUD_ACCESS_KEY_SECRET",
    "ALICLOUD_SECRET_KEY",
    "ALICLOUD_SECURITY_TOKEN",
    "ALICLOUD_PROFILE",
    "ALICLOUD_CONFIG_PATH",
    "ALICLOUD_ENDPOINT",
    "ALIYUN_ACCESS_KEY_ID",
    "ALIYUN_ACCESS_KEY_SECRET",
    "ALIYUN_SECURITY_TOKEN",
    "ALIYUN_SESSION_TOKEN",
    "SECURITY_TOKEN",
    "COUNTERSIGN_ACCESS_KEY_ID",
    "COUNTERSIGN_ACCESS_KEY_SECRET",
    "COUNTERSIGN_SECURITY_TOKEN",
];

/// This machine's own names, which no proxy is asked for.
const OWN_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

impl InstanceEnvironment {
    /// The variables that are set, in the order of the documents; `outer` is the environment that they go into.
    pub(crate) fn variables(&self, outer: impl Fn(&str) -> Option<OsString>) -> Vec<(&'static str, String)> {
        let exceptions = proxy_exceptions(outer("NO_PROXY"), outer("no_proxy"));
        let app_url = self.app_url.clone();
        let signature_url = app_url.as_ref().map(|app| format!("{app}/signature"));
        let (id, secret) = (&self.access_key_id, revealed::text(&self.access_key_secret));
        [
            ("COUNTERSIGN_STORE_URL", Some(self.store_url.clone())),
            ("COUNTERSIGN_APP_URL", app_url),
            ("COUNTERSIGN_SIGNATURE_URL", signature_url),
            ("COUNTERSIGN_CALLBACK_KEY_URL", Some(self.callback_key_url.clone())),
            ("COUNTERSIGN_CALLBACK_KEY_FILE", Some(self.callback_key_file.clone())),
            ("OSS_ENDPOINT", Some(self.store_url.clone())),
            ("OSS_REGION", Some(self.region.clone())),
            ("OSS_BUCKET", self.bucket.clone()),
            ("OSS_ACCESS_KEY_ID", Some(id.clone())),
            ("OSS_ACCESS_KEY_SECRET", Some(secret.clone())),
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", Some(id.clone())),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", Some(secret.clone())),
            ("NO_PROXY", Some(exceptions.clone())),
            ("no_proxy", Some(exceptions)),
            ("COUNTERSIGN_DATA", Some(self.data.clone())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// The variables that must not be there: those that are never right here, and those that this instance lacks.
    pub(crate) fn removed(&self) -> impl Iterator<Item = &'static str> {
        let app = ["COUNTERSIGN_APP_URL", "COUNTERSIGN_SIGNATURE_URL"];
        let app = app.into_iter().filter(|_| self.app_url.is_none());
        let bucket = ["OSS_BUCKET"].into_iter().filter(|_| self.bucket.is_none());
        app.chain(bucket).chain(REMOVED.iter().copied())
    }

    /// The variables as a JSON object, on one line.
    pub(crate) fn to_json(&self, outer: impl Fn(&str) -> Option<OsString>) -> String {
        let members = self.variables(outer).into_iter().map(|(name, value)| (name.to_owned(), value.into()));
        serde_json::Value::Object(members.collect()).to_string()
    }
}

/// A secret in the file that only its owner may read, and in an environment.
mod revealed {
    use countersign_app::AccessKeySecret;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn text(secret: &AccessKeySecret) -> String {
        String::from_utf8_lossy(secret.as_bytes()).into_owned()
    }

    pub(super) fn serialize<S: Serializer>(secret: &AccessKeySecret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text(secret))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<AccessKeySecret, D::Error> {
        String::deserialize(from).map(AccessKeySecret::from)
    }
}

/// What stands in either variable, and this machine's own names. One that excepts everything stays as it is. Both
/// variables get it, because programs that read the one do not look at the other.
fn proxy_exceptions(upper: Option<OsString>, lower: Option<OsString>) -> String {
    let texts = [upper, lower].map(|text| text.unwrap_or_default().to_string_lossy().into_owned());
    if texts.iter().any(|text| text.trim() == "*") {
        return "*".to_owned();
    }
    let mut names: Vec<&str> = Vec::new();
    let listed = texts.iter().flat_map(|text| text.split([',', ' ', '\t', '\n']));
    for name in listed.chain(OWN_NAMES).filter(|name| !name.is_empty()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exceptions(upper: Option<&str>, lower: Option<&str>) -> String {
        proxy_exceptions(upper.map(Into::into), lower.map(Into::into))
    }

    #[test]
    fn adds_this_machine_to_no_proxy_and_keeps_the_rest() {
        assert_eq!(exceptions(None, None), "127.0.0.1,localhost,::1");
        assert_eq!(exceptions(Some(".corp, localhost"), None), ".corp,localhost,127.0.0.1,::1");
        assert_eq!(exceptions(Some("a"), Some("b,a")), "a,b,127.0.0.1,localhost,::1");
        assert_eq!(exceptions(None, Some("*")), "*", "joined to others it would except nothing");
    }
}
