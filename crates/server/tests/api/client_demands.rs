//! What the test suites of official SDKs, and live answers of OSS, demand of single requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_sys::Md5;

use crate::client::{Ask, SIGNED, Signing, create_demo, put};
use crate::running_store::RunningStore;

async fn store_with_demo() -> RunningStore {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    store
}

/// `Content-MD5` as C SDK 3 sends it: its buffer of 20 bytes, of which 16 are the digest.
fn c_sdk_digest(body: &[u8]) -> String {
    let mut md5 = Md5::new();
    md5.update(body);
    STANDARD.encode([md5.finish().as_slice(), &[0; 4]].concat())
}

#[tokio::test]
async fn a_digest_of_twenty_bytes_counts_by_its_first_sixteen() {
    let store = store_with_demo().await;
    put(&store, "k", "x").await;
    let body = "<Delete><Object><Key>k</Key></Object></Delete>";
    let ask =
        |digest: &str| Ask::new("POST", "demo", "").query("delete").header("content-md5", digest).body(body);
    let other = ask(&c_sdk_digest(b"other")).send(&store).await;
    assert_eq!(other.refusal().1, "InvalidDigest");
    let short = ask(&STANDARD.encode([0; 17])).send(&store).await;
    assert_eq!(short.refusal().1, "InvalidDigest");
    assert_eq!(ask(&c_sdk_digest(body.as_bytes())).send(&store).await.elements("Key"), ["k"]);
}

