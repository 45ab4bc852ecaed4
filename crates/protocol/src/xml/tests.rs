//! XML documents: what is written, what is read back, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::acl::Acl;
use crate::error_xml::WireError;

fn moment() -> jiff::Timestamp {
    "2026-11-22T20:08:46Z".parse().unwrap()
}

fn owner() -> Owner {
    Owner { id: "1000".to_owned() }
}

/// What follows the prolog, which every document has.
fn body(document: String) -> String {
    let body = document.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").map(str::to_owned);
    assert!(!document.contains("xmlns"));
    body.unwrap()
}

fn entry(key: &str, with_owner: bool) -> ObjectEntry {
    ObjectEntry {
        key: key.to_owned(),
        last_modified: moment(),
        etag: "AB".to_owned(),
        object_type: "Normal".to_owned(),
        size: 7,
        storage_class: "Standard".to_owned(),
        owner: with_owner.then(owner),
    }
}

#[test]
fn writes_a_listing_of_version_1_with_its_empty_elements() {
    let listing = ListObjects { name: "demo".to_owned(), max_keys: 100, ..ListObjects::default() };
    assert_eq!(
        body(listing.to_xml()),
        "<ListBucketResult><Name>demo</Name><Prefix></Prefix><Marker></Marker><MaxKeys>100</MaxKeys>\
         <Delimiter></Delimiter><IsTruncated>false</IsTruncated></ListBucketResult>"
    );
}

#[test]
fn encodes_every_name_of_a_listing_on_demand() {
    let listing = ListObjects {
        name: "demo".to_owned(),
        prefix: "a/".to_owned(),
        marker: "a/ ".to_owned(),
        max_keys: 2,
        delimiter: "/".to_owned(),
        encoding: NameEncoding::Url,
        next_marker: Some("a/c/".to_owned()),
        contents: vec![entry("a/b&+\u{1}照", true)],
        common_prefixes: vec!["a/c/".to_owned()],
    };
    assert_eq!(
        body(listing.to_xml()),
        "<ListBucketResult><Name>demo</Name><Prefix>a%2F</Prefix><Marker>a%2F%20</Marker><MaxKeys>2</MaxKeys>\
         <Delimiter>%2F</Delimiter><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
         <NextMarker>a%2Fc%2F</NextMarker><Contents><Key>a%2Fb%26%2B%01%E7%85%A7</Key>\
         <LastModified>2026-11-22T20:08:46.000Z</LastModified><ETag>\"AB\"</ETag><Type>Normal</Type><Size>7</Size>\
         <StorageClass>Standard</StorageClass><Owner><ID>1000</ID><DisplayName>1000</DisplayName></Owner></Contents>\
         <CommonPrefixes><Prefix>a%2Fc%2F</Prefix></CommonPrefixes></ListBucketResult>"
    );
    assert_eq!(NameEncoding::parse("URL"), Some(NameEncoding::Url));
    assert_eq!(NameEncoding::parse("xml"), None);
}

#[test]
fn writes_a_listing_of_version_2_with_its_count() {
    let listing = ListObjectsV2 {
        name: "demo".to_owned(),
        start_after: Some("a".to_owned()),
        max_keys: 2,
        next_continuation_token: Some("dG9rZW4=".to_owned()),
        contents: vec![entry("<b>", false)],
        common_prefixes: vec!["c/".to_owned()],
        ..ListObjectsV2::default()
    };
    let document = body(listing.to_xml());
    for part in [
        "<StartAfter>a</StartAfter>",
        "<IsTruncated>true</IsTruncated>",
        "<KeyCount>2</KeyCount>",
        "<NextContinuationToken>dG9rZW4=</NextContinuationToken>",
        "<Key>&lt;b&gt;</Key>",
    ] {
        assert!(document.contains(part), "{part} in {document}");
    }
    for part in ["<Owner>", "<ContinuationToken>", "<EncodingType>", "<Marker>"] {
        assert!(!document.contains(part), "{part} in {document}");
    }
}

