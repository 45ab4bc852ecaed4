//! Reads from one Rust file which paths its production code names: `use` declarations, paths in expressions and
//! types, and the modules it declares. Test code is left out. It does not know what the paths lead to.

use std::collections::BTreeSet;

use super::rust_source::{self, Token};

/// One name that a `use` declaration brings into its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    /// The name by which the file knows it; `*` for everything in a module.
    pub(crate) name: String,
    /// The whole path.
    pub(crate) path: Vec<String>,
    /// Whether the file passes it on (`pub use`).
    pub(crate) passed_on: bool,
}

/// What one file says about modules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ModulePaths {
    /// Modules that it declares in files of their own.
    pub(crate) declared: Vec<String>,
    /// What it imports.
    pub(crate) imports: Vec<Import>,
    /// Paths of two segments or more that are named elsewhere than in a `use`.
    pub(crate) named: Vec<Vec<String>>,
    /// Every word that stands elsewhere than in a `use`.
    pub(crate) words: BTreeSet<String>,
}

/// Reads one file.
pub(crate) fn read(text: &str) -> ModulePaths {
    let mut reader = Reader { tokens: rust_source::code_tokens(text), at: 0, found: ModulePaths::default() };
    while reader.at < reader.tokens.len() {
        reader.step();
    }
    reader.found
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    found: ModulePaths,
}

impl Reader {
    fn step(&mut self) {
        if self.is("#") && self.attribute_means_test() {
            self.skip_attributes();
            self.skip_item();
        } else if self.is("use") {
            let passed_on = matches!(self.before(1), "pub" | ")");
            self.at += 1;
            self.read_use(passed_on);
        } else if self.is("mod") && self.word(2) == ";" {
            let name = self.word(1).to_owned();
            self.found.declared.push(name);
            self.at += 3;
        } else if self.is_path_start() {
            self.read_path();
        } else {
            let word = self.word(0).to_owned();
            self.found.words.insert(word);
            self.at += 1;
        }
    }

