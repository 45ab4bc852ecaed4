//! The query words that choose an operation, as data (protocol 04 §1, §4, §6 and 03 §1.1).
//!
//! Tables only. The first row that matches decides: a row that narrows a word (`policy&comp=callback`) stands
//! before the word alone. Operations that are not built stand here by name, so that they are refused by name.

use http::Method;

use crate::request::query::Query;
use crate::request::route::Operation::{self, NotBuilt};

/// One word of the query and what each method means with it. A method without an entry is not allowed.
#[derive(Debug)]
pub(crate) struct Row {
    word: &'static str,
    /// Only together with this further word and value.
    with: Option<(&'static str, &'static str)>,
    methods: &'static [(&'static str, Operation)],
}

impl Row {
    /// The words that the row is about.
    #[cfg(test)]
    pub(crate) fn words(&self) -> impl Iterator<Item = &'static str> {
        [self.word].into_iter().chain(self.with.map(|(name, _)| name))
    }

    /// Whether the query asks for this row.
    pub(crate) fn matches(&self, query: &Query) -> bool {
        query.has(self.word) && self.with.is_none_or(|(name, value)| query.get(name) == Some(value))
    }

    /// What `method` means here.
    pub(crate) fn operation(&self, method: &Method, copies: bool) -> Option<Operation> {
        let found =
            self.methods.iter().find(|(name, _)| *name == method.as_str()).map(|(_, found)| *found)?;
        Some(if copies && found == NotBuilt("UploadPart") { NotBuilt("UploadPartCopy") } else { found })
    }
}

const fn row(word: &'static str, methods: &'static [(&'static str, Operation)]) -> Row {
    Row { word, with: None, methods }
}

const fn row_with(
    word: &'static str,
    with: (&'static str, &'static str),
    methods: &'static [(&'static str, Operation)],
) -> Row {
    Row { word, with: Some(with), methods }
}

/// Words on the bare endpoint.
pub(crate) const SERVICE: &[Row] = &[
    row("regions", &[("GET", NotBuilt("DescribeRegions"))]),
    row("cloudboxes", &[("GET", NotBuilt("ListCloudBoxes"))]),
    row(
        "publicAccessBlock",
        &[
            ("GET", NotBuilt("GetPublicAccessBlock")),
            ("PUT", NotBuilt("PutPublicAccessBlock")),
            ("DELETE", NotBuilt("DeletePublicAccessBlock")),
        ],
    ),
    row("accessPoint", &[("GET", NotBuilt("ListAccessPoints"))]),
    row("resourcePool", &[("GET", NotBuilt("ListResourcePools"))]),
    row("redundancyTransition", &[("GET", NotBuilt("ListUserDataRedundancyTransition"))]),
    row("qosInfo", &[("GET", NotBuilt("GetUserQosInfo"))]),
];

