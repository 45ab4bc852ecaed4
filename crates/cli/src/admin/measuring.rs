//! Keeps the metrics of this process, and writes them as Prometheus reads them.
//!
//! The crates below register what they count with the `metrics` facade when they are put together; only here is it
//! known that there is an exporter.

use std::time::Duration;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// How often what was recorded is counted together, whether or not anybody asks: a store that no monitor reads must
/// not hold more and more of it.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The ending that all names of histograms of times have.
const TIMES_ENDING: &str = "_seconds";
/// The upper ends of their buckets, in seconds.
const TIMES: [f64; 10] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0];
/// The upper ends of the buckets of all other histograms, which count things.
const COUNTS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0];

/// The metrics of this process.
pub(super) struct MetricsRecorder {
    handle: PrometheusHandle,
}

impl MetricsRecorder {
    /// Counts from now on: what was put together before counts for nobody.
    ///
    /// # Errors
    /// When something else in this process counts already.
    pub(super) fn start() -> anyhow::Result<MetricsRecorder> {
        let recorder = recorder()?;
        let measuring = Self::of(&recorder);
        metrics::set_global_recorder(recorder).ok().context("this process counts for another already")?;
        Ok(measuring)
    }

    /// What this recorder counts.
    pub(super) fn of(recorder: &PrometheusRecorder) -> MetricsRecorder {
        MetricsRecorder { handle: recorder.handle() }
    }

    /// Begins the upkeep.
    pub(super) fn begin(self) -> PrometheusHandle {
        tokio::spawn(upkeep(self.handle.clone()));
        self.handle
    }
}

/// Not installed: for tests, which may have several in one process.
pub(super) fn recorder() -> anyhow::Result<PrometheusRecorder> {
    let builder = PrometheusBuilder::new()
        .set_buckets(&COUNTS)?
        .set_buckets_for_metric(Matcher::Suffix(TIMES_ENDING.to_owned()), &TIMES)?;
    Ok(builder.build_recorder())
}

async fn upkeep(handle: PrometheusHandle) {
    let mut times = tokio::time::interval(UPKEEP_EVERY);
    loop {
        times.tick().await;
        handle.run_upkeep();
    }
}
