//! Which file of a package uses which, and the circles among them. A path counts as a use of the file that defines
//! what it names, however many re-exports it goes through; declaring a module, or passing on what it defines, is no
//! use of it. Test code counts for nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::module_paths::{self, ModulePaths};
use crate::source_tree::CodeFile;

/// How many re-exports a path may go through.
const REEXPORTS_MAX: usize = 16;

/// A module by its names from the root of its package; the root's own is empty.
pub(crate) type Module = Vec<String>;

/// The files of one package, and their arrows.
#[derive(Debug, Default)]
pub(crate) struct ModuleGraph {
    files: BTreeMap<Module, ModulePaths>,
    arrows: BTreeMap<Module, BTreeSet<Module>>,
}

impl ModuleGraph {
    /// The graph of the package whose sources are in `source_folder`, such as `crates/store/src`. Files that no
    /// module of production code declares are not in it.
    pub(crate) fn of(source_folder: &Path, files: &[CodeFile]) -> Self {
        let mut known = BTreeMap::new();
        for file in files.iter().filter(|file| file.is_rust()) {
            let Ok(inside) = file.path.strip_prefix(source_folder) else { continue };
            // Where a package has both, its program is a user of its library.
            known.entry(module_of(inside)).or_insert(file);
        }
        let mut graph = Self::default();
        graph.add(&known, Vec::new());
        let modules: Vec<Module> = graph.files.keys().cloned().collect();
        for module in modules {
            let used = graph.used_by(&module);
            graph.arrows.insert(module, used);
        }
        graph
    }

    fn add(&mut self, known: &BTreeMap<Module, &CodeFile>, module: Module) {
        let Some(file) = known.get(&module) else { return };
        let paths = module_paths::read(&file.text);
        let declared = paths.declared.clone();
        self.files.insert(module.clone(), paths);
        for name in declared {
            self.add(known, [module.as_slice(), &[name]].concat());
        }
    }

    fn used_by(&self, module: &Module) -> BTreeSet<Module> {
        let Some(paths) = self.files.get(module) else { return BTreeSet::new() };
        let imported = paths.imports.iter().filter_map(|import| {
            let used = self.resolve(module, &import.path, 0)?;
            let only_passed_on = import.passed_on && !paths.words.contains(&import.name);
            (!only_passed_on || !used.starts_with(module)).then_some(used)
        });
        let named = paths.named.iter().filter_map(|path| self.resolve(module, path, 0));
        imported.chain(named).filter(|used| used != module).collect()
    }

    /// The module that defines what a path names in `module`; nothing where it leads out of the package.
    fn resolve(&self, module: &Module, path: &[String], reexports: usize) -> Option<Module> {
        let (first, mut rest) = path.split_first()?;
        let mut here = match first.as_str() {
            "crate" => Module::new(),
            "self" => module.clone(),
            "super" => parent(module)?,
            name => match self.step(module, name, Some(path), reexports)? {
                Step::Into(next) => next,
                Step::Item => return None,
            },
        };
        while let Some((name, further)) = rest.split_first() {
            if name == "super" {
                here = parent(&here)?;
            } else {
                match self.step(&here, name, None, reexports)? {
                    Step::Into(next) => here = next,
                    Step::Item => return Some(here),
                }
            }
            rest = further;
        }
        Some(here)
    }

    /// Where a name leads from a module: into another one, declared in it or imported, or to what it defines. `own` is
    /// the path in this module that begins with the name, so that an import is not explained by itself.
    fn step(&self, module: &Module, name: &str, own: Option<&[String]>, reexports: usize) -> Option<Step> {
        let child = [module.as_slice(), &[name.to_owned()]].concat();
        if self.files.contains_key(&child) {
            return Some(Step::Into(child));
        }
        let paths = self.files.get(module)?;
        let import =
            paths.imports.iter().find(|import| import.name == name && Some(import.path.as_slice()) != own);
        match import {
            Some(import) if reexports < REEXPORTS_MAX => {
                self.resolve(module, &import.path, reexports + 1).map(Step::Into)
            }
            _ => Some(Step::Item),
        }
    }

