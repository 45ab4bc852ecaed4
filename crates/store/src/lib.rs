//! Buckets, objects, manifests, blobs: catalog, recovery, outbox. No HTTP.
