//! What clients demand of a bucket's lifecycle and cross-origin rules.

use crate::client::{Answer, Ask, create_demo};
use crate::running_store::RunningStore;

async fn store_with_demo() -> RunningStore {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    store
}

fn put_rules(rules: &[&str]) -> Ask {
    let named = |rule: &&str| format!("<Rule><Status>Enabled</Status>{rule}</Rule>");
    let rules: String = rules.iter().map(named).collect();
    let document = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    Ask::new("PUT", "demo", "").query("lifecycle").body(document)
}

#[tokio::test]
async fn one_rule_may_expire_by_a_date_and_abort_by_days() {
    let store = store_with_demo().await;
    let rule = "<Prefix>a</Prefix><Expiration><CreatedBeforeDate>2030-01-01T00:00:00.000Z</CreatedBeforeDate>\
                </Expiration><AbortMultipartUpload><Days>1</Days></AbortMultipartUpload>";
    assert_eq!(put_rules(&[rule]).send(&store).await.status, 200);
    let shown = Ask::new("GET", "demo", "").query("lifecycle").send(&store).await;
    assert_eq!(
        (shown.elements("CreatedBeforeDate").len(), shown.elements("Days")),
        (1, vec!["1".to_owned()])
    );
    let mixed = "<Prefix>a</Prefix><Expiration><Days>1</Days>\
                 <CreatedBeforeDate>2030-01-01T00:00:00.000Z</CreatedBeforeDate></Expiration>";
    assert_eq!(put_rules(&[mixed]).send(&store).await.refusal().1, "InvalidRequest");
}

#[tokio::test]
async fn overlapping_prefixes_are_refused_unless_allowed() {
    const EXPIRE: &str = "<Expiration><Days>1</Days></Expiration>";
    const ABORT: &str = "<AbortMultipartUpload><Days>1</Days></AbortMultipartUpload>";
    let store = store_with_demo().await;
    let rule = |prefix: &str, action| format!("<Prefix>{prefix}</Prefix>{action}");
    let rules = [rule("p/q", EXPIRE), rule("o", EXPIRE), rule("p", EXPIRE)];
    let ask = put_rules(&rules.each_ref().map(String::as_str));
    let refused = ask.send(&store).await;
    assert_eq!((refused.status, refused.refusal().1.as_str()), (400, "InvalidRequest"));
    assert_eq!(Ask::new("GET", "demo", "").query("lifecycle").send(&store).await.status, 404);
    let header = "x-oss-allow-same-action-overlap";
    for (word, status) in [("false", 400), ("yes", 400), ("true", 200)] {
        assert_eq!(ask.clone().header(header, word).send(&store).await.status, status, "{word}");
    }
    let shown = Ask::new("GET", "demo", "").query("lifecycle").send(&store).await;
    assert_eq!(shown.elements("Prefix"), ["p/q", "o", "p"]);
    let apart = [rule("p/q", EXPIRE), rule("p", ABORT), rule("pa", EXPIRE)];
    assert_eq!(put_rules(&apart.each_ref().map(String::as_str)).send(&store).await.status, 200);
}

#[tokio::test]
async fn days_that_stray_into_a_rule_are_passed_over_only_if_its_expiration_says_when() {
    let store = store_with_demo().await;
    let stray = "<Prefix>a</Prefix><Days>3</Days><Expiration><Days>2</Days></Expiration>";
    assert_eq!(put_rules(&[stray]).send(&store).await.status, 200);
    let shown = Ask::new("GET", "demo", "").query("lifecycle").send(&store).await;
    assert_eq!(shown.elements("Days"), ["2"]);
    let abort = "<Prefix>a</Prefix><Days>3</Days>\
                 <AbortMultipartUpload><Days>2</Days></AbortMultipartUpload>";
    for rule in [abort, "<Prefix>a</Prefix><Days>3</Days>"] {
        assert_eq!(put_rules(&[rule]).send(&store).await.refusal().1, "MalformedXML", "{rule}");
    }
}

#[tokio::test]
async fn headers_of_cross_origin_rules_are_shown_in_lower_case_and_negative_ages_are_bad_arguments() {
    let store = store_with_demo().await;
    let set = async |age: &str| -> Answer {
        let document = format!(
            "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
             <AllowedHeader>X-Oss-*</AllowedHeader><AllowedHeader>Authorization</AllowedHeader>\
             <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>{age}</MaxAgeSeconds></CORSRule></CORSConfiguration>"
        );
        Ask::new("PUT", "demo", "").query("cors").body(document).send(&store).await
    };
    assert_eq!(set("100").await.status, 200);
    let shown = Ask::new("GET", "demo", "").query("cors").send(&store).await;
    assert_eq!(shown.elements("AllowedHeader"), ["x-oss-*", "authorization"]);
    assert_eq!(shown.elements("ExposeHeader"), ["ETag"], "this one is for the page to read as it is");
    let refused = set("-1").await;
    assert_eq!(
        (refused.refusal().1.as_str(), refused.element("ArgumentName"), refused.element("ArgumentValue")),
        ("InvalidArgument", Some("MaxAgeSeconds".to_owned()), Some("-1".to_owned()))
    );
    assert_eq!(set("soon").await.refusal().1, "MalformedXML");
}
