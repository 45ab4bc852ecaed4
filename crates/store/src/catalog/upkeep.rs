//! The role of the catalog that scrubs and backups need: it tells every object in the order of its sequence, checks
//! itself, and keeps what is known to be damaged and how far the scrub has come.

use crate::blobs::Work;
use crate::catalog_error::CatalogError;
use crate::{ApplyError, ObjectRecord};
use bytes::Bytes;
use jiff::Timestamp;

/// An object with the bucket that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventoried {
    /// The bucket's name.
    pub bucket: String,
    /// The record; inline bytes do not come along.
    pub object: ObjectRecord,
}

/// A content whose bytes are not what its record says. It ends with the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamageRecord {
    /// The content.
    pub content: u64,
    /// The bucket of the object that was found damaged.
    pub bucket: String,
    /// Its key.
    pub key: Bytes,
    /// Its sequence.
    pub sequence: u64,
    /// What differs, in words.
    pub what: String,
    /// When it was found.
    pub found: Timestamp,
}

/// How far the background scrub has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubProgress {
    /// The last sequence that this pass has verified; 0 before a pass.
    pub position: u64,
    /// When the pass began, if one is under way.
    pub began: Option<Timestamp>,
    /// When the last whole pass ended.
    pub ended: Option<Timestamp>,
}

/// What a scrub wants to be kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubNote {
    /// Damaged contents; one that is known already is replaced.
    pub damaged: Vec<DamageRecord>,
    /// Contents that were found whole: they are damaged no longer.
    pub whole: Vec<u64>,
    /// How far the scrub has come, when that is to be kept too.
    pub progress: Option<ScrubProgress>,
}

/// What was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubState {
    /// Damaged contents that are still there, in the order of their numbers.
    pub damaged: Vec<DamageRecord>,
    /// How far the scrub has come.
    pub progress: ScrubProgress,
    /// The highest sequence of an object; 0 without any.
    pub newest: u64,
}

/// Tells all that there is, and keeps what a scrub found.
pub trait Upkeep: Send + Sync {
    /// Every object in the order of its sequence, those after `after`; inline bytes do not come along.
    fn inventory(&self, after: u64, limit: usize) -> Work<Result<Vec<Inventoried>, CatalogError>>;

    /// The engine's check of itself, and whether its tables agree: a sentence for each thing that is wrong.
    fn check(&self) -> Work<Result<Vec<String>, CatalogError>>;

    /// What scrubs have kept.
    fn scrub_state(&self) -> Work<Result<ScrubState, CatalogError>>;

    /// Keeps what a scrub found; damage of contents that are gone by now is forgotten.
    fn note_scrub(&self, note: ScrubNote) -> Work<Result<(), ApplyError>>;

    /// Takes no more writes, finishes those under way, and ends the workers.
    fn shutdown(&self) -> Work<()>;
}
