//! Measures Rust source with just enough of its grammar: comments, strings and characters are blanked out, then
//! braces can be counted. What the code means is not known here.

use std::ops::RangeInclusive;

/// A function with the lines it spans, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionSpan {
    /// Its name.
    pub(crate) name: String,
    /// From `fn` to the closing brace.
    pub(crate) lines: RangeInclusive<usize>,
}

impl FunctionSpan {
    /// How many lines it has.
    pub(crate) fn line_count(&self) -> usize {
        self.lines.end() + 1 - self.lines.start()
    }
}

/// What was measured in one Rust file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileMeasures {
    /// Lines in all.
    pub(crate) lines: usize,
    /// Lines of each inline test module.
    pub(crate) test_modules: Vec<RangeInclusive<usize>>,
    /// Functions outside the test modules.
    pub(crate) functions: Vec<FunctionSpan>,
}

impl FileMeasures {
    /// Lines that are not in an inline test module.
    pub(crate) fn production_lines(&self) -> usize {
        let tests: usize = self.test_modules.iter().map(|span| span.end() + 1 - span.start()).sum();
        self.lines.saturating_sub(tests)
    }
}

/// Measures one Rust file.
pub(crate) fn measure(text: &str) -> FileMeasures {
    let tokens = tokens(&blank_out(text));
    let test_modules = test_modules(&tokens);
    let functions = functions(&tokens)
        .into_iter()
        .filter(|function| !test_modules.iter().any(|span| span.contains(function.lines.start())))
        .collect();
    FileMeasures { lines: text.lines().count(), test_modules, functions }
}

/// A word or a single sign, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    line: usize,
}

/// The words and signs of a file, without its comments, strings and character literals.
pub(super) fn code_tokens(text: &str) -> Vec<Token> {
    tokens(&blank_out(text))
}

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut word = String::new();
    let mut line = 1;
    for sign in code.chars().chain(['\n']) {
        if sign.is_alphanumeric() || sign == '_' {
            word.push(sign);
            continue;
        }
        if !word.is_empty() {
            tokens.push(Token { text: std::mem::take(&mut word), line });
        }
        if sign == '\n' {
            line += 1;
        } else if !sign.is_whitespace() {
            tokens.push(Token { text: sign.to_string(), line });
        }
    }
    tokens
}

fn test_modules(tokens: &[Token]) -> Vec<RangeInclusive<usize>> {
    const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut spans = Vec::new();
    for (start, window) in tokens.windows(ATTRIBUTE.len() + 3).enumerate() {
        let (attribute, rest) = window.split_at(ATTRIBUTE.len());
        let is_attribute = attribute.iter().zip(ATTRIBUTE).all(|(token, wanted)| token.text == wanted);
        let is_inline =
            rest.first().is_some_and(|t| t.text == "mod") && rest.last().is_some_and(|t| t.text == "{");
        if is_attribute && is_inline {
            let opening = start + ATTRIBUTE.len() + 2;
            let first = attribute.first().map_or(1, |token| token.line);
            spans.push(first..=closing_line(tokens, opening));
        }
    }
    spans
}

fn functions(tokens: &[Token]) -> Vec<FunctionSpan> {
    let mut spans = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        let [keyword, name] = pair else { continue };
        let named = name.text.starts_with(|sign: char| sign.is_alphabetic() || sign == '_');
        if keyword.text != "fn" || !named {
            continue;
        }
        if let Some(opening) = body_opening(tokens, index + 2) {
            let lines = keyword.line..=closing_line(tokens, opening);
            spans.push(FunctionSpan { name: name.text.clone(), lines });
        }
    }
    spans
}

/// The index of the `{` that opens the body, or nothing where the declaration ends in `;`.
fn body_opening(tokens: &[Token], after: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (index, token) in tokens.iter().enumerate().skip(after) {
        match token.text.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "{" if depth == 0 => return Some(index),
            ";" if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn closing_line(tokens: &[Token], opening: usize) -> usize {
    let mut depth = 0_i32;
    for token in tokens.iter().skip(opening) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return token.line;
        }
    }
    tokens.last().map_or(0, |token| token.line)
}

/// The text with every comment, string and character literal replaced by spaces; line breaks stay.
fn blank_out(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_word = false;
    while let Some(sign) = rest.chars().next() {
        let literal = literal_length(rest, after_word).unwrap_or(0);
        if literal > 0 {
            let (blanked, following) = rest.split_at(literal);
            code.extend(blanked.chars().map(|sign| if sign == '\n' { '\n' } else { ' ' }));
            rest = following;
            after_word = false;
        } else {
            code.push(sign);
            after_word = sign.is_alphanumeric() || sign == '_';
            rest = rest.get(sign.len_utf8()..).unwrap_or("");
        }
    }
    code
}

/// The length of the comment or literal that starts here, if one does.
fn literal_length(rest: &str, after_word: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_length(rest));
    }
    if rest.starts_with('"') {
        return Some(string_length(rest));
    }
    if rest.starts_with('\'') {
        return character_length(rest);
    }
    if after_word {
        return None;
    }
    let opened =
        ["br", "cr", "r"].iter().find_map(|prefix| rest.strip_prefix(prefix).map(|r| (prefix.len(), r)));
    let (prefix, opened) = opened?;
    let hashes = opened.bytes().take_while(|byte| *byte == b'#').count();
    let body = opened.get(hashes..)?.strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&closing).map_or(body.len(), |at| at + closing.len());
    Some(prefix + hashes + 1 + length)
}

fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0_i32;
    let mut at = 0;
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, sign) in rest.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A character literal, or nothing where the apostrophe starts a lifetime.
fn character_length(rest: &str) -> Option<usize> {
    let mut signs = rest.char_indices().skip(1);
    let (_, first) = signs.next()?;
    if first == '\\' {
        signs.next()?;
        return signs.find(|(_, sign)| *sign == '\'').map(|(at, _)| at + 1);
    }
    signs.next().filter(|(_, sign)| *sign == '\'').map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests;
