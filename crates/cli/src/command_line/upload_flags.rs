//! The flags of `upload`.

use std::path::PathBuf;

use clap::Args;

/// Flags of `upload`.
#[derive(Debug, Args)]
pub(crate) struct UploadFlags {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The application server, or its signature endpoint; a `?token=` in it is used.
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub(crate) to: reqwest::Url,
    /// The folder to upload into; the server's own when not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<String>,
    /// Keep the files' own names instead of random ones; a name that is taken is refused.
    #[arg(long)]
    pub(crate) keep_name: bool,
}

fn server_url(text: &str) -> Result<reqwest::Url, String> {
    let url = reqwest::Url::parse(text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| "write the http or https address of the application server".to_owned())
}
