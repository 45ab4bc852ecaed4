//! Holds the pages of `docs/decisions` to their template: four headings in one order, and a row in the index.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::violation::Violation;

const FOLDER: &str = "docs/decisions";
const INDEX: &str = "README.md";
const TEMPLATE: &str = "template.md";
/// What each page has, in this order and nothing besides at this level.
const HEADINGS: &[&str] = &["Context", "Options", "Decision", "What would change it"];

/// Finds pages that lack a part, and pages that the index does not name.
pub(super) fn check(root: &Path, found: &mut Vec<Violation>) -> anyhow::Result<()> {
    let folder = root.join(FOLDER);
    let index = std::fs::read_to_string(folder.join(INDEX)).context("reading the index of decisions")?;
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name == INDEX {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let page = PathBuf::from(FOLDER).join(name);
        found.extend(mistakes(&text).into_iter().map(|what| Violation::of_file(&page, what)));
        if name != TEMPLATE && !index.contains(&format!("]({name})")) {
            found.push(Violation::of_file(&page, format!("is not listed in {FOLDER}/{INDEX}")));
        }
    }
    Ok(())
}

fn mistakes(text: &str) -> Vec<String> {
    let mut mistakes = Vec::new();
    if !text.starts_with("# ") {
        mistakes.push("does not begin with the decision as its title".to_owned());
    }
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    if headings != HEADINGS {
        mistakes.push(format!("has the headings {headings:?}, not {HEADINGS:?}"));
    }
    let parts = text.split("\n## ").skip(1);
    let empty = parts.filter(|part| part.split_once('\n').is_none_or(|(_, rest)| rest.trim().is_empty()));
    let empty = empty.map(|part| part.lines().next().unwrap_or_default());
    mistakes.extend(empty.map(|heading| format!("says nothing under {heading:?}")));
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        "# T\n\n## Context\n\na\n\n## Options\n\nb\n\n## Decision\n\n### c\n\n## What would change it\n\nd\n";

    #[test]
    fn a_page_has_a_title_and_the_four_parts_each_with_words_in_it() {
        assert_eq!(mistakes(PAGE), [""; 0]);
        for (from, to, part) in [
            ("# T", "T", "title"),
            ("## Options", "## Choices", "Choices"),
            ("## Options\n\nb\n\n", "", "not ["),
            ("\n\nd\n", "\n", "says nothing under \"What would change it\""),
            ("a\n\n## Options", "a\n\n## More\n\nx\n\n## Options", "More"),
        ] {
            let mistakes = mistakes(&PAGE.replacen(from, to, 1));
            assert!(mistakes.iter().any(|mistake| mistake.contains(part)), "{to}: {mistakes:?}");
        }
    }

    #[test]
    fn a_page_that_the_index_does_not_name_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let decisions = folder.path().join(FOLDER);
        std::fs::create_dir_all(&decisions).unwrap();
        let write = |name: &str, text: &str| std::fs::write(decisions.join(name), text).unwrap();
        write("README.md", "| [A](a.md) |");
        write("a.md", PAGE);
        write("b.md", PAGE);
        write("template.md", PAGE);
        let mut found = Vec::new();
        check(folder.path(), &mut found).unwrap();
        let found: Vec<String> = found.iter().map(Violation::to_string).collect();
        assert_eq!(found, ["docs/decisions/b.md: is not listed in docs/decisions/README.md"]);
    }
}
