//! Makes the container image without a container engine: two layers, a configuration and the indexes, in one tar archive.
//!
//! The archive is an OCI image layout (image-spec 1.1), and holds the `manifest.json` of `docker save` as well, so that
//! `docker load` and `podman load` take it as it is. The configuration has a health check, which OCI leaves to others
//! and Docker reads there.

mod base_system;
mod layer;
mod layout;

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::linked_libraries::{Needs, architecture};
use super::{Ingredients, output_of, third_party};
use layer::Layer;

/// The user that everything runs as; the number that such images usually have for a user without rights.
pub(super) const USER: u32 = 65532;
/// The group of the data folder: platforms that choose a user by chance (OpenShift) put it into this one.
const DATA_GROUP: u32 = 0;
/// The store's port, and the application server's.
const PORTS: [u16; 2] = [9817, 9818];
const DESCRIPTION: &str =
    "Object store whose uploads your application countersigns: OSS form uploads with callbacks";

/// Makes it, and gives the files that are published.
pub(super) fn build(ingredients: &Ingredients) -> anyhow::Result<Vec<PathBuf>> {
    let needs = Needs::of(&ingredients.binary)?;
    let architecture = architecture(&ingredients.binary)?;
    let base = base_system::build(ingredients, &needs)?;
    let program = program(ingredients)?;
    let epoch = ingredients.source_date_epoch;
    let layers = [
        Layer::pack(&base.tree, &[], &ingredients.work.join("base"), epoch)?,
        Layer::pack(&program, &[("data", USER, DATA_GROUP)], &ingredients.work.join("program"), epoch)?,
    ];
    let created = rfc3339(ingredients.source_date_epoch)?;
    let configuration = configuration(ingredients, architecture, &created, &base.of, &layers);
    let file = ingredients.output.join(format!("countersign-{}-oci-{architecture}.tar", ingredients.version));
    let image =
        layout::Image { name: "countersign", tag: &ingredients.version, architecture, created: &created };
    layout::write(&image, &configuration, &layers, &ingredients.work.join("layout"), &file, epoch)?;
    Ok(vec![file])
}

/// The layer that changes with every version.
fn program(ingredients: &Ingredients) -> anyhow::Result<super::file_tree::FileTree> {
    let tree = super::file_tree::FileTree::new(ingredients.work.join("program-tree"))?;
    tree.copy(&ingredients.binary, "usr/bin/countersign", 0o755)?;
    let licence = std::fs::read(ingredients.root.join("LICENSE"))?;
    tree.put("usr/share/doc/countersign/copyright", 0o644, &licence)?;
    let notices = format!("usr/share/doc/countersign/{}", third_party::FILE_NAME);
    tree.put(&notices, 0o644, ingredients.third_party_notices.as_bytes())?;
    // Its owner and its group may write, nobody else may look.
    tree.make_folder("data", 0o770)?;
    Ok(tree)
}

fn configuration(
    ingredients: &Ingredients,
    architecture: &str,
    created: &str,
    base: &str,
    layers: &[Layer],
) -> Value {
    let seconds = |number: u64| json!(number * 1_000_000_000);
    json!({
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": format!("{USER}:{USER}"),
            "ExposedPorts": PORTS.iter().map(|port| (format!("{port}/tcp"), json!({}))).collect::<serde_json::Map<_, _>>(),
            "Env": ["PATH=/usr/bin", "COUNTERSIGN_DATA=/data"],
            "Entrypoint": ["/usr/bin/countersign"],
            // All addresses of the container, since another container's is never its own loopback. No key is known to
            // others: the first start makes one.
            "Cmd": ["store", "--data", "/data", "--listen", format!("0.0.0.0:{}", PORTS[0])],
            "Volumes": { "/data": {} },
            "WorkingDir": "/data",
            "StopSignal": "SIGTERM",
            "Healthcheck": {
                "Test": ["CMD", "/usr/bin/countersign", "health", "--data", "/data"],
                "Interval": seconds(10),
                "Timeout": seconds(5),
                "StartPeriod": seconds(5),
                "Retries": 3,
            },
            "Labels": labels(ingredients, created, base),
        },
        "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|layer| &layer.diff_id).collect::<Vec<_>>() },
        "history": [
            { "created": created, "created_by": format!("files of {base}") },
            { "created": created, "created_by": format!("countersign {}", ingredients.version) },
        ],
    })
}

fn labels(ingredients: &Ingredients, created: &str, base: &str) -> Value {
    json!({
        "org.opencontainers.image.title": "countersign",
        "org.opencontainers.image.description": DESCRIPTION,
        "org.opencontainers.image.version": ingredients.version,
        "org.opencontainers.image.created": created,
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.base.name": base,
    })
}

fn rfc3339(epoch: u64) -> anyhow::Result<String> {
    let moment = format!("@{epoch}");
    let date = output_of(Command::new("date").args(["--utc", "--date", &moment, "+%Y-%m-%dT%H:%M:%SZ"]))?;
    Ok(date.trim().to_owned())
}
