//! No query reaches another operation than the one it names: every operation that is implemented, asked for together
//! with every word of every other one, in every spelling of a query. Made from the lists, so that a new row is tried too.

use countersign_protocol::AccessKeySecret;
use countersign_protocol::authorization::{RequestView, v1};
use http::{HeaderMap, Method};

use super::*;
use crate::request::location::Location;
use crate::request::query::Query;
use crate::routing::route;
use crate::routing::route_error::RouteError;

/// What a query says of the operation itself: its sub-resource and what else tells it from others.
fn own_query(operation: &Operation) -> String {
    let part = operation.sub_resource.map(|part| part.to_string());
    let mark = match operation.only_with {
        Some(Mark::Parameter(name, value)) => Some(format!("{name}={value}")),
        Some(Mark::Header(_)) | None => None,
    };
    [part, mark].into_iter().flatten().collect::<Vec<_>>().join("&")
}

fn location(place: Place) -> Location {
    match place {
        Place::Service => Location::Service,
        Place::Bucket | Place::Anywhere => Location::Bucket("demo".to_owned()),
        Place::Object => Location::Object { bucket: "demo".to_owned(), key: b"key".to_vec() },
    }
}

fn asked(operation: &Operation, method: &str, query: &str) -> Result<&'static Operation, RouteError> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    route::operation(&method, &location(operation.place), &Query::parse(query), &HeaderMap::new())
}

/// Every word of the API, and what any operation on any place is asked for with.
fn all_words() -> BTreeSet<String> {
    let named = all().flat_map(|operation| operation.sub_resource).map(|part| part.to_string());
    let known = sub_resource::words().map(str::to_owned);
    named.chain(known).chain(["x-oss-of-tomorrow".to_owned()]).collect()
}

/// The word alone, empty, with a value, twice, and with its first letter escaped.
fn spellings(word: &str) -> Vec<String> {
    let (name, rest) = word.split_at(word.find(['=', '&']).unwrap_or(word.len()));
    let escaped = format!("%{:02x}{}{rest}", name.as_bytes()[0], &name[1..]);
    let mut spelled = vec![word.to_owned(), escaped.clone()];
    if rest.is_empty() {
        spelled.extend([
            format!("{word}="),
            format!("{word}=1"),
            format!("{word}&{word}=1"),
            format!("{escaped}=1"),
        ]);
    }
    spelled
}

/// The query before and behind the word, and a word between two of the same.
fn placed(own: &str, word: &str) -> Vec<String> {
    match own {
        "" => vec![word.to_owned(), format!("&&{word}&")],
        _ => vec![format!("{own}&{word}"), format!("{word}&{own}"), format!("{own}&{word}&{own}")],
    }
}

#[test]
fn no_foreign_word_in_any_spelling_reaches_an_operation_that_does_not_accept_it() {
    let words = all_words();
    let mut tried = 0_u32;
    for operation in
        all().filter(|operation| operation.is_implemented() && operation.place != Place::Anywhere)
    {
        let (own, method) = (own_query(operation), operation.methods[0]);
        assert_eq!(asked(operation, method, &own).unwrap().name, operation.name, "{method} ?{own}");
        for word in &words {
            let name = word.split(['=', '&']).next().unwrap();
            // Who pays is the owner, whatever is said; and of the query of a form nothing else is known.
            if operation.accepts(name) || name == "x-oss-request-payer" {
                continue;
            }
            for query in spellings(word).iter().flat_map(|word| placed(&own, word)) {
                tried += 1;
                match asked(operation, method, &query) {
                    Err(_) => {}
                    Ok(other) => assert!(
                        other.sub_resource.is_some_and(|part| part.is_in(&Query::parse(&query)))
                            && other.name != operation.name
                            && other.sub_resource.is_some_and(|part| part.words().next() == Some(name)),
                        "{method} ?{query} reached {}",
                        other.name
                    ),
                }
            }
        }
    }
    assert!(tried > 20_000, "{tried}");
}

#[test]
fn a_method_that_is_not_an_operations_own_never_reaches_it() {
    for operation in
        all().filter(|operation| operation.is_implemented() && operation.place != Place::Anywhere)
    {
        for method in
            ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "TRACE", "CONNECT", "MOVE", "get", "Delete"]
        {
            if operation.has_method(method) {
                continue;
            }
            if let Ok(other) = asked(operation, method, &own_query(operation)) {
                assert!(other.has_method(method) && other.name != operation.name, "{method} {}", other.name);
                assert_eq!(other.sub_resource, operation.sub_resource, "{method} reached {}", other.name);
            }
        }
    }
}

/// The parameters that tell one operation from another without being more than a narrower list.
const UNSIGNED_MARKS: [&str; 1] = ["list-type"];

fn view<'a>(operation: &Operation, raw_query: Option<&'a str>) -> RequestView<'a> {
    RequestView {
        method: operation.methods[0],
        bucket: Some("demo"),
        key: (operation.place == Place::Object).then_some("key"),
        raw_query,
        headers: vec![("date", b"Sat, 28 Nov 2026 20:00:00 GMT")],
    }
}

#[test]
fn a_v1_signature_without_the_word_of_an_operation_is_no_signature_for_it() {
    let secret = AccessKeySecret::from("secret");
    let now = "2026-11-28T20:00:00Z".parse().unwrap();
    for operation in all().filter(|operation| operation.is_implemented()) {
        if let Some(Mark::Parameter(name, _)) = operation.only_with {
            assert!(UNSIGNED_MARKS.contains(&name), "{name}");
        }
        let words = operation.sub_resource.into_iter().flat_map(|part| part.words());
        let accepted = operation.parameters.iter().flat_map(|list| list.iter().copied());
        for word in words.chain(accepted.filter(|word| sub_resource::is_word(word))) {
            let signed = v1::signature(
                &secret,
                &v1::string_to_sign(&view(operation, None), "Sat, 28 Nov 2026 20:00:00 GMT"),
            );
            let claim = v1::HeaderAuthorization { access_key_id: "id".to_owned(), signature: signed };
            assert!(v1::verify_header(&claim, &view(operation, None), &secret, now).is_ok());
            for query in spellings(word) {
                assert!(
                    v1::verify_header(&claim, &view(operation, Some(&query)), &secret, now).is_err(),
                    "{query}"
                );
            }
        }
    }
}
