//! Runs scrubs inside a store's own process: on a thread of the lowest priority with a runtime of its own, so that
//! neither its hashing nor its reading delays a request; no faster than allowed; going on after a restart where it
//! was.

use super::{DamagedObject, Pace, ScrubReport, Scrubbed, Walk, orphans};
use crate::Clock;
use crate::catalog::{CatalogError, ScrubNote, ScrubProgress};
use crate::damage;
use crate::engine::Inner;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often a scrub that has nothing to do looks whether it is time, or the end.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often the position is kept.
const KEEP_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// How many orphans are named in the log.
const ORPHANS_TOLD: usize = 5;
/// The lowest priority there is.
const NICEST: i32 = 19;

/// How often and how fast the background scrub goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScrubPace {
    /// From the end of a pass to the beginning of the next.
    pub every: Duration,
    /// Read no faster than this.
    pub bytes_per_second: u64,
}

impl Default for ScrubPace {
    /// Once a week, at 8 MiB per second.
    fn default() -> ScrubPace {
        ScrubPace { every: Duration::from_secs(7 * 24 * 60 * 60), bytes_per_second: 8 * 1024 * 1024 }
    }
}

/// Starts the thread; it ends with the store.
pub(crate) fn start(inner: &Arc<Inner>, pace: ScrubPace) -> std::io::Result<()> {
    let (store, clock) = (Arc::downgrade(inner), inner.clock.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name("scrub".to_owned()).spawn(move || {
        lower_priority();
        runtime.block_on(run(&store, &clock, pace));
    })?;
    Ok(())
}

/// Of this thread, and so of the threads that its runtime starts.
fn lower_priority() {
    // Without a process named, Linux means the thread that asks.
    if let Err(error) = rustix::process::setpriority_process(None, NICEST) {
        tracing::debug!(%error, "the scrub runs at the priority of the rest");
    }
}

async fn run(store: &Weak<Inner>, clock: &Clock, pace: ScrubPace) {
    loop {
        match pass_if_due(store, clock, pace).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "the scrub was interrupted and goes on later"),
        }
        clock.sleep(LOOK_EVERY).await;
    }
}

/// A store that is still there and can keep what is found.
fn alive(store: &Weak<Inner>) -> Option<Arc<Inner>> {
    store.upgrade().filter(|inner| !inner.ending())
}

async fn pass_if_due(store: &Weak<Inner>, clock: &Clock, pace: ScrubPace) -> Result<bool, CatalogError> {
    let Some(inner) = alive(store) else { return Ok(false) };
    if inner.health.refusal().is_some() {
        return Ok(true);
    }
    let now = clock.wall();
    let mut progress = inner.catalog.scrub_state().await?.progress;
    if progress.began.is_none() {
        let every = SignedDuration::try_from(pace.every).unwrap_or(SignedDuration::MAX);
        let due = progress.ended.map(|ended| ended.saturating_add(every).unwrap_or(Timestamp::MAX));
        if due.is_some_and(|due| due > now) {
            return Ok(true);
        }
        progress = ScrubProgress { position: 0, began: Some(now), ended: progress.ended };
    }
    let scrubbed = inner.scrubbed();
    let mut walk = Walk::begin(&scrubbed, progress.position).await?;
    drop((inner, scrubbed));
    let mut pacing = Pace::new(clock, Some(pace.bytes_per_second));
    let (mut kept, mut told) = (now, 0);
    loop {
        let Some(inner) = alive(store) else { return Ok(false) };
        let more = walk.page(&inner.scrubbed(), &mut pacing).await?;
        take_in(&inner, &mut walk, &progress, (&mut kept, &mut told), more).await?;
        if !more {
            break;
        }
    }
    let Some(inner) = alive(store) else { return Ok(false) };
    finish(&inner, walk, &progress).await?;
    Ok(true)
}

/// A whole pass, at once and beside whatever the background does.
pub(crate) async fn scrub_now(inner: &Inner) -> Result<ScrubReport, CatalogError> {
    damage::keep(&inner.damaged, &*inner.catalog, &inner.clock).await?;
    let scrubbed = inner.scrubbed();
    let mut walk = Walk::begin(&scrubbed, 0).await?;
    while walk.page(&scrubbed, &mut Pace::new(&inner.clock, None)).await? {}
    let mut report = walk.report;
    orphans::find(&scrubbed, Duration::ZERO, &mut report).await?;
    report.catalog = scrubbed.catalog.check().await?;
    make_known(inner, &report.damaged, &report.healed);
    note(inner, ScrubNote { whole: report.healed.clone(), ..ScrubNote::default() }).await;
    damage::keep(&inner.damaged, &*inner.catalog, &inner.clock).await?;
    Ok(report)
}

/// What was found damaged is not served from now on, and what was found whole is.
fn make_known(inner: &Inner, damaged: &[DamagedObject], whole: &[u64]) {
    whole.iter().for_each(|content| inner.damaged.whole(*content));
    for DamagedObject { record, .. } in damaged {
        inner.damaged.found(record.content, record.sequence, record.what.clone());
    }
}

/// What a page has found is known at once; where the walk is, is kept now and then.
async fn take_in(
    inner: &Inner,
    walk: &mut Walk,
    progress: &ScrubProgress,
    (kept, told): (&mut Timestamp, &mut usize),
    more: bool,
) -> Result<(), CatalogError> {
    let now = inner.clock.wall();
    let whole = std::mem::take(&mut walk.report.healed);
    let found = walk.report.damaged.get(*told..).unwrap_or_default();
    make_known(inner, found, &whole);
    *told = walk.report.damaged.len();
    if !found.is_empty() {
        damage::keep(&inner.damaged, &*inner.catalog, &inner.clock).await?;
    }
    if !whole.is_empty() || (more && now.duration_since(*kept) >= KEEP_EVERY) {
        *kept = now;
        let progress = ScrubProgress { position: walk.position, ..progress.clone() };
        note(inner, ScrubNote { whole, progress: Some(progress), ..ScrubNote::default() }).await;
    }
    Ok(())
}

async fn finish(inner: &Inner, mut walk: Walk, progress: &ScrubProgress) -> Result<(), CatalogError> {
    let scrubbed: Scrubbed = inner.scrubbed();
    orphans::find(&scrubbed, orphans::COMMIT_WAIT, &mut walk.report).await?;
    let report = &walk.report;
    for place in report.orphans.iter().take(ORPHANS_TOLD) {
        tracing::warn!(place, "a blob that nothing names; `countersign scrub --remove-orphans` removes such");
    }
    for unverified in report.unverified.iter().take(ORPHANS_TOLD) {
        tracing::warn!(what = %unverified.what, reason = %unverified.reason, "could not be verified");
    }
    let ended = Some(inner.clock.wall());
    note(
        inner,
        ScrubNote {
            progress: Some(ScrubProgress { position: 0, began: None, ended }),
            ..ScrubNote::default()
        },
    )
    .await;
    let (objects, bytes, damaged) = (report.objects, report.bytes, report.damaged.len());
    let orphans = report.orphans.len();
    tracing::info!(objects, bytes, damaged, orphans, began = ?progress.began, "the scrub has looked at everything");
    Ok(())
}

async fn note(inner: &Inner, note: ScrubNote) {
    if let Err(error) = inner.catalog.note_scrub(note).await {
        tracing::debug!(%error, "the scrub's progress was not kept");
    }
}
