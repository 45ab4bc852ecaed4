//! The flags of `bucket`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_app::AccessKeySecret;
use countersign_server::bucket_rules::mode::BucketMode;

use super::flag_groups::{DEFAULT_DATA, secret};
use super::given_address::origin;

/// What can be done about buckets.
#[derive(Debug, Subcommand)]
pub(crate) enum BucketCommand {
    /// Make a bucket.
    #[command(
        after_help = "Example: countersign bucket create photos --allow-origin https://www.example.com"
    )]
    Create {
        /// Its name: 3 to 63 lower-case letters, digits and hyphens.
        name: String,
        #[command(flatten)]
        settings: BucketSettings,
        #[command(flatten)]
        place: BucketPlace,
    },
    /// Change a bucket's mode, or let the pages of an origin upload into it.
    #[command(after_help = "Example: countersign bucket set photos --allow-origin https://www.example.com")]
    Set {
        /// Its name.
        name: String,
        #[command(flatten)]
        settings: BucketSettings,
        #[command(flatten)]
        place: BucketPlace,
    },
    /// Say what a bucket is set to.
    Show {
        /// Its name.
        name: String,
        #[command(flatten)]
        place: BucketPlace,
    },
    /// List the buckets.
    List {
        #[command(flatten)]
        place: BucketPlace,
    },
    /// Delete an empty bucket.
    Rm {
        /// Its name.
        name: String,
        #[command(flatten)]
        place: BucketPlace,
    },
}

/// What `create` and `set` may set.
#[derive(Debug, Args)]
pub(crate) struct BucketSettings {
    /// What becomes of a form field that the policy does not cover: guarded refuses those that grant more than their
    /// absence, strict refuses all, compat takes them as OSS does. New buckets are guarded when nothing is said.
    #[arg(long, value_name = "guarded|compat|strict", value_parser = mode)]
    pub(crate) mode: Option<BucketMode>,
    /// Let pages of this origin upload into the bucket, by a CORS rule beside those it has; repeatable.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub(crate) allow_origin: Vec<String>,
}

/// Which store, and with which key.
#[derive(Debug, Args)]
pub(crate) struct BucketPlace {
    /// The store's address; the real OSS too, as in oss-cn-hangzhou.aliyuncs.com. Without it, the store that runs on
    /// the data folder.
    #[arg(long, env = "OSS_ENDPOINT", value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// The access key id; without it, that of COUNTERSIGN_ACCESS_KEY_ID, else the one in the data folder.
    #[arg(long, env = "OSS_ACCESS_KEY_ID", value_name = "ID")]
    pub(crate) access_key_id: Option<String>,
    /// Its secret; better given in the environment, here or as COUNTERSIGN_ACCESS_KEY_SECRET.
    #[arg(long, env = "OSS_ACCESS_KEY_SECRET", hide_env_values = true, value_name = "SECRET", value_parser = secret)]
    pub(crate) access_key_secret: Option<AccessKeySecret>,
    /// The region that signatures name.
    #[arg(long, env = "OSS_REGION", value_name = "ID", default_value = "cn-hangzhou")]
    pub(crate) region: String,
    /// The data folder of a store that runs on this machine: its address and key are used where none are given.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

fn mode(text: &str) -> Result<BucketMode, String> {
    BucketMode::parse(text).ok_or_else(|| "write guarded, compat or strict".to_owned())
}
