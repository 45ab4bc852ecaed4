//! The instruments of `cargo xtask bench`: a load generator, the bare servers it is compared with, and the
//! limits of the machine. Each is a subcommand that prints one line of JSON or serves until it is ended.
//!
//! Nothing here ships, and nothing here knows how the store works inside: it sees the wire and `/proc`.

mod application;
mod bucket;
mod device_writes;
mod limits;
mod load;
mod percentiles;
mod process_watch;
mod reference;
mod signature_reference;
mod signing;
mod sizes;
mod wall_clock;

use clap::{Parser, Subcommand};

/// The instruments of `cargo xtask bench`.
#[derive(Parser)]
#[command(name = "countersign-bench", version)]
struct Arguments {
    #[command(subcommand)]
    instrument: Instrument,
}

#[derive(Subcommand)]
enum Instrument {
    /// Load a server and report rate, latencies, processor time and memory.
    Load(Box<load::load_options::LoadOptions>),
    /// Make a bucket, with a V1 signature.
    CreateBucket(bucket::BucketOptions),
    /// The ceiling: a durable sink without conditions, listing or recovery.
    Reference(reference::ReferenceOptions),
    /// A bare axum handler that signs the policy that `countersign app` signs.
    SignatureReference(signature_reference::SignatureReferenceOptions),
    /// An application that answers every callback at once.
    Application(application::ApplicationOptions),
    /// What the machine itself can do.
    Limits(limits::LimitsOptions),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().instrument {
        Instrument::Load(options) => load::run(&options),
        Instrument::CreateBucket(options) => bucket::create(&options),
        Instrument::Reference(options) => reference::serve(&options),
        Instrument::SignatureReference(options) => signature_reference::serve(&options),
        Instrument::Application(options) => application::serve(&options),
        Instrument::Limits(options) => limits::run(&options),
    }
}
