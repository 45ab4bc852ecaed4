//! Finds the operation that a request asks for, in the list of its place.
//!
//! Pure and closed: every operation of the API is in a list, those that are not implemented too, so that
//! `DELETE /?policy` cannot delete a bucket. Which operations there are is data, in [`crate::operations`]; whether the
//! principal may is decided in [`super::perform`].
//!
//! Clauses ADDR-9 to ADDR-16.

use http::{HeaderMap, Method};

use crate::operations;
use crate::operations::operation::{Operation, Place, SubResource};
use crate::request::location::Location;
use crate::request::query::Query;
use crate::routing::query_parameter;
use crate::routing::route_error::RouteError;

/// Finds the operation. The sub-resource that the query names decides before the method does: a method that the
/// sub-resource lacks is not allowed, and never the same method without it.
pub(crate) fn operation(
    method: &Method,
    location: &Location,
    query: &Query,
    headers: &HeaderMap,
) -> Result<&'static Operation, RouteError> {
    let method = method.as_str();
    let anywhere = operations::on(Place::Anywhere).iter().find(|operation| operation.has_method(method));
    if let Some(operation) = anywhere {
        return Ok(operation);
    }
    let listed = operations::on(place(location)?);
    // Forms and most reads have no query: they are found among the first rows.
    let named = if query.is_empty() { None } else { sub_resource(listed, query) };
    let found = listed.iter().find(|operation| {
        operation.sub_resource == named
            && operation.has_method(method)
            && operation.only_with.is_none_or(|mark| mark.is_on(query, headers))
    });
    let Some(operation) = found else {
        // A word that is no sub-resource here says more than the method.
        let word = query_parameter::foreign_word(query).filter(|_| named.is_none());
        return Err(
            word.map_or(RouteError::MethodNotAllowed, |word| RouteError::WordNotServed(word.to_owned()))
        );
    };
    // What is not implemented is refused by its name, whatever else is asked.
    if operation.is_implemented() {
        query_parameter::check(operation, query)?;
    }
    Ok(operation)
}

/// The first sub-resource of the list that the query names.
fn sub_resource(listed: &[Operation], query: &Query) -> Option<SubResource> {
    listed.iter().filter_map(|operation| operation.sub_resource).find(|part| part.is_in(query))
}

fn place(location: &Location) -> Result<Place, RouteError> {
    match location {
        Location::Own(_) => Err(RouteError::MethodNotAllowed),
        Location::Service => Ok(Place::Service),
        Location::Bucket(_) => Ok(Place::Bucket),
        Location::Object { .. } => Ok(Place::Object),
    }
}

#[cfg(test)]
mod tests;
