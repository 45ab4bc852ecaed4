//! Holds that the packages which are handed their time and randomness have the same settings for clippy, which refuses
//! to let them read any other. Clippy reads the one file that is nearest to a package, so that each has a copy.

use std::path::Path;

use super::house_rules::{TIME_AND_RANDOMNESS, TIME_IS_GIVEN};
use crate::violation::Violation;

/// The settings' name.
const FILE: &str = "clippy.toml";

/// Compares the copies with each other, and with the settings of every package, which they must not fall behind.
pub(crate) fn check(root: &Path, found: &mut Vec<Violation>) -> anyhow::Result<()> {
    let original = Path::new(TIME_AND_RANDOMNESS).join(FILE);
    let settings = std::fs::read_to_string(root.join(&original))?;
    let everywhere = std::fs::read_to_string(root.join(FILE))?;
    if let Some(line) = missing_from(&settings, &everywhere) {
        found.push(Violation::of_file(&original, format!("lacks what {FILE} has: {line}")));
    }
    for package in TIME_IS_GIVEN {
        let copy = Path::new(package).join(FILE);
        if std::fs::read_to_string(root.join(&copy)).unwrap_or_default() != settings {
            found.push(Violation::of_file(&copy, format!("is not as {}", original.display())));
        }
    }
    Ok(())
}

/// The first line that settings lack which hold everywhere.
fn missing_from<'t>(settings: &str, everywhere: &'t str) -> Option<&'t str> {
    everywhere.lines().find(|line| !settings.lines().any(|own| own == *line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_lack_a_line_are_told_which() {
        assert_eq!(missing_from("a\nb\nc\n", "a\nc\n"), None);
        assert_eq!(missing_from("a\nb\n", "a\nc\n"), Some("c"));
    }

    #[test]
    fn a_copy_that_differs_is_found() {
        let root = tempfile::tempdir().unwrap();
        let write = |package: &str, text: &str| {
            let folder = root.path().join(package);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(FILE), text).unwrap();
        };
        [".", TIME_AND_RANDOMNESS].iter().for_each(|place| write(place, "a\n"));
        TIME_IS_GIVEN.iter().for_each(|package| write(package, "a\n"));
        let mut found = Vec::new();
        check(root.path(), &mut found).unwrap();
        assert!(found.is_empty(), "{found:?}");
        write(TIME_IS_GIVEN[0], "a\nb\n");
        check(root.path(), &mut found).unwrap();
        assert_eq!(found.len(), 1);
    }
}
