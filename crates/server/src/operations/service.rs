//! The operations on the account, at the bare endpoint. What is not implemented stands here by its name alone, and is
//! refused by it.

pub(crate) mod list_buckets;

use crate::operations::operation::Operation;

const SERVICE: Operation = Operation::ON_SERVICE;

/// All operations on the account.
pub(crate) const OPERATIONS: &[Operation] = &[
    list_buckets::OPERATION,
    SERVICE.lacks("DescribeRegions", &["GET"], "regions"),
    SERVICE.lacks("ListCloudBoxes", &["GET"], "cloudboxes"),
    SERVICE.lacks("GetPublicAccessBlock", &["GET"], "publicAccessBlock"),
    SERVICE.lacks("PutPublicAccessBlock", &["PUT"], "publicAccessBlock"),
    SERVICE.lacks("DeletePublicAccessBlock", &["DELETE"], "publicAccessBlock"),
    SERVICE.lacks("ListAccessPoints", &["GET"], "accessPoint"),
    SERVICE.lacks("ListResourcePools", &["GET"], "resourcePool"),
    SERVICE.lacks("ListUserDataRedundancyTransition", &["GET"], "redundancyTransition"),
    SERVICE.lacks("GetUserQosInfo", &["GET"], "qosInfo"),
];
