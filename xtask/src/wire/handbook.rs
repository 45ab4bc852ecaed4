//! Reads the clauses of `docs/wire/`. A clause is a row of a table with five cells: its id with an anchor of the same
//! name, the clause, how sure it is, its sources, and what holds it. The ids of one page share a prefix.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::documents;
use crate::violation::Violation;

/// Where the handbook lies.
pub(crate) const FOLDER: &str = "docs/wire";
/// The page that says what the short names of sources stand for.
const SOURCES: &str = "sources.md";
/// The page that says which tests read which file of vectors.
const INDEX: &str = "README.md";

/// How sure a clause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// Seen in an official document, an official SDK's tests or samples, or a published capture.
    Verified,
    /// Follows from what was seen.
    Inferred,
    /// OSS leaves it open, or does otherwise: this store decides.
    Chosen,
}

impl Certainty {
    /// The word of the third cell.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Inferred => "inferred",
            Self::Chosen => "chosen",
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::Verified, Self::Inferred, Self::Chosen].into_iter().find(|known| known.as_str() == word)
    }
}

/// One clause of the handbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) id: String,
    /// The page, relative to the repository.
    pub(crate) page: String,
    pub(crate) line: usize,
    pub(crate) certainty: Certainty,
    /// Short names, as the page of sources explains them.
    pub(crate) sources: Vec<String>,
    /// `path::test` or `vectors/file.json#case`.
    pub(crate) held_by: Vec<String>,
}

/// All clauses, the names of sources, and who reads which vectors.
#[derive(Debug, Default)]
pub(crate) struct Handbook {
    pub(crate) clauses: Vec<Clause>,
    /// Prefix and page.
    pub(crate) prefixes: BTreeMap<String, String>,
    /// A file of vectors with the tests that read it, as `path::test`.
    pub(crate) readers: BTreeMap<String, Vec<String>>,
    sources: Vec<String>,
    mistakes: Vec<Violation>,
}

impl Handbook {
    /// Reads every page.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut handbook = Self::default();
        let folder = root.join(FOLDER);
        let entries = std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        let mut pages: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
        pages.sort();
        for page in pages {
            let text =
                std::fs::read_to_string(&page).with_context(|| format!("reading {}", page.display()))?;
            let name = page.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            match name {
                SOURCES => handbook.sources = first_cells(&text),
                INDEX => handbook.readers = readers(&text),
                _ => handbook.read_page(&format!("{FOLDER}/{name}"), &text),
            }
        }
        Ok(handbook)
    }

    fn read_page(&mut self, page: &str, text: &str) {
        for (line, row) in text.lines().enumerate().filter(|(_, line)| line.starts_with("| <a id=")) {
            match clause(page, line + 1, row) {
                Ok(clause) => self.add(clause),
                Err(what) => {
                    self.mistakes.push(Violation { path: page.into(), line: Some(line + 1), what });
                }
            }
        }
    }

    fn add(&mut self, clause: Clause) {
        let prefix = clause.id.split('-').next().unwrap_or_default().to_owned();
        let owner = self.prefixes.entry(prefix).or_insert_with(|| clause.page.clone());
        let mut wrong = Vec::new();
        if *owner != clause.page {
            wrong.push(format!("{} has the prefix of {owner}", clause.id));
        }
        if self.clauses.iter().any(|other| other.id == clause.id) {
            wrong.push(format!("{} is there twice", clause.id));
        }
        let place = |what| Violation { path: clause.page.clone().into(), line: Some(clause.line), what };
        self.mistakes.extend(wrong.into_iter().map(place));
        self.clauses.push(clause);
    }

    /// The clause of this id.
    pub(crate) fn find(&self, id: &str) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.id == id)
    }

    /// Finds clauses whose sources, tests or vectors are not there.
    pub(crate) fn check(&self, root: &Path, found: &mut Vec<Violation>) -> anyhow::Result<()> {
        found.extend(self.mistakes.iter().cloned());
        let mut vectors = Vectors { root, names: BTreeMap::new() };
        for clause in &self.clauses {
            let mut report = |what: String| {
                found.push(Violation { path: clause.page.clone().into(), line: Some(clause.line), what });
            };
            for unknown in clause.sources.iter().filter(|name| !self.sources.contains(name)) {
                report(format!("{}: the source {unknown} is not in {FOLDER}/{SOURCES}", clause.id));
            }
            for holder in &clause.held_by {
                if let Some((file, case)) = holder.split_once('#') {
                    if !vectors.has(file, case)? {
                        report(format!("{}: `{holder}` does not exist", clause.id));
                    }
                    if !self.readers.contains_key(file) {
                        report(format!("{}: {FOLDER}/{INDEX} names no test that reads {file}", clause.id));
                    }
                } else if !documents::exists(root, holder) {
                    report(format!("{}: `{holder}` does not exist", clause.id));
                }
            }
        }
        Ok(())
    }
}

