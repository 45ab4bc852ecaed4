//! Which operation a request asks for: those that are served, those that are refused by name, and neither.

use http::HeaderValue;

use super::*;
use crate::request::host::Addressed;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Served(&'static str),
    NotImplemented(&'static str),
}

use Found::{NotImplemented, Served};

fn found(operation: &Operation) -> Found {
    if operation.is_implemented() { Served(operation.name) } else { NotImplemented(operation.name) }
}

fn ask(method: &str, target: &str) -> Result<Found, RouteError> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let location = Location::find(&Addressed::Bucket("demo".to_owned()), path);
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    operation(&method, &location, &Query::parse(query), &HeaderMap::new()).map(found)
}

#[test]
fn served_operations_are_found() {
    let table = [
        ("PUT", "/", Served("PutBucket")),
        ("HEAD", "/", Served("HeadBucket")),
        ("DELETE", "/", Served("DeleteBucket")),
        ("GET", "/", Served("ListObjects")),
        ("GET", "/?prefix=a&list-type=1", Served("ListObjects")),
        ("GET", "/?list-type=2&continuation-token=x", Served("ListObjectsV2")),
        ("GET", "/?bucketInfo", Served("GetBucketInfo")),
        ("GET", "/?location=", Served("GetBucketLocation")),
        ("GET", "/?acl", Served("GetBucketAcl")),
        ("PUT", "/?acl", Served("PutBucketAcl")),
        ("PUT", "/?cors", Served("PutBucketCors")),
        ("GET", "/?cors", Served("GetBucketCors")),
        ("DELETE", "/?cors", Served("DeleteBucketCors")),
        ("PUT", "/?lifecycle", Served("PutBucketLifecycle")),
        ("GET", "/?lifecycle", Served("GetBucketLifecycle")),
        ("DELETE", "/?lifecycle", Served("DeleteBucketLifecycle")),
        ("GET", "/?uploads&max-uploads=1", Served("ListMultipartUploads")),
        ("GET", "/?versions", Served("ListObjectVersions")),
        ("GET", "/?live&max-keys=100", Served("ListLiveChannel")),
        ("POST", "/?delete&encoding-type=url", Served("DeleteMultipleObjects")),
        ("POST", "/", Served("PostObject")),
        ("PUT", "/key", Served("PutObject")),
        ("PUT", "/key?callback=e30=&security-token=t&Signature=b", Served("PutObject")),
        ("GET", "/key", Served("GetObject")),
        ("GET", "/key?response-content-type=a&versionId=null", Served("GetObject")),
        ("GET", "/key?OSSAccessKeyId=a&Expires=1&Signature=b", Served("GetObject")),
        ("HEAD", "/key", Served("HeadObject")),
        ("HEAD", "/key?objectMeta", Served("GetObjectMeta")),
        ("DELETE", "/key", Served("DeleteObject")),
        ("GET", "/key?acl", Served("GetObjectAcl")),
        ("OPTIONS", "/key", Served("OptionObject")),
        ("OPTIONS", "/", Served("OptionObject")),
    ];
    for (method, target, expected) in table {
        assert_eq!(ask(method, target), Ok(expected), "{method} {target}");
    }
}

#[test]
fn what_is_not_implemented_is_named_and_is_never_another_operation() {
    let table = [
        ("DELETE", "/?policy", "DeleteBucketPolicy"),
        ("DELETE", "/?policy&comp=callback", "DeleteBucketCallbackPolicy"),
        ("PUT", "/?policy&comp=callback", "PutBucketCallbackPolicy"),
        ("GET", "/?policyStatus", "GetBucketPolicyStatus"),
        ("PUT", "/?versioning", "PutBucketVersioning"),
        ("PUT", "/?referer", "PutBucketReferer"),
        ("DELETE", "/?website", "DeleteBucketWebsite"),
        ("DELETE", "/?encryption", "DeleteBucketEncryption"),
        ("DELETE", "/?logging", "DeleteBucketLogging"),
        ("GET", "/?stat", "GetBucketStat"),
        ("POST", "/?cname&comp=delete", "DeleteCname"),
        ("POST", "/?worm", "InitiateBucketWorm"),
        ("POST", "/?wormExtend&wormId=1", "ExtendBucketWorm"),
        ("POST", "/?wormId=1", "CompleteBucketWorm"),
        ("POST", "/?metaQuery&comp=query", "DoMetaQuery"),
        ("GET", "/?inventory&inventoryId=a", "GetBucketInventory"),
        ("GET", "/?inventory", "ListBucketInventory"),
        ("PUT", "/?rtc", "PutBucketRTC"),
        ("POST", "/key?append&position=0", "AppendObject"),
        ("POST", "/key?uploads", "InitiateMultipartUpload"),
        ("PUT", "/key?partNumber=1&uploadId=A", "UploadPart"),
        ("POST", "/key?uploadId=A", "CompleteMultipartUpload"),
        ("DELETE", "/key?uploadId=A", "AbortMultipartUpload"),
        ("GET", "/key?uploadId=A&max-parts=1", "ListParts"),
        ("PUT", "/key?tagging", "PutObjectTagging"),
        ("DELETE", "/key?tagging", "DeleteObjectTagging"),
        ("PUT", "/key?symlink", "PutSymlink"),
        ("POST", "/key?restore", "RestoreObject"),
        ("GET", "/key?x-oss-process=image/info", "ProcessObject"),
        ("POST", "/key?x-oss-process", "ProcessObject"),
        ("PUT", "/channel?live", "PutLiveChannel"),
    ];
    for (method, target, name) in table {
        assert_eq!(ask(method, target), Ok(NotImplemented(name)), "{method} {target}");
    }
}

