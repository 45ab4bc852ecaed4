//! What is chosen for one signature: version, callback, key, values, and the grant of the user it is for.

use crate::{grant::Grant, signer_options::SignatureVersion};

/// What is chosen for one signature. Nothing chosen means the signer's setting. No choice weakens a pin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignerChoice {
    /// Another signature version.
    pub version: Option<SignatureVersion>,
    /// `Some(false)` leaves a configured callback out.
    pub callback: Option<bool>,
    /// Another upload address, for a device that reaches the store by another one. Comes from the server's own
    /// list, never from the request.
    pub host: Option<String>,
    /// List the form's fields in the answer, beside the members that uploaders of the tutorial read.
    pub fields: bool,
    /// Custom values for the callback, names with their `x:` in front. They are pinned and stand in the list of
    /// fields; an uploader that does not send them is refused by the store.
    pub values: Vec<(String, String)>,
    /// The whole key behind the folder, instead of any key in it: `avatar.jpg`. Then the policy demands that the form
    /// forbids overwriting.
    pub key: Option<String>,
    /// Whom the signature is for and what he may upload: his folder, size and types, and who he is, which comes back with
    /// the callback. The user (`x:user`) and the values are pinned and listed like [`Self::values`] where the
    /// callback's template names them.
    pub grant: Option<Grant>,
    /// Another bucket of the same store, which the policy then names; goes with its [`host`](Self::host). For tests.
    pub bucket: Option<String>,
    /// Another address for the callback, with the body that is configured. For tests.
    pub callback_url: Option<String>,
}
