//! What installers and Python itself find in the wheels.

use std::process::Command;

use super::*;
use crate::dist::output_of;

/// A wheel of the plugin in a folder of its own, with this test's own program inside as the program.
fn wheel(folder: &Path, program: Option<&Path>) -> PathBuf {
    let root = crate::repository_root().unwrap();
    let folder_of_project = root.join("packages/python/pytest-countersign");
    let program = program.map(|path| Program { path, third_party_notices: "of others" });
    let wheel = Wheel { folder: folder_of_project, program, platform: "any" };
    wheel.write(env!("CARGO_PKG_VERSION"), folder).unwrap()
}

fn python(script: &str, argument: &Path) -> String {
    output_of(Command::new("python3").args(["-c", script]).arg(argument)).unwrap()
}

#[test]
fn another_reader_of_zip_finds_every_file_whole_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new("/bin/true");
    let script = "
import base64, csv, hashlib, io, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
names = archive.namelist()
record = next(name for name in names if name.endswith('.dist-info/RECORD'))
rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(archive.read(record).decode()))}
assert sorted(rows) == sorted(names), (rows, names)
for name in names:
    if name != record:
        digest = base64.urlsafe_b64encode(hashlib.sha256(archive.read(name)).digest()).rstrip(b'=').decode()
        assert rows[name] == ['sha256=' + digest, str(len(archive.read(name)))], name
    print(oct(archive.getinfo(name).external_attr >> 16), name)
";
    let listed = python(script, &wheel(folder.path(), Some(program)));
    let named = format!("pytest_countersign-{}", env!("CARGO_PKG_VERSION"));
    for line in [
        "0o100644 pytest_countersign/plugin.py".to_owned(),
        "0o100644 pytest_countersign/py.typed".to_owned(),
        format!("0o100755 {named}.data/scripts/countersign"),
        format!("0o100644 {named}.dist-info/licenses/LICENSE"),
        format!("0o100644 {named}.dist-info/licenses/THIRD-PARTY-NOTICES.txt"),
        format!("0o100644 {named}.dist-info/METADATA"),
        format!("0o100644 {named}.dist-info/entry_points.txt"),
    ] {
        assert!(listed.lines().any(|listed| listed == line), "{line} is not in\n{listed}");
    }
    assert!(!listed.contains("__pycache__"), "{listed}");
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(
        std::fs::read(wheel(one.path(), None)).unwrap(),
        std::fs::read(wheel(other.path(), None)).unwrap()
    );
}

#[test]
fn wheels_of_an_earlier_version_do_not_stay_beside_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (older, other) =
        ("pytest_countersign-0.0.1-py3-none-any.whl", "countersign_oss-0.0.1-py3-none-any.whl");
    for name in [older, other] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    assert!(wheel(folder.path(), None).is_file());
    assert!(!folder.path().join(older).exists() && folder.path().join(other).exists());
}

#[test]
fn the_projects_carry_the_repositorys_licence() {
    let root = crate::repository_root().unwrap();
    let licence = std::fs::read(root.join("LICENSE")).unwrap();
    for project in ["countersign-oss", "pytest-countersign"] {
        let copy = std::fs::read(root.join("packages/python").join(project).join("LICENSE")).unwrap();
        assert!(copy == licence, "{project}");
    }
}

#[test]
fn a_platform_tag_names_the_glibc_that_the_binary_asks_for() {
    // Any program of this system will do; it may ask for more than we promise, which is refused by name.
    match platform_tag(Path::new("/bin/true")) {
        Ok(tag) => assert!(tag.starts_with("manylinux_2_"), "{tag}"),
        Err(error) => assert!(error.to_string().contains("Ubuntu 22.04"), "{error:#}"),
    }
}
