//! CORS on the wire (CORS-1 to CORS-19).

use crate::client::{Ask, create_demo, put};
use crate::running_store::RunningStore;

const RULES: &str = "<CORSConfiguration><CORSRule><AllowedOrigin>http://page.example</AllowedOrigin>\
    <AllowedMethod>POST</AllowedMethod><AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader>\
    <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>600</MaxAgeSeconds></CORSRule></CORSConfiguration>";

async fn store_with_rules() -> RunningStore {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let put = Ask::new("PUT", "demo", "").query("cors").body(RULES).send(&store).await;
    assert_eq!(put.status, 200, "{}", put.text());
    store
}

fn preflight(origin: &str, method: &str) -> Ask {
    Ask::new("OPTIONS", "demo", "k")
        .anonymous()
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "cache-control,x-requested-with")
}

#[tokio::test]
async fn rules_are_kept_shown_and_removed() {
    let store = store_with_rules().await;
    let ask = |method| Ask::new(method, "demo", "").query("cors");
    let shown = ask("GET").send(&store).await;
    assert_eq!(shown.elements("AllowedMethod"), ["POST", "GET"]);
    assert_eq!(ask("PUT").body("<CORSConfiguration/>").send(&store).await.refusal().1, "MalformedXML");
    assert_eq!(ask("DELETE").send(&store).await.status, 204);
    let none = ask("GET").send(&store).await;
    assert_eq!((none.status, none.refusal().1.as_str()), (404, "NoSuchCORSConfiguration"));
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_rule_without_a_signature() {
    let store = store_with_rules().await;
    let granted = preflight("http://page.example", "POST").send(&store).await;
    assert_eq!((granted.status, granted.body.len()), (200, 0));
    assert_eq!(granted.header("access-control-allow-origin"), "http://page.example");
    assert_eq!(granted.header("access-control-allow-methods"), "POST, GET");
    assert_eq!(granted.header("access-control-allow-headers"), "cache-control, x-requested-with");
    assert_eq!(granted.header("access-control-expose-headers"), "ETag");
    assert_eq!(granted.header("access-control-max-age"), "600");
    for refused in [preflight("http://page.example", "PUT"), preflight("http://other.example", "POST")] {
        let answer = refused.send(&store).await;
        assert_eq!((answer.status, answer.refusal().1.as_str()), (403, "AccessForbidden"));
        assert_eq!(answer.element("ResourceType").as_deref(), Some("OBJECT"));
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    let incomplete = Ask::new("OPTIONS", "demo", "k").anonymous().header("origin", "http://page.example");
    assert_eq!((incomplete.send(&store).await.refusal().1).as_str(), "BadRequest");
}

#[tokio::test]
async fn a_rule_for_every_origin_is_answered_with_a_star_and_no_answer_permits_credentials() {
    let store = store_with_rules().await;
    put(&store, "k", "x").await;
    for (origin, shown) in [("http://page.example", "http://page.example"), ("*", "*")] {
        let rules = RULES.replace("http://page.example", origin);
        assert_eq!(Ask::new("PUT", "demo", "").query("cors").body(rules).send(&store).await.status, 200);
        let get = Ask::new("GET", "demo", "k").header("origin", "http://page.example");
        for ask in [preflight("http://page.example", "POST"), get] {
            let answer = ask.send(&store).await;
            assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, shown));
            assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        }
    }
}

#[tokio::test]
async fn without_rules_every_preflight_is_refused() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    assert_eq!(preflight("http://page.example", "POST").send(&store).await.status, 403);
}

#[tokio::test]
async fn answers_and_refusals_carry_the_headers_and_other_origins_are_served_without() {
    let store = store_with_rules().await;
    put(&store, "k", "x").await;
    let get = |key: &str, origin: &str| Ask::new("GET", "demo", key).header("origin", origin);
    for (key, status) in [("k", 200), ("missing", 404)] {
        let answer = get(key, "http://page.example").send(&store).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), "http://page.example");
        assert_eq!(answer.header("access-control-expose-headers"), "ETag");
    }
    let denied = get("k", "http://page.example").anonymous().send(&store).await;
    assert_eq!((denied.status, denied.header("access-control-allow-origin")), (403, "http://page.example"));
    let other = get("k", "http://other.example").send(&store).await;
    assert_eq!((other.status, other.header("access-control-allow-origin")), (200, ""));
    let form =
        Ask::new("POST", "demo", "").anonymous().header("origin", "http://page.example").body("no form");
    let refused = form.send(&store).await;
    assert!(refused.status >= 400);
    assert_eq!(refused.header("access-control-allow-origin"), "http://page.example");
}

#[tokio::test]
async fn vary_is_sent_when_the_rules_say_so() {
    let store = store_with_rules().await;
    assert!(!Ask::new("GET", "demo", "k").send(&store).await.headers.contains_key("vary"));
    let rules =
        RULES.replace("</CORSConfiguration>", "<ResponseVary>true</ResponseVary></CORSConfiguration>");
    assert_eq!(Ask::new("PUT", "demo", "").query("cors").body(rules).send(&store).await.status, 200);
    assert_eq!(Ask::new("GET", "demo", "k").send(&store).await.header("vary"), "Origin");
}

#[tokio::test]
async fn changed_rules_take_effect_with_the_next_answer() {
    let store = store_with_rules().await;
    let granted = async |origin: &str| {
        let answer = Ask::new("GET", "demo", "k").header("origin", origin).send(&store).await;
        let preflight = preflight(origin, "POST").send(&store).await;
        (answer.header("access-control-allow-origin") == origin, preflight.status == 200)
    };
    assert_eq!(granted("http://page.example").await, (true, true));
    let others = RULES.replace("page.example", "other.example");
    assert_eq!(Ask::new("PUT", "demo", "").query("cors").body(others).send(&store).await.status, 200);
    assert_eq!(granted("http://page.example").await, (false, false));
    assert_eq!(granted("http://other.example").await, (true, true));
    assert_eq!(Ask::new("DELETE", "demo", "").send(&store).await.status, 204);
    create_demo(&store).await;
    assert_eq!(granted("http://other.example").await, (false, false), "the bucket was made anew");
}
