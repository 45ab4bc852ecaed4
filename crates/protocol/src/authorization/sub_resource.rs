//! The query parameters that V1 signs (protocol 03 §1.1): the union of what the official SDKs sign, and the
//! names about which they disagree.

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
    "httpsConfig", "img", "link", "metaQuery", "objectInfo", "policyStatus", "processConf",
    "publicAccessBlock", "qosRequester", "redundancyTransition", "regionList", "regions",
    "requesterQosInfo", "resourceGroup", "resourcePool", "resourcePoolBuckets", "resourcePoolInfo", "rtc",
    "style", "styleName", "transferAcceleration", "udf", "udfApplication", "udfApplicationLog", "udfImage",
    "udfImageDesc", "udfName", "vip", "vpcip",
];

/// What the list says of one parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Always part of the string.
    Signed,
    /// Part of it for some SDKs.
    Contested,
    /// Not part of it for any SDK's own requests.
    Unsigned,
}

/// The standing of a decoded parameter name. Any other `x-oss-` name is contested: the Go SDK signs them
/// all, older ones only those of the list.
pub(super) fn standing(name: &[u8]) -> Standing {
    let listed = |list: &[&str]| list.iter().any(|entry| entry.as_bytes() == name);
    if listed(SIGNED) {
        Standing::Signed
    } else if listed(CONTESTED) || name.starts_with(b"x-oss-") {
        Standing::Contested
    } else {
        Standing::Unsigned
    }
}