/// Words on a bucket.
pub(crate) const BUCKET: &[Row] = &[
    row("acl", &[("GET", Operation::GetBucketAcl), ("PUT", Operation::PutBucketAcl)]),
    row("bucketInfo", &[("GET", Operation::GetBucketInfo)]),
    row("location", &[("GET", Operation::GetBucketLocation)]),
    row(
        "cors",
        &[
            ("GET", Operation::GetBucketCors),
            ("PUT", Operation::PutBucketCors),
            ("DELETE", Operation::DeleteBucketCors),
        ],
    ),
    row(
        "lifecycle",
        &[
            ("GET", Operation::GetBucketLifecycle),
            ("PUT", Operation::PutBucketLifecycle),
            ("DELETE", Operation::DeleteBucketLifecycle),
        ],
    ),
    row("delete", &[("POST", Operation::DeleteMultipleObjects)]),
    row("uploads", &[("GET", Operation::ListMultipartUploads)]),
    row("versions", &[("GET", Operation::ListObjectVersions)]),
    row("live", &[("GET", Operation::ListLiveChannel)]),
    row_with(
        "policy",
        ("comp", "callback"),
        &[
            ("GET", NotBuilt("GetBucketCallbackPolicy")),
            ("PUT", NotBuilt("PutBucketCallbackPolicy")),
            ("DELETE", NotBuilt("DeleteBucketCallbackPolicy")),
        ],
    ),
    row(
        "policy",
        &[
            ("GET", NotBuilt("GetBucketPolicy")),
            ("PUT", NotBuilt("PutBucketPolicy")),
            ("DELETE", NotBuilt("DeleteBucketPolicy")),
        ],
    ),
    row("policyStatus", &[("GET", NotBuilt("GetBucketPolicyStatus"))]),
    row("stat", &[("GET", NotBuilt("GetBucketStat"))]),
    row("versioning", &[("GET", NotBuilt("GetBucketVersioning")), ("PUT", NotBuilt("PutBucketVersioning"))]),
    row("referer", &[("GET", NotBuilt("GetBucketReferer")), ("PUT", NotBuilt("PutBucketReferer"))]),
    row(
        "logging",
        &[
            ("GET", NotBuilt("GetBucketLogging")),
            ("PUT", NotBuilt("PutBucketLogging")),
            ("DELETE", NotBuilt("DeleteBucketLogging")),
        ],
    ),
    row(
        "website",
        &[
            ("GET", NotBuilt("GetBucketWebsite")),
            ("PUT", NotBuilt("PutBucketWebsite")),
            ("DELETE", NotBuilt("DeleteBucketWebsite")),
        ],
    ),
    row(
        "tagging",
        &[
            ("GET", NotBuilt("GetBucketTags")),
            ("PUT", NotBuilt("PutBucketTags")),
            ("DELETE", NotBuilt("DeleteBucketTags")),
        ],
    ),
    row(
        "encryption",
        &[
            ("GET", NotBuilt("GetBucketEncryption")),
            ("PUT", NotBuilt("PutBucketEncryption")),
            ("DELETE", NotBuilt("DeleteBucketEncryption")),
        ],
    ),
    row(
        "requestPayment",
        &[("GET", NotBuilt("GetBucketRequestPayment")), ("PUT", NotBuilt("PutBucketRequestPayment"))],
    ),
    row(
        "transferAcceleration",
        &[
            ("GET", NotBuilt("GetBucketTransferAcceleration")),
            ("PUT", NotBuilt("PutBucketTransferAcceleration")),
        ],
    ),
    row(
        "accessmonitor",
        &[("GET", NotBuilt("GetBucketAccessMonitor")), ("PUT", NotBuilt("PutBucketAccessMonitor"))],
    ),
    row(
        "httpsConfig",
        &[("GET", NotBuilt("GetBucketHttpsConfig")), ("PUT", NotBuilt("PutBucketHttpsConfig"))],
    ),
    row(
        "bucketArchiveDirectRead",
        &[("GET", NotBuilt("GetBucketArchiveDirectRead")), ("PUT", NotBuilt("PutBucketArchiveDirectRead"))],
    ),
    row(
        "resourceGroup",
        &[("GET", NotBuilt("GetBucketResourceGroup")), ("PUT", NotBuilt("PutBucketResourceGroup"))],
    ),
    row(
        "publicAccessBlock",
        &[
            ("GET", NotBuilt("GetBucketPublicAccessBlock")),
            ("PUT", NotBuilt("PutBucketPublicAccessBlock")),
            ("DELETE", NotBuilt("DeleteBucketPublicAccessBlock")),
        ],
    ),
    row(
        "styleName",
        &[("GET", NotBuilt("GetStyle")), ("PUT", NotBuilt("PutStyle")), ("DELETE", NotBuilt("DeleteStyle"))],
    ),
    row("style", &[("GET", NotBuilt("ListStyle")), ("PUT", NotBuilt("PutStyle"))]),
    row_with(
        "cname",
        ("comp", "token"),
        &[("GET", NotBuilt("GetCnameToken")), ("POST", NotBuilt("CreateCnameToken"))],
    ),
    row_with("cname", ("comp", "delete"), &[("POST", NotBuilt("DeleteCname"))]),
    row("cname", &[("GET", NotBuilt("ListCname")), ("POST", NotBuilt("PutCname"))]),
    row_with("replication", ("comp", "delete"), &[("POST", NotBuilt("DeleteBucketReplication"))]),
    row(
        "replication",
        &[("GET", NotBuilt("GetBucketReplication")), ("POST", NotBuilt("PutBucketReplication"))],
    ),
    row("replicationLocation", &[("GET", NotBuilt("GetBucketReplicationLocation"))]),
    row("replicationProgress", &[("GET", NotBuilt("GetBucketReplicationProgress"))]),
    row("rtc", &[("PUT", NotBuilt("PutBucketRTC"))]),
    row(
        "inventoryId",
        &[
            ("GET", NotBuilt("GetBucketInventory")),
            ("PUT", NotBuilt("PutBucketInventory")),
            ("DELETE", NotBuilt("DeleteBucketInventory")),
        ],
    ),
    row("inventory", &[("GET", NotBuilt("ListBucketInventory"))]),
    row("wormExtend", &[("POST", NotBuilt("ExtendBucketWorm"))]),
    row("wormId", &[("POST", NotBuilt("CompleteBucketWorm"))]),
    row(
        "worm",
        &[
            ("GET", NotBuilt("GetBucketWorm")),
            ("POST", NotBuilt("InitiateBucketWorm")),
            ("DELETE", NotBuilt("AbortBucketWorm")),
        ],
    ),
    row(
        "objectWorm",
        &[
            ("GET", NotBuilt("GetBucketObjectWormConfiguration")),
            ("PUT", NotBuilt("PutBucketObjectWormConfiguration")),
        ],
    ),
    row_with("metaQuery", ("comp", "add"), &[("POST", NotBuilt("OpenMetaQuery"))]),
    row_with("metaQuery", ("comp", "query"), &[("POST", NotBuilt("DoMetaQuery"))]),
    row_with("metaQuery", ("comp", "delete"), &[("POST", NotBuilt("CloseMetaQuery"))]),
    row("metaQuery", &[("GET", NotBuilt("GetMetaQueryStatus"))]),
    // A spelling of Python SDK 2. OSS has no POST for it, and the SDK's own test insists on that.
    row(
        "MetaQuery",
        &[
            ("GET", NotBuilt("MetaQuery")),
            ("HEAD", NotBuilt("MetaQuery")),
            ("PUT", NotBuilt("MetaQuery")),
            ("DELETE", NotBuilt("MetaQuery")),
        ],
    ),
    row(
        "accessPointPolicy",
        &[
            ("GET", NotBuilt("GetAccessPointPolicy")),
            ("PUT", NotBuilt("PutAccessPointPolicy")),
            ("DELETE", NotBuilt("DeleteAccessPointPolicy")),
        ],
    ),
    row(
        "accessPoint",
        &[
            ("GET", NotBuilt("GetAccessPoint")),
            ("PUT", NotBuilt("CreateAccessPoint")),
            ("DELETE", NotBuilt("DeleteAccessPoint")),
        ],
    ),
    row(
        "redundancyTransition",
        &[
            ("GET", NotBuilt("GetBucketDataRedundancyTransition")),
            ("POST", NotBuilt("CreateBucketDataRedundancyTransition")),
            ("DELETE", NotBuilt("DeleteBucketDataRedundancyTransition")),
        ],
    ),
    row(
        "overwriteConfig",
        &[
            ("GET", NotBuilt("GetBucketOverwriteConfig")),
            ("PUT", NotBuilt("PutBucketOverwriteConfig")),
            ("DELETE", NotBuilt("DeleteBucketOverwriteConfig")),
        ],
    ),
    row(
        "userDefinedLogFieldsConfig",
        &[
            ("GET", NotBuilt("GetUserDefinedLogFieldsConfig")),
            ("PUT", NotBuilt("PutUserDefinedLogFieldsConfig")),
            ("DELETE", NotBuilt("DeleteUserDefinedLogFieldsConfig")),
        ],
    ),
    row(
        "requesterQosInfo",
        &[
            ("GET", NotBuilt("GetBucketRequesterQosInfo")),
            ("PUT", NotBuilt("PutBucketRequesterQosInfo")),
            ("DELETE", NotBuilt("DeleteBucketRequesterQosInfo")),
        ],
    ),
    row(
        "qosInfo",
        &[
            ("GET", NotBuilt("GetBucketQosInfo")),
            ("PUT", NotBuilt("PutBucketQosInfo")),
            ("DELETE", NotBuilt("DeleteBucketQosInfo")),
        ],
    ),
    row(
        "qos",
        &[
            ("GET", NotBuilt("GetBucketQos")),
            ("PUT", NotBuilt("PutBucketQos")),
            ("DELETE", NotBuilt("DeleteBucketQos")),
        ],
    ),
    row("asyncFetch", &[("GET", NotBuilt("GetAsyncFetchTask")), ("POST", NotBuilt("PutAsyncFetchTask"))]),
];

