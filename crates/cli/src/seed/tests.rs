//! Seeding a store from a folder, exporting one, and both in turn.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;

use bytes::Bytes;
use countersign_server::object::attribute_headers;
use countersign_store::{Clock, CreateBucket, DeleteObject, PutObject, Store, StoreOptions};
use proptest::prelude::*;

use super::*;

fn clock() -> Clock {
    let at: jiff::Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
    Clock::with_wall(move || at)
}

async fn open(data: &Path) -> Store {
    let mut options = StoreOptions::new(data, clock());
    options.durable = false;
    Store::open(options).await.unwrap()
}

async fn put(store: &Store, bucket: &str, key: &[u8], bytes: &[u8], headers: &[(&str, &[u8])]) {
    let mut staged = store.stage(None).await.unwrap();
    staged.write(Bytes::copy_from_slice(bytes)).await.unwrap();
    let name = String::from_utf8_lossy(key).into_owned();
    let attributes = attribute_headers::gather(&name, None, headers.iter().copied()).unwrap();
    let put = PutObject {
        bucket: bucket.to_owned(),
        key: Bytes::copy_from_slice(key),
        content: staged.seal().await.unwrap(),
        attributes: attributes.encode(),
        forbid_overwrite: false,
        outbox_entry: None,
    };
    store.commit(put).await.unwrap();
}

async fn make_bucket(store: &Store, name: &str) {
    store.commit(CreateBucket { name: name.to_owned(), settings: BTreeMap::new() }).await.unwrap();
}

async fn export_to(data: &Path, target: &Path) -> Result<Exported, SeedError> {
    export(data, target, &clock(), |_| {}).await
}

/// Every file below a folder with its bytes; a link is an error.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            assert!(!kind.is_symlink());
            if kind.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

/// Writes files below a folder.
fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

async fn loaded(folder: &Path) -> Result<(Store, SeedCounts, tempfile::TempDir), SeedError> {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path()).await;
    let seeded = load(&store, folder).await?;
    Ok((store, seeded, data))
}

async fn bytes_of(store: &Store, bucket: &str, key: &str) -> Option<Vec<u8>> {
    use futures_util::TryStreamExt as _;
    let object = store.object(bucket, key).await.unwrap()?;
    let reader = store.read(&object, 0..object.len).await.unwrap();
    Some(
        reader
            .try_fold(Vec::new(), |mut all, chunk| async move {
                all.extend_from_slice(&chunk);
                Ok(all)
            })
            .await
            .unwrap(),
    )
}

async fn type_of(store: &Store, bucket: &str, key: &str) -> String {
    use countersign_server::object::attributes::ObjectAttributes;
    let object = store.object(bucket, key).await.unwrap().unwrap();
    ObjectAttributes::read(&object.attributes).unwrap().content_type
}

#[tokio::test]
async fn a_plain_folder_is_a_seed_with_types_by_the_endings() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("demo/photos/a b%20c.jpg", "j"),
            ("demo/.hidden", "h"),
            ("demo/notes", ""),
            ("empty.toml", ""),
            ("README.md", "what this is"),
            (".git/config", "not an object"),
        ],
    );
    let (store, seeded, _data) = loaded(folder.path()).await.unwrap();
    assert_eq!((seeded.buckets, seeded.objects), (2, 3));
    assert_eq!(bytes_of(&store, "demo", "photos/a b%20c.jpg").await.unwrap(), b"j");
    assert_eq!(bytes_of(&store, "demo", ".hidden").await.unwrap(), b"h");
    assert_eq!(type_of(&store, "demo", "photos/a b%20c.jpg").await, "image/jpeg");
    assert_eq!(type_of(&store, "demo", "notes").await, "application/octet-stream");
    assert!(store.bucket("empty").await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_there_already_stays() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[("demo/a.txt", "seed"), ("demo/b.txt", "seed"), ("demo.toml", "acl = \"public-read\"\n")],
    );
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path()).await;
    make_bucket(&store, "demo").await;
    put(&store, "demo", b"a.txt", b"mine", &[]).await;
    let seeded = load(&store, folder.path()).await.unwrap();
    assert_eq!((seeded.objects, seeded.objects_kept), (1, 1));
    assert_eq!(seeded.buckets_kept, ["demo"]);
    assert_eq!(seeded.in_words(), "1 object in 1 bucket; 1 object there already; demo keeps its settings");
    assert_eq!(bytes_of(&store, "demo", "a.txt").await.unwrap(), b"mine");
    assert!(store.bucket("demo").await.unwrap().unwrap().settings.is_empty());
    assert_eq!(load(&store, folder.path()).await.unwrap().objects_kept, 2, "a second time changes nothing");
}

