//! The flags of `store`.

use std::net::SocketAddr;

use clap::Args;

use super::admin_address::{AdminAddress, admin_address};
use super::catalog_flags::CatalogFlags;
use super::flag_groups::{ClockFlags, DataFlags, KeyFlags, LogFlags, ProxyFlags, StoreSettings, TlsFlags};
use super::given_address::{listen_address, origin};

/// Flags of `store`.
#[derive(Debug, Args)]
pub(crate) struct StoreFlags {
    #[command(flatten)]
    pub(crate) place: DataFlags,
    #[command(flatten)]
    pub(crate) catalog: CatalogFlags,
    /// The address to listen on. Without it 127.0.0.1:9817, or the next free port.
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub(crate) listen: Option<SocketAddr>,
    /// Where the administration listener is, with metrics and health for monitors of this machine or a private network.
    /// Without it there is none.
    #[arg(long, value_name = "ADDR|none", value_parser = admin_address)]
    pub(crate) admin: Option<AdminAddress>,
    /// Make this bucket at the start if it is not there, guarded against fields that a policy does not cover; repeatable.
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Vec<String>,
    /// Let pages of this origin upload into the buckets that `--bucket` names; repeatable.
    #[arg(long, value_name = "ORIGIN", value_parser = origin, requires = "bucket")]
    pub(crate) allow_origin: Vec<String>,
    #[command(flatten)]
    pub(crate) key: KeyFlags,
    #[command(flatten)]
    pub(crate) settings: StoreSettings,
    #[command(flatten)]
    pub(crate) tls: TlsFlags,
    #[command(flatten)]
    pub(crate) proxy: ProxyFlags,
    #[command(flatten)]
    pub(crate) log: LogFlags,
    #[command(flatten)]
    pub(crate) clock: ClockFlags,
}