/// Words on an object.
pub(crate) const OBJECT: &[Row] = &[
    row("append", &[("POST", NotBuilt("AppendObject"))]),
    row("seal", &[("POST", NotBuilt("SealAppendObject"))]),
    row("uploads", &[("POST", NotBuilt("InitiateMultipartUpload"))]),
    row(
        "uploadId",
        &[
            ("PUT", NotBuilt("UploadPart")),
            ("POST", NotBuilt("CompleteMultipartUpload")),
            ("DELETE", NotBuilt("AbortMultipartUpload")),
            ("GET", NotBuilt("ListParts")),
        ],
    ),
    row("partNumber", &[("PUT", NotBuilt("UploadPart"))]),
    row("acl", &[("GET", Operation::GetObjectAcl), ("PUT", NotBuilt("PutObjectAcl"))]),
    row("objectMeta", &[("GET", Operation::GetObjectMeta), ("HEAD", Operation::GetObjectMeta)]),
    row(
        "tagging",
        &[
            ("GET", NotBuilt("GetObjectTagging")),
            ("PUT", NotBuilt("PutObjectTagging")),
            ("DELETE", NotBuilt("DeleteObjectTagging")),
        ],
    ),
    row(
        "symlink",
        &[("GET", NotBuilt("GetSymlink")), ("HEAD", NotBuilt("GetSymlink")), ("PUT", NotBuilt("PutSymlink"))],
    ),
    row("restore", &[("POST", NotBuilt("RestoreObject"))]),
    row("cleanRestoredObject", &[("POST", NotBuilt("CleanRestoredObject"))]),
    row(
        "x-oss-async-process",
        &[("POST", NotBuilt("AsyncProcessObject")), ("GET", NotBuilt("AsyncProcessObject"))],
    ),
    row(
        "x-oss-process",
        &[
            ("POST", NotBuilt("ProcessObject")),
            ("GET", NotBuilt("ProcessObject")),
            ("HEAD", NotBuilt("ProcessObject")),
        ],
    ),
    row("x-oss-write-get-object-response", &[("POST", NotBuilt("WriteGetObjectResponse"))]),
    row("legalHold", &[("GET", NotBuilt("GetObjectLegalHold")), ("PUT", NotBuilt("PutObjectLegalHold"))]),
    row("retention", &[("GET", NotBuilt("GetObjectRetention")), ("PUT", NotBuilt("PutObjectRetention"))]),
    row("vod", &[("GET", NotBuilt("GetVodPlaylist")), ("POST", NotBuilt("PostVodPlaylist"))]),
    row_with("live", ("comp", "stat"), &[("GET", NotBuilt("GetLiveChannelStat"))]),
    row_with("live", ("comp", "history"), &[("GET", NotBuilt("GetLiveChannelHistory"))]),
    row(
        "live",
        &[
            ("GET", NotBuilt("GetLiveChannelInfo")),
            ("PUT", NotBuilt("PutLiveChannel")),
            ("DELETE", NotBuilt("DeleteLiveChannel")),
        ],
    ),
    row("x-oss-dir", &[("POST", NotBuilt("CreateDirectory")), ("PUT", NotBuilt("CreateDirectory"))]),
    row("x-oss-rename", &[("POST", NotBuilt("Rename")), ("PUT", NotBuilt("Rename"))]),
    row(
        "x-oss-delete-dir",
        &[("POST", NotBuilt("DeleteDirectory")), ("DELETE", NotBuilt("DeleteDirectory"))],
    ),
];
