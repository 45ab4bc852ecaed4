//! Queries for the scrub: every object in the order of its sequence, whether the tables agree with each other, and the
//! damage that was found.

use crate::readers::Readers;
use crate::rows::{ObjectRow, bytes, column, limit as limited, number, object_columns, signed, timestamp};
use countersign_store::catalog::{CatalogError, DamageRecord, Inventoried, ScrubProgress, ScrubState};

/// How many disagreements of one kind are told.
const TOLD_MAX: u32 = 20;

/// What the tables must say of each other: a sentence, and a query for the numbers that break it.
const AGREEMENTS: [(&str, &str); 6] = [
    (
        "an object is in a bucket that is not there",
        "SELECT seq FROM object WHERE NOT EXISTS(SELECT 1 FROM bucket WHERE id = object.bucket)",
    ),
    (
        "an object's bytes in the catalog are not there",
        "SELECT seq FROM object WHERE inline IS NOT NULL AND NOT EXISTS(SELECT 1 FROM inline WHERE id = object.inline)",
    ),
    (
        "an object has a length and no bytes",
        "SELECT seq FROM object WHERE inline IS NULL AND blob IS NULL AND len > 0",
    ),
    (
        "a blob is garbage and yet named by an object",
        "SELECT id FROM garbage WHERE blob IS NOT NULL AND EXISTS(SELECT 1 FROM object WHERE blob = garbage.blob)",
    ),
    (
        "bytes in the catalog are named by nothing",
        "SELECT id FROM inline WHERE NOT EXISTS(SELECT 1 FROM object WHERE seq = inline.id AND inline = inline.id)
         AND NOT EXISTS(SELECT 1 FROM garbage WHERE garbage.inline = inline.id)",
    ),
    (
        "a number is higher than any that was given",
        "SELECT seq FROM object WHERE seq >= (SELECT next_number FROM state WHERE one = 1)",
    ),
];

/// Objects after a sequence, in order. No later commit can get in behind a reader: numbers are taken under the write
/// lock, which is held until the commit, so that whoever sees one sees all below it.
pub(crate) async fn objects(
    readers: &Readers,
    after: u64,
    limit: usize,
) -> Result<Vec<Inventoried>, CatalogError> {
    const OBJECTS: &str = concat!(
        "SELECT b.name, o.key, ",
        object_columns!(),
        " FROM object o JOIN bucket b ON b.id = o.bucket WHERE o.seq > $1 ORDER BY o.seq LIMIT $2"
    );
    let rows = readers.rows(OBJECTS, &[&signed(after), &limited(limit)]).await?;
    let objects = rows.iter().map(|row| {
        let object = ObjectRow::read(row, 2)?.record(bytes(row, 1)?);
        Ok(Inventoried { bucket: column(row, 0)?, object })
    });
    objects.collect()
}

/// What is wrong between the tables; empty when nothing is. The database checks its own files.
pub(crate) async fn check(readers: &Readers) -> Result<Vec<String>, CatalogError> {
    let mut wrong = Vec::new();
    for (sentence, query) in AGREEMENTS {
        for row in readers.rows(&format!("{query} LIMIT {TOLD_MAX}"), &[]).await? {
            wrong.push(format!("{sentence} (number {})", number(&row, 0)?));
        }
    }
    Ok(wrong)
}

/// What the last scrubs have kept.
pub(crate) async fn state(readers: &Readers) -> Result<ScrubState, CatalogError> {
    let time = |microseconds: Option<i64>| microseconds.map(timestamp).transpose();
    let rows =
        readers.rows("SELECT scrub_position, scrub_began, scrub_ended FROM state WHERE one = 1", &[]).await?;
    let progress = match rows.first() {
        None => ScrubProgress::default(),
        Some(row) => ScrubProgress {
            position: number(row, 0)?,
            began: time(column(row, 1)?)?,
            ended: time(column(row, 2)?)?,
        },
    };
    let newest: Option<i64> = readers.value("SELECT coalesce(max(seq), 0)::int8 FROM object", &[]).await?;
    let damaged = readers
        .rows(
            "SELECT content, bucket, key, seq, what, found FROM damage
             WHERE EXISTS(SELECT 1 FROM object WHERE seq = damage.content) ORDER BY content",
            &[],
        )
        .await?;
    let damaged = damaged.iter().map(|row| {
        Ok(DamageRecord {
            content: number(row, 0)?,
            bucket: column(row, 1)?,
            key: bytes(row, 2)?,
            sequence: number(row, 3)?,
            what: column(row, 4)?,
            found: timestamp(column(row, 5)?)?,
        })
    });
    Ok(ScrubState {
        damaged: damaged.collect::<Result<_, CatalogError>>()?,
        progress,
        newest: newest.unwrap_or(0) as u64,
    })
}
