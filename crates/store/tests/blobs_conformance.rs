//! The conformance suite of the blob store, on local files with unnamed and with named staging, and in memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use countersign_store::blobs::{LocalFiles, LocalFilesOptions};
use countersign_testkit::{BlobsFixture, MemoryBlobs};
use std::sync::Arc;

fn local_files(unnamed_files: bool) -> BlobsFixture {
    let keep = tempfile::tempdir().unwrap();
    let folder = keep.path().join("blobs");
    let blobs =
        LocalFiles::open(LocalFilesOptions { unnamed_files, ..LocalFilesOptions::new(folder) }).unwrap();
    BlobsFixture { blobs: Arc::new(blobs), keep: Box::new(keep) }
}

mod unnamed_files {
    async fn fixture() -> countersign_testkit::BlobsFixture {
        super::local_files(true)
    }

    countersign_testkit::blobs_suite!(fixture);
}

mod named_files {
    async fn fixture() -> countersign_testkit::BlobsFixture {
        super::local_files(false)
    }

    countersign_testkit::blobs_suite!(fixture);
}

mod memory {
    use super::*;

    async fn fixture() -> BlobsFixture {
        BlobsFixture { blobs: Arc::new(MemoryBlobs::default()), keep: Box::new(()) }
    }

    countersign_testkit::blobs_suite!(fixture);
}
