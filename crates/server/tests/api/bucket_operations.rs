//! Buckets: their life, their lists, what they say of themselves, and what is not built (BKT-1 to BKT-20,
//! ADDR-11, GEN-1).

use crate::client::{Ask, create_demo, put};
use crate::running_store::RunningStore;

/// The methods and words of queries on a bucket with which something changes. What is neither here nor in
/// [`ANSWERS`] is refused: `query_words.rs` tries every word of the API.
pub(crate) const CHANGES: &[(&str, &str)] =
    &[("PUT", "acl"), ("PUT", "x-oss-request-payer"), ("POST", "x-oss-request-payer")];
/// Those that are answered with success while nothing changes.
pub(crate) const ANSWERS: &[(&str, &str)] = &[
    ("GET", "acl"),
    ("GET", "bucketInfo"),
    ("GET", "live"),
    ("GET", "location"),
    ("GET", "uploads"),
    ("GET", "versions"),
    ("GET", "x-oss-request-payer"),
    ("HEAD", "x-oss-request-payer"),
    ("DELETE", "cors"),
    ("DELETE", "lifecycle"),
];

#[tokio::test]
async fn a_bucket_is_made_twice_by_its_owner_and_goes_only_when_it_is_empty() {
    let store = RunningStore::start().await;
    let made = Ask::new("PUT", "demo", "").header("x-oss-acl", "public-read").send(&store).await;
    assert_eq!((made.status, made.header("location")), (200, "/demo"));
    let again = Ask::new("PUT", "demo", "")
        .body("<CreateBucketConfiguration><StorageClass>Standard</StorageClass></CreateBucketConfiguration>")
        .send(&store)
        .await;
    assert_eq!(again.status, 200);
    let acl = Ask::new("GET", "demo", "").query("acl").send(&store).await;
    assert_eq!(acl.element("Grant").as_deref(), Some("public-read"));
    put(&store, "a", "x").await;
    let refused = Ask::new("DELETE", "demo", "").send(&store).await;
    assert_eq!((refused.status, refused.refusal().1.as_str()), (409, "BucketNotEmpty"));
    assert_eq!(refused.element("BucketName").as_deref(), Some("demo"));
    assert_eq!(Ask::new("DELETE", "demo", "a").send(&store).await.status, 204);
    assert_eq!(Ask::new("DELETE", "demo", "").send(&store).await.status, 204);
    let gone = Ask::new("DELETE", "demo", "").send(&store).await;
    assert_eq!((gone.status, gone.header("x-oss-ec")), (404, "0015-00000101"));
}

#[tokio::test]
async fn objects_are_in_the_class_of_their_bucket_which_nothing_changes() {
    let store = RunningStore::start().await;
    let make = async |name: &str, element: &str, word: &str| {
        let body =
            format!("<CreateBucketConfiguration><{element}>{word}</{element}></CreateBucketConfiguration>");
        Ask::new("PUT", name, "").body(body).send(&store).await
    };
    assert_eq!(make("demo", "StorageClass", "IA").await.status, 200);
    assert_eq!(make("demo", "DataRedundancyType", "LRS").await.status, 200);
    put(&store, "k", "x").await;
    for ask in [Ask::new("GET", "demo", "").query("bucketInfo"), Ask::new("GET", "demo", "")] {
        assert_eq!(ask.send(&store).await.element("StorageClass").as_deref(), Some("IA"));
    }
    for method in ["HEAD", "GET"] {
        let object = Ask::new(method, "demo", "k").send(&store).await;
        assert_eq!(object.header("x-oss-storage-class"), "IA", "{method}");
    }
    let changed = make("demo", "StorageClass", "Standard").await;
    assert_eq!((changed.status, changed.refusal().1.as_str()), (409, "BucketAlreadyExists"));
    assert_eq!(make("demo", "StorageClass", "IA").await.status, 200);
    assert_eq!(Ask::new("PUT", "demo", "").header("x-oss-acl", "private").send(&store).await.status, 200);
    let info = Ask::new("GET", "demo", "").query("bucketInfo").send(&store).await;
    assert_eq!(info.element("StorageClass").as_deref(), Some("IA"));
}