#[test]
fn writes_buckets_with_the_endpoints_that_lead_back() {
    let bucket = BucketEntry {
        name: "demo".to_owned(),
        creation_date: moment(),
        extranet_endpoint: "127.0.0.1:9817".to_owned(),
        intranet_endpoint: "127.0.0.1:9817".to_owned(),
        region: "cn-hangzhou".to_owned(),
        storage_class: "Standard".to_owned(),
        resource_group_id: "rg-1".to_owned(),
    };
    let mut listing = ListBuckets { owner: owner(), buckets: vec![bucket], page: None };
    assert_eq!(
        body(listing.to_xml()),
        "<ListAllMyBucketsResult><Owner><ID>1000</ID><DisplayName>1000</DisplayName></Owner><Buckets><Bucket>\
         <CreationDate>2026-11-22T20:08:46.000Z</CreationDate><ExtranetEndpoint>127.0.0.1:9817</ExtranetEndpoint>\
         <IntranetEndpoint>127.0.0.1:9817</IntranetEndpoint><Location>oss-cn-hangzhou</Location><Name>demo</Name>\
         <Region>cn-hangzhou</Region><ResourceGroupId>rg-1</ResourceGroupId><StorageClass>Standard</StorageClass></Bucket></Buckets></ListAllMyBucketsResult>"
    );
    listing.page =
        Some(BucketPage { max_keys: 1, next_marker: Some("demo".to_owned()), ..BucketPage::default() });
    assert!(listing.to_xml().contains("<IsTruncated>true</IsTruncated><NextMarker>demo</NextMarker><Owner>"));
}

#[test]
fn writes_the_small_documents() {
    assert_eq!(
        body(location_constraint("cn-hangzhou")),
        "<LocationConstraint>oss-cn-hangzhou</LocationConstraint>"
    );
    let policy = AccessControlPolicy { owner: owner(), grant: Acl::PublicRead.as_str() };
    assert_eq!(
        body(policy.to_xml()),
        "<AccessControlPolicy><Owner><ID>1000</ID><DisplayName>1000</DisplayName></Owner><AccessControlList>\
         <Grant>public-read</Grant></AccessControlList></AccessControlPolicy>"
    );
    let response = PostResponse {
        bucket: "demo".to_owned(),
        location: "http://127.0.0.1/demo/a%26b".to_owned(),
        key: "a&b".to_owned(),
        etag: "AB".to_owned(),
    };
    assert_eq!(
        body(response.to_xml()),
        "<PostResponse><Bucket>demo</Bucket><Location>http://127.0.0.1/demo/a%26b</Location><Key>a&amp;b</Key>\
         <ETag>AB</ETag></PostResponse>"
    );
    let info = BucketInfo {
        name: "demo".to_owned(),
        creation_date: moment(),
        extranet_endpoint: "e".to_owned(),
        intranet_endpoint: "i".to_owned(),
        region: "cn-hangzhou".to_owned(),
        storage_class: "Standard".to_owned(),
        resource_group_id: "rg-1".to_owned(),
        data_redundancy_type: "LRS".to_owned(),
        owner: owner(),
        acl: Acl::Private,
    };
    let document = body(info.to_xml());
    assert!(document.starts_with("<BucketInfo><Bucket>") && document.ends_with("</Bucket></BucketInfo>"));
    for part in [
        "<Location>oss-cn-hangzhou</Location>",
        "<Grant>private</Grant>",
        "<SSEAlgorithm>None</SSEAlgorithm>",
    ] {
        assert!(document.contains(part), "{part}");
    }
}

