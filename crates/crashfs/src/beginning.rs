//! What a disk holds before a scenario's first start: nothing, or a data folder that an older version has left.

use crate::disk::{Image, Node};
use crate::scenario::Begins;
use crate::verdict::observe;
use crate::world::World;
use countersign_store::{Store, StoreOptions};
use countersign_testkit::TestClock;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The disk, with the data folder under this name, and what clients know of it.
pub(crate) async fn of(begins: Begins, data: &str) -> (Image, World) {
    let folder = match begins {
        Begins::Empty => return (Image::empty(), World::default()),
        Begins::Schema1 => schema_1(),
    };
    let mut image = Image::empty();
    let inode = taken(folder.path(), &mut image);
    image.nodes.insert(crate::event::ROOT, Node::Folder(BTreeMap::from([(data.to_owned(), inode)])));
    // What the store shows is compared with what the folder holds by the store's own tests.
    let opened = Store::open(StoreOptions::new(folder.path(), TestClock::new().clock())).await;
    let store = opened.expect("the older folder opens");
    let world = observe(&store).await.expect("the older folder is whole");
    store.shutdown().await;
    assert!(world.objects.len() == 8 && world.owed.len() == 2, "{world:?}");
    (image, world)
}

/// A copy of the folder, without the object that is damaged: a verdict reads every one.
fn schema_1() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/tests/data-folders/schema-1");
    let (blobs, to) = (kept.join("blobs/00000001"), folder.path().join("blobs/00000001"));
    std::fs::create_dir_all(&to).expect("a folder");
    for entry in std::fs::read_dir(blobs).expect("the folder of blobs") {
        let entry = entry.expect("a blob");
        if entry.metadata().expect("a blob").len() > 5 {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
        }
    }
    let catalog = folder.path().join("catalog.sqlite");
    std::fs::copy(kept.join("catalog.sqlite"), &catalog).expect("a copy");
    let connection = rusqlite::Connection::open(&catalog).expect("the catalog");
    let rotten = "DELETE FROM content WHERE len = 66100;
                  DELETE FROM version WHERE NOT EXISTS(SELECT 1 FROM content WHERE id = version.content);
                  DELETE FROM damage;
                  PRAGMA journal_mode = DELETE;";
    connection.execute_batch(rotten).expect("the catalog");
    folder
}

/// Takes a folder into the image.
fn taken(folder: &Path, image: &mut Image) -> u32 {
    let inode = image.next_inode();
    image.nodes.insert(inode, Node::Folder(BTreeMap::new()));
    let mut names = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let inode = if path.is_dir() {
            taken(&path, image)
        } else {
            let inode = image.next_inode();
            image.nodes.insert(inode, Node::File(Arc::new(std::fs::read(&path).expect("a file"))));
            inode
        };
        names.insert(name, inode);
    }
    image.nodes.insert(inode, Node::Folder(names));
    inode
}