#[tokio::test]
async fn names_without_x_in_the_variables_of_a_callback_are_ignored() {
    let store = store_with_demo().await;
    let callback = STANDARD.encode(r#"{"callbackUrl":"http://127.0.0.1:9/","callbackBody":"a=${x:a}"}"#);
    let variables = STANDARD.encode(r#"{"my_var_1":"1","x:a":"2"}"#);
    let query =
        format!("callback={}&callback-var={}", callback.replace('=', "%3D"), variables.replace('=', "%3D"));
    let answer =
        Ask::new("PUT", "demo", "k").query(&query).signing(Signing::UrlV1).body("x").send(&store).await;
    // Stored; nobody listens at that address.
    assert_eq!(answer.status, 203, "{}", answer.text());
}

#[tokio::test]
async fn a_plus_in_the_path_is_a_space_and_an_escaped_one_is_a_plus() {
    let store = store_with_demo().await;
    for (path, key) in [("/demo/a+b", "a b"), ("/demo/a%2Bb", "a+b")] {
        for signing in SIGNED {
            let answer =
                Ask::new("PUT", "demo", key).raw_path(path).signing(signing).body(key).send(&store).await;
            assert_eq!(answer.status, 200, "{path} {signing:?}");
        }
        assert_eq!(Ask::new("GET", "demo", key).send(&store).await.text(), key);
    }
    let listed = Ask::new("GET", "demo", "").send(&store).await;
    assert_eq!(listed.elements("Key"), ["a b", "a+b"]);
}

#[tokio::test]
async fn a_missing_bucket_is_named_before_an_unknown_key_where_the_bucket_is_read() {
    let store = store_with_demo().await;
    let outcome = async |method, bucket, key, query: &str| {
        let ask = Ask::new(method, bucket, key).query(query).credentials("nobody", "x");
        let answer = ask.send(&store).await;
        (answer.status, answer.header("x-oss-ec").to_owned())
    };
    let missing = [
        ("GET", "", "acl"),
        ("GET", "", "bucketInfo"),
        ("GET", "", "location"),
        ("GET", "", "stat"),
        ("GET", "", "versioning"),
        ("GET", "", "versions"),
        ("GET", "", "list-type=2"),
        ("PUT", "", "versioning"),
        ("DELETE", "", "responseHeader"),
        ("DELETE", "", ""),
        ("HEAD", "", ""),
        ("HEAD", "k", ""),
        ("PUT", "k", ""),
    ];
    for (method, key, query) in missing {
        assert_eq!(
            outcome(method, "missing", key, query).await,
            (404, "0015-00000101".to_owned()),
            "{method} ?{query}"
        );
        assert_eq!(outcome(method, "demo", key, query).await.0, 403, "{method} ?{query}");
    }
    for (method, bucket, query) in [("PUT", "missing", ""), ("PUT", "missing", "acl"), ("GET", "", "")] {
        assert_eq!(outcome(method, bucket, "", query).await.0, 403, "{method} ?{query}");
    }
}

#[tokio::test]
async fn an_element_that_is_not_served_is_named() {
    let store = store_with_demo().await;
    let rule = "<ID>r</ID><Prefix>p</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>\
                <Transition><Days>1</Days><StorageClass>IA</StorageClass></Transition>";
    let body = format!("<LifecycleConfiguration><Rule>{rule}</Rule></LifecycleConfiguration>");
    let refused = Ask::new("PUT", "demo", "").query("lifecycle").body(body).send(&store).await;
    assert_eq!(
        refused.refusal(),
        (
            501,
            "NotImplemented".to_owned(),
            "This store does not implement the element Transition.".to_owned()
        )
    );
    assert_eq!(
        (refused.element("Element").as_deref(), refused.element("Header")),
        (Some("Transition"), None)
    );
}

#[tokio::test]
async fn setting_the_list_of_a_bucket_says_where_the_bucket_is() {
    let store = store_with_demo().await;
    let set = Ask::new("PUT", "demo", "").query("acl").header("x-oss-acl", "private").send(&store).await;
    assert_eq!((set.status, set.header("location")), (200, "/demo"));
}

#[tokio::test]
async fn setting_the_list_of_a_bucket_that_is_not_there_makes_the_bucket() {
    let store = RunningStore::start().await;
    let set = Ask::new("PUT", "demo", "").query("acl").header("x-oss-acl", "public-read").send(&store).await;
    assert_eq!(set.status, 200);
    let acl = Ask::new("GET", "demo", "").query("acl").send(&store).await;
    assert_eq!((acl.status, acl.element("Grant").as_deref()), (200, Some("public-read")));
}

#[tokio::test]
async fn a_key_that_is_not_utf8_is_refused_by_its_encoding() {
    let store = store_with_demo().await;
    let refused =
        Ask::new("PUT", "demo", "k").raw_path("/demo/%D6%D0%CE%C4.txt").body("x").send(&store).await;
    assert_eq!(
        refused.refusal(),
        (400, "InvalidArgument".to_owned(), "The characters encoding must be utf-8.".to_owned())
    );
}

#[tokio::test]
async fn a_prefix_that_no_bucket_can_have_is_refused() {
    let store = store_with_demo().await;
    for prefix in ["Demo", "de_mo", "d%20"] {
        let refused = Ask::new("GET", "", "").query(&format!("prefix={prefix}")).send(&store).await;
        assert_eq!(
            (refused.refusal().1.as_str(), refused.element("ArgumentName").as_deref()),
            ("InvalidArgument", Some("prefix"))
        );
    }
    assert_eq!(Ask::new("GET", "", "").query("prefix=de").send(&store).await.elements("Name"), ["demo"]);
}

#[tokio::test]
async fn buckets_belong_to_one_resource_group_and_are_listed_by_it() {
    let store = store_with_demo().await;
    let info = Ask::new("GET", "demo", "").query("bucketInfo").send(&store).await;
    let group = info.element("ResourceGroupId").unwrap();
    assert!(!group.is_empty());
    let by_group = async |group: &str| {
        let ask = Ask::new("GET", "", "").header("x-oss-resource-group-id", group);
        ask.send(&store).await.elements("ResourceGroupId")
    };
    assert_eq!(by_group(&group).await, std::slice::from_ref(&group));
    assert_eq!(by_group("rg-other").await, [""; 0]);
}

#[tokio::test]
async fn a_bucket_of_oss_has_another_endpoint_inside() {
    let store = store_with_demo().await;
    let host = "demo.oss-cn-hangzhou.aliyuncs.com";
    let info = Ask::new("GET", "demo", "").query("bucketInfo").host(host).send(&store).await;
    assert_eq!(info.element("ExtranetEndpoint").as_deref(), Some("oss-cn-hangzhou.aliyuncs.com"));
    assert_eq!(info.element("IntranetEndpoint").as_deref(), Some("oss-cn-hangzhou-internal.aliyuncs.com"));
}

#[tokio::test]
async fn a_url_without_a_region_or_with_another_is_told_so() {
    let store = store_with_demo().await;
    for region in ["", "cn-shanghai"] {
        let ask = |signing| Ask::new("GET", "demo", "k").signing(signing).region(region);
        let by_url = ask(Signing::UrlV4).send(&store).await;
        assert_eq!(by_url.refusal().2, "The signing region in credential is invalid.", "{region:?}");
        let by_header = ask(Signing::HeaderV4).send(&store).await;
        assert_eq!(by_header.refusal().2, "Invalid signing region in Authorization header.", "{region:?}");
        assert_eq!(by_header.header("x-oss-ec"), "0002-00000226");
    }
}

#[tokio::test]
async fn signature_version_two_is_refused_by_name() {
    let store = store_with_demo().await;
    let header = "OSS2 AccessKeyId:test-key-id,Signature:bm9uZQ==";
    let by_header =
        Ask::new("GET", "demo", "k").anonymous().header("authorization", header).send(&store).await;
    let query =
        "x-oss-signature-version=OSS2&x-oss-access-key-id=test-key-id&x-oss-expires=1&x-oss-signature=a";
    let by_url = Ask::new("GET", "demo", "k").anonymous().query(query).send(&store).await;
    for refused in [by_header, by_url] {
        let (status, code, message) = refused.refusal();
        assert_eq!((status, code.as_str()), (501, "NotImplemented"));
        assert!(message.contains("OSS2") && message.contains("OSS4-HMAC-SHA256"), "{message}");
    }
}

#[tokio::test]
async fn a_signed_request_without_a_date_has_a_number_of_its_own() {
    let store = store_with_demo().await;
    let ask = Ask::new("GET", "demo", "k").anonymous().header("authorization", "OSS test-key-id:bm9uZQ==");
    let refused = ask.send(&store).await;
    assert_eq!(
        (refused.status, refused.element("EC").as_deref(), refused.header("x-oss-ec")),
        (403, Some("0002-00000503"), "0002-00000503")
    );
}

#[tokio::test]
async fn several_ranges_are_answered_with_the_whole_object_to_every_client() {
    let store = store_with_demo().await;
    let body = "0123456789".repeat(4);
    let made = Ask::new("PUT", "demo", "k").header("x-oss-object-acl", "public-read").body(body.clone());
    assert_eq!(made.send(&store).await.status, 200);
    for signing in SIGNED.into_iter().chain([Signing::Anonymous]) {
        let ask = Ask::new("GET", "demo", "k").signing(signing).header("range", "bytes=0-9,20-29");
        let answer = ask.send(&store).await;
        assert_eq!(
            (answer.status, answer.header("content-range"), answer.text()),
            (200, "", body.clone()),
            "{signing:?}"
        );
    }
}

#[tokio::test]
async fn the_misspelt_parameter_of_python_sdk_2_is_not_taken_for_a_form() {
    let store = store_with_demo().await;
    let answer =
        Ask::new("POST", "demo", "").query("MetaQuery=&action=createDataset").body("<x/>").send(&store).await;
    assert_eq!((answer.status, answer.refusal().1.as_str()), (405, "MethodNotAllowed"));
}

#[tokio::test]
async fn headers_that_would_have_no_effect_are_refused_by_name_and_nothing_changes() {
    let store = store_with_demo().await;
    put(&store, "k", "old").await;
    let writes = [
        ("x-oss-tagging", "a=b"),
        ("x-oss-persistent-headers", "a:Yg=="),
        ("x-oss-object-worm-mode", "COMPLIANCE"),
        ("x-oss-hash-ctx", "AA=="),
        ("content-range", "bytes 0-2/9"),
        ("if-none-match", "*"),
        ("if-match", "\"0\""),
        ("if-unmodified-since", "Sun, 22 Nov 2020 20:00:00 GMT"),
    ];
    for (name, value) in writes {
        let refused = Ask::new("PUT", "demo", "k").header(name, value).body("new").send(&store).await;
        assert_eq!((refused.status, refused.element("Header").as_deref()), (501, Some(name)), "{name}");
    }
    for (name, value) in [("if-match", "\"0\""), ("x-oss-delete-recursive", "")] {
        let refused = Ask::new("DELETE", "demo", "k").header(name, value).send(&store).await;
        assert_eq!((refused.status, refused.element("Header").as_deref()), (501, Some(name)), "{name}");
    }
    assert_eq!(Ask::new("GET", "demo", "k").send(&store).await.text(), "old");
    for (name, value) in [
        ("x-oss-hns-status", "enabled"),
        ("x-oss-bucket-tagging", "a=b"),
        ("x-oss-resource-group-id", "rg-other"),
    ] {
        let refused = Ask::new("PUT", "other", "").header(name, value).send(&store).await;
        assert_eq!((refused.status, refused.element("Header").as_deref()), (501, Some(name)), "{name}");
    }
    assert_eq!(Ask::new("HEAD", "other", "").send(&store).await.status, 404);
}

#[tokio::test]
async fn unknown_values_are_refused_before_anything_is_done() {
    let store = store_with_demo().await;
    put(&store, "k", "x").await;
    let listed = Ask::new("GET", "demo", "").query("list-type=3").send(&store).await;
    assert_eq!(
        (listed.refusal().1.as_str(), listed.element("ArgumentName").as_deref()),
        ("InvalidArgument", Some("list-type"))
    );
    let body = "<Delete><Object><Key>k</Key></Object></Delete>";
    let digest = c_sdk_digest(body.as_bytes());
    let ask = Ask::new("POST", "demo", "").query("delete&encoding-type=base64").header("content-md5", digest);
    assert_eq!(ask.body(body).send(&store).await.refusal().1, "InvalidArgument");
    assert_eq!(Ask::new("GET", "demo", "k").send(&store).await.text(), "x");
}
