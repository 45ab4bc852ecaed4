//! Who may use whom inside a package: no circle of files or of folders anywhere, and for the packages that have a
//! table of rooms no arrow that is not in it.

use std::path::{Path, PathBuf};

use super::Violation;
use super::house_rules::CIRCLES_TO_MEND;
use super::module_graph::ModuleGraph;
use super::source_tree::CodeFile;

/// Checks every package that has sources.
pub(crate) fn check(files: &[CodeFile], found: &mut Vec<Violation>) {
    for folder in source_folders(files) {
        let graph = ModuleGraph::of(&folder, files);
        let circles = graph.circles();
        let is_known = CIRCLES_TO_MEND.iter().any(|known| Path::new(known) == folder);
        if is_known && circles.is_empty() {
            let what = "has no circle any more: strike it from the list of those to mend".to_owned();
            found.push(Violation::of_file(&folder, what));
        }
        for circle in circles.into_iter().filter(|_| !is_known) {
            let (count, of, way) = (circle.count, circle.of, circle.path.join(" > "));
            found.push(Violation::of_file(&folder, format!("a circle of {count} {of}: {way}")));
        }
    }
}

/// The source folders of all packages, by their root files.
fn source_folders(files: &[CodeFile]) -> Vec<PathBuf> {
    let roots = files.iter().filter(|file| file.is_rust() && matches!(file.stem(), "lib" | "main"));
    let mut folders: Vec<PathBuf> = roots
        .filter_map(|file| file.path.parent())
        .filter(|folder| folder.file_name().is_some_and(|name| name == "src"))
        .map(Path::to_path_buf)
        .collect();
    folders.dedup();
    folders
}
