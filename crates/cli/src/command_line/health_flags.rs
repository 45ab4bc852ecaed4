//! The flags of `health`.

use std::path::PathBuf;

use clap::Args;

use super::flag_groups::DEFAULT_DATA;

/// Flags of `health`.
#[derive(Debug, Args)]
pub(crate) struct HealthFlags {
    /// The data folder of what is asked; it says where it listens.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    /// Ask the store or the application server at this address instead, or exactly this page.
    #[arg(long, value_name = "URL", value_parser = page)]
    pub(crate) url: Option<reqwest::Url>,
    /// Print nothing while all is well.
    #[arg(long)]
    pub(crate) quiet: bool,
}

fn page(text: &str) -> Result<reqwest::Url, String> {
    let url = reqwest::Url::parse(text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| "write the http or https address of a store or an application server".to_owned())
}
