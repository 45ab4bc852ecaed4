//! Writes an image as one archive: the files of an OCI image layout, and beside them what `docker save` writes.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::layer::{self, Layer};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What an image is called.
pub(super) struct Image<'a> {
    pub(super) name: &'a str,
    pub(super) tag: &'a str,
    pub(super) architecture: &'a str,
    pub(super) created: &'a str,
}

/// Writes the archive. `work` is a path at which nothing is yet.
pub(super) fn write(
    image: &Image<'_>,
    configuration: &Value,
    layers: &[Layer],
    work: &Path,
    archive: &Path,
    epoch: u64,
) -> anyhow::Result<()> {
    let mut blobs = Blobs { folder: work.to_path_buf(), written: Vec::new() };
    let configuration = blobs.write(CONFIGURATION, &serde_json::to_vec(configuration)?)?;
    let layers =
        layers.iter().map(|layer| blobs.write(LAYER, &layer.content)).collect::<Result<Vec<_>, _>>()?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": configuration,
        "layers": layers,
    });
    let manifest = blobs.write(MANIFEST, &serde_json::to_vec(&manifest)?)?;
    let annotations = json!({
        "org.opencontainers.image.ref.name": image.tag,
        "org.opencontainers.image.created": image.created,
        // What Docker calls it when it is loaded.
        "io.containerd.image.name": format!("docker.io/library/{}:{}", image.name, image.tag),
    });
    let manifest = json!({
        "mediaType": MANIFEST,
        "digest": manifest.get("digest"),
        "size": manifest.get("size"),
        "platform": { "architecture": image.architecture, "os": "linux" },
        "annotations": annotations,
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest] });
    let paths: Vec<String> = layers.iter().map(path_of).collect();
    let saved = json!([{
        "Config": path_of(&configuration),
        "RepoTags": [format!("{}:{}", image.name, image.tag)],
        "Layers": paths,
    }]);
    for (name, content) in [
        ("oci-layout", json!({ "imageLayoutVersion": "1.0.0" })),
        ("index.json", index),
        ("manifest.json", saved),
    ] {
        std::fs::write(work.join(name), serde_json::to_vec(&content)?)?;
        blobs.written.push(name.into());
    }
    blobs.written.sort();
    layer::pack_folder(work, &blobs.written, archive, epoch)
}

/// The files named by their digests.
struct Blobs {
    folder: PathBuf,
    written: Vec<PathBuf>,
}

impl Blobs {
    /// Writes one and gives its descriptor.
    fn write(&mut self, media_type: &str, content: &[u8]) -> anyhow::Result<Value> {
        let descriptor =
            json!({ "mediaType": media_type, "digest": layer::digest(content), "size": content.len() });
        let path = PathBuf::from(path_of(&descriptor));
        let full = self.folder.join(&path);
        std::fs::create_dir_all(full.parent().context("a blob has a folder")?)?;
        std::fs::write(&full, content)?;
        self.written.push(path);
        Ok(descriptor)
    }
}

/// `blobs/sha256/…` of a descriptor.
fn path_of(descriptor: &Value) -> String {
    format!(
        "blobs/{}",
        descriptor.get("digest").and_then(Value::as_str).unwrap_or_default().replace(':', "/")
    )
}