#[tokio::test]
async fn a_folder_that_is_no_seed_is_refused_by_name_and_nothing_is_stored() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "s").unwrap();
    let long = "k".repeat(250);
    let deep = format!("demo/{long}/{long}/{long}/{long}/{long}");
    for (files, named) in [
        (vec![("photo.jpg", "")], "photo.jpg"),
        (vec![("Demo/a", "")], "Demo"),
        (vec![("x.toml", "")], "\"x\""),
        (vec![("demo.files/a", "")], "demo.files"),
        (vec![("demo.files/a", ""), ("demo.toml", "")], "demo.files/a"),
        (vec![("demo/a", ""), ("demo.toml", "mood = 1")], "demo.toml:1"),
        (vec![("demo.toml", "[objects.gone]\n")], "demo/gone"),
        (vec![("demo.toml", "[objects.\"a//b\"]\nfile = \"none\"\n")], "demo.files/none"),
        (
            vec![
                ("demo.toml", "[objects.\"a\"]\nfile = \"../demo/b\"\n"),
                ("demo/b", ""),
                ("demo.files/x", ""),
            ],
            "../demo/b",
        ),
        (
            vec![("demo/a", ""), ("demo.files/f", ""), ("demo.toml", "[objects.a]\nfile = \"f\"\n")],
            "two files",
        ),
        (vec![("demo/a", ""), ("demo.toml", "[objects.a]\nacl = \"world\"\n")], "world"),
        (vec![(deep.as_str(), "")], "longer than a key"),
        (vec![("demo/\\a", "")], "backslash"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[("aaa/first", "1")]);
        write(folder.path(), &files);
        let data = tempfile::tempdir().unwrap();
        let store = open(data.path()).await;
        let refused = load(&store, folder.path()).await.unwrap_err().to_string();
        assert!(refused.contains(named), "{files:?}: {refused}");
        assert!(store.buckets("", "", 1).await.unwrap().is_empty(), "{files:?}");
    }
    for (link, to) in [
        ("demo/link", outside.path().join("secret")),
        ("demo/away", outside.path().to_path_buf()),
        ("demo", outside.path().to_path_buf()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join(link).parent().unwrap()).unwrap();
        symlink(to, folder.path().join(link)).unwrap();
        let refused = loaded(folder.path()).await.unwrap_err().to_string();
        assert!(refused.contains(link) && refused.contains("a symbolic link"), "{refused}");
    }
    assert!(
        loaded(Path::new("/nonexistent/seed")).await.unwrap_err().to_string().contains("/nonexistent/seed")
    );
}