#[test]
fn reads_what_is_to_be_deleted_with_keys_as_written() {
    let document = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><Delete \
        xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\"><Quiet>true</Quiet>\n\
        <Object><Key> a&amp;&lt;&#x7167;<![CDATA[<]]> </Key></Object>\
        <Object><Key>b</Key><VersionId>v1</VersionId></Object></Delete>\n";
    let request = DeleteObjects::parse(document.as_bytes()).unwrap();
    assert!(request.quiet);
    let keys: Vec<_> = request.objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, [" a&<照< ", "b"]);
    assert_eq!(request.objects[1].version_id.as_deref(), Some("v1"));
    let result = DeleteResult {
        encoding: NameEncoding::Url,
        deleted: vec![Deleted { key: "a/b".to_owned(), version_id: None }],
    };
    assert_eq!(
        body(result.to_xml()),
        "<DeleteResult><EncodingType>url</EncodingType><Deleted><Key>a%2Fb</Key></Deleted></DeleteResult>"
    );
}

#[test]
fn refuses_document_types_entities_and_whatever_is_not_one_document() {
    let parse = |document: &str| DeleteObjects::parse(document.as_bytes()).unwrap_err();
    let inner = "<Object><Key>a</Key></Object>";
    for document in [
        format!("<!DOCTYPE Delete [<!ENTITY e \"x\">]><Delete>{inner}</Delete>"),
        "<Delete><Object><Key>&e;</Key></Object></Delete>".to_owned(),
        format!("<?php x ?><Delete>{inner}</Delete>"),
    ] {
        assert_eq!(parse(&document), XmlError::Doctype, "{document}");
    }
    for document in [
        "",
        "text",
        "<Delete>",
        "<Delete></Object>",
        "<Delete/><Delete/>",
        "<Delete/>x",
        "<Delete>&#xFFFFFFFF;</Delete>",
        "<Delete><Object><Key>a</Key></Object>",
        "</Delete>",
    ] {
        assert_eq!(parse(document), XmlError::Malformed, "{document}");
    }
    assert_eq!(DeleteObjects::parse(b"<Delete>\xff</Delete>"), Err(XmlError::Malformed));
    assert_eq!(parse("<Remove/>"), XmlError::Root { expected: "Delete" });
    assert!(matches!(parse(&format!("<Delete>{inner}<Other/></Delete>")), XmlError::Unknown { .. }));
    // Found by fuzzing: this named the key "ab".
    let inside = "<Delete><Object><Key>a<Other/>b</Key></Object></Delete>";
    assert!(matches!(parse(inside), XmlError::Unknown { .. }));
    assert_eq!(parse("<Delete><Object/></Delete>"), XmlError::Missing { name: "Key" });
    assert_eq!(parse("<Delete></Delete>"), XmlError::Missing { name: "Object" });
    assert!(matches!(parse(&format!("<Delete><Quiet>yes</Quiet>{inner}</Delete>")), XmlError::Value { .. }));
    let twice = "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>";
    assert_eq!(parse(twice), XmlError::Repeated { name: "Key" });
    let error = WireError::from(parse("<Remove/>"));
    assert_eq!((error.status(), error.code().as_str()), (400, "MalformedXML"));
    assert_eq!(error.element("ErrorDetail"), Some("the root element is not Delete"));
}

#[test]
fn refuses_more_than_its_bounds() {
    let many = |count: usize| format!("<Delete>{}</Delete>", "<Object><Key>a</Key></Object>".repeat(count));
    assert_eq!(DeleteObjects::parse(many(1000).as_bytes()).unwrap().objects.len(), 1000);
    let error = DeleteObjects::parse(many(1001).as_bytes());
    assert_eq!(error, Err(XmlError::TooManyItems { name: "Object", items_max: 1000 }));
    let nested = |depth: usize| format!("{}{}", "<Delete>".repeat(depth), "</Delete>".repeat(depth));
    assert!(matches!(DeleteObjects::parse(nested(8).as_bytes()), Err(XmlError::Unknown { .. })));
    assert_eq!(DeleteObjects::parse(nested(9).as_bytes()), Err(XmlError::TooManyElements));
    let wide = format!("<Delete>{}</Delete>", "<Object/>".repeat(20_001));
    assert_eq!(DeleteObjects::parse(wide.as_bytes()), Err(XmlError::TooManyElements));
    let long = vec![b' '; 2 * 1024 * 1024 + 1];
    assert_eq!(DeleteObjects::parse(&long), Err(XmlError::TooLong { bytes_max: 2 * 1024 * 1024 }));
}

