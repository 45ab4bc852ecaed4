//! The settings of a signer, given once when the program starts.

use std::{ops::RangeInclusive, time::Duration};

use countersign_protocol::access_key::AccessKeySecret;
use thiserror::Error;

use crate::pins::{Pins, StoreKind};
use crate::upload_path::UploadPath;

/// The tutorial's callback body, the file's own name as the client gave it, and the id of the upload's request, by
/// which the ledger knows an upload again.
pub const DEFAULT_CALLBACK_BODY: &str = "filename=${object}&size=${size}&mimeType=${mimeType}&height=${imageInfo.height}&width=${imageInfo.width}&name=${x:name}&reqId=${reqId}";
/// The tutorial's callback body type.
pub const DEFAULT_CALLBACK_BODY_TYPE: &str = "application/x-www-form-urlencoded";
/// The tutorial's largest file: 1,000 MiB.
pub const DEFAULT_SIZE_BYTES_MAX: u64 = 1_048_576_000;
/// How long a signature lasts. The samples say 30 s, in which nobody fills a form; a signature is good for as many
/// uploads as start in its time, so longer is not free either.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);

/// Which POST signature to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureVersion {
    /// HMAC-SHA1 over the policy, the tutorial's.
    #[default]
    V1,
    /// OSS4-HMAC-SHA256.
    V4,
}

/// The callback that the store is asked to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackOptions {
    /// Where to: up to five addresses separated by `;`.
    pub url: String,
    /// The `Host` header to send, if not the address's own.
    pub host: Option<String>,
    /// The template of the body.
    pub body: String,
    /// `application/x-www-form-urlencoded` or `application/json`.
    pub body_type: String,
}

impl CallbackOptions {
    /// [`DEFAULT_CALLBACK_BODY`] as a form, sent to this address.
    ///
    /// ```
    /// use countersign_app::CallbackOptions;
    ///
    /// let callback = CallbackOptions::to("https://app.example/oss/callback");
    /// assert!(callback.body.contains("filename=${object}&size=${size}"));
    /// assert_eq!((callback.host, callback.body_type.as_str()), (None, "application/x-www-form-urlencoded"));
    /// ```
    #[must_use]
    pub fn to(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            host: None,
            body: DEFAULT_CALLBACK_BODY.to_owned(),
            body_type: DEFAULT_CALLBACK_BODY_TYPE.to_owned(),
        }
    }
}

/// Everything that decides what may be uploaded.
#[derive(Debug)]
pub struct SignerOptions {
    /// The AccessKeyId that uploads are signed with.
    pub access_key_id: String,
    /// Its secret.
    pub secret: AccessKeySecret,
    /// The token of temporary credentials (STS). It goes into the answer, and into the policy where V4 wants it.
    pub security_token: Option<String>,
    /// The upload address that uploaders are told, for instance `https://demo.oss-cn-hangzhou.aliyuncs.com`.
    pub host: String,
    /// The bucket behind it; V4 policies name it.
    pub bucket: String,
    /// The region as V4 names it, without `oss-`.
    pub region: String,
    /// The signature when the caller does not choose.
    pub version: SignatureVersion,
    /// The folder that every upload stays in. [`UploadPath::whole_bucket`] allows all.
    pub root: UploadPath,
    /// The folder when `/signature` is asked without `path`; without it, the root.
    pub directory: Option<UploadPath>,
    /// The sizes that are allowed, in bytes.
    pub size_bytes: RangeInclusive<u64>,
    /// The content types that are allowed: any number of whole ones, or one family such as `image/*`. Empty: all.
    pub content_types: Vec<String>,
    /// How long a signature lasts; whole seconds.
    pub lifetime: Duration,
    /// The callback; without one the store answers the uploader by itself.
    pub callback: Option<CallbackOptions>,
    /// The store behind the host, on which it depends what can be pinned.
    pub store: StoreKind,
    /// What the uploader may not choose.
    pub pins: Pins,
    /// The bucket's storage class, to which uploads are pinned.
    pub storage_class: String,
}

impl SignerOptions {
    /// The tutorial's set-up for this key, bucket and upload address: V1, up to 1,000 MiB of any type, anywhere
    /// in the bucket, `user-dir/` when no path is asked for, no callback; pinned as far as the store that the host
    /// suggests allows ([`StoreKind::of_host`]).
    ///
    /// ```
    /// use countersign_app::{AccessKeySecret, SignerOptions, StoreKind};
    ///
    /// let host = "https://photos.oss-cn-hangzhou.aliyuncs.com";
    /// let options = SignerOptions::new("key id", AccessKeySecret::from("secret"), "photos", host);
    /// assert_eq!((options.store, options.size_bytes), (StoreKind::Oss, 0..=1_048_576_000));
    /// assert_eq!(options.directory.unwrap().as_str(), "user-dir/");
    /// ```
    #[must_use]
    pub fn new(
        access_key_id: impl Into<String>,
        secret: AccessKeySecret,
        bucket: impl Into<String>,
        host: impl Into<String>,
    ) -> Self {
        let host = host.into();
        let store = StoreKind::of_host(&host);
        Self {
            access_key_id: access_key_id.into(),
            secret,
            security_token: None,
            host,
            bucket: bucket.into(),
            region: "cn-hangzhou".to_owned(),
            version: SignatureVersion::V1,
            root: UploadPath::whole_bucket(),
            directory: UploadPath::normalise("user-dir/").ok(),
            size_bytes: 0..=DEFAULT_SIZE_BYTES_MAX,
            content_types: Vec::new(),
            lifetime: DEFAULT_LIFETIME,
            callback: None,
            store,
            pins: Pins::Usual,
            storage_class: "Standard".to_owned(),
        }
    }
}

/// A type that stands for all below it, such as `image/*`.
pub(crate) fn is_family(content_type: &str) -> bool {
    content_type.ends_with("/*")
}

/// Options that no signer can be made of.
#[derive(Debug, Error)]
pub enum SignerOptionsError {
    /// The store would refuse this callback.
    #[error("the callback would be refused by the store: {reason}")]
    Callback {
        /// The store's reason.
        reason: String,
    },
    /// The range of sizes is empty.
    #[error("no size is allowed: the smallest, {min} bytes, is above the largest, {max}")]
    SizeRangeEmpty {
        /// The smallest size.
        min: u64,
        /// The largest size.
        max: u64,
    },
    /// More than one family of types, or a family beside whole types: a policy joins its conditions by "and".
    #[error("a policy allows whole content types, or one family such as image/*, not both")]
    ContentTypes,
    /// A callback's body that is neither a form nor a JSON object, so that a grant finds no place in it, or that does not
    /// tell the key under a name by which it is known.
    #[error(
        "the callback's body must be a form or a JSON object with the key in it, as in object=${{object}}, so that \
         whose upload it is can be told with it"
    )]
    GrantUnplaced,
    /// Less than a second or more than the seven days that V4 knows.
    #[error("a signature lasts from 1 second to 7 days")]
    Lifetime,
    /// The configured folder is not within the root.
    #[error("the folder {directory} is outside of the root {root}")]
    DirectoryOutsideRoot {
        /// The folder.
        directory: String,
        /// The root.
        root: String,
    },
}
