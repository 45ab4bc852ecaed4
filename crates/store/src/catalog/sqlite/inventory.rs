//! Queries for the scrub: every object in the order of its sequence, SQLite's check of itself, whether the tables
//! agree with each other, and the damage that was found.

use super::CatalogError;
use super::bucket_table::timestamp;
use super::rows::record;
use super::schema;
use crate::catalog::{DamageRecord, Inventoried, ScrubNote, ScrubProgress, ScrubState};
use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::Connection;

/// Names of the counters that hold the scrub's progress.
const POSITION: &str = "scrub_position";
const BEGAN: &str = "scrub_began";
const ENDED: &str = "scrub_ended";

/// How many disagreements of one kind are told.
const TOLD_MAX: u32 = 20;

/// What the tables must say of each other: a sentence, and a query for the numbers that break it.
const AGREEMENTS: [(&str, &str); 4] = [
    (
        "an object is in a bucket that is not there",
        "SELECT seq FROM object WHERE NOT EXISTS(SELECT 1 FROM bucket WHERE id = object.bucket)",
    ),
    (
        "an object names bytes in the catalog that are not there",
        "SELECT seq FROM object WHERE inline IS NOT NULL AND NOT EXISTS(SELECT 1 FROM inline WHERE blob = object.inline)",
    ),
    (
        "a blob is garbage and yet named by an object",
        "SELECT g.id FROM garbage g WHERE g.blob IS NOT NULL
         AND (EXISTS(SELECT 1 FROM object WHERE blob = g.blob) OR EXISTS(SELECT 1 FROM extent WHERE blob = g.blob))",
    ),
    (
        "bytes in the catalog are named by nothing",
        "SELECT blob FROM inline EXCEPT SELECT inline FROM object EXCEPT SELECT inline FROM extent
         EXCEPT SELECT inline FROM garbage",
    ),
];

/// Objects after a sequence, in order.
pub(super) fn objects(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<Inventoried>, CatalogError> {
    // CROSS JOIN keeps the order of the loops: the walk is over objects, whatever the statistics say.
    let mut statement = connection.prepare_cached(
        "SELECT b.name, o.key, o.seq, o.modified, o.attributes, o.len, o.md5, o.crc, o.blob, o.inline
         FROM object o CROSS JOIN bucket b ON b.id = o.bucket WHERE o.seq > ?1 ORDER BY o.seq LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query((i64::try_from(after).unwrap_or(i64::MAX), limit))?;
    let mut objects = Vec::new();
    while let Some(row) = rows.next()? {
        let key = Bytes::from(row.get::<_, Vec<u8>>(1)?);
        objects.push(Inventoried { bucket: row.get(0)?, object: record(row, 2, key)? });
    }
    Ok(objects)
}

/// What is wrong with the database itself, or between its tables; empty when nothing is.
pub(super) fn check(connection: &Connection) -> Result<Vec<String>, CatalogError> {
    let mut wrong: Vec<String> = Vec::new();
    let told = connection
        .prepare(&format!("PRAGMA integrity_check({TOLD_MAX})"))?
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>();
    match told {
        Ok(told) => wrong.extend(told.into_iter().filter(|line| line != "ok")),
        Err(error) => return Ok(vec![error.to_string()]),
    }
    for (sentence, query) in AGREEMENTS {
        let mut statement = connection.prepare(&format!("{query} LIMIT {TOLD_MAX}"))?;
        let numbers = statement.query_map([], |row| row.get::<_, Option<i64>>(0))?;
        for number in numbers {
            wrong.push(format!("{sentence} (number {})", number?.unwrap_or_default()));
        }
    }
    Ok(wrong)
}

/// What the last scrubs have kept.
pub(super) fn state(connection: &Connection) -> Result<ScrubState, CatalogError> {
    let time = |name| match schema::counter(connection, name)? {
        None | Some(0) => Ok::<_, CatalogError>(None),
        Some(microseconds) => timestamp(microseconds as i64).map(Some),
    };
    let progress = ScrubProgress {
        position: schema::counter(connection, POSITION)?.unwrap_or(0),
        began: time(BEGAN)?,
        ended: time(ENDED)?,
    };
    let newest: Option<i64> =
        connection.prepare_cached("SELECT max(seq) FROM object")?.query_row([], |row| row.get(0))?;
    Ok(ScrubState { damaged: damaged(connection)?, progress, newest: newest.unwrap_or(0) as u64 })
}

fn damaged(connection: &Connection) -> Result<Vec<DamageRecord>, CatalogError> {
    let mut statement = connection.prepare_cached(
        "SELECT content, bucket, key, seq, what, found FROM damage
         WHERE EXISTS(SELECT 1 FROM object WHERE seq = damage.content) ORDER BY content",
    )?;
    let mut rows = statement.query([])?;
    let mut damaged = Vec::new();
    while let Some(row) = rows.next()? {
        damaged.push(DamageRecord {
            content: row.get::<_, i64>(0)? as u64,
            bucket: row.get(1)?,
            key: Bytes::from(row.get::<_, Vec<u8>>(2)?),
            sequence: row.get::<_, i64>(3)? as u64,
            what: row.get(4)?,
            found: timestamp(row.get(5)?)?,
        });
    }
    Ok(damaged)
}

/// Keeps what a scrub found. Within a transaction of the writer's.
pub(super) fn note(connection: &Connection, note: &ScrubNote) -> rusqlite::Result<()> {
    for damage in &note.damaged {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO damage(content, bucket, key, seq, what, found)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                damage.content as i64,
                &damage.bucket,
                &damage.key[..],
                damage.sequence as i64,
                &damage.what,
                damage.found.as_microsecond(),
            ))?;
    }
    for content in &note.whole {
        connection.prepare_cached("DELETE FROM damage WHERE content = ?1")?.execute([*content as i64])?;
    }
    if let Some(progress) = &note.progress {
        let time = |time: Option<Timestamp>| time.map_or(0, |time| time.as_microsecond() as u64);
        schema::put_counter(connection, POSITION, progress.position)?;
        schema::put_counter(connection, BEGAN, time(progress.began))?;
        schema::put_counter(connection, ENDED, time(progress.ended))?;
    }
    // What was overwritten or deleted since is damaged no longer.
    connection
        .prepare_cached(
            "DELETE FROM damage WHERE NOT EXISTS(SELECT 1 FROM object WHERE seq = damage.content)",
        )?
        .execute([])?;
    Ok(())
}
