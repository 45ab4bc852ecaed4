//! Lists the query parameters that are part of the API, such as `acl` and `uploadId` (OSS calls many of them
//! sub-resources).
//!
//! It is used twice. V1 signs these parameters and no others (V1-9 to V1-11), and SDKs disagree about some: that is
//! the `SigningRule` of a parameter. Routing refuses every one that an operation does not accept, so that a parameter of
//! the API never reaches another operation: that is [`is_word`].
//!
//! The list is the union of what the official SDKs sign (Python 1 and 2, Go 1 and 2, Java, C, C++, .NET, PHP,
//! Ruby, JavaScript, read in November 2026) and of the words with which their operations ask. Parameters that
//! only narrow a list (`prefix`, `max-keys` …) are signed by no V1 signer and are not in it.

/// Parameters that every signer signs. A signature that leaves one of them out is refused.
#[rustfmt::skip]
const SIGNED: &[&str] = &[
    "acl", "append", "asyncFetch", "bucketInfo", "callback", "callback-var", "cname", "comp",
    "continuation-token", "cors", "delete", "encryption", "endTime", "inventory", "inventoryId", "lifecycle",
    "live", "location", "logging", "objectMeta", "partNumber", "policy", "position", "qos", "qosInfo",
    "referer", "replication", "replicationLocation", "replicationProgress", "requestPayment",
    "response-cache-control", "response-content-disposition", "response-content-encoding",
    "response-content-language", "response-content-type", "response-expires", "restore", "seal",
    "security-token", "sequential", "startTime", "stat", "status", "symlink", "tagging", "uploadId",
    "uploads", "versionId", "versioning", "versions", "vod", "website", "worm", "wormExtend", "wormId",
    "x-oss-async-process", "x-oss-process", "x-oss-request-payer", "x-oss-traffic-limit",
];

/// Parameters that some SDKs sign and others do not. None of them selects an operation that is offered.
#[rustfmt::skip]
const CONTESTED: &[&str] = &[
    "accessPoint", "accessPointPolicy", "accessmonitor", "bucketArchiveDirectRead", "cloudboxes", "group",
    "httpsConfig", "img", "link", "metaQuery", "objectInfo", "policyStatus", "publicAccessBlock",
    "qosRequester", "redundancyTransition", "regionList", "regions", "requesterQosInfo", "resourceGroup",
    "resourcePool", "resourcePoolBuckets", "resourcePoolInfo", "rtc", "style", "styleName",
    "transferAcceleration", "udf", "udfApplication", "udfApplicationLog", "udfImage", "udfImageDesc",
    "udfName", "vip", "vpcip",
    // Go 1, PHP.
    "responseHeader", "udfId", "withHashContext",
    // Java: the word itself, and the short one of its older versions.
    "processConf", "processConfiguration",
    // Java's ListBuckets, and everybody's filter of it by tags.
    "bid", "tag-key", "tag-value",
    // Go 2 and Python 2. Python 2 writes one of its words with a capital.
    "accessPointConfigForObjectProcess", "accessPointForObjectProcess", "accessPointPolicyForObjectProcess",
    "cleanRestoredObject", "dataPipeline", "legalHold", "MetaQuery", "objectWorm", "overwriteConfig",
    "retention", "userDefinedLogFieldsConfig",
    // Go 2's vector buckets.
    "deleteVectorIndex", "deleteVectors", "getVectorIndex", "getVectors", "listVectorIndexes", "listVectors",
    "putVectorIndex", "putVectors", "queryVectors",
];

/// What the list says of one parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SigningRule {
    /// Always part of the string.
    Signed,
    /// Part of it for some SDKs.
    Contested,
    /// Not part of it for any SDK's own requests.
    Unsigned,
}

/// The standing of a decoded parameter name. Any other `x-oss-` name is contested: the Go SDK signs them
/// all, older ones only those of the list.
pub(super) fn standing(name: &[u8]) -> SigningRule {
    let listed = |list: &[&str]| list.iter().any(|entry| entry.as_bytes() == name);
    if listed(SIGNED) {
        SigningRule::Signed
    } else if listed(CONTESTED) || name.starts_with(b"x-oss-") {
        SigningRule::Contested
    } else {
        SigningRule::Unsigned
    }
}

/// Whether a decoded name of a query parameter is a word of the API. Letter case counts. Every name that
/// begins with `x-oss-` is one, known or not: the prefix is the service's own.
///
/// ```
/// use countersign_protocol::authorization::sub_resource::is_word;
///
/// assert!(is_word("acl") && is_word("x-oss-process") && is_word("x-oss-of-tomorrow"));
/// assert!(!is_word("ACL"), "letter case counts");
/// assert!(!is_word("prefix") && !is_word("utm_source"));
/// ```
pub fn is_word(name: &str) -> bool {
    standing(name.as_bytes()) != SigningRule::Unsigned
}

/// All words that are listed, in no order of meaning.
///
/// ```
/// use countersign_protocol::authorization::sub_resource::words;
///
/// assert!(words().any(|word| word == "uploadId") && words().all(|word| word != "prefix"));
/// ```
pub fn words() -> impl Iterator<Item = &'static str> {
    SIGNED.iter().chain(CONTESTED).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_every_word_once() {
        let mut listed: Vec<&str> = words().collect();
        listed.sort_unstable();
        let all = listed.len();
        listed.dedup();
        assert_eq!(listed.len(), all);
    }

    #[test]
    fn knows_a_word_by_its_letters_and_every_name_with_the_prefix() {
        for name in ["acl", "MetaQuery", "metaQuery", "responseHeader", "x-oss-of-tomorrow"] {
            assert!(is_word(name), "{name}");
        }
        for name in ["ACL", "prefix", "max-keys", "x-oss", "", "Expires"] {
            assert!(!is_word(name), "{name}");
        }
    }
}