#[test]
fn a_parameter_that_the_operation_does_not_accept_is_refused_by_name() {
    for (method, target, word) in [
        ("DELETE", "/?responseHeader", "responseHeader"),
        ("PUT", "/?processConfiguration=1", "processConfiguration"),
        ("DELETE", "/?legalHold", "legalHold"),
        ("DELETE", "/?x-oss-delete", "x-oss-delete"),
        ("DELETE", "/?x-oss-of-tomorrow=a", "x-oss-of-tomorrow"),
        ("DELETE", "/?cors&policy", "policy"),
        ("DELETE", "/?versionId=null", "versionId"),
        ("DELETE", "/?security-token=a", "security-token"),
        ("DELETE", "/?%72esponseHeader", "responseHeader"),
        ("PUT", "/?udf", "udf"),
        ("GET", "/?tag-key=a", "tag-key"),
        ("GET", "/?acl&cors", "cors"),
        ("POST", "/?dataPipeline&action=a", "dataPipeline"),
        ("POST", "/key?x-oss-delete", "x-oss-delete"),
        ("PUT", "/key?withHashContext", "withHashContext"),
        ("PUT", "/key?worm", "worm"),
        ("PUT", "/key?versionId=a", "versionId"),
        ("GET", "/key?logging", "logging"),
        (
            "GET",
            "/key?OSSAccessKeyId=a&Expires=1&Signature=b&x-oss-ac-source-ip=1.2.3.4",
            "x-oss-ac-source-ip",
        ),
        ("HEAD", "/key?response-expires=a", "response-expires"),
    ] {
        let refused = Err(RouteError::WordNotServed(word.to_owned()));
        assert_eq!(ask(method, target), refused, "{method} {target}");
    }
}

#[test]
fn unknown_parameters_are_ignored_only_where_that_is_harmless() {
    let unknown = |name: &str, value: &str| {
        Err(RouteError::UnknownParameter { name: name.to_owned(), value: value.to_owned() })
    };
    for (method, target, expected) in [
        ("GET", "/key?1700000000", Ok(Served("GetObject"))),
        ("HEAD", "/key?v", Ok(Served("HeadObject"))),
        ("HEAD", "/key?objectMeta&v", Ok(Served("GetObjectMeta"))),
        ("POST", "/?1700000000", Ok(Served("PostObject"))),
        ("GET", "/?1700000000", unknown("1700000000", "")),
        ("HEAD", "/?v=", unknown("v", "")),
        ("PUT", "/?v", unknown("v", "")),
        ("PUT", "/key?v", unknown("v", "")),
        ("DELETE", "/key?v", unknown("v", "")),
        ("DELETE", "/?RESPONSEHEADER", unknown("RESPONSEHEADER", "")),
        ("GET", "/?v=1", Ok(Served("ListObjects"))),
        ("PUT", "/?v=1", Ok(Served("PutBucket"))),
        ("PUT", "/key?v=1", Ok(Served("PutObject"))),
        ("DELETE", "/key?v=1", Ok(Served("DeleteObject"))),
        ("PUT", "/key?versionId=null", Ok(Served("PutObject"))),
        ("DELETE", "/?v=1", unknown("v", "1")),
        ("DELETE", "/?prefix=a", unknown("prefix", "a")),
        ("DELETE", "/?=1", unknown("", "1")),
        ("DELETE", "/?OSSAccessKeyId=a&Expires=1&Signature=b&security-token=c", Ok(Served("DeleteBucket"))),
    ] {
        assert_eq!(ask(method, target), expected, "{method} {target}");
    }
}

#[test]
fn a_copy_source_makes_a_put_a_copy() {
    let location = Location::find(&Addressed::Bucket("demo".to_owned()), "/key");
    let headers =
        HeaderMap::from_iter([("x-oss-copy-source".parse().unwrap(), HeaderValue::from_static("/a/b"))]);
    let ask = |query| operation(&Method::PUT, &location, &Query::parse(query), &headers).map(found);
    assert_eq!(ask(""), Ok(NotImplemented("CopyObject")));
    assert_eq!(ask("partNumber=1&uploadId=A"), Ok(NotImplemented("UploadPartCopy")));
    assert_eq!(ask("tagging"), Ok(NotImplemented("PutObjectTagging")));
}

#[test]
fn a_method_that_the_resource_lacks_is_not_allowed() {
    for (method, target) in [
        ("POST", "/key"),
        ("POST", "/key?acl"),
        ("POST", "/?MetaQuery&action=createDataset"),
        ("HEAD", "/?acl"),
        ("PATCH", "/key"),
        ("DELETE", "/?acl"),
        ("GET", "/?delete"),
        ("PUT", "/?bucketInfo"),
        ("TRACE", "/key"),
    ] {
        assert_eq!(ask(method, target), Err(RouteError::MethodNotAllowed), "{method} {target}");
    }
}

#[test]
fn the_bare_endpoint_lists_buckets_and_takes_no_form() {
    let ask = |method, query| {
        operation(&method, &Location::Service, &Query::parse(query), &HeaderMap::new()).map(found)
    };
    assert_eq!(ask(Method::GET, "max-keys=10"), Ok(Served("ListBuckets")));
    assert_eq!(ask(Method::GET, "regions"), Ok(NotImplemented("DescribeRegions")));
    assert_eq!(ask(Method::POST, ""), Err(RouteError::MethodNotAllowed));
    assert_eq!(ask(Method::PUT, ""), Err(RouteError::MethodNotAllowed));
}