#[test]
fn reads_back_the_cors_rules_it_writes() {
    let document = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedOrigin>http://*.a.com\
        </AllowedOrigin><AllowedMethod>POST</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag\
        </ExposeHeader><MaxAgeSeconds>600</MaxAgeSeconds></CORSRule><ResponseVary>true</ResponseVary></CORSConfiguration>";
    let rules = CorsConfiguration::parse(document.as_bytes()).unwrap();
    assert_eq!(rules.rules[0].allowed_origins, ["*", "http://*.a.com"]);
    assert_eq!((rules.rules[0].max_age_seconds, rules.response_vary), (Some(600), true));
    assert_eq!(CorsConfiguration::parse(rules.to_xml().as_bytes()), Ok(rules));
}

#[test]
fn refuses_cors_rules_that_could_not_be_answered() {
    let rule = |inner: &str| {
        let document = format!("<CORSConfiguration><CORSRule>{inner}</CORSRule></CORSConfiguration>");
        CorsConfiguration::parse(document.as_bytes())
    };
    let good = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>";
    assert!(rule(good).is_ok());
    for inner in [
        "",
        "<AllowedOrigin>*</AllowedOrigin>",
        "<AllowedMethod>GET</AllowedMethod>",
        "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>get</AllowedMethod>",
        "<AllowedOrigin>*.*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>",
        "<AllowedOrigin>a&#13;b</AllowedOrigin><AllowedMethod>GET</AllowedMethod>",
    ] {
        assert!(rule(inner).is_err(), "{inner}");
    }
    assert!(rule(&format!("{good}<ExposeHeader>*</ExposeHeader>")).is_err());
    assert!(rule(&format!("{good}<MaxAgeSeconds>-1</MaxAgeSeconds>")).is_err());
    let eleven = format!(
        "<CORSConfiguration>{}</CORSConfiguration>",
        format!("<CORSRule>{good}</CORSRule>").repeat(11)
    );
    let error = CorsConfiguration::parse(eleven.as_bytes()).unwrap_err();
    assert_eq!(WireError::from(error).code().as_str(), "CORSRuleBeyondLimit");
    let sized = |bytes: usize| {
        let document = format!("<CORSConfiguration><CORSRule>{good}</CORSRule></CORSConfiguration>");
        CorsConfiguration::parse(format!("{document:<bytes$}").as_bytes())
    };
    assert!(sized(16 * 1024).is_ok());
    assert_eq!(sized(16 * 1024 + 1), Err(XmlError::TooLong { bytes_max: 16 * 1024 }));
}

fn lifecycle(rules: &[&str]) -> Result<LifecycleConfiguration, XmlError> {
    let rules: String = rules.iter().map(|rule| format!("<Rule>{rule}</Rule>")).collect();
    LifecycleConfiguration::parse(
        format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>").as_bytes(),
    )
}

#[test]
fn reads_back_the_lifecycle_rules_it_writes() {
    let mut rules = lifecycle(&[
        "<ID>one</ID><Prefix>logs/</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>",
        "<Prefix>old/</Prefix><Status>Disabled</Status><Expiration><CreatedBeforeDate>2026-01-01T00:00:00.000Z\
         </CreatedBeforeDate></Expiration>",
        "<Prefix>up/</Prefix><Status>Enabled</Status><AbortMultipartUpload><Days>3</Days></AbortMultipartUpload>",
    ])
    .unwrap();
    assert_eq!(rules.rules[0].expiration, Some(Expiration::Days(1)));
    assert_eq!(
        rules.rules[1].expiration,
        Some(Expiration::CreatedBeforeDate("2026-01-01T00:00:00Z".parse().unwrap()))
    );
    assert_eq!(rules.rules[2].abort_multipart_upload, Some(AbortMultipartUpload::Days(3)));
    let mut numbers = 0..;
    rules.name_rules(|| format!("made-{}", numbers.next().unwrap()));
    let ids: Vec<_> = rules.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["one", "made-0", "made-1"]);
    assert_eq!(LifecycleConfiguration::parse(rules.to_xml().as_bytes()), Ok(rules));
}

