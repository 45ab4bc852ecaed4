//! Pins fields in a policy beyond the tutorial's key and size, so that the uploader cannot choose their values.
//!
//! A policy constrains only the fields it names, so what is not pinned here is the uploader's: who may read the
//! object, whom the store calls and what it says. `docs/decisions/pins-and-modes.md` tells why these.

use countersign_protocol::policy::PolicyDocument;

use super::signer_choice::SignerChoice;
use crate::pins::{Pins, StoreKind};
use crate::signer_options::SignerOptions;

/// Lists that open an object to nobody.
const CLOSED_LISTS: [&str; 2] = ["default", "private"];

/// Adds the pins to a policy that has the tutorial's conditions already.
pub(super) fn pin(
    options: &SignerOptions,
    mut policy: PolicyDocument,
    choice: &SignerChoice,
    callback: Option<&str>,
) -> PolicyDocument {
    let (store, pins) = (options.store, options.pins);
    if pins == Pins::Tutorial {
        return policy;
    }
    let of_ours = store == StoreKind::Countersign;
    if of_ours || callback.is_some() {
        policy = policy.eq("callback", callback.unwrap_or_default());
    }
    if of_ours {
        policy = policy.eq("callback-var", "");
    }
    for (name, value) in &choice.values {
        policy = policy.eq(name, value);
    }
    if of_ours || pins == Pins::All {
        policy =
            policy.is_in("x-oss-object-acl", &CLOSED_LISTS).eq("x-oss-storage-class", &options.storage_class);
    }
    if choice.key.is_some() {
        policy = policy.eq("x-oss-forbid-overwrite", "true");
    }
    if choice.fields {
        policy = mention_listed(options, policy, choice);
    }
    policy
}

/// Mentions what the listed form sends besides, and what a client may add to it, so that it passes in a
/// bucket that refuses every field that is not mentioned.
fn mention_listed(options: &SignerOptions, policy: PolicyDocument, choice: &SignerChoice) -> PolicyDocument {
    let mut policy = policy.eq("success_action_status", "200");
    if options.store == StoreKind::Countersign {
        policy = policy.starts_with("x:name", "");
        if choice.key.is_none() {
            policy = policy.is_in("x-oss-forbid-overwrite", &["true", "false"]);
        }
    }
    policy
}

/// What the listed form sends besides the tutorial's fields.
pub(super) fn further_fields(options: &SignerOptions, choice: &SignerChoice) -> Vec<(String, String)> {
    let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut further = choice.values.clone();
    if choice.key.is_some() {
        further.push(owned("x-oss-forbid-overwrite", "true"));
    }
    if options.store == StoreKind::Oss && options.pins == Pins::All {
        further.push(owned("x-oss-object-acl", "default"));
        further.push(owned("x-oss-storage-class", &options.storage_class));
    }
    further
}