#[tokio::test]
async fn a_damaged_or_half_export_is_refused_by_name() {
    let (data, base) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(data.path()).await;
    make_bucket(&store, "demo").await;
    put(&store, "demo", b"a.txt", b"aaaa", &[]).await;
    put(&store, "demo", b"dir/", b"", &[]).await;
    store.shutdown().await;
    let whole = base.path().join("whole");
    export_to(data.path(), &whole).await.unwrap();
    loaded(&whole).await.unwrap();
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 7] = [
        ("demo/a.txt", |folder| std::fs::write(folder.join("demo/a.txt"), "aaab").unwrap()),
        ("demo/a.txt", |folder| std::fs::write(folder.join("demo/a.txt"), "aaa").unwrap()),
        ("demo/a.txt", |folder| std::fs::remove_file(folder.join("demo/a.txt")).unwrap()),
        ("demo/new", |folder| std::fs::write(folder.join("demo/new"), "").unwrap()),
        ("demo.toml", |folder| std::fs::write(folder.join("demo.toml"), "").unwrap()),
        ("MANIFEST", |folder| {
            let text = std::fs::read_to_string(folder.join("MANIFEST")).unwrap();
            std::fs::write(folder.join("MANIFEST"), &text[..text.len() / 2]).unwrap();
        }),
        ("MANIFEST:4", |folder| {
            let text = std::fs::read_to_string(folder.join("MANIFEST")).unwrap();
            let cut: Vec<&str> = text.lines().filter(|line| !line.contains("demo/a.txt")).collect();
            std::fs::write(folder.join("MANIFEST"), format!("{}\n", cut.join("\n"))).unwrap();
            std::fs::remove_file(folder.join("demo/a.txt")).unwrap();
        }),
    ];
    for (index, (named, damage)) in damages.into_iter().enumerate() {
        let copy = base.path().join(format!("copy{index}"));
        export_to(data.path(), &copy).await.unwrap();
        damage(&copy);
        let refused = loaded(&copy).await.unwrap_err().to_string();
        assert!(refused.contains(named), "{index} {named}: {refused}");
        if index < 5 {
            std::fs::remove_file(copy.join("MANIFEST")).unwrap();
        }
    }
    // Without its list, what was changed by hand is as good as any folder.
    assert_eq!(loaded(&base.path().join("copy0")).await.unwrap().1.objects, 2);
}

#[tokio::test]
async fn an_export_of_a_running_store_is_of_one_moment_and_goes_into_an_empty_folder() {
    let (data, base) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(data.path()).await;
    make_bucket(&store, "demo").await;
    let big = vec![7; 300_000];
    put(&store, "demo", b"big", &big, &[("x-oss-meta-a", b"1")]).await;
    let frozen = Store::snapshot(data.path(), &base.path().join("copy"), &clock()).await.unwrap();
    put(&store, "demo", b"big", b"overwritten", &[]).await;
    put(&store, "demo", b"later", b"x", &[]).await;
    store.sweep().await.unwrap();
    assert_eq!(bytes_of(&frozen, "demo", "big").await.unwrap(), big);
    assert_eq!(bytes_of(&frozen, "demo", "later").await, None);
    assert!(frozen.stage(None).await.is_err(), "it takes no bytes");
    let deletion =
        DeleteObject { bucket: "demo".to_owned(), key: Bytes::from("big"), only_if_sequence: None };
    assert!(frozen.commit(deletion).await.is_err(), "nor changes");
    frozen.shutdown().await;
    drop(frozen);

    let target = base.path().join("out");
    assert_eq!(export_to(data.path(), &target).await.unwrap().objects, 2);
    assert!(!target.join(".draft").exists());
    assert!(matches!(export_to(data.path(), &target).await, Err(SeedError::NotEmpty { .. })));
    for within in ["out", "blobs/out/deeper", ""] {
        let refused = export_to(data.path(), &data.path().join(within)).await;
        assert!(matches!(refused, Err(SeedError::WithinData { .. })), "{within}");
    }
    let nowhere = base.path().join("nowhere");
    assert!(export_to(&nowhere, &base.path().join("out2")).await.is_err());
    assert!(!base.path().join("out2").exists(), "nothing is made for a store that is not there");
}

