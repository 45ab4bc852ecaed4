//! CORS rules applied to requests.

use super::*;

fn rule(origins: &[&str], methods: &[&str], headers: &[&str]) -> CorsRule {
    let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
    CorsRule {
        allowed_origins: owned(origins),
        allowed_methods: owned(methods),
        allowed_headers: owned(headers),
        expose_headers: owned(&["ETag", "x-oss-request-id"]),
        max_age_seconds: Some(600),
    }
}

fn configuration(rules: Vec<CorsRule>) -> CorsConfiguration {
    CorsConfiguration { rules, response_vary: false }
}

fn preflight(pairs: &[(&str, &str)]) -> Result<CrossOrigin, PreflightError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    CrossOrigin::of_preflight(&headers)
}

#[test]
fn a_preflight_needs_an_origin_and_a_method() {
    let message =
        |pairs: &[(&str, &str)]| WireError::from(preflight(pairs).unwrap_err()).message().to_owned();
    assert_eq!(message(&[]), "Insufficient information. Origin request header needed.");
    assert_eq!(
        message(&[("origin", "http://a")]),
        "Insufficient information. Request Access-Control-Request-Method header needed."
    );
}

#[test]
fn the_first_rule_that_matches_origin_method_and_headers_answers() {
    let rules = configuration(vec![
        rule(&["http://a.example"], &["GET"], &["*"]),
        rule(&["http://*.example"], &["POST"], &["x-oss-*"]),
        rule(&["*"], &["POST"], &["*"]),
    ]);
    let ask = |origin, method, headers| {
        let asked = preflight(&[
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", headers),
        ])
        .unwrap();
        let found = asked.rule(&rules)?;
        rules.rules.iter().position(|rule| std::ptr::eq(rule, found))
    };
    assert_eq!(ask("http://a.example", "GET", "Any"), Some(0));
    assert_eq!(ask("http://a.example", "POST", "X-OSS-Meta-A"), Some(1));
    assert_eq!(ask("http://a.example", "POST", "x-oss-a, cache-control"), Some(2));
    assert_eq!(ask("http://b.example", "POST", ""), Some(1));
    assert_eq!(ask("https://b.test", "POST", ""), Some(2));
    assert_eq!(ask("https://b.test", "DELETE", ""), None);
    assert_eq!(ask("http://.example", "POST", ""), Some(1));
    assert_eq!(ask("http://.exampl", "GET", ""), None);
}

#[test]
fn the_answer_names_the_origin_or_every_origin() {
    let asked = preflight(&[
        ("origin", "http://a.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "cache-control,x-requested-with"),
    ])
    .unwrap();
    let answer = |origins: &[&str]| {
        let mut answer = HeaderMap::new();
        asked.grant(&rule(origins, &["POST", "GET"], &["*"]), &mut answer);
        answer
    };
    let named = answer(&["http://*.example"]);
    assert_eq!(named[ACCESS_CONTROL_ALLOW_ORIGIN], "http://a.example");
    assert_eq!(named[ACCESS_CONTROL_ALLOW_METHODS], "POST, GET");
    assert_eq!(named[ACCESS_CONTROL_ALLOW_HEADERS], "cache-control, x-requested-with");
    assert_eq!(named[ACCESS_CONTROL_EXPOSE_HEADERS], "ETag, x-oss-request-id");
    assert_eq!(named[ACCESS_CONTROL_MAX_AGE], "600");
    assert!(!named.contains_key("access-control-allow-credentials"));
    assert_eq!(answer(&["http://x", "*"])[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
}

#[test]
fn a_wildcard_pattern_does_not_use_the_same_letters_twice() {
    assert!(!matches("http://a*a", "http://a"));
    assert!(matches("http://a*a", "http://aa"));
}

#[test]
fn a_refused_preflight_says_so_in_the_words_of_oss() {
    let error = WireError::from(PreflightError::NotAllowed { object: true });
    assert_eq!((error.status(), error.code().as_str()), (403, "AccessForbidden"));
    assert_eq!((error.element("Method"), error.element("ResourceType")), (Some("OPTIONS"), Some("OBJECT")));
}

#[test]
fn vary_is_sent_only_where_the_bucket_asks_for_it() {
    let mut answer = HeaderMap::new();
    vary(&configuration(Vec::new()), &mut answer);
    assert!(answer.is_empty());
    vary(&CorsConfiguration { rules: Vec::new(), response_vary: true }, &mut answer);
    assert_eq!(answer[VARY], "Origin");
}
