//! Counts the transactions of a catalog, whichever engine it has: how many requests each had (group commit), and how many failed.

use metrics::{Counter, Histogram, counter, describe_counter, describe_histogram, histogram};

/// The metrics of a catalog's writer, registered once.
#[derive(Debug)]
pub struct BatchMetrics {
    requests: Histogram,
    failed: Counter,
}

impl BatchMetrics {
    /// Registers them.
    pub fn register() -> BatchMetrics {
        describe_histogram!(
            "countersign_commit_batch_requests",
            "Requests that one transaction of the catalog had."
        );
        describe_counter!(
            "countersign_commit_batches_failed_total",
            "Transactions of the catalog that failed."
        );
        BatchMetrics {
            requests: histogram!("countersign_commit_batch_requests"),
            failed: counter!("countersign_commit_batches_failed_total"),
        }
    }

    /// Counts one transaction of so many requests.
    pub fn ended(&self, requests: usize, failed: bool) {
        self.requests.record(f64::from(u32::try_from(requests).unwrap_or(u32::MAX)));
        if failed {
            self.failed.increment(1);
        }
    }
}