    /// The token so many places further on; empty behind the end.
    fn word(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text.as_str())
    }

    fn is(&self, text: &str) -> bool {
        self.word(0) == text
    }

    fn before(&self, back: usize) -> &str {
        let at = self.at.checked_sub(back);
        at.and_then(|at| self.tokens.get(at)).map_or("", |token| token.text.as_str())
    }

    /// Whether the attribute here is a `cfg` that names `test` and does not negate it.
    fn attribute_means_test(&self) -> bool {
        if self.word(1) != "[" || self.word(2) != "cfg" {
            return false;
        }
        let attribute = self.tokens.iter().skip(self.at).take(self.attribute_length());
        let words: Vec<&str> = attribute.map(|token| token.text.as_str()).collect();
        words.contains(&"test") && !words.contains(&"not")
    }

    fn attribute_length(&self) -> usize {
        let mut depth = 0_i32;
        for (length, token) in self.tokens.iter().skip(self.at).enumerate() {
            match token.text.as_str() {
                "[" => depth += 1,
                "]" if depth == 1 => return length + 1,
                "]" => depth -= 1,
                _ => {}
            }
        }
        self.tokens.len() - self.at
    }

    fn skip_attributes(&mut self) {
        while self.is("#") {
            self.at += self.attribute_length();
        }
    }

    /// Skips an item to its `;` or its closing brace; a field or a variant to its comma.
    fn skip_item(&mut self) {
        const ITEMS: [&str; 13] = [
            "mod",
            "fn",
            "use",
            "impl",
            "struct",
            "enum",
            "trait",
            "const",
            "static",
            "type",
            "async",
            "unsafe",
            "macro_rules",
        ];
        let (mut depth, mut item, mut is_use) = (0_i32, false, false);
        while self.at < self.tokens.len() {
            let word = self.word(0).to_owned();
            self.at += 1;
            match word.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" => depth -= 1,
                "}" => {
                    depth -= 1;
                    // What encloses the field ends here.
                    if depth < 0 {
                        self.at -= 1;
                        return;
                    }
                    if depth == 0 && !is_use {
                        return;
                    }
                }
                ";" if depth == 0 => return,
                "," if depth == 0 && !item => return,
                _ if depth == 0 => {
                    item |= ITEMS.contains(&word.as_str());
                    is_use |= word == "use";
                }
                _ => {}
            }
        }
    }

    /// A tree of imports, from behind `use` or one of its braces to its end.
    fn read_use(&mut self, passed_on: bool) {
        let mut prefixes: Vec<Vec<String>> = vec![Vec::new()];
        let mut path: Vec<String> = Vec::new();
        let mut alias = None;
        while self.at < self.tokens.len() {
            let word = self.word(0).to_owned();
            self.at += 1;
            match word.as_str() {
                ":" => {}
                "{" => prefixes.push(std::mem::take(&mut path)),
                "as" => {
                    alias = Some(self.word(0).to_owned());
                    self.at += 1;
                }
                "," | "}" | ";" => {
                    self.note_import(&prefixes, &mut path, alias.take(), passed_on);
                    if word == "}" {
                        prefixes.pop();
                    }
                    if word == ";" {
                        return;
                    }
                }
                _ => path.push(word),
            }
        }
    }

    fn note_import(
        &mut self,
        prefixes: &[Vec<String>],
        path: &mut Vec<String>,
        alias: Option<String>,
        passed_on: bool,
    ) {
        let Some(last) = path.last().cloned() else { return };
        let mut whole: Vec<String> = prefixes.iter().flatten().cloned().collect();
        whole.append(path);
        if last == "self" && whole.len() > 1 {
            whole.pop();
        }
        let name = alias.or_else(|| whole.last().cloned()).unwrap_or(last);
        self.found.imports.push(Import { name, path: whole, passed_on });
    }

    /// Whether a path of two segments or more begins here.
    fn is_path_start(&self) -> bool {
        let is_word = self.word(0).starts_with(|sign: char| sign.is_alphabetic() || sign == '_');
        let follows_path = self.before(1) == ":" && self.before(2) == ":";
        let names_visibility = self.before(1) == "in" && self.before(2) == "(";
        let leads_on = self.word(1) == ":" && self.word(2) == ":";
        is_word && leads_on && !follows_path && !names_visibility && self.before(1) != "."
    }

    fn read_path(&mut self) {
        let mut path = vec![self.word(0).to_owned()];
        self.found.words.extend(path.first().cloned());
        self.at += 1;
        while self.is(":") && self.word(1) == ":" {
            let next = self.word(2).to_owned();
            if !next.starts_with(|sign: char| sign.is_alphanumeric() || sign == '_') {
                break;
            }
            path.push(next);
            self.at += 3;
        }
        self.found.named.push(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let found = read(text);
        let imports = found.imports.into_iter().map(|import| import.path);
        imports.chain(found.named).map(|path| path.join("::")).collect()
    }

    #[test]
    fn a_tree_of_imports_is_taken_apart() {
        let text = "use crate::{a::{self, B as C}, d};\npub use super::e;\nuse std::io::{self, *};\n";
        let found: Vec<String> =
            read(text).imports.into_iter().map(|i| format!("{}={}", i.name, i.path.join("::"))).collect();
        assert_eq!(
            found,
            ["a=crate::a", "C=crate::a::B", "d=crate::d", "e=super::e", "io=std::io", "*=std::io::*"]
        );
    }

    #[test]
    fn a_path_in_an_expression_or_a_type_is_seen_once_and_whole() {
        let text = "fn f(x: &crate::a::B) -> Vec<super::c::D> { e::f::<u8>(x).g(crate::h::I { j: 1 }) }";
        assert_eq!(paths(text), ["crate::a::B", "super::c::D", "e::f", "crate::h::I"]);
    }

    #[test]
    fn what_exists_for_tests_only_is_left_out() {
        let text = "#[cfg(test)]\nuse crate::{a, b};\n#[cfg(all(test, unix))]\n#[allow(x)]\nmod tests { use crate::c; }\n\
                    struct S {\n  #[cfg(test)]\n  d: crate::d::D,\n  e: crate::e::E,\n}\n#[cfg(test)]\nmod tests;\nmod f;\n";
        assert_eq!(paths(text), ["crate::e::E"]);
        assert_eq!(read(text).declared, ["f"]);
    }

    #[test]
    fn what_is_compiled_everywhere_but_in_tests_counts() {
        assert_eq!(paths("#[cfg(not(test))]\nuse crate::a;\n"), ["crate::a"]);
    }

    #[test]
    fn comments_strings_and_visibilities_are_no_paths() {
        let text = "// crate::a::b\n/// [`crate::a::b`]\npub(in crate::c) fn f() { \"crate::a::b\"; }\n";
        assert!(paths(text).is_empty());
    }
}