    /// Every arrow between two files, as text.
    pub(crate) fn shown_arrows(&self) -> impl Iterator<Item = String> {
        let arrow = |from: &Module, to: &Module| format!("{} -> {}", shown(from), shown(to));
        self.arrows.iter().flat_map(move |(from, used)| used.iter().map(move |to| arrow(from, to)))
    }

    /// The arrows between groups of files: each module is put into the group that `group` names, or into none.
    pub(crate) fn grouped<'g>(
        &'g self,
        group: impl Fn(&'g [String]) -> Option<&'g str>,
    ) -> BTreeMap<&'g str, BTreeSet<&'g str>> {
        let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (module, used) in &self.arrows {
            let Some(from) = group(module) else { continue };
            let to = used.iter().filter_map(|used| group(used)).filter(|to| *to != from);
            arrows.entry(from).or_default().extend(to);
        }
        arrows
    }

    /// Every circle of files, and every circle of folders that are neighbours: the modules directly in one module,
    /// each with all that is below it, and that module's own file.
    pub(crate) fn circles(&self) -> Vec<Circle> {
        let mut found: Vec<Circle> = circles_of(&self.arrows)
            .into_iter()
            .map(|(count, path)| Circle { of: "files", count, path: path.iter().map(|m| shown(m)).collect() })
            .collect();
        let folders: BTreeSet<&[String]> =
            self.files.keys().filter_map(|m| m.split_last()).map(|(_, f)| f).collect();
        for folder in folders {
            let arrows = self.grouped(|module| match module.strip_prefix(folder)? {
                [] => Some("self"),
                [child, ..] => Some(child),
            });
            for (count, path) in circles_of(&arrows) {
                let path = path.iter().map(|name| format!("{}{name}", prefix(folder))).collect();
                found.push(Circle { of: "folders", count, path });
            }
        }
        found
    }
}

enum Step {
    Into(Module),
    Item,
}

/// Modules each of which uses the next, and the last the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Circle {
    /// `files` or `folders`.
    pub(crate) of: &'static str,
    /// How many are tied together in all.
    pub(crate) count: usize,
    /// One way around, as short as there is.
    pub(crate) path: Vec<String>,
}

fn parent(module: &Module) -> Option<Module> {
    module.split_last().map(|(_, parent)| parent.to_vec())
}

fn shown(module: &[String]) -> String {
    if module.is_empty() { "the root".to_owned() } else { module.join("::") }
}

fn prefix(folder: &[String]) -> String {
    folder.iter().map(|name| format!("{name}::")).collect()
}

/// The module that a file of a source folder holds.
fn module_of(inside: &Path) -> Module {
    let without_ending = inside.with_extension("");
    let names: Module = without_ending.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    match names.as_slice() {
        [root] if root == "lib" || root == "main" => Module::new(),
        _ => names,
    }
}

/// The sets of nodes that reach each other: how many they are, and the shortest way around through the first.
fn circles_of<N: Ord + Clone>(arrows: &BTreeMap<N, BTreeSet<N>>) -> Vec<(usize, Vec<N>)> {
    let reach: BTreeMap<&N, BTreeSet<&N>> = arrows.keys().map(|node| (node, reached(arrows, node))).collect();
    let reaches = |from: &N, to: &N| reach.get(from).is_some_and(|reached| reached.contains(to));
    let mut seen: BTreeSet<&N> = BTreeSet::new();
    let mut circles = Vec::new();
    for node in arrows.keys() {
        if seen.contains(node) || !reaches(node, node) {
            continue;
        }
        let tied: Vec<&N> =
            arrows.keys().filter(|other| reaches(node, other) && reaches(other, node)).collect();
        seen.extend(&tied);
        circles.push((tied.len(), shortest_way_around(arrows, node)));
    }
    circles
}

fn reached<'a, N: Ord>(arrows: &'a BTreeMap<N, BTreeSet<N>>, from: &N) -> BTreeSet<&'a N> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&N> = arrows.get(from).into_iter().flatten().collect();
    while let Some(node) = open.pop() {
        if reached.insert(node) {
            open.extend(arrows.get(node).into_iter().flatten());
        }
    }
    reached
}

