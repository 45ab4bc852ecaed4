//! Pins fields in a policy beyond the tutorial's key and size, so that the uploader cannot choose their values.
//!
//! A policy constrains only the fields it names, so what is not pinned here is the uploader's: who may read the
//! object, whom the store calls and what it says. `docs/decisions/pins-and-modes.md` tells why these.

use countersign_protocol::policy::PolicyDocument;

use super::{Signer, SignerChoice};

/// The store that signed forms go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// This project's: it holds a condition on an absent field against what the absence stores.
    Countersign,
    /// Alibaba's, or another that refuses whatever names a field that the form lacks.
    Oss,
}

impl StoreKind {
    /// The kind that an upload address suggests: Alibaba's names are OSS, all others this project's.
    ///
    /// ```
    /// use countersign_app::StoreKind;
    ///
    /// assert_eq!(StoreKind::of_host("https://photos.oss-cn-hangzhou.aliyuncs.com"), StoreKind::Oss);
    /// assert_eq!(StoreKind::of_host("http://192.168.1.20:9817/photos"), StoreKind::Countersign);
    /// assert_eq!(StoreKind::of_host("https://aliyuncs.com.evil.example"), StoreKind::Countersign);
    /// ```
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        let behind_scheme = host.split_once("//").map_or(host, |(_, rest)| rest);
        let name = behind_scheme.split(['/', ':']).next().unwrap_or_default().trim_end_matches('.');
        if name.to_ascii_lowercase().ends_with(".aliyuncs.com") { Self::Oss } else { Self::Countersign }
    }
}

/// How much of a form is the signer's word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pins {
    /// Key and size alone, exactly as the tutorial's policy has it.
    Tutorial,
    /// All that the tutorial's unmodified form passes: on a store of ours everything, before OSS the callback.
    #[default]
    Usual,
    /// Everything. Before OSS uploaders must then send the fields that the signer lists.
    All,
}

/// Lists that open an object to nobody.
const CLOSED_LISTS: [&str; 2] = ["default", "private"];

impl Signer {
    /// Adds the pins to a policy that has the tutorial's conditions already.
    pub(super) fn pin(
        &self,
        mut policy: PolicyDocument,
        choice: &SignerChoice,
        callback: Option<&str>,
    ) -> PolicyDocument {
        let (store, pins) = (self.options.store, self.options.pins);
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
            policy = policy
                .is_in("x-oss-object-acl", &CLOSED_LISTS)
                .eq("x-oss-storage-class", &self.options.storage_class);
        }
        if choice.key.is_some() {
            policy = policy.eq("x-oss-forbid-overwrite", "true");
        }
        if choice.fields {
            policy = self.mention_listed(policy, choice);
        }
        policy
    }

    /// Mentions what the listed form sends besides, and what a client may add to it, so that it passes in a
    /// bucket that refuses every field that is not mentioned.
    fn mention_listed(&self, policy: PolicyDocument, choice: &SignerChoice) -> PolicyDocument {
        let mut policy = policy.eq("success_action_status", "200");
        if self.options.store == StoreKind::Countersign {
            policy = policy.starts_with("x:name", "");
            if choice.key.is_none() {
                policy = policy.is_in("x-oss-forbid-overwrite", &["true", "false"]);
            }
        }
        policy
    }

    /// What the listed form sends besides the tutorial's fields.
    pub(super) fn further_fields(&self, choice: &SignerChoice) -> Vec<(String, String)> {
        let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut further = choice.values.clone();
        if choice.key.is_some() {
            further.push(owned("x-oss-forbid-overwrite", "true"));
        }
        if self.options.store == StoreKind::Oss && self.options.pins == Pins::All {
            further.push(owned("x-oss-object-acl", "default"));
            further.push(owned("x-oss-storage-class", &self.options.storage_class));
        }
        further
    }
}
