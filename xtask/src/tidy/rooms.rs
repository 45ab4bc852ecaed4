//! Who may use whom inside a package: no circle of files or of folders anywhere, and for the packages that have a
//! table of rooms no arrow that is not in it.

use std::path::{Path, PathBuf};

use super::drawing;
use super::house_rules::{ROOMS, Rooms};
use super::module_graph::ModuleGraph;
use crate::source_tree::CodeFile;
use crate::violation::Violation;

/// Checks every package that has sources.
pub(crate) fn check(files: &[CodeFile], found: &mut Vec<Violation>) {
    for folder in source_folders(files) {
        let graph = ModuleGraph::of(&folder, files);
        if let Some(rooms) = ROOMS.iter().find(|rooms| Path::new(rooms.source_folder) == folder) {
            check_rooms(rooms, &graph, found);
        }
        for circle in graph.circles() {
            let (count, of, way) = (circle.count, circle.of, circle.path.join(" > "));
            found.push(Violation::of_file(&folder, format!("a circle of {count} {of}: {way}")));
        }
    }
}

/// How many files of all packages are in circles.
pub(crate) fn files_in_circles(files: &[CodeFile]) -> usize {
    let graphs = source_folders(files).into_iter().map(|folder| ModuleGraph::of(&folder, files));
    let circles = graphs.flat_map(|graph| graph.circles());
    circles.filter(|circle| circle.of == "files").map(|circle| circle.count).sum()
}

/// The drawings of the rooms of each package in [`ROOMS`], with their names.
pub(crate) fn drawings(files: &[CodeFile]) -> Vec<(String, String)> {
    let drawing = |rooms: &Rooms| {
        let graph = ModuleGraph::of(Path::new(rooms.source_folder), files);
        (format!("rooms of {}", rooms.source_folder), drawing::flowchart(&graph.grouped(room_of)))
    };
    ROOMS.iter().map(drawing).collect()
}

/// The room of a module: the first of its names. What stands in the root is in none.
fn room_of(module: &[String]) -> Option<&str> {
    module.first().map(String::as_str)
}

/// Holds the arrows between rooms against their order.
fn check_rooms(rooms: &Rooms, graph: &ModuleGraph, found: &mut Vec<Violation>) {
    let floor = |room: &str| rooms.floors.iter().position(|floor| floor.contains(&room));
    let mut wrong = |what: String| found.push(Violation::of_file(Path::new(rooms.source_folder), what));
    let arrows = graph.grouped(room_of);
    for room in rooms.floors.iter().flat_map(|floor| *floor).filter(|room| !arrows.contains_key(*room)) {
        wrong(format!("the table of rooms has `{room}`, which is not there"));
    }
    for (from, used) in arrows {
        let Some(own) = floor(from) else {
            wrong(format!("the room `{from}` has no floor in the table of rooms"));
            continue;
        };
        for to in used.into_iter().filter(|to| floor(to).is_some_and(|below| below <= own)) {
            wrong(format!("`{from}` must not use `{to}`, which is not on a floor below"));
        }
    }
}

/// Every arrow between two files of the packages whose source folder begins with `place`, a line each.
pub(crate) fn arrows(files: &[CodeFile], place: &Path) -> Vec<String> {
    let folders = source_folders(files).into_iter().filter(|folder| folder.starts_with(place));
    folders.flat_map(|folder| ModuleGraph::of(&folder, files).shown_arrows().collect::<Vec<_>>()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Rooms =
        Rooms { source_folder: "c/src", floors: &[&["top"], &["left", "right"], &["bottom"]] };

    fn package(files: &[(&str, &str)]) -> Vec<CodeFile> {
        let file = |(path, text): &(&str, &str)| CodeFile {
            path: PathBuf::from(format!("c/src/{path}")),
            text: (*text).to_owned(),
        };
        files.iter().map(file).collect()
    }

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let mut found = Vec::new();
        let graph = ModuleGraph::of(Path::new("c/src"), &package(files));
        check_rooms(&TABLE, &graph, &mut found);
        found.into_iter().map(|violation| violation.what).collect()
    }

    #[test]
    fn a_circle_is_refused_in_every_package() {
        let files = package(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::a::A;"),
        ]);
        let mut found = Vec::new();
        check(&files, &mut found);
        let told: Vec<String> = found.into_iter().map(|violation| violation.what).collect();
        assert_eq!(told, ["a circle of 2 files: a > b > a", "a circle of 2 folders: a > b > a"]);
    }

    #[test]
    fn a_room_uses_only_what_is_below_it() {
        const ROOT: (&str, &str) = ("lib.rs", "mod top; mod left; mod right; mod bottom;");
        let with = |left: &'static str| {
            found(&[
                ROOT,
                ("top.rs", "use crate::bottom::B;"),
                ("left.rs", left),
                ("right.rs", ""),
                ("bottom.rs", ""),
            ])
        };
        assert!(with("use crate::bottom::B;").is_empty());
        for upwards in ["top", "right"] {
            let text: &'static str =
                if upwards == "top" { "use crate::top::T;" } else { "use crate::right::R;" };
            assert_eq!(
                with(text),
                [format!("`left` must not use `{upwards}`, which is not on a floor below")]
            );
        }
    }

    #[test]
    fn the_table_and_the_code_have_the_same_rooms() {
        let files = [
            ("lib.rs", "mod top; mod left; mod right; mod new;"),
            ("top.rs", ""),
            ("left.rs", ""),
            ("right.rs", ""),
            ("new.rs", ""),
        ];
        assert_eq!(
            found(&files),
            [
                "the table of rooms has `bottom`, which is not there",
                "the room `new` has no floor in the table of rooms"
            ]
        );
    }
}
