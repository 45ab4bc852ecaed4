//! A catalog behind a proxy, and the database behind it.

use crate::fault_proxy::FaultProxy;
use bytes::Bytes;
use countersign_catalog_postgres::{Location, Patience, PostgresCatalog, PostgresOptions, migrate};
use countersign_store::blobs::BlobId;
use countersign_store::catalog::{
    BlobFolder, Garbage, GarbageList as _, Inventoried, Piece, Records as _, Upkeep as _,
};
use countersign_store::{Clock, HealthFlag, Place, Random};
use countersign_testkit::PostgresServer;
use std::collections::BTreeSet;
use std::time::Duration;

/// What a test needs.
pub(crate) struct Setting {
    pub(crate) server: PostgresServer,
    pub(crate) database: String,
    pub(crate) proxy: FaultProxy,
    pub(crate) clock: Clock,
}

impl Setting {
    /// A new database with its tables, and a proxy in front of it in which nothing goes wrong yet.
    pub(crate) async fn new() -> Setting {
        let server = PostgresServer::of_this_run();
        let database = server.new_database();
        let proxy = FaultProxy::start(server.port()).await;
        let setting = Setting { server, database, proxy, clock: Clock::system() };
        migrate(&setting.location(setting.server.port()), None, &setting.clock).await.unwrap();
        setting
    }

    pub(crate) fn location(&self, port: u16) -> Location {
        self.server.url_by(port, &self.database).parse().unwrap()
    }

    /// How a catalog is opened by way of this port.
    pub(crate) fn options(&self, port: u16) -> PostgresOptions {
        PostgresOptions {
            location: self.location(port),
            password: None,
            folder: BlobFolder { id: [1; 16], is_new: true },
            may_forget: true,
            clock: self.clock.clone(),
            random: Random::system(),
            health: HealthFlag::default(),
            read_connections: 2,
            garbage_grace: Duration::ZERO,
            patience: Patience { unreachable: Duration::from_secs(2), unknown: Duration::from_secs(20) },
        }
    }

    /// The catalog behind the proxy.
    pub(crate) async fn catalog(&self) -> PostgresCatalog {
        PostgresCatalog::open(self.options(self.proxy.port)).await.unwrap()
    }

    /// The catalog past the proxy, to look at. A catalog that was opened before writes no more.
    pub(crate) async fn looked_at(&self) -> PostgresCatalog {
        PostgresCatalog::open(self.options(self.server.port())).await.unwrap()
    }
}

/// All objects.
pub(crate) async fn inventory(catalog: &PostgresCatalog) -> Vec<Inventoried> {
    let mut all: Vec<Inventoried> = Vec::new();
    loop {
        let after = all.last().map_or(0, |last| last.object.sequence);
        let page = catalog.inventory(after, 1000).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// That the tables agree, that no number was given twice, and that each of these blobs, which were offered, is named
/// exactly once or not at all: by an object or as garbage.
pub(crate) async fn assert_whole(catalog: &PostgresCatalog, offered: &[BlobId]) {
    assert_eq!(catalog.check().await.unwrap(), Vec::<String>::new());
    let objects = inventory(catalog).await;
    let sequences: BTreeSet<u64> = objects.iter().map(|named| named.object.sequence).collect();
    assert_eq!(sequences.len(), objects.len(), "a number was given twice");
    let garbage: Vec<Garbage> = catalog.garbage(jiff::Timestamp::MAX, None, usize::MAX).await.unwrap();
    let mut named: Vec<BlobId> = objects
        .iter()
        .filter_map(|named| match named.object.content.place {
            Place::Blob(id) => Some(id),
            _ => None,
        })
        .collect();
    named.extend(garbage.iter().filter_map(|garbage| match garbage.piece {
        Piece::Blob(id) => Some(id),
        Piece::Inline(_) => None,
    }));
    let distinct: BTreeSet<[u8; 16]> = named.iter().map(|id| id.0).collect();
    assert_eq!(distinct.len(), named.len(), "a blob is named twice");
    let unnamed: BTreeSet<[u8; 16]> =
        catalog.unnamed(offered.to_vec()).await.unwrap().iter().map(|id| id.0).collect();
    for id in offered {
        assert_ne!(unnamed.contains(&id.0), distinct.contains(&id.0), "{id:?}");
    }
    for named in &objects {
        if let Place::Inline { row, .. } = named.object.content.place {
            let bytes = catalog.inline_bytes(row).await.unwrap().map(|bytes| bytes.len() as u64);
            assert_eq!(bytes, Some(named.object.len), "a row names bytes that are not there");
        }
    }
}

/// The bytes of a key's object, or nothing.
pub(crate) async fn bytes_of(catalog: &PostgresCatalog, key: &str) -> Option<Bytes> {
    let object = catalog.object("b", Bytes::copy_from_slice(key.as_bytes())).await.unwrap()?;
    match object.content.place {
        Place::Inline { bytes, .. } => bytes,
        _ => Some(Bytes::new()),
    }
}
