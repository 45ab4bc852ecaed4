//! What is asked of an object besides its bytes: its metadata, its list, its versions.

use crate::client::{Ask, create_demo, put};
use crate::running_store::RunningStore;

/// The methods and words of queries on an object with which something changes. What is neither here nor in
/// [`ANSWERS`] is refused: `query_words.rs` tries every word of the API.
pub(crate) const CHANGES: &[(&str, &str)] = &[
    // An empty callback is none.
    ("PUT", "callback"),
    ("PUT", "callback-var"),
    ("PUT", "x-oss-request-payer"),
    ("PUT", "x-oss-traffic-limit"),
    ("DELETE", "x-oss-request-payer"),
];
/// Those that are answered with success while nothing changes.
pub(crate) const ANSWERS: &[(&str, &str)] = &[
    ("GET", "acl"),
    ("GET", "objectMeta"),
    ("GET", "response-cache-control"),
    ("GET", "response-content-disposition"),
    ("GET", "response-content-encoding"),
    ("GET", "response-content-language"),
    ("GET", "response-content-type"),
    ("GET", "response-expires"),
    ("GET", "x-oss-request-payer"),
    ("GET", "x-oss-traffic-limit"),
    ("HEAD", "objectMeta"),
    ("HEAD", "x-oss-request-payer"),
    // A version that is not there is deleted already.
    ("DELETE", "versionId"),
];

#[tokio::test]
async fn metadata_alone_and_versions_that_are_not_there() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "digits.txt", "0123456789").await;
    let meta = Ask::new("HEAD", "demo", "digits.txt").query("objectMeta").send(&store).await;
    assert_eq!((meta.status, meta.header("content-length")), (200, "10"));
    assert!(!meta.headers.contains_key("content-type"));
    let acl = Ask::new("GET", "demo", "digits.txt").query("acl").send(&store).await;
    assert_eq!(acl.element("Grant").as_deref(), Some("default"));
    let only = Ask::new("GET", "demo", "digits.txt").query("versionId=null").send(&store).await;
    assert_eq!(only.status, 200);
    let other = Ask::new("GET", "demo", "digits.txt").query("versionId=CAEQ").send(&store).await;
    assert_eq!((other.status, other.refusal().1.as_str()), (404, "NoSuchVersion"));
    let untouched = Ask::new("DELETE", "demo", "digits.txt").query("versionId=CAEQ").send(&store).await;
    assert_eq!(untouched.status, 204);
    assert_eq!(Ask::new("GET", "demo", "digits.txt").send(&store).await.status, 200);
}
