//! What monitors are told of the state of a store: sizes of files, free room, damage, and what the machine refused.
//!
//! These are read off when somebody asks. What is counted as it happens is registered where it happens.

use std::fs;
use std::path::{Path, PathBuf};

use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};

use crate::blobs::device::{Device as _, LocalDisk};
use crate::data_folder::CATALOG_FILE;

/// The metrics, registered once.
pub(crate) struct StateMetrics {
    data: PathBuf,
    catalog_bytes: Gauge,
    log_bytes: Gauge,
    free_bytes: Gauge,
    damaged_objects: Gauge,
    writes_refused: Gauge,
    open_files: Counter,
    data_folder: Counter,
}

/// What is known in memory of the state.
pub(crate) struct StateNow {
    /// Objects that are known to be damaged.
    pub(crate) damaged_objects: u64,
    /// Whether no write is taken.
    pub(crate) writes_refused: bool,
    /// Times that no file descriptor was left.
    pub(crate) open_files_short: u64,
    /// Times that the data folder could not be read or written.
    pub(crate) data_folder_refused: u64,
}

impl StateMetrics {
    /// Registers them, for the store in this folder.
    pub(crate) fn register(data: &Path) -> StateMetrics {
        describe_gauge!("countersign_catalog_bytes", "Length of the catalog's database file.");
        describe_gauge!("countersign_write_ahead_log_bytes", "Length of the catalog's write-ahead log.");
        describe_gauge!("countersign_data_folder_free_bytes", "What is free where the data folder is.");
        describe_gauge!(
            "countersign_damaged_objects",
            "Objects that are known to be damaged and are not served."
        );
        describe_gauge!(
            "countersign_writes_refused",
            "1 after a write could not be made durable, until the next start."
        );
        describe_counter!("countersign_troubles_total", "Times that the machine refused something.");
        StateMetrics {
            data: data.to_owned(),
            catalog_bytes: gauge!("countersign_catalog_bytes"),
            log_bytes: gauge!("countersign_write_ahead_log_bytes"),
            free_bytes: gauge!("countersign_data_folder_free_bytes"),
            damaged_objects: gauge!("countersign_damaged_objects"),
            writes_refused: gauge!("countersign_writes_refused"),
            open_files: counter!("countersign_troubles_total", "trouble" => "open_files"),
            data_folder: counter!("countersign_troubles_total", "trouble" => "data_folder"),
        }
    }

    /// Brings them up to date.
    pub(crate) fn set(&self, state: &StateNow) {
        let catalog = self.data.join(CATALOG_FILE);
        self.catalog_bytes.set(length_of(&catalog));
        self.log_bytes.set(length_of(&catalog.with_extension("sqlite-wal")));
        if let Ok(free) = LocalDisk.free_bytes(&self.data) {
            self.free_bytes.set(real(free));
        }
        self.damaged_objects.set(real(state.damaged_objects));
        self.writes_refused.set(if state.writes_refused { 1.0 } else { 0.0 });
        self.open_files.absolute(state.open_files_short);
        self.data_folder.absolute(state.data_folder_refused);
    }
}

/// A file that cannot be looked at has no length.
fn length_of(file: &Path) -> f64 {
    fs::metadata(file).map_or(0.0, |metadata| real(metadata.len()))
}

/// Exact up to 2^53, which is more bytes than a disk has.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn real(number: u64) -> f64 {
    number as f64
}
