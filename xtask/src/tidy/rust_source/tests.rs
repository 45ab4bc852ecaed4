//! What the measuring must see, and what it must not be fooled by.

use super::*;

#[test]
fn counts_a_function_from_its_keyword_to_its_closing_brace() {
    let measured =
        measure("/// Docs.\npub fn name(\n    a: [u8; 3],\n) -> u8 {\n    if true {\n    }\n    1\n}\n");
    assert_eq!(measured.functions, [FunctionSpan { name: "name".into(), lines: 2..=8 }]);
    assert_eq!(measured.functions.first().map(FunctionSpan::line_count), Some(7));
}

#[test]
fn a_declaration_without_a_body_is_no_function() {
    assert!(measure("trait T {\n    fn name(&self) -> [u8; 2];\n}\n").functions.is_empty());
}

#[test]
fn a_function_type_is_no_function() {
    assert!(measure("type F = fn(u8) -> u8;\n").functions.is_empty());
}

#[test]
fn braces_in_strings_characters_and_comments_do_not_count() {
    let text = "fn a() {\n    let _ = \"}\";\n    let _ = '}';\n    let _ = r#\"}\"\"#;\n    // }\n    /* } /* } */ */\n}\n";
    assert_eq!(measure(text).functions, [FunctionSpan { name: "a".into(), lines: 1..=7 }]);
}

#[test]
fn an_escaped_quote_ends_nothing() {
    let text = "fn a() {\n    let _ = \"\\\"}\";\n    let _ = '\\'';\n}\nfn b() {}\n";
    let names: Vec<String> = measure(text).functions.into_iter().map(|function| function.name).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn a_lifetime_is_no_character() {
    let text = "fn a<'x>(v: &'x str) -> &'x str {\n    v\n}\nfn b() {}\n";
    assert_eq!(measure(text).functions.len(), 2);
}

#[test]
fn an_identifier_that_ends_in_r_starts_no_raw_string() {
    let text = "fn a() {\n    let for_r = 1;\n    writer\"}\";\n}\n";
    assert_eq!(measure(text).functions, [FunctionSpan { name: "a".into(), lines: 1..=4 }]);
}

#[test]
fn an_inline_test_module_is_not_production() {
    let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
    let measured = measure(text);
    assert_eq!(measured.test_modules, vec![3..=6]);
    assert_eq!(measured.production_lines(), 2);
    assert_eq!(measured.functions.len(), 1);
}

#[test]
fn a_test_module_in_its_own_file_takes_no_lines_here() {
    assert!(measure("#[cfg(test)]\nmod tests;\n").test_modules.is_empty());
}
