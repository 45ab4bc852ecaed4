//! Writes `docs/api.md` from the declarations, and compares the committed page with them.

use std::path::Path;

use super::*;
use crate::operations::operation::Mark;

const OPENING: &str = "\
# The API

Which operations of the OSS API this store serves, how each is asked for and who may, and which it refuses by name. This
page is made from the declarations in `crates/server/src/operations`; a test compares it with them and writes it when
run with `COUNTERSIGN_REGENERATE=1`.

`GET /?acl` is a request on a bucket, whether the bucket is in the host or is the first part of the path;
`GET /KEY?acl` is one on an object. The sub-resource decides before the method: a method that is not in these lists
with its sub-resource is answered 405, and never as the same method without it. A signature may come in the header or in
the URL, and its parameters belong to every operation; so does `x-oss-request-payer`, but not to DeleteBucket.

A parameter that is a word of the API and not one of the operation's is refused by that word with 501. Of the others,
those with a value are ignored and those without one are refused with 400, unless the operation says otherwise. On
objects `versionId=null` is the object itself.
";

const NOT_IMPLEMENTED: &str = "
## Not implemented

These are known, and answered 501 NotImplemented with their name; nothing changes.

| operation | request |
|---|---|
";

/// How a request asks for the operation.
fn request(operation: &Operation) -> String {
    let path = match operation.place {
        Place::Service | Place::Bucket => "/",
        Place::Object => "/KEY",
        Place::Anywhere => "/…",
    };
    let part = operation.sub_resource.map(|part| part.to_string());
    let (mark, header) = match operation.only_with {
        Some(Mark::Parameter(name, value)) => (Some(format!("{name}={value}")), String::new()),
        Some(Mark::Header(name)) => (None, format!(" with `{name}`")),
        None => (None, String::new()),
    };
    let query: Vec<String> = part.into_iter().chain(mark).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let methods: Vec<String> =
        operation.methods.iter().map(|method| format!("`{method} {path}{query}`")).collect();
    format!("{}{header}", methods.join(", "))
}

/// A line of a table.
fn row(cells: &[&str]) -> String {
    let cells: String = cells
        .iter()
        .map(|cell| if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") })
        .collect();
    format!("|{cells}\n")
}

fn who(handler: &Handler) -> &'static str {
    match handler {
        Handler::Unsigned(_) => "anyone; a form brings its own proof",
        Handler::Account(_) => "the owner",
        Handler::Bucket(action, _) | Handler::Object(action, _) => match action {
            Action::Administer => "the owner",
            Action::ListBucket => "who may list the bucket",
            Action::ReadObject => "who may read the object",
            Action::WriteObject => "who may write the object",
        },
        Handler::NotImplemented => "",
    }
}

fn names(lists: &[&[&'static str]]) -> String {
    let names: Vec<String> =
        lists.iter().flat_map(|list| list.iter()).map(|name| format!("`{name}`")).collect();
    names.join(" ")
}

fn unknown(operation: &Operation) -> &'static str {
    match operation.unknown_parameters {
        UnknownParameters::IgnoredWithValue => "",
        UnknownParameters::Ignored => "others ignored",
        UnknownParameters::Refused => "no others",
        UnknownParameters::Unread => "not read",
    }
}

fn page() -> String {
    let mut page = OPENING.to_owned();
    let titles = ["On the account", "On a bucket", "On an object", "On anything"];
    for (place, title) in PLACES.into_iter().zip(titles) {
        page.push_str(&format!("\n## {title}\n\n"));
        page.push_str("| operation | request | who may | parameters | headers that are refused by name |\n|---|---|---|---|---|\n");
        for operation in on(place).iter().filter(|operation| operation.is_implemented()) {
            let parameters = [names(operation.parameters), unknown(operation).to_owned()];
            let parameters: Vec<String> = parameters.into_iter().filter(|text| !text.is_empty()).collect();
            page.push_str(&row(&[
                operation.name,
                &request(operation),
                who(&operation.handler),
                &parameters.join("; "),
                &names(operation.refused_headers),
            ]));
        }
    }
    page.push_str(NOT_IMPLEMENTED);
    for operation in all().filter(|operation| !operation.is_implemented()) {
        page.push_str(&row(&[operation.name, &request(operation)]));
    }
    page
}

#[test]
fn the_page_of_the_api_is_made_from_the_declarations() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
    if std::env::var_os("COUNTERSIGN_REGENERATE").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page(), "docs/api.md is stale; run this test with COUNTERSIGN_REGENERATE=1");
}