#[tokio::test]
async fn settings_that_one_machine_cannot_provide_are_refused_by_name() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    for (element, word) in [
        ("StorageClass", "Archive"),
        ("StorageClass", "ColdArchive"),
        ("StorageClass", "DeepColdArchive"),
        ("DataRedundancyType", "ZRS"),
    ] {
        let body =
            format!("<CreateBucketConfiguration><{element}>{word}</{element}></CreateBucketConfiguration>");
        let refused = Ask::new("PUT", "other", "").body(body).send(&store).await;
        assert_eq!((refused.status, refused.element("Element").as_deref()), (501, Some(element)), "{word}");
        assert!(refused.refusal().2.contains(word));
    }
    let names = [
        "x-oss-server-side-encryption",
        "x-oss-server-side-data-encryption",
        "x-oss-server-side-encryption-key-id",
    ];
    for (name, query) in names.iter().flat_map(|name| [(name, ""), (name, "acl")]) {
        let ask = Ask::new("PUT", "other", "").query(query).header("x-oss-acl", "private");
        let refused = ask.header(name, "KMS").send(&store).await;
        assert_eq!((refused.status, refused.element("Header").as_deref()), (501, Some(*name)), "{query}");
    }
    assert_eq!(Ask::new("HEAD", "other", "").send(&store).await.status, 404);
    let object = Ask::new("PUT", "demo", "k").header("x-oss-storage-class", "archive").body("x");
    let refused = object.send(&store).await;
    assert_eq!((refused.status, refused.element("Header").as_deref()), (501, Some("x-oss-storage-class")));
    assert_eq!(Ask::new("HEAD", "demo", "k").send(&store).await.status, 404);
}

#[tokio::test]
async fn a_bucket_is_compatible_until_its_owner_sets_another_mode() {
    const MODE: &str = "x-oss-countersign-mode";
    let store = RunningStore::start().await;
    assert_eq!(Ask::new("PUT", "demo", "").send(&store).await.header(MODE), "compat");
    for mode in ["guarded", "strict", "compat", "guarded"] {
        let set = Ask::new("PUT", "demo", "").header(MODE, mode).send(&store).await;
        assert_eq!((set.status, set.header(MODE)), (200, mode));
        let kept = Ask::new("PUT", "demo", "").header("x-oss-acl", "private").send(&store).await;
        assert_eq!(kept.header(MODE), mode, "what is not said stays");
        let info = Ask::new("GET", "demo", "").query("bucketInfo").send(&store).await;
        assert_eq!(info.header(MODE), mode);
        assert_eq!(Ask::new("HEAD", "demo", "").send(&store).await.header(MODE), mode);
    }
    for word in ["Guarded", "open", ""] {
        let refused = Ask::new("PUT", "demo", "").header(MODE, word).send(&store).await;
        assert_eq!(refused.element("ArgumentName").as_deref(), Some(MODE), "{word:?}");
        assert_eq!(refused.status, 400);
    }
    let strict = Ask::new("PUT", "other", "").header(MODE, "strict").send(&store).await;
    assert_eq!(strict.header(MODE), "strict", "also when the bucket is new");
}

#[tokio::test]
async fn names_and_lists_that_oss_does_not_know_are_refused() {
    let store = RunningStore::start().await;
    for name in ["ab", "Under_score", "-a-", "a.b"] {
        assert_eq!(Ask::new("PUT", name, "").send(&store).await.refusal().1, "InvalidBucketName", "{name}");
    }
    let acl = Ask::new("PUT", "demo", "").header("x-oss-acl", "world").send(&store).await;
    assert_eq!(
        acl.refusal(),
        (400, "InvalidArgument".to_owned(), "no such bucket access control exists".to_owned())
    );
    let document = Ask::new("PUT", "demo", "").body("<CreateBucketConfiguration>").send(&store).await;
    assert_eq!(document.refusal().1, "MalformedXML");
    assert_eq!(Ask::new("GET", "demo", "").send(&store).await.status, 404);
}

#[tokio::test]
async fn every_answer_has_the_common_headers() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    for ask in [
        Ask::new("GET", "", ""),
        Ask::new("GET", "demo", "missing"),
        Ask::new("HEAD", "demo", "missing"),
        Ask::new("PATCH", "demo", "k"),
        Ask::new("OPTIONS", "demo", "k").anonymous(),
    ] {
        let answer = ask.send(&store).await;
        assert_eq!(answer.header("server"), "AliyunOSS");
        assert_eq!(answer.header("date"), "Sun, 22 Nov 2026 20:00:00 GMT");
        assert!(answer.header("x-oss-server-time").parse::<u64>().is_ok());
        let id = answer.header("x-oss-request-id").to_owned();
        assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()));
        if let Some(in_document) = answer.element("RequestId") {
            assert_eq!(in_document, id);
            assert_eq!(answer.element("HostId").unwrap(), store.address.to_string());
        }
    }
}

