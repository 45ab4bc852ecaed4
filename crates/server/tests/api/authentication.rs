//! Authentication and rights of principals (AUTH-1 to AUTH-23, ADDR-1 to ADDR-4).

use jiff::SignedDuration;

use crate::client::{Ask, SIGNED, Signing, create_demo, put};
use crate::running_store::RunningStore;

#[tokio::test]
async fn every_way_of_signing_puts_and_gets_odd_keys_through_every_kind_of_host() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    for signing in SIGNED {
        for host in [
            None,
            Some("demo.oss.example.org"),
            Some("oss.example.org"),
            Some("demo.oss-cn-hangzhou.aliyuncs.com"),
            Some("demo.oss.aliyuncs.com"),
            Some("pictures.example.org"),
            Some("demo.localhost:9817"),
        ] {
            let key = "图/ä b+c%d#e?f&g//../.";
            let ask = |method| {
                let ask = Ask::new(method, "demo", key).signing(signing);
                if let Some(host) = host { ask.host(host) } else { ask }
            };
            let body = format!("{signing:?} {host:?}");
            let put = ask("PUT").body(body.clone()).header("x-oss-meta-a", "b").send(&store).await;
            assert_eq!(put.status, 200, "{signing:?} {host:?} {}", put.text());
            let get = ask("GET").send(&store).await;
            assert_eq!((get.status, get.text()), (200, body), "{signing:?} {host:?}");
            let changed = ask("GET").credentials(crate::running_store::KEY_ID, "wrong").send(&store).await;
            assert_eq!(changed.refusal().1, "SignatureDoesNotMatch", "{signing:?} {host:?}");
        }
    }
}

#[tokio::test]
async fn an_unknown_key_id_is_refused_before_the_object_or_the_signature_is_looked_at() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    for signing in SIGNED {
        let answer =
            Ask::new("GET", "demo", "k").credentials("nobody", "s").signing(signing).send(&store).await;
        assert_eq!((answer.status, answer.element("Code").unwrap().as_str()), (403, "InvalidAccessKeyId"));
        assert_eq!(answer.element("OSSAccessKeyId").as_deref(), Some("nobody"));
        assert_eq!(answer.header("x-oss-ec"), "0002-00000902");
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_the_right_time() {
    let store = RunningStore::start().await;
    for signing in [Signing::HeaderV1, Signing::HeaderV4] {
        let late = store.now() + SignedDuration::from_mins(16);
        let answer = Ask::new("GET", "", "").signing(signing).dated(late).send(&store).await;
        assert_eq!((answer.status, answer.element("Code").unwrap().as_str()), (403, "RequestTimeTooSkewed"));
        assert_eq!(answer.element("ServerTime").as_deref(), Some("2026-11-22T20:00:00.000Z"));
        assert_eq!(answer.element("MaxAllowedSkewMilliseconds").as_deref(), Some("900000"));
        assert_eq!(answer.header("date"), "Sun, 22 Nov 2026 20:00:00 GMT");
    }
    let expired = store.now() - SignedDuration::from_mins(11);
    for signing in [Signing::UrlV1, Signing::UrlV4] {
        let answer = Ask::new("GET", "demo", "k").signing(signing).dated(expired).send(&store).await;
        assert_eq!(answer.refusal(), (403, "AccessDenied".to_owned(), "Request has expired.".to_owned()));
    }
}

#[tokio::test]
async fn the_region_is_the_stores_or_that_of_the_host() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    let ask =
        |region, host: &str| Ask::new("GET", "demo", "").signing(Signing::HeaderV4).region(region).host(host);
    assert_eq!(ask("cn-hangzhou", "127.0.0.1").send(&store).await.status, 200);
    assert_eq!(ask("cn-shanghai", "demo.oss-cn-shanghai.aliyuncs.com").send(&store).await.status, 200);
    let refused = ask("cn-shanghai", "127.0.0.1").send(&store).await;
    assert_eq!(refused.header("x-oss-ec"), "0002-00000226");
    assert_eq!(
        refused.refusal(),
        (400, "InvalidArgument".to_owned(), "Invalid signing region in Authorization header.".to_owned())
    );
}

#[tokio::test]
async fn anonymous_requests_may_do_what_the_access_lists_grant() {
    let store = RunningStore::start().await;
    create_demo(&store).await;
    put(&store, "plain", "x").await;
    let own = Ask::new("PUT", "demo", "own").header("x-oss-object-acl", "public-read").body("y");
    assert_eq!(own.send(&store).await.status, 200);
    for (acl, read, write) in
        [("private", 403, 403), ("public-read", 200, 403), ("public-read-write", 200, 200)]
    {
        let set = Ask::new("PUT", "demo", "").query("acl").header("x-oss-acl", acl).send(&store).await;
        assert_eq!(set.status, 200);
        let status = |ask: Ask| {
            let store = &store;
            async move { ask.anonymous().send(store).await.status }
        };
        assert_eq!(status(Ask::new("GET", "demo", "plain")).await, read, "{acl}");
        assert_eq!(status(Ask::new("HEAD", "demo", "plain")).await, read, "{acl}");
        assert_eq!(status(Ask::new("GET", "demo", "own")).await, 200, "{acl}");
        assert_eq!(status(Ask::new("GET", "demo", "").query("list-type=2")).await, read, "{acl}");
        assert_eq!(status(Ask::new("PUT", "demo", "new").body("z")).await, write, "{acl}");
        assert_eq!(status(Ask::new("PUT", "demo", "own").body("z")).await, 403, "{acl}");
        assert_eq!(status(Ask::new("DELETE", "demo", "own")).await, 403, "{acl}");
        assert_eq!(status(Ask::new("GET", "demo", "").query("acl")).await, 403, "{acl}");
        assert_eq!(status(Ask::new("DELETE", "demo", "")).await, 403, "{acl}");
        assert_eq!(status(Ask::new("GET", "", "")).await, 403, "{acl}");
        let raised = Ask::new("PUT", "demo", "n").header("x-oss-object-acl", "public-read-write").body("z");
        assert_eq!(status(raised).await, 403, "{acl}");
        let missing = if read == 200 { 404 } else { 403 };
        assert_eq!(status(Ask::new("GET", "demo", "missing")).await, missing, "{acl}");
    }
}

#[tokio::test]
async fn a_token_that_this_store_never_gave_is_refused() {
    let store = RunningStore::start().await;
    for signing in [Signing::HeaderV1, Signing::HeaderV4] {
        let answer =
            Ask::new("GET", "", "").signing(signing).header("x-oss-security-token", "t").send(&store).await;
        assert_eq!((answer.status, answer.refusal().1.as_str()), (403, "InvalidAccessKeyId"));
    }
}

#[tokio::test]
async fn a_signature_says_what_it_should_have_signed() {
    let store = RunningStore::start().await;
    let answer =
        Ask::new("GET", "demo", "k").credentials(crate::running_store::KEY_ID, "wrong").send(&store).await;
    assert_eq!((answer.status, answer.refusal().1.as_str()), (403, "SignatureDoesNotMatch"));
    let signed = answer.element("StringToSign").unwrap();
    assert_eq!(signed, "GET\n\n\nSun, 22 Nov 2026 20:00:00 GMT\n/demo/k");
    assert!(answer.element("StringToSignBytes").unwrap().starts_with("47 45 54"));
}
