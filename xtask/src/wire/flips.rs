//! Falsifies what vectors expect, one value at a time in a copy of the folder, and sees the tests that read the file
//! fail. A value that can be false without a test noticing holds nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::Value;

use super::expectations;
use super::handbook::{Certainty, Handbook};
use super::test_binaries::{CompiledTest, TestBinaries};

/// The packages whose tests read vectors, for a build that is not of the whole workspace.
const PACKAGES: &[&str] = &["countersign-protocol", "countersign-app"];

/// One expectation that is made false.
#[derive(Debug)]
struct Flip {
    /// The verified clauses that this case holds.
    clauses: Vec<String>,
    file: String,
    case: usize,
    case_name: String,
    place: String,
}

/// Falsifies all, or one expectation of each file that holds a verified clause, and says what went unnoticed.
pub(super) fn run(root: &Path, handbook: &Handbook, full: bool, debug: bool) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let mut documents = BTreeMap::new();
    for entry in std::fs::read_dir(root.join("vectors"))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.ends_with(".json") {
            std::fs::copy(&path, folder.path().join(&name))?;
            let document: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
            documents.insert(format!("vectors/{name}"), document);
        }
    }
    let all = flips(handbook, &documents)?;
    let chosen = if full { all } else { one_of_each_file(all) };
    let tests = compiled_tests(root, handbook, debug)?;
    let mut unnoticed = 0;
    for (file, readers) in &tests {
        for reader in readers {
            let output = reader.run(folder.path())?;
            let said = String::from_utf8_lossy(&output.stdout);
            anyhow::ensure!(
                output.status.success() && said.contains("1 passed"),
                "{file} as it is: {reader:?}\n{said}"
            );
        }
    }
    for flip in &chosen {
        let document = documents.get(&flip.file).context("a file that was read")?;
        let readers = tests.get(&flip.file).with_context(|| format!("no test reads {}", flip.file))?;
        if let Some(why) = goes_unnoticed(folder.path(), document, flip, readers)? {
            unnoticed += 1;
            println!("{}#{} {}: {why}", flip.file, flip.case_name, flip.place);
        }
    }
    let clauses: std::collections::BTreeSet<&String> = chosen.iter().flat_map(|flip| &flip.clauses).collect();
    println!(
        "wire: {} expectations falsified, of them {unnoticed} unnoticed; {} verified clauses",
        chosen.len(),
        clauses.len()
    );
    Ok(if unnoticed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every expectation of every case, in the order of the files.
fn flips(handbook: &Handbook, documents: &BTreeMap<String, Value>) -> anyhow::Result<Vec<Flip>> {
    let mut flips = Vec::new();
    for (file, document) in documents {
        let cases = document.get("cases").and_then(Value::as_array).context("no cases")?;
        for (case, value) in cases.iter().enumerate() {
            let case_name = value.get("name").and_then(Value::as_str).context("a case without a name")?;
            let named = format!("{file}#{case_name}");
            let verified = handbook
                .clauses
                .iter()
                .filter(|clause| clause.certainty == Certainty::Verified && clause.held_by.contains(&named));
            let clauses: Vec<String> = verified.map(|clause| clause.id.clone()).collect();
            let places = expectations::places(file, value).with_context(|| format!("{file} is not known"))?;
            flips.extend(places.into_iter().map(|place| Flip {
                clauses: clauses.clone(),
                file: file.clone(),
                case,
                case_name: case_name.to_owned(),
                place,
            }));
        }
    }
    Ok(flips)
}

/// The first expectation of each file that holds a verified clause.
fn one_of_each_file(flips: Vec<Flip>) -> Vec<Flip> {
    let mut chosen: Vec<Flip> = Vec::new();
    for flip in flips {
        if !flip.clauses.is_empty() && chosen.last().is_none_or(|last| last.file != flip.file) {
            chosen.push(flip);
        }
    }
    chosen
}

fn compiled_tests(
    root: &Path,
    handbook: &Handbook,
    debug: bool,
) -> anyhow::Result<BTreeMap<String, Vec<CompiledTest>>> {
    let binaries = TestBinaries::build(root, debug, PACKAGES)?;
    let found = handbook.readers.iter().map(|(file, tests)| {
        let tests = tests.iter().filter(|test| test.contains(".rs::"));
        let tests = tests.map(|test| binaries.find(root, test)).collect::<anyhow::Result<Vec<_>>>()?;
        Ok((file.clone(), tests))
    });
    found.collect()
}

/// Why no test failed over the flip as it should; nothing when one did.
fn goes_unnoticed(
    folder: &Path,
    document: &Value,
    flip: &Flip,
    readers: &[CompiledTest],
) -> anyhow::Result<Option<&'static str>> {
    let path = folder.join(flip.file.strip_prefix("vectors/").unwrap_or(&flip.file));
    let original = std::fs::read(&path)?;
    let mut false_document = document.clone();
    let place = format!("/cases/{}{}", flip.case, flip.place);
    expectations::falsify(false_document.pointer_mut(&place).context("the place of an expectation")?);
    std::fs::write(&path, serde_json::to_string_pretty(&false_document)?)?;
    let mut verdict = Some("no test notices");
    for reader in readers {
        let output = reader.run(folder)?;
        if output.status.success() {
            continue;
        }
        // A test that fails without naming the case may have failed over something else.
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let quoted = format!("{:?}", flip.case_name);
        let named = said.contains(&flip.case_name) || said.contains(quoted.trim_matches('"'));
        verdict = if named { None } else { Some("the test that fails does not name the case") };
        if named {
            break;
        }
    }
    std::fs::write(&path, original)?;
    Ok(verdict)
}
