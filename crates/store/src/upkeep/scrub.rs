//! Searches for damage: compares every object's bytes with its record's length, MD5 and CRC-64, every stored blob
//! with the catalog, and the catalog with itself.
//!
//! A scrub works on the two seams alone. It goes through the objects in the order of their sequence, a page at
//! a time, so that it can stop and go on anywhere, and it holds no read transaction for longer than a page.

pub(crate) mod background;
mod folder;
mod orphans;
mod pace;
mod verify;

use crate::blobs::Blobs;
use crate::catalog::{Catalog, CatalogError, DamageRecord, Inventoried};
use crate::damage::Damage;
use crate::object_reader::pins::Pins;
use crate::{Clock, Place};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use verify::Verdict;

pub use background::ScrubPace;
pub use folder::ScrubOptions;
pub(crate) use pace::Pace;

/// Objects to a page.
const PAGE_OBJECTS: usize = 64;

/// What a scrub looks at.
#[derive(Clone)]
pub(crate) struct Scrubbed {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) pins: Pins,
    pub(crate) clock: Clock,
    /// Set when whoever scrubs wants to end.
    pub(crate) ending: Arc<AtomicBool>,
}

/// An object that is not what was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedObject {
    /// Its name, and what differs.
    pub record: DamageRecord,
    /// Where its bytes lie, or should: the path of a blob, or words for the catalog.
    pub place: String,
}

/// Something that could not be looked at, for no fault of the stored bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified {
    /// What it is.
    pub what: String,
    /// Why it could not be looked at.
    pub reason: String,
}

/// What a scrub has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Objects whose bytes were read to their end.
    pub objects: u64,
    /// The bytes that were read.
    pub bytes: u64,
    /// Published blobs that the catalog was asked about.
    pub blobs: u64,
    /// Objects that are not what was acknowledged.
    pub damaged: Vec<DamagedObject>,
    /// What could not be looked at.
    pub unverified: Vec<Unverified>,
    /// Where blobs lie that nothing names. They are waste, not damage: nobody misses them.
    pub orphans: Vec<String>,
    /// How many of them were removed.
    pub orphans_removed: u64,
    /// What is wrong with the catalog itself.
    pub catalog: Vec<String>,
    /// Contents that were known to be damaged and were found whole.
    pub healed: Vec<u64>,
    /// The process that had the store open while it was scrubbed.
    pub beside: Option<u32>,
}

impl ScrubReport {
    /// Whether everything that was acknowledged is there and whole, as far as could be seen.
    pub fn is_good(&self) -> bool {
        self.damaged.is_empty() && self.unverified.is_empty() && self.catalog.is_empty()
    }
}

/// A walk through all objects, which can stop after any page.
pub(crate) struct Walk {
    /// The last sequence that was looked at.
    pub(crate) position: u64,
    /// The walk ends after this sequence: what comes in meanwhile is the next walk's.
    last: u64,
    /// Contents that were known to be damaged before.
    known: Vec<u64>,
    pub(crate) report: ScrubReport,
}

impl Walk {
    /// From behind this sequence to the newest there is now.
    pub(crate) async fn begin(scrubbed: &Scrubbed, position: u64) -> Result<Walk, CatalogError> {
        let state = scrubbed.catalog.scrub_state().await?;
        let known = state.damaged.iter().map(|damage| damage.content).collect();
        Ok(Walk { position, last: state.newest, known, report: ScrubReport::default() })
    }

    /// Looks at the next page; false when there was none.
    pub(crate) async fn page(&mut self, scrubbed: &Scrubbed, pace: &mut Pace) -> Result<bool, CatalogError> {
        let page = scrubbed.catalog.inventory(self.position, PAGE_OBJECTS).await?;
        let (before, last) = (self.position, self.last);
        for named in page.into_iter().take_while(|named| named.object.sequence <= last) {
            self.look_at(scrubbed, &named, pace).await?;
            self.position = named.object.sequence;
        }
        Ok(self.position > before)
    }

    async fn look_at(
        &mut self,
        scrubbed: &Scrubbed,
        named: &Inventoried,
        pace: &mut Pace,
    ) -> Result<(), CatalogError> {
        let (verdict, bytes) = verify::object(scrubbed, &named.object, pace).await;
        self.report.bytes += bytes;
        match verdict {
            Verdict::Stopped => return Err(CatalogError::Closed),
            Verdict::Whole => {
                self.report.objects += 1;
                let content = named.object.content.id;
                if self.known.contains(&content) && !self.report.healed.contains(&content) {
                    self.report.healed.push(content);
                }
            }
            // Overwritten or deleted while it was looked at: its bytes were free to go.
            _ if !still_there(scrubbed, named).await? => {}
            Verdict::Damaged(damage) => {
                self.report.objects += 1;
                self.report.damaged.push(damaged(scrubbed, named, &damage));
            }
            Verdict::Unread(reason) => {
                self.report.unverified.push(Unverified { what: name_of(named), reason });
            }
        }
        Ok(())
    }
}

async fn still_there(scrubbed: &Scrubbed, named: &Inventoried) -> Result<bool, CatalogError> {
    let at = scrubbed.catalog.inventory(named.object.sequence.saturating_sub(1), 1).await?;
    Ok(at.first().is_some_and(|found| found.object.sequence == named.object.sequence))
}

fn name_of(named: &Inventoried) -> String {
    format!("{}/{}", named.bucket, String::from_utf8_lossy(&named.object.key))
}

fn damaged(scrubbed: &Scrubbed, named: &Inventoried, damage: &Damage) -> DamagedObject {
    let object = &named.object;
    let place = match &object.content.place {
        Place::Blob(id) => scrubbed.blobs.place_of(*id),
        Place::Inline { .. } => "in the catalog".to_owned(),
        Place::Extents => "in several blobs".to_owned(),
        Place::Empty => "nowhere".to_owned(),
    };
    let record = DamageRecord {
        content: object.content.id,
        bucket: named.bucket.clone(),
        key: object.key.clone(),
        sequence: object.sequence,
        what: damage.to_string(),
        found: scrubbed.clock.wall(),
    };
    DamagedObject { record, place }
}
