//! The operations of the API: one list of all of them, those that are served and those that are refused by name.
//!
//! Each operation has a file (those on one sub-resource share it), spelled as the API reference spells it, which holds
//! its declaration and the function that does it; [`operation`] says what a declaration is. A new operation is that
//! file and its row in the list of its place. Common headers of answers are set by the caller.

pub(crate) mod bucket;
pub(crate) mod listing;
pub(crate) mod object;
pub(crate) mod operation;
pub(crate) mod option_object;
pub(crate) mod own_page;
pub(crate) mod service;

use crate::operations::operation::{Operation, Place};

/// The operations on a place, in the order in which their sub-resources are looked for in a query: one that is
/// narrowed by a further word stands before its word alone.
pub(crate) const fn on(place: Place) -> &'static [Operation] {
    match place {
        Place::Service => service::OPERATIONS,
        Place::Bucket => bucket::OPERATIONS,
        Place::Object => object::OPERATIONS,
        Place::Anywhere => &[option_object::OPERATION],
    }
}

/// The names of the operations that are served, each once.
pub(crate) fn implemented_names() -> impl Iterator<Item = &'static str> {
    let all = PLACES.into_iter().flat_map(on).filter(|operation| operation.is_implemented());
    let names: std::collections::BTreeSet<&str> = all.map(|operation| operation.name).collect();
    names.into_iter().chain([OWN_PAGE])
}

/// What a request for a page of the store's own is called among the operations.
pub(crate) const OWN_PAGE: &str = "OwnPage";

/// Every place.
pub(crate) const PLACES: [Place; 4] = [Place::Service, Place::Bucket, Place::Object, Place::Anywhere];

#[cfg(test)]
mod tests;
