//! The routing table, row by row.

use Operation::NotBuilt;

use super::*;

fn ask(method: &str, target: &str) -> Result<Operation, RouteError> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let location = Location::find(&Addressed::Bucket("demo".to_owned()), path);
    operation(&Method::from_bytes(method.as_bytes()).unwrap(), &location, &Query::parse(query), false)
}

#[test]
fn built_operations_are_found() {
    let table = [
        ("PUT", "/", Operation::PutBucket),
        ("DELETE", "/", Operation::DeleteBucket),
        ("GET", "/", Operation::ListObjects),
        ("GET", "/?prefix=a&list-type=1", Operation::ListObjects),
        ("GET", "/?list-type=2&continuation-token=x", Operation::ListObjectsV2),
        ("GET", "/?bucketInfo", Operation::GetBucketInfo),
        ("GET", "/?location=", Operation::GetBucketLocation),
        ("GET", "/?acl", Operation::GetBucketAcl),
        ("PUT", "/?acl", Operation::PutBucketAcl),
        ("PUT", "/?cors", Operation::PutBucketCors),
        ("GET", "/?cors", Operation::GetBucketCors),
        ("DELETE", "/?cors", Operation::DeleteBucketCors),
        ("PUT", "/?lifecycle", Operation::PutBucketLifecycle),
        ("GET", "/?lifecycle", Operation::GetBucketLifecycle),
        ("DELETE", "/?lifecycle", Operation::DeleteBucketLifecycle),
        ("GET", "/?uploads&max-uploads=1", Operation::ListMultipartUploads),
        ("GET", "/?versions", Operation::ListObjectVersions),
        ("GET", "/?live&max-keys=100", Operation::ListLiveChannel),
        ("POST", "/?delete&encoding-type=url", Operation::DeleteMultipleObjects),
        ("POST", "/", Operation::PostObject),
        ("PUT", "/key", Operation::PutObject),
        ("PUT", "/key?callback=e30=&security-token=t", Operation::PutObject),
        ("GET", "/key", Operation::GetObject),
        ("GET", "/key?response-content-type=a&versionId=null", Operation::GetObject),
        ("GET", "/key?OSSAccessKeyId=a&Expires=1&Signature=b", Operation::GetObject),
        ("HEAD", "/key", Operation::HeadObject),
        ("HEAD", "/key?objectMeta", Operation::GetObjectMeta),
        ("DELETE", "/key", Operation::DeleteObject),
        ("GET", "/key?acl", Operation::GetObjectAcl),
        ("OPTIONS", "/key", Operation::OptionObject),
        ("OPTIONS", "/", Operation::OptionObject),
    ];
    for (method, target, expected) in table {
        assert_eq!(ask(method, target), Ok(expected), "{method} {target}");
    }
}

#[test]
fn what_is_not_built_is_named_and_is_never_another_operation() {
    let table = [
        ("DELETE", "/?policy", "DeleteBucketPolicy"),
        ("DELETE", "/?policy&comp=callback", "DeleteBucketCallbackPolicy"),
        ("PUT", "/?policy&comp=callback", "PutBucketCallbackPolicy"),
        ("GET", "/?policyStatus", "GetBucketPolicyStatus"),
        ("PUT", "/?versioning", "PutBucketVersioning"),
        ("PUT", "/?referer", "PutBucketReferer"),
        ("DELETE", "/?website", "DeleteBucketWebsite"),
        ("DELETE", "/?tagging", "DeleteBucketTags"),
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
        ("PUT", "/?udf", "udf"),
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
        ("PUT", "/key?worm", "worm"),
    ];
    for (method, target, name) in table {
        assert_eq!(ask(method, target), Ok(NotBuilt(name)), "{method} {target}");
    }
}

#[test]
fn a_copy_source_makes_a_put_a_copy() {
    let location = Location::find(&Addressed::Bucket("demo".to_owned()), "/key");
    let ask = |query| operation(&Method::PUT, &location, &Query::parse(query), true);
    assert_eq!(ask(""), Ok(NotBuilt("CopyObject")));
    assert_eq!(ask("partNumber=1&uploadId=A"), Ok(NotBuilt("UploadPartCopy")));
    assert_eq!(ask("acl"), Ok(NotBuilt("PutObjectAcl")));
}

#[test]
fn a_method_that_the_resource_lacks_is_not_allowed() {
    for (method, target) in [
        ("POST", "/key"),
        ("POST", "/key?acl"),
        ("HEAD", "/"),
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
fn bucket_and_key_come_from_host_or_path() {
    let object = |bucket: &str, key: &str| Location::Object { bucket: bucket.into(), key: key.into() };
    let table = [
        (None, "/", Location::Service),
        (None, "", Location::Service),
        (None, "/demo", Location::Bucket("demo".into())),
        (None, "/demo/", Location::Bucket("demo".into())),
        (None, "/demo/key", object("demo", "key")),
        (None, "//key", object("", "key")),
        (None, "/demo//key", object("demo", "/key")),
        (None, "/demo/a/../b", object("demo", "a/../b")),
        (None, "/_countersign/healthz", Location::Own("healthz".into())),
        (Some("demo"), "/", Location::Bucket("demo".into())),
        (Some("demo"), "", Location::Bucket("demo".into())),
        (Some("demo"), "/_countersign/healthz", object("demo", "_countersign/healthz")),
        (Some("demo"), "/demo/key", object("demo", "demo/key")),
        (Some("demo"), "//a//", object("demo", "/a//")),
        (Some("demo"), "/a+b%2Bc%25%E5%9B%BE", object("demo", "a+b+c%图")),
    ];
    for (host, path, expected) in table {
        let addressed = host.map_or(Addressed::Endpoint, |bucket| Addressed::Bucket(bucket.to_owned()));
        assert_eq!(Location::find(&addressed, path), expected, "{host:?} {path}");
    }
}

#[test]
fn the_bare_endpoint_lists_buckets_and_takes_no_form() {
    let ask = |method, query| operation(&method, &Location::Service, &Query::parse(query), false);
    assert_eq!(ask(Method::GET, "max-keys=10"), Ok(Operation::ListBuckets));
    assert_eq!(ask(Method::GET, "regions"), Ok(NotBuilt("DescribeRegions")));
    assert_eq!(ask(Method::POST, ""), Err(RouteError::MethodNotAllowed));
    assert_eq!(ask(Method::PUT, ""), Err(RouteError::MethodNotAllowed));
}
