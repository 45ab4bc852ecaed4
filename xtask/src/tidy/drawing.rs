//! Keeps the drawings and figures of `ARCHITECTURE.md` as the code has them: the part between two marks is made
//! here and compared. With `COUNTERSIGN_REGENERATE=1` it is written instead.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;

use crate::violation::Violation;

/// The document with the drawings.
const DOCUMENT: &str = "ARCHITECTURE.md";

/// Compares, or writes, the parts with these names.
pub(crate) fn check(
    root: &Path,
    parts: &[(String, String)],
    found: &mut Vec<Violation>,
) -> anyhow::Result<()> {
    let path = root.join(DOCUMENT);
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {DOCUMENT}"))?;
    let mut made = text.clone();
    for (name, content) in parts {
        match replaced(&made, name, content) {
            Some(with) => made = with,
            None => found.push(Violation::of_file(Path::new(DOCUMENT), format!("has no part `{name}`"))),
        }
    }
    if made == text {
        return Ok(());
    }
    if std::env::var_os("COUNTERSIGN_REGENERATE").is_some_and(|value| value == "1") {
        return std::fs::write(&path, made).with_context(|| format!("writing {DOCUMENT}"));
    }
    let what =
        "does not draw the code as it is: COUNTERSIGN_REGENERATE=1 cargo xtask tidy writes it".to_owned();
    found.push(Violation::of_file(Path::new(DOCUMENT), what));
    Ok(())
}

/// The text with another content between the marks of a part; nothing where they are not there.
fn replaced(text: &str, name: &str, content: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{content}{end}{after}"))
}

/// A drawing of arrows for Markdown, without those that follow from others.
pub(crate) fn flowchart(arrows: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let mut lines = String::from("```mermaid\nflowchart TD\n");
    for (from, used) in arrows {
        let follows = |to: &str| used.iter().any(|through| *through != to && reaches(arrows, through, to));
        for to in used.iter().filter(|to| !follows(to)) {
            lines.push_str(&format!("    {from} --> {to}\n"));
        }
    }
    lines.push_str("```\n");
    lines
}

fn reaches(arrows: &BTreeMap<&str, BTreeSet<&str>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        if node == to {
            return true;
        }
        if seen.insert(node) {
            open.extend(arrows.get(node).into_iter().flatten());
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_that_follow_from_others_are_not_drawn() {
        let arrows = BTreeMap::from([
            ("a", BTreeSet::from(["b", "c"])),
            ("b", BTreeSet::from(["c"])),
            ("c", BTreeSet::new()),
        ]);
        assert_eq!(flowchart(&arrows), "```mermaid\nflowchart TD\n    a --> b\n    b --> c\n```\n");
    }

    #[test]
    fn a_part_that_differs_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let text = "x\n<!-- p -->\nold\n<!-- end of p -->\ny\n";
        std::fs::write(folder.path().join(DOCUMENT), text).unwrap();
        let checked = |content: &str, name: &str| {
            let mut found = Vec::new();
            check(folder.path(), &[(name.to_owned(), content.to_owned())], &mut found).unwrap();
            found.len()
        };
        assert_eq!((checked("old\n", "p"), checked("new\n", "p"), checked("old\n", "q")), (0, 1, 1));
        assert_eq!(replaced(text, "p", "new\n").unwrap(), text.replace("old", "new"));
    }
}
