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
        ("HEAD", "/", Operation::HeadBucket),
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
        ("PUT", "/key?callback=e30=&security-token=t&Signature=b", Operation::PutObject),
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
        assert_eq!(ask(method, target), Ok(NotBuilt(name)), "{method} {target}");
    }
}

#[test]
fn a_word_that_the_operation_does_not_name_is_refused_by_name_whatever_its_value() {
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
fn what_the_api_does_not_know_is_ignored_only_where_it_does_no_harm() {
    let unknown = |name: &str, value: &str| {
        Err(RouteError::UnknownParameter { name: name.to_owned(), value: value.to_owned() })
    };
    for (method, target, expected) in [
        ("GET", "/key?1700000000", Ok(Operation::GetObject)),
        ("HEAD", "/key?v", Ok(Operation::HeadObject)),
        ("HEAD", "/key?objectMeta&v", Ok(Operation::GetObjectMeta)),
        ("POST", "/?1700000000", Ok(Operation::PostObject)),
        ("GET", "/?1700000000", unknown("1700000000", "")),
        ("HEAD", "/?v=", unknown("v", "")),
        ("PUT", "/?v", unknown("v", "")),
        ("PUT", "/key?v", unknown("v", "")),
        ("DELETE", "/key?v", unknown("v", "")),
        ("DELETE", "/?RESPONSEHEADER", unknown("RESPONSEHEADER", "")),
        ("GET", "/?v=1", Ok(Operation::ListObjects)),
        ("PUT", "/?v=1", Ok(Operation::PutBucket)),
        ("PUT", "/key?v=1", Ok(Operation::PutObject)),
        ("DELETE", "/key?v=1", Ok(Operation::DeleteObject)),
        ("PUT", "/key?versionId=null", Ok(Operation::PutObject)),
        ("DELETE", "/?v=1", unknown("v", "1")),
        ("DELETE", "/?prefix=a", unknown("prefix", "a")),
        ("DELETE", "/?=1", unknown("", "1")),
        ("DELETE", "/?OSSAccessKeyId=a&Expires=1&Signature=b&security-token=c", Ok(Operation::DeleteBucket)),
    ] {
        assert_eq!(ask(method, target), expected, "{method} {target}");
    }
}

#[test]
fn every_word_of_the_tables_is_one_of_the_api() {
    use countersign_protocol::authorization::sub_resource;
    for (rows, target) in
        [(subresource::SERVICE, "service"), (subresource::BUCKET, "bucket"), (subresource::OBJECT, "object")]
    {
        for row in rows {
            let missing: Vec<_> = row.words().filter(|word| !sub_resource::is_word(word)).collect();
            assert!(missing.is_empty(), "{target}: {missing:?}");
        }
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
        (Some("demo"), "/a+b%2Bc%25%E5%9B%BE", object("demo", "a b+c%图")),
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
