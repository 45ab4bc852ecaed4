//! Measures an uploaded image for the callback's `imageInfo.*` (CB-40, CB-41), from its sealed bytes.
//!
//! What a header says is [`countersign_protocol::image`]'s question; here the pieces that it asks for are fetched. A
//! crafted header costs at most a bounded number of bytes and steps, off the async threads. What cannot be read
//! leaves the variables unset and never fails an upload.

use countersign_protocol::callback::ImageInfo;
use countersign_protocol::image::{Measuring, Progress};
use countersign_store::SealedBlob;
use tokio::sync::Semaphore;

/// Reads what the image's header says. `None` for anything that is no readable image of a known format.
pub(crate) async fn read(permits: &Semaphore, blob: &SealedBlob) -> Option<ImageInfo> {
    let _permit = permits.acquire().await.ok()?;
    let mut measuring = Measuring::of_file(blob.len());
    loop {
        let proceeding = tokio::task::spawn_blocking(move || {
            let progress = measuring.proceed();
            (measuring, progress)
        });
        let progress;
        (measuring, progress) = proceeding
            .await
            .inspect_err(|error| tracing::warn!(%error, "an image could not be measured"))
            .ok()?;
        match progress {
            Progress::Done(info) => return info,
            Progress::Needs { offset, bytes } => {
                let piece = blob.read_at(offset, bytes).await;
                let piece =
                    piece.inspect_err(|error| tracing::warn!(%error, "an image could not be read")).ok()?;
                if piece.is_empty() {
                    return None;
                }
                measuring.push(offset, piece);
            }
        }
    }
}
