//! Reading the handbook: complete clauses, and each kind of broken one.

use super::*;

const ROW: &str =
    "| <a id=\"POST-1\"></a>POST-1 | one \\| two | verified | P, V4D | `a.rs::b` `vectors/c.json#d` |";

fn mistake(from: &str, to: &str) -> String {
    assert!(ROW.contains(from), "{from}");
    clause("docs/wire/a.md", 3, &ROW.replace(from, to)).unwrap_err()
}

#[test]
fn a_row_is_a_clause_with_its_sources_and_what_holds_it() {
    let clause = clause("docs/wire/a.md", 3, ROW).unwrap();
    assert_eq!((clause.id.as_str(), clause.line), ("POST-1", 3));
    assert_eq!(clause.certainty, Certainty::Verified);
    assert_eq!(clause.sources, ["P", "V4D"]);
    assert_eq!(clause.held_by, ["a.rs::b", "vectors/c.json#d"]);
}

#[test]
fn a_clause_without_a_part_is_refused() {
    assert!(mistake("id=\"POST-1\"", "id=\"POST-2\"").contains("are not one id"));
    assert!(mistake("</a>POST-1", "</a>POST").contains("are not one id"));
    assert!(mistake("one \\| two", "one | two").contains("five cells"));
    assert!(mistake("one \\| two", "").contains("says nothing"));
    assert!(mistake("verified", "certain").contains("none of"));
    assert!(mistake("P, V4D", "–").contains("names no source"));
    assert!(mistake("`a.rs::b` `vectors/c.json#d`", "–").contains("names no test"));
}

#[test]
fn an_id_that_is_there_twice_or_on_another_prefixs_page_is_found() {
    let mut handbook = Handbook::default();
    handbook.read_page("docs/wire/a.md", &format!("{ROW}\n{ROW}\n"));
    handbook.read_page("docs/wire/b.md", &ROW.replace("POST-1", "POST-2"));
    let mistakes: Vec<String> = handbook.mistakes.iter().map(Violation::to_string).collect();
    assert_eq!(
        mistakes,
        [
            "docs/wire/a.md:2: POST-1 is there twice",
            "docs/wire/b.md:1: POST-2 has the prefix of docs/wire/a.md",
        ]
    );
}

#[test]
fn sources_tests_and_vectors_that_are_not_there_are_found() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join(FOLDER)).unwrap();
    std::fs::create_dir(folder.path().join("vectors")).unwrap();
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).unwrap();
    write("docs/wire/a.md", ROW);
    write("docs/wire/sources.md", "| `P` | the reference |\n");
    write("docs/wire/README.md", "| `vectors/e.json` | `a.rs::b` |\n");
    write("vectors/c.json", "{\"cases\":[{\"name\":\"d\"}]}");
    write("a.rs", "fn c() {}");
    let mut found = Vec::new();
    let handbook = Handbook::read(folder.path()).unwrap();
    handbook.check(folder.path(), &mut found).unwrap();
    let found: Vec<String> = found.into_iter().map(|violation| violation.what).collect();
    assert_eq!(
        found,
        [
            "POST-1: the source V4D is not in docs/wire/sources.md",
            "POST-1: `a.rs::b` does not exist",
            "POST-1: docs/wire/README.md names no test that reads vectors/c.json",
        ]
    );
}
