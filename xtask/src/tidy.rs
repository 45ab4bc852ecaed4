//! The house rules as a check: who may import whom, how large a thing may grow, how files may be
//! called, and that the documents name only what exists.
//! The rules are data (`house_rules`); this module only walks the tree and asks them. Whether the code is
//! right is not known here.

mod decision_pages;
mod drawing;
mod examples;
mod file_rules;
mod given_time;
mod granted_bytes;
mod house_rules;
mod import_arrows;
mod measures;
mod module_graph;
mod module_paths;
mod rooms;
mod rust_source;

use std::path::Path;

use crate::source_tree::{self, CodeFile};
use crate::violation::Violation;
use crate::{documents, wire};

/// Every broken rule of the repository at `root`, in the order of the paths.
pub(crate) fn violations(root: &Path) -> anyhow::Result<Vec<Violation>> {
    let files = source_tree::code_files(root)?;
    let mut found = Vec::new();
    for file in &files {
        file_rules::check_file(file, &mut found);
    }
    import_arrows::check(root, &mut found)?;
    given_time::check(root, &mut found)?;
    granted_bytes::check(&files, &mut found);
    rooms::check(&files, &mut found);
    drawing::check(root, &drawn(root, &files), &mut found)?;
    measures::check(&files, &mut found);
    examples::check(&files, &mut found);
    decision_pages::check(root, &mut found)?;
    documents::check(root, &mut found)?;
    wire::check(root, &files, &mut found)?;
    found.retain(|violation| !house_rules::EXCEPTIONS.iter().any(|path| Path::new(path) == violation.path));
    found.sort();
    Ok(found)
}

/// Which file uses which, in the packages below `place`.
pub(crate) fn arrows(root: &Path, place: &Path) -> anyhow::Result<Vec<String>> {
    Ok(rooms::arrows(&source_tree::code_files(root)?, place))
}

/// The parts of `ARCHITECTURE.md` that are made from the code.
fn drawn(root: &Path, files: &[CodeFile]) -> Vec<(String, String)> {
    let mut parts = rooms::drawings(files);
    parts.push(("figures".to_owned(), measures::table(&measures::measures(root, files))));
    parts
}

/// What is counted and not judged, a line each.
pub(crate) fn counts(root: &Path) -> anyhow::Result<Vec<String>> {
    let files = source_tree::code_files(root)?;
    let examples = examples::counts(&files);
    let examples =
        examples.into_iter().map(|(folder, count)| format!("{folder}: {count} examples that assert"));
    let figures = measures::table(&measures::measures(root, &files));
    Ok(examples.chain(figures.lines().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let root = crate::repository_root().unwrap();
        let found = violations(&root).unwrap();
        let lines: Vec<String> = found.iter().map(Violation::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }

    #[test]
    fn the_exception_list_is_empty() {
        assert!(house_rules::EXCEPTIONS.is_empty());
    }
}
