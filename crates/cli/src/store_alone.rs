//! `countersign store`: runs the store alone.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use countersign_server::listen::request_log::RequestLog;

use crate::admin::{Admin, Watched};
use crate::bucket;
use crate::command_line::store_flags::StoreFlags;
use crate::network::reachable::Reachable;
use crate::seed;
use crate::setup::credentials::{self, Origin};
use crate::setup::data_folder::DataFolder;
use crate::setup::listeners::{self, Wanted};
use crate::setup::running::{self, Running};
use crate::setup::shutdown::EndSignals;
use crate::setup::{callback_key, clock, readiness, running_store, store_server};

/// The default port of a store.
pub(crate) const DEFAULT_STORE_PORT: u16 = 9817;

/// Runs until it is asked to stop.
pub(crate) async fn run(mut flags: StoreFlags) -> anyhow::Result<ExitCode> {
    let signals = EndSignals::listen()?;
    let options = listeners::options(&flags.tls, &flags.proxy, RequestLog::Full, 1)?;
    let bound = listeners::bind(Wanted::or_default(flags.listen, DEFAULT_STORE_PORT), None).await?;
    // Before the store is opened, so that it is measured.
    let admin = Admin::bind(flags.admin).await?;
    flags.catalog.refuse_ephemeral(flags.place.ephemeral)?;
    let folder = DataFolder::make(&mut flags.place)?;
    let access_key = credentials::access_key(flags.key, &flags.place.data, !flags.place.ephemeral)?;
    let public = flags.settings.public_store_url.clone();
    let reachable = Reachable::new(options.tls.is_some(), bound.addresses.clone(), public);
    let clock = clock::real(flags.clock.clock_offset);
    let parts = store_server::Parts {
        data: &flags.place.data,
        shared_catalog: flags.catalog.shared(),
        durable: !flags.place.ephemeral,
        clock: &clock,
        access_key: &access_key,
        reachable: &reachable,
        also_allow: Vec::new(),
    };
    let key = callback_key::load_or_make(&flags.place.data, !flags.place.ephemeral)?;
    let opened = store_server::open(&flags.settings, key, parts).await?;
    let seeded = seed::at_start(&opened.store, flags.settings.seed.as_deref()).await?;
    bucket::at_start::make(&opened.store, &flags.bucket, &flags.allow_origin).await?;
    let mut environment =
        running_store::describe(&flags.place.data, &opened, &access_key, &flags.settings, &reachable)?;
    environment.bucket = flags.bucket.first().cloned();
    let announced = running_store::announce(&flags.place.data, &environment)?;
    say!("store            {}", reachable.own_url());
    for address in bound.addresses.iter().filter(|address| !address.ip().is_loopback()) {
        say!("listening on     {address}");
    }
    say!("data             {}", flags.place.data.display());
    flags.catalog.say("store            ".len());
    folder.say("store            ".len());
    if let Some(seeded) = seeded {
        say!("seed             {}", seeded.in_words());
    }
    if let Some(url) = admin.metrics_url() {
        say!("metrics          {url}");
    }
    say!("callback key     {}", opened.callback_key_url);
    print_access_key(&access_key);
    say!("stop             Ctrl-C");
    let listening = Running::store(bound, &opened.server, &options);
    let admin = admin.start(Watched::store(&opened));
    readiness::ready();
    signals.asked().await;
    readiness::stopping();
    admin.stopping();
    drop(announced);
    running::end_store(listening, &opened.server).await;
    running::close(&opened.store).await;
    admin.end().await;
    folder.end()?;
    Ok(ExitCode::SUCCESS)
}

/// Says which key is in use; a secret is shown only when it was made this moment, and only to a terminal.
pub(crate) fn print_access_key(key: &credentials::AccessKey) {
    match &key.origin {
        Origin::Given => say!("access key       {} (as given)", key.id),
        Origin::Kept(file) => say!("access key       {} (secret in {})", key.id, file.display()),
        Origin::MadeNow(file) => {
            say!("access key       {}", key.id);
            // What is no terminal is a file or a journal, which others read and which stays.
            if std::io::stdout().is_terminal() {
                say!("its secret       {}", String::from_utf8_lossy(key.secret.as_bytes()));
                say!("                 made now and shown this once; kept in {}", file.display());
            } else {
                say!("its secret       made now, kept in {}", file.display());
            }
        }
    }
}