#[tokio::test]
async fn an_export_with_a_damaged_object_is_incomplete() {
    let (data, base) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(data.path()).await;
    make_bucket(&store, "demo").await;
    put(&store, "demo", b"rotten", &vec![7; 300_000], &[]).await;
    put(&store, "demo", b"sound", b"x", &[]).await;
    store.shutdown().await;
    drop(store);
    let blob = tree(&data.path().join("blobs"))
        .into_keys()
        .find(|path| std::fs::metadata(data.path().join("blobs").join(path)).unwrap().len() == 300_000)
        .unwrap();
    let path = data.path().join("blobs").join(blob);
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    std::fs::set_permissions(&path, permissions).unwrap();
    std::fs::write(&path, vec![8; 300_000]).unwrap();
    let refused = export_to(data.path(), &base.path().join("out")).await.unwrap_err();
    assert!(
        matches!(&refused, SeedError::Damaged { objects } if objects == &["\"demo/rotten\""]),
        "{refused}"
    );
    assert!(matches!(loaded(&base.path().join("out")).await, Err(SeedError::HalfExport)));
}

#[tokio::test]
async fn escapes_keys_that_cannot_be_paths_or_that_collide() {
    let (data, base) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(data.path()).await;
    make_bucket(&store, "demo").await;
    for key in ["a", "a/b", "B.txt", "b.txt", "Dir/x", "dir/y", "dir/", "..", ".git/config", "demo.toml"] {
        put(&store, "demo", key.as_bytes(), b"", &[]).await;
    }
    export_to(data.path(), &base.path().join("out")).await.unwrap();
    let files = tree(&base.path().join("out")).into_keys().filter(|path| path.starts_with("demo"));
    let expected = [
        "demo.files/%2e%2e",
        "demo.files/%2egit%2fconfig",
        "demo.files/a",
        "demo.files/b.txt",
        "demo.files/dir%2f",
        "demo.files/dir%2fy",
        "demo.toml",
        "demo/B.txt",
        "demo/Dir/x",
        "demo/a/b",
        "demo/demo.toml",
    ];
    assert_eq!(files.collect::<Vec<_>>(), expected);
}

/// Keys that are hard to have as files.
fn hostile_key() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just(String::new()),
        Just("a".to_owned()),
        Just("A".to_owned()),
        Just("demo.toml".to_owned()),
        Just("MANIFEST".to_owned()),
        Just(".git".to_owned()),
        Just("nul".to_owned()),
        Just("%2e%2e".to_owned()),
        Just("用户".to_owned()),
        Just("k".repeat(240)),
        Just("a\nb\u{1b}[2J".to_owned()),
        Just("\u{202e}gpj".to_owned()),
        Just("a b".to_owned()),
        Just("a~1".to_owned()),
        "[a-c.%]{1,3}",
        "\\PC{1,4}",
    ];
    proptest::collection::vec(segment, 1..5)
        .prop_map(|segments| segments.join("/"))
        .prop_filter("a key", |key| countersign_protocol::ObjectKey::parse(key).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_exported_and_seeded_is_exported_again_as_it_was(
        keys in proptest::collection::btree_set(hostile_key(), 1..24),
        value in "[ -~\\t\u{e9}\u{4e00}]{0,12}",
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let base = tempfile::tempdir().unwrap();
            let (first, second) = (base.path().join("first"), base.path().join("second"));
            let store = open(&base.path().join("data")).await;
            make_bucket(&store, "demo").await;
            for (index, key) in keys.iter().enumerate() {
                let metadata = ("x-oss-meta-a", value.as_bytes());
                let headers = if index % 2 == 0 { &[][..] } else { std::slice::from_ref(&metadata) };
                put(&store, "demo", key.as_bytes(), format!("{index}").as_bytes(), headers).await;
            }
            store.shutdown().await;
            export_to(&base.path().join("data"), &first).await.unwrap();
            let again = open(&base.path().join("again")).await;
            let seeded = load(&again, &first).await.unwrap();
            assert_eq!(seeded.objects, keys.len() as u64);
            for (index, key) in keys.iter().enumerate() {
                assert_eq!(bytes_of(&again, "demo", key).await.unwrap(), format!("{index}").as_bytes(), "{key:?}");
            }
            again.shutdown().await;
            export_to(&base.path().join("again"), &second).await.unwrap();
            assert_eq!(tree(&first), tree(&second));
            let names: Vec<String> = std::fs::read_dir(base.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            assert_eq!(names.len(), 4, "{names:?}");
        });
    }
}
