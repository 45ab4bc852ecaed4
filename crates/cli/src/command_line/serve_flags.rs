//! The flags of `serve`.

use std::net::SocketAddr;

use clap::Args;

use super::admin_address::{AdminAddress, admin_address};
use super::catalog_flags::CatalogFlags;
use super::flag_groups::{
    ClockFlags, DataFlags, KeyFlags, LogFlags, ProxyFlags, SigningFlags, StoreSettings, TlsFlags,
};
use super::given_address::{base_url, listen_address};
use crate::network::interfaces::Lan;

/// Flags of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeFlags {
    #[command(flatten)]
    pub(crate) place: DataFlags,
    #[command(flatten)]
    pub(crate) catalog: CatalogFlags,
    /// The store's address. Without it 127.0.0.1:9817, or the next free port.
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub(crate) store: Option<SocketAddr>,
    /// The page's and the application server's address. Without it 127.0.0.1:9818, or the next free port.
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub(crate) app: Option<SocketAddr>,
    /// Where the administration listener is, with metrics and health for monitors of this machine or a private network, or
    /// none. Without it 127.0.0.1:9819, or the next free port; with --ephemeral none.
    #[arg(long, value_name = "ADDR|none", value_parser = admin_address)]
    pub(crate) admin: Option<AdminAddress>,
    /// Be reached from phones in the same network too, and print a QR code.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true, default_missing_value = "find")]
    pub(crate) lan: Option<Lan>,
    /// The address under which browsers reach the page, when it is not the one listened on.
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(crate) public_app_url: Option<String>,
    /// Sign uploads without a callback.
    #[arg(long, help_heading = "Callback")]
    pub(crate) no_callback: bool,
    #[command(flatten)]
    pub(crate) key: KeyFlags,
    #[command(flatten)]
    pub(crate) settings: StoreSettings,
    #[command(flatten)]
    pub(crate) signing: SigningFlags,
    #[command(flatten)]
    pub(crate) tls: TlsFlags,
    #[command(flatten)]
    pub(crate) proxy: ProxyFlags,
    #[command(flatten)]
    pub(crate) log: LogFlags,
    #[command(flatten)]
    pub(crate) clock: ClockFlags,
}
