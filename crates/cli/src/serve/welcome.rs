//! Prints the last lines of a start (open this, phone, data, stop), and knows the origins of those addresses.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use super::addresses::{Addresses, Reach};
use super::demo_bucket::BUCKET;
use super::serve_document::Facts;
use crate::network::reachable::Reachable;
use crate::network::{interfaces, qr_code};
use crate::seed::SeedCounts;
use crate::setup::credentials::AccessKey;
use crate::store_alone::print_access_key;

/// The origins of the page: every address that it is reached under, and no other.
pub(super) fn origins(app: &Reachable, public: Option<&str>) -> Vec<String> {
    let mut origins = app.origins(&interfaces::own_addresses());
    origins.extend(public.map(origin_of));
    origins
}

/// Scheme, host and port of an address.
fn origin_of(url: &str) -> String {
    reqwest::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

/// What is printed once everything listens.
pub(super) struct Greeting {
    page: String,
    store: String,
    phone: Option<(String, String)>,
    data: PathBuf,
    access_key: AccessKey,
}

impl Greeting {
    pub(super) fn new(
        data: &Path,
        key: &AccessKey,
        addresses: &Addresses,
        facts: &Facts,
    ) -> anyhow::Result<Self> {
        let colours = std::io::stdout().is_terminal();
        let phone = match &facts.phone_url {
            Some(url) => Some((url.clone(), qr_code::for_terminal(url, colours)?)),
            None => None,
        };
        Ok(Greeting {
            page: match (&facts.phone_url, addresses.reach) {
                (Some(url), Reach::Anyhow) => url.clone(),
                _ => format!("{}/", addresses.app.own_url()),
            },
            store: addresses.store.own_url(),
            phone,
            data: std::path::absolute(data)?,
            access_key: key.clone(),
        })
    }

    pub(super) fn print(&self, seeded: Option<&SeedCounts>, metrics_url: Option<&str>) {
        say!("Countersign is ready.");
        say!("");
        say!("open this        {}", self.page);
        match &self.phone {
            Some((url, code)) => say!("phone            {url}\n\n{code}"),
            None => say!("phone            stop, and run  {} --lan", own_command()),
        }
        say!("store            {}, bucket {}", self.store, BUCKET);
        if let Some(seeded) = seeded {
            say!("seed             {}", seeded.in_words());
        }
        if let Some(url) = metrics_url {
            say!("metrics          {url}");
        }
        print_access_key(&self.access_key);
        say!("data here        {}", self.data.display());
        say!("stop             Ctrl-C");
    }
}

/// The command as the user typed it, from the repository or installed.
fn own_command() -> &'static str {
    if std::env::var_os("CARGO").is_some() { "cargo run --release -- serve" } else { "countersign serve" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_counts_without_its_path() {
        let app = Reachable::new(false, vec!["127.0.0.1:9818".parse().unwrap()], None);
        let found = origins(&app, Some("https://up.example.com/demo"));
        assert_eq!(found, ["http://127.0.0.1:9818", "http://localhost:9818", "https://up.example.com"]);
    }
}