#[tokio::test]
async fn a_bucket_describes_itself_and_its_endpoint_leads_back() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let info = Ask::new("GET", "demo", "").query("bucketInfo").send(&store).await;
    assert_eq!(info.element("Name").as_deref(), Some("demo"));
    assert_eq!(info.element("ExtranetEndpoint").unwrap(), store.address.to_string());
    assert_eq!(info.element("Location").as_deref(), Some("oss-cn-hangzhou"));
    assert_eq!(info.element("CreationDate").as_deref(), Some("2026-11-22T20:00:00.000Z"));
    assert!(!info.text().contains("xmlns"));
    let by_host =
        Ask::new("GET", "demo", "").query("bucketInfo").host("demo.oss.example.org:9817").send(&store).await;
    assert_eq!(by_host.element("ExtranetEndpoint").as_deref(), Some("oss.example.org:9817"));
    let location = Ask::new("GET", "demo", "").query("location").send(&store).await;
    assert_eq!(location.element("LocationConstraint").as_deref(), Some("oss-cn-hangzhou"));
    let advertised =
        RunningStore::start_with(|options| options.advertised_endpoint = Some("oss.lan:80".into())).await;
    create_demo(&advertised).await;
    let buckets = Ask::new("GET", "", "").send(&advertised).await;
    assert_eq!(buckets.element("ExtranetEndpoint").as_deref(), Some("oss.lan:80"));
}

#[tokio::test]
async fn what_is_not_built_is_501_by_name_and_changes_nothing() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "k", "x").await;
    for (method, key, query, name) in [
        ("DELETE", "", "policy", "DeleteBucketPolicy"),
        ("DELETE", "", "website", "DeleteBucketWebsite"),
        ("PUT", "", "versioning", "PutBucketVersioning"),
        ("POST", "k", "append&position=1", "AppendObject"),
        ("POST", "k", "uploads", "InitiateMultipartUpload"),
        ("DELETE", "k", "tagging", "DeleteObjectTagging"),
        ("PUT", "k", "symlink", "PutSymlink"),
        ("DELETE", "k", "uploadId=A", "AbortMultipartUpload"),
    ] {
        let answer = Ask::new(method, "demo", key).query(query).send(&store).await;
        assert_eq!((answer.status, answer.refusal().1.as_str()), (501, "NotImplemented"), "{method} {query}");
        assert!(answer.refusal().2.contains(name), "{}", answer.text());
    }
    let copy = Ask::new("PUT", "demo", "k").header("x-oss-copy-source", "/demo/k").send(&store).await;
    assert_eq!((copy.status, copy.refusal().1.as_str()), (501, "NotImplemented"));
    let get = Ask::new("GET", "demo", "k").send(&store).await;
    assert_eq!((get.status, get.text().as_str()), (200, "x"));
}

#[tokio::test]
async fn lifecycle_rules_are_kept_named_and_removed() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let ask = |method| Ask::new(method, "demo", "").query("lifecycle");
    assert_eq!(ask("GET").send(&store).await.refusal().1, "NoSuchLifecycle");
    let rules = "<LifecycleConfiguration><Rule><ID></ID><Prefix>a/</Prefix><Status>Enabled</Status>\
                 <Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    assert_eq!(ask("PUT").body(rules).send(&store).await.status, 200);
    let kept = ask("GET").send(&store).await;
    assert_eq!(kept.element("Days").as_deref(), Some("1"));
    assert_eq!(kept.element("ID").unwrap().len(), 24);
    let filtered = rules.replace("<Expiration>", "<Tag><Key>a</Key><Value>b</Value></Tag><Expiration>");
    assert_eq!(ask("PUT").body(filtered).send(&store).await.status, 501);
    assert_eq!(ask("DELETE").send(&store).await.status, 204);
    assert_eq!(ask("GET").send(&store).await.status, 404);
}