/// The names of the cases of files that were read.
struct Vectors<'r> {
    root: &'r Path,
    names: BTreeMap<String, Vec<String>>,
}

impl Vectors<'_> {
    fn has(&mut self, file: &str, case: &str) -> anyhow::Result<bool> {
        if !self.names.contains_key(file) {
            let names = case_names(&self.root.join(file)).unwrap_or_default();
            self.names.insert(file.to_owned(), names);
        }
        Ok(self.names.get(file).is_some_and(|names| names.iter().any(|name| name == case)))
    }
}

fn case_names(path: &Path) -> anyhow::Result<Vec<String>> {
    let document: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let cases = document.get("cases").and_then(serde_json::Value::as_array).context("no cases")?;
    Ok(cases.iter().filter_map(|case| case.get("name")?.as_str().map(str::to_owned)).collect())
}

/// Takes a row apart. A bar inside a cell is written `\|`.
fn clause(page: &str, line: usize, row: &str) -> Result<Clause, String> {
    let cells = cells(row);
    let [id, text, certainty, sources, held_by] = cells.as_slice() else {
        return Err(format!("a clause has five cells, this has {}", cells.len()));
    };
    let (anchor, id) = id
        .strip_prefix("<a id=\"")
        .and_then(|rest| rest.split_once("\"></a>"))
        .ok_or_else(|| "a clause begins with an anchor and its id".to_owned())?;
    let well_formed = id.split_once('-').is_some_and(|(prefix, number)| {
        !prefix.is_empty()
            && prefix.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if anchor != id || !well_formed {
        return Err(format!("the anchor {anchor:?} and the id {id:?} are not one id such as POST-12"));
    }
    if text.is_empty() {
        return Err(format!("{id} says nothing"));
    }
    let certainty = Certainty::read(certainty)
        .ok_or_else(|| format!("{id}: {certainty:?} is none of verified, inferred and chosen"))?;
    let sources: Vec<String> =
        sources.split(',').map(|name| name.trim().to_owned()).filter(|name| name != "–").collect();
    if sources.is_empty() && certainty != Certainty::Chosen {
        return Err(format!("{id} is {} and names no source", certainty.as_str()));
    }
    let held_by: Vec<String> = held_by.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    if held_by.is_empty() {
        return Err(format!("{id} names no test or vector that holds it"));
    }
    Ok(Clause { id: id.to_owned(), page: page.to_owned(), line, certainty, sources, held_by })
}

fn cells(row: &str) -> Vec<String> {
    let marked = row.replace("\\|", "\u{0}");
    let inner = marked.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

/// The words in backquotes that begin the rows of a table.
fn first_cells(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Rows that begin with a file of vectors, and name tests behind it.
fn readers(text: &str) -> BTreeMap<String, Vec<String>> {
    let rows = text.lines().filter(|line| line.starts_with("| `vectors/"));
    let row = |line: &str| {
        let mut spans = line.split('`').skip(1).step_by(2).map(str::to_owned);
        Some((spans.next()?, spans.filter(|span| span.contains("::")).collect()))
    };
    rows.filter_map(row).collect()
}

#[cfg(test)]
mod tests;
