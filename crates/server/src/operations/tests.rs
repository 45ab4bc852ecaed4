//! The lists of operations: that each entry can be reached, and that nothing is declared that has no effect.

mod api_page;
mod foreign_words;

use std::collections::BTreeSet;

use countersign_protocol::authorization::sub_resource;

use super::*;
use crate::access::Action;
use crate::operations::operation::{Handler, Mark, UnknownParameters};

fn all() -> impl Iterator<Item = &'static Operation> {
    PLACES.into_iter().flat_map(on)
}

#[test]
fn every_operation_is_listed_under_its_own_place_with_a_name_and_a_method() {
    for place in PLACES {
        for operation in on(place) {
            assert_eq!(operation.place, place, "{}", operation.name);
            assert!(!operation.name.is_empty() && !operation.methods.is_empty(), "{}", operation.name);
        }
    }
}

#[test]
fn no_operation_hides_another_one() {
    for place in PLACES {
        for (index, operation) in on(place).iter().enumerate() {
            let hidden_by = on(place)[..index].iter().find(|earlier| {
                let asked_alike = earlier.sub_resource == operation.sub_resource
                    && earlier.only_with.is_none_or(|mark| operation.only_with == Some(mark))
                    && operation.methods.iter().any(|method| earlier.has_method(method));
                let wider = earlier.sub_resource.zip(operation.sub_resource).is_some_and(|(wide, narrow)| {
                    wide.words().count() < narrow.words().count()
                        && wide.words().next() == narrow.words().next()
                });
                asked_alike || wider
            });
            let by = hidden_by.map(|earlier| earlier.name);
            assert_eq!(by, None, "{} is never reached", operation.name);
        }
    }
}

#[test]
fn every_sub_resource_is_a_query_parameter_of_the_api() {
    for operation in all() {
        let mut words = operation.sub_resource.into_iter().flat_map(|part| part.words());
        assert!(words.all(sub_resource::is_word), "{}", operation.name);
    }
}

#[test]
fn what_changes_or_shows_a_bucket_needs_its_owner() {
    let open: BTreeSet<&str> = all()
        .filter(|operation| match operation.handler {
            Handler::Unsigned(_) => true,
            Handler::Bucket(action, _) | Handler::Object(action, _) => action != Action::Administer,
            Handler::Account(_) | Handler::NotImplemented => false,
        })
        .map(|operation| operation.name)
        .collect();
    let expected = [
        "DeleteObject",
        "GetObject",
        "GetObjectMeta",
        "HeadBucket",
        "HeadObject",
        "ListObjects",
        "ListObjectsV2",
        "OptionObject",
        "PostObject",
        "PutObject",
    ];
    assert_eq!(open.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn conditions_are_refused_where_they_would_guard_a_write_and_taken_where_they_guard_a_read() {
    use crate::request::unserved_header::CONDITIONS;
    let refuses = |name| {
        let operation = all().find(|operation| operation.name == name).unwrap();
        operation.refused_headers.contains(&CONDITIONS)
    };
    assert!(refuses("PutObject") && refuses("DeleteObject"));
    assert!(!refuses("GetObject") && !refuses("HeadObject"));
}

#[test]
fn an_operation_that_is_not_implemented_declares_nothing_but_how_it_is_asked_for() {
    for operation in all().filter(|operation| !operation.is_implemented()) {
        assert!(
            operation.parameters.is_empty() && operation.refused_headers.is_empty(),
            "{}",
            operation.name
        );
        assert_eq!(operation.unknown_parameters, UnknownParameters::IgnoredWithValue, "{}", operation.name);
    }
}
