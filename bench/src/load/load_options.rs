//! The flags of `load`: what is sent, to whom, how often, and how it is signed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::sizes;

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// A signed form with a file.
    Post,
    /// A signed PUT.
    Put,
    /// A signed GET of an object that is there.
    Get,
    /// A signed GET of a page of the listing.
    List,
    /// A GET of `--path` as it is.
    Raw,
    /// A POST of a small body to `--path`, as a callback is.
    RawPost,
}

/// Whose signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dialect {
    /// OSS, signature V1.
    Oss,
    /// S3, signature V4 (forms only).
    S3,
    /// Nothing is signed.
    None,
}

/// The flags of `load`.
#[derive(Args, Clone)]
pub(crate) struct LoadOptions {
    /// Host and port of the server.
    #[arg(long)]
    pub(crate) endpoint: String,
    /// What to send.
    #[arg(long, value_enum)]
    pub(crate) operation: Workload,
    /// Whose signatures.
    #[arg(long, value_enum, default_value = "oss")]
    pub(crate) dialect: Dialect,
    /// The access key's id.
    #[arg(long, default_value = "bench")]
    pub(crate) access_key_id: String,
    /// The access key's secret, made up for the run.
    #[arg(long, default_value = "benchsecret")]
    pub(crate) access_key_secret: String,
    /// The bucket.
    #[arg(long, default_value = "bench")]
    pub(crate) bucket: String,
    /// The path of `raw`, and of forms where it is not `/BUCKET/`.
    #[arg(long)]
    pub(crate) path: Option<String>,
    /// What every key begins with.
    #[arg(long, default_value = "o")]
    pub(crate) prefix: String,
    /// The first key's number.
    #[arg(long, default_value_t = 0)]
    pub(crate) first: u64,
    /// Reads: how many keys there are to read from.
    #[arg(long, default_value_t = 1)]
    pub(crate) keys: u64,
    /// Puts this many keys into a folder each, with `/` between.
    #[arg(long, default_value_t = 0)]
    pub(crate) keys_per_folder: u64,
    /// Keys whose order is that of chance, as UUIDs are, in place of rising ones.
    #[arg(long)]
    pub(crate) random_keys: bool,
    /// Reports what was written to the block device that this folder lies on, for each byte stored.
    #[arg(long, value_name = "DIR")]
    pub(crate) device_of: Option<PathBuf>,
    /// The query of a listing, beyond the prefix.
    #[arg(long, default_value = "max-keys=1000")]
    pub(crate) query: String,
    /// Bytes of each body: 4096, 4K, 64M, 1G.
    #[arg(long, default_value = "4K", value_parser = sizes::bytes_of)]
    pub(crate) size: u64,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 1)]
    pub(crate) connections: usize,
    /// Event loops; one for small bodies and up to two for large ones when not given.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// No request is begun after this time.
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,
    /// No more than this many requests.
    #[arg(long)]
    pub(crate) count: Option<u64>,
    /// The callback's address; with it every form carries the parameter.
    #[arg(long)]
    pub(crate) callback_url: Option<String>,
    /// Sends no faster than this on each connection, in bytes per second.
    #[arg(long, value_parser = sizes::bytes_of)]
    pub(crate) pace: Option<u64>,
    /// Processes whose cost is reported, children included.
    #[arg(long, value_delimiter = ',')]
    pub(crate) watch: Vec<u32>,
}
