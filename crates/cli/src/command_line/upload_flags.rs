//! The flags of `upload`.

use std::path::PathBuf;

use clap::Args;
use countersign_app::AccessKeySecret;

/// Flags of `upload`.
#[derive(Debug, Args)]
pub(crate) struct UploadFlags {
    /// Files and folders. Of a folder all files are uploaded, those of its folders too, each into a folder of the same
    /// name below --path.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The application server, or its signature endpoint; a `?token=` in it is used when there is no --token.
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub(crate) to: reqwest::Url,
    /// The folder to upload into; the server's own when not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<String>,
    /// Keep the files' own names instead of random ones; a name that is taken is refused.
    #[arg(long)]
    pub(crate) keep_name: bool,
    /// The token that the application server wants; better given in the environment.
    #[arg(long, value_name = "TOKEN", env = "COUNTERSIGN_TOKEN", hide_env_values = true, value_parser = super::flag_groups::secret)]
    pub(crate) token: Option<AccessKeySecret>,
    /// Answer in JSON: an object a line for each file, and one with the total at the end.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print only what went wrong.
    #[arg(long, conflicts_with = "json")]
    pub(crate) quiet: bool,
}

fn server_url(text: &str) -> Result<reqwest::Url, String> {
    let url = reqwest::Url::parse(text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| "write the http or https address of the application server".to_owned())
}