#[test]
fn refuses_lifecycle_rules_that_would_delete_other_than_meant() {
    let good = "<Prefix>a</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>";
    for name in ["Tag", "Filter", "Transition", "NoncurrentVersionExpiration"] {
        let error = WireError::from(lifecycle(&[&format!("{good}<{name}/>")]).unwrap_err());
        assert_eq!((error.status(), error.element("Element")), (501, Some(name)));
    }
    for rule in [
        "",
        "<Status>Enabled</Status>",
        "<Status>enabled</Status><Expiration><Days>1</Days></Expiration>",
        "<Expiration><Days>1</Days></Expiration>",
        "<Status>Enabled</Status><Expiration></Expiration>",
        "<Status>Enabled</Status><Expiration><Days>0</Days></Expiration>",
        "<Status>Enabled</Status><Expiration><CreatedBeforeDate>soon</CreatedBeforeDate></Expiration>",
        // Found by fuzzing: another prefix came back than was written, and elements were passed over.
        "<Prefix>a\u{1}</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>",
        "<ID>a\0</ID><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>",
        "<Prefix>a<b/>c</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>",
    ] {
        let error = WireError::from(lifecycle(&[rule]).unwrap_err());
        assert_eq!(error.code().as_str(), "MalformedXML", "{rule}");
    }
    assert_eq!(lifecycle(&[]), Err(XmlError::Missing { name: "Rule" }));
    assert!(matches!(lifecycle(&[good, good]), Err(XmlError::Lifecycle(_))));
    let mixed = "<Status>Enabled</Status><Expiration><Days>1</Days><CreatedBeforeDate>2026-01-01T00:00:00.000Z\
        </CreatedBeforeDate></Expiration>";
    let error = WireError::from(lifecycle(&[mixed]).unwrap_err());
    assert_eq!((error.code().as_str(), error.ec()), ("InvalidRequest", Some("0014-00000080")));
}

#[test]
fn reads_what_a_new_bucket_is_to_be_like() {
    assert_eq!(CreateBucketConfiguration::parse(b""), Ok(CreateBucketConfiguration::default()));
    let document = b"<CreateBucketConfiguration><StorageClass>IA</StorageClass><DataRedundancyType>ZRS\
        </DataRedundancyType></CreateBucketConfiguration>";
    let read = CreateBucketConfiguration::parse(document).unwrap();
    assert_eq!(
        (read.storage_class.as_deref(), read.data_redundancy_type.as_deref()),
        (Some("IA"), Some("ZRS"))
    );
    let unknown = b"<CreateBucketConfiguration><StorageClass>Gold</StorageClass></CreateBucketConfiguration>";
    assert!(matches!(CreateBucketConfiguration::parse(unknown), Err(XmlError::Value { .. })));
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[<>/&;a-c!?\\[\\]\"= -]{0,80}") {
        let _ = DeleteObjects::parse(&bytes);
        let _ = CorsConfiguration::parse(text.as_bytes());
        let _ = LifecycleConfiguration::parse(format!("<LifecycleConfiguration>{text}").as_bytes());
    }

    #[test]
    fn any_printable_key_comes_back_from_a_delete_request(key in "\\PC{1,30}") {
        let listing = ListObjects { contents: vec![entry(&key, false)], ..ListObjects::default() };
        let written = listing.to_xml();
        let (_, rest) = written.split_once("<Key>").unwrap();
        let (escaped, _) = rest.split_once("</Key>").unwrap();
        let document = format!("<Delete><Object><Key>{escaped}</Key></Object></Delete>");
        let request = DeleteObjects::parse(document.as_bytes()).unwrap();
        prop_assert_eq!(&request.objects[0].key, &key);
    }
}