fn shortest_way_around<N: Ord + Clone>(arrows: &BTreeMap<N, BTreeSet<N>>, start: &N) -> Vec<N> {
    let mut ways = std::collections::VecDeque::from([vec![start.clone()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let Some(last) = way.last() else { continue };
        for next in arrows.get(last).into_iter().flatten() {
            let longer = [way.as_slice(), std::slice::from_ref(next)].concat();
            if next == start {
                return longer;
            }
            if seen.insert(next) {
                ways.push_back(longer);
            }
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn graph(files: &[(&str, &str)]) -> ModuleGraph {
        let files: Vec<CodeFile> = files
            .iter()
            .map(|(path, text)| CodeFile {
                path: PathBuf::from(format!("c/src/{path}")),
                text: (*text).to_owned(),
            })
            .collect();
        ModuleGraph::of(Path::new("c/src"), &files)
    }

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let shown = |circle: Circle| format!("{} {}: {}", circle.count, circle.of, circle.path.join(" > "));
        graph(files).circles().into_iter().map(shown).collect()
    }

    #[test]
    fn two_files_that_use_each_other_are_a_circle() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "fn f() { crate::a::g() }"),
        ]);
        assert_eq!(found, ["2 files: a > b > a", "2 folders: a > b > a"]);
    }

    #[test]
    fn a_module_and_its_parent_that_use_each_other_are_a_circle() {
        let found = circles(&[
            ("lib.rs", "mod a;"),
            ("a.rs", "mod b; struct A; fn f() { b::g() }"),
            ("a/b.rs", "use super::A;"),
        ]);
        assert_eq!(found, ["2 files: a > a::b > a", "2 folders: a::b > a::self > a::b"]);
    }

    #[test]
    fn declaring_a_module_is_no_use_of_it() {
        let found = circles(&[
            ("lib.rs", "pub mod a;"),
            ("a.rs", "mod b; mod c; struct A;"),
            ("a/b.rs", "use super::{A, c::C};"),
            ("a/c.rs", "use super::A;"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_reexport_leads_to_the_file_that_defines() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b; use b::c; pub use crate::b::c::C as D;"),
            ("a.rs", "use crate::c::C; use crate::D;"),
            ("b.rs", "pub mod c;"),
            ("b/c.rs", "use crate::a::A;"),
        ]);
        assert_eq!(found, ["2 files: a > b::c > a", "2 folders: a > b > a"]);
        let harmless = circles(&[
            ("lib.rs", "mod a; pub use a::A;"),
            ("a.rs", "mod b; pub use b::B; pub struct A;"),
            ("a/b.rs", "use super::A; pub struct B; fn f(_: crate::a::B) {}"),
        ]);
        assert!(harmless.is_empty(), "{harmless:?}");
        let used_too = circles(&[
            ("lib.rs", "mod a;"),
            ("a.rs", "mod b; pub use b::B; pub struct A(B);"),
            ("a/b.rs", "use super::A; pub struct B;"),
        ]);
        assert_eq!(used_too, ["2 files: a > a::b > a", "2 folders: a::b > a::self > a::b"]);
    }

    #[test]
    fn a_circle_of_folders_needs_no_circle_of_files() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "mod x; mod y;"),
            ("a/x.rs", "use crate::b::B;"),
            ("a/y.rs", ""),
            ("b.rs", "use crate::a::y::Y;"),
        ]);
        assert_eq!(found, ["2 folders: a > b > a"]);
    }

    #[test]
    fn what_is_imported_by_its_module_is_followed_in_expressions() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b; fn f() { b::c::g(b::h()) }"),
            ("b.rs", "pub mod c; pub fn h() {}"),
            ("b/c.rs", "use crate::a::f;"),
        ]);
        assert_eq!(found, ["2 files: a > b::c > a", "2 folders: a > b > a"]);
    }

    #[test]
    fn tests_may_look_at_everything() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod testing;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "#[cfg(test)] mod tests { use crate::a::A; }"),
            ("b/tests.rs", "use crate::a::A;"),
            ("testing.rs", "use crate::a::A; use crate::testing::x;"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }
}
