//! The operations on an object. What is not implemented stands here by its name alone, and is refused by it.

pub(crate) mod acl;
pub(crate) mod delete_object;
pub(crate) mod get_object;
pub(crate) mod head_object;
pub(crate) mod meta;
pub(crate) mod put_object;

use crate::operations::operation::{Mark, Operation};

const OBJECT: Operation = Operation::ON_OBJECT;
/// Bytes from another object instead of the request's body.
const COPY: Option<Mark> = Some(Mark::Header("x-oss-copy-source"));

/// All operations on an object.
pub(crate) const OPERATIONS: &[Operation] = &[
    get_object::OPERATION,
    Operation { name: "CopyObject", methods: &["PUT"], only_with: COPY, ..OBJECT },
    put_object::OPERATION,
    head_object::OPERATION,
    delete_object::OPERATION,
    OBJECT.lacks("AppendObject", &["POST"], "append"),
    OBJECT.lacks("SealAppendObject", &["POST"], "seal"),
    OBJECT.lacks("InitiateMultipartUpload", &["POST"], "uploads"),
    Operation { only_with: COPY, ..OBJECT.lacks("UploadPartCopy", &["PUT"], "uploadId") },
    OBJECT.lacks("UploadPart", &["PUT"], "uploadId"),
    OBJECT.lacks("CompleteMultipartUpload", &["POST"], "uploadId"),
    OBJECT.lacks("AbortMultipartUpload", &["DELETE"], "uploadId"),
    OBJECT.lacks("ListParts", &["GET"], "uploadId"),
    Operation { only_with: COPY, ..OBJECT.lacks("UploadPartCopy", &["PUT"], "partNumber") },
    OBJECT.lacks("UploadPart", &["PUT"], "partNumber"),
    acl::GET,
    OBJECT.lacks("PutObjectAcl", &["PUT"], "acl"),
    meta::OPERATION,
    OBJECT.lacks("GetObjectTagging", &["GET"], "tagging"),
    OBJECT.lacks("PutObjectTagging", &["PUT"], "tagging"),
    OBJECT.lacks("DeleteObjectTagging", &["DELETE"], "tagging"),
    OBJECT.lacks("GetSymlink", &["GET", "HEAD"], "symlink"),
    OBJECT.lacks("PutSymlink", &["PUT"], "symlink"),
    OBJECT.lacks("RestoreObject", &["POST"], "restore"),
    OBJECT.lacks("CleanRestoredObject", &["POST"], "cleanRestoredObject"),
    OBJECT.lacks("AsyncProcessObject", &["POST", "GET"], "x-oss-async-process"),
    OBJECT.lacks("ProcessObject", &["POST", "GET", "HEAD"], "x-oss-process"),
    OBJECT.lacks("WriteGetObjectResponse", &["POST"], "x-oss-write-get-object-response"),
    OBJECT.lacks("GetObjectLegalHold", &["GET"], "legalHold"),
    OBJECT.lacks("PutObjectLegalHold", &["PUT"], "legalHold"),
    OBJECT.lacks("GetObjectRetention", &["GET"], "retention"),
    OBJECT.lacks("PutObjectRetention", &["PUT"], "retention"),
    OBJECT.lacks("GetVodPlaylist", &["GET"], "vod"),
    OBJECT.lacks("PostVodPlaylist", &["POST"], "vod"),
    OBJECT.lacks_with("GetLiveChannelStat", &["GET"], "live", ("comp", "stat")),
    OBJECT.lacks_with("GetLiveChannelHistory", &["GET"], "live", ("comp", "history")),
    OBJECT.lacks("GetLiveChannelInfo", &["GET"], "live"),
    OBJECT.lacks("PutLiveChannel", &["PUT"], "live"),
    OBJECT.lacks("DeleteLiveChannel", &["DELETE"], "live"),
    OBJECT.lacks("CreateDirectory", &["POST", "PUT"], "x-oss-dir"),
    OBJECT.lacks("Rename", &["POST", "PUT"], "x-oss-rename"),
    OBJECT.lacks("DeleteDirectory", &["POST", "DELETE"], "x-oss-delete-dir"),
];
