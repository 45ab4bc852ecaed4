//! Searches for damage: compares every object's bytes with its record's length, MD5 and CRC-64, every stored blob
//! with the catalog, and the catalog with itself.
//!
//! A scrub works on the two seams alone. It goes through the objects in the order of their sequence, a page at
//! a time, so that it can stop and go on anywhere, and it holds no read transaction for longer than a page.

pub(crate) mod background;
pub(crate) mod orphans;
mod pace;
mod report;
mod scrubbed;
mod verify;

use crate::Place;
use crate::catalog::{CatalogError, DamageRecord, Inventoried};
use crate::damage::Damage;
use verify::Verdict;

pub use background::ScrubPace;
pub(crate) use pace::Pace;
pub use report::{DamagedObject, ScrubReport, Unverified};
pub(crate) use scrubbed::Scrubbed;

/// Objects to a page.
const PAGE_OBJECTS: usize = 64;

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
