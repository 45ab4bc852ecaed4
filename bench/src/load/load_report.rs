//! The report of a run: one object of JSON, read by `xtask/src/bench`.

use serde::Serialize;

use super::load_options::LoadOptions;
use super::worker::{Sample, WorkerResult};
use crate::percentiles::Percentiles;
use crate::process_watch::ProcessCost;

/// The figures of one run.
#[derive(Debug, Serialize)]
pub(super) struct LoadReport {
    connections: usize,
    threads: usize,
    /// Requests that succeeded.
    requests: usize,
    failures: u64,
    failures_told: Vec<String>,
    seconds: f64,
    per_second: f64,
    megabytes_per_second: f64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    p99_9_ms: f64,
    longest_ms: f64,
    server_cpu_seconds: f64,
    server_peak_resident_bytes: u64,
    generator_cpu_seconds: f64,
    other_cpu_cores: f64,
    /// Bytes that the device wrote for each byte of the bodies; none where no device was watched.
    written_per_stored: Option<f64>,
    /// The rate of each tenth of the requests, in the order they were answered.
    tenths_per_second: Vec<f64>,
}

impl LoadReport {
    /// Sums up.
    pub(super) fn new(
        options: &LoadOptions,
        threads: usize,
        result: &WorkerResult,
        cost: ProcessCost,
        written_bytes: Option<u64>,
    ) -> LoadReport {
        let mut ends: Vec<u32> = result.samples.iter().map(|sample| sample.ended_milliseconds).collect();
        ends.sort_unstable();
        let seconds = f64::from(ends.last().copied().unwrap_or(0).max(1)) / 1000.0;
        let latencies = Percentiles::of(result.samples.iter().map(latency).collect());
        LoadReport {
            connections: options.connections,
            threads,
            requests: result.samples.len(),
            failures: result.failures,
            failures_told: result.failures_told.clone(),
            seconds,
            per_second: result.samples.len() as f64 / seconds,
            megabytes_per_second: result.body_bytes as f64 / seconds / 1e6,
            p50_ms: latencies.milliseconds(0.5),
            p90_ms: latencies.milliseconds(0.9),
            p99_ms: latencies.milliseconds(0.99),
            p99_9_ms: latencies.milliseconds(0.999),
            longest_ms: latencies.milliseconds(1.0),
            server_cpu_seconds: cost.server_cpu_seconds,
            server_peak_resident_bytes: cost.peak_resident_bytes,
            generator_cpu_seconds: cost.generator_cpu_seconds,
            other_cpu_cores: cost.other_cpu_seconds / seconds,
            written_per_stored: written_bytes
                .filter(|_| result.body_bytes > 0)
                .map(|written| written as f64 / result.body_bytes as f64),
            tenths_per_second: tenths(&ends),
        }
    }
}

fn latency(sample: &Sample) -> u32 {
    sample.latency_microseconds
}

/// The rate of each tenth of these moments, which are in order; nothing for fewer than a hundred.
fn tenths(ends_milliseconds: &[u32]) -> Vec<f64> {
    if ends_milliseconds.len() < 100 {
        return Vec::new();
    }
    let mut from = 0;
    ends_milliseconds
        .chunks(ends_milliseconds.len().div_ceil(10))
        .map(|tenth| {
            let to = tenth.last().copied().unwrap_or(from);
            let milliseconds = to.saturating_sub(from).max(1);
            from = to;
            tenth.len() as f64 * 1000.0 / f64::from(milliseconds)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_halves_shows_in_its_tenths() {
        let fast = (0..500u32).map(|n| n + 1);
        let slow = (0..500u32).map(|n| 500 + (n + 1) * 2);
        let tenths = tenths(&fast.chain(slow).collect::<Vec<_>>());
        assert_eq!(tenths.len(), 10);
        assert_eq!((tenths[0], tenths[9]), (1000.0, 500.0));
    }

    #[test]
    fn few_answers_have_no_tenths() {
        assert!(tenths(&[1, 2, 3]).is_empty());
    }
}
