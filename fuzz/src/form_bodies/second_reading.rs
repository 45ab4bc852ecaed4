//! Reads a form the slow and simple way, by positions in the whole body. It shares nothing with the parser but the
//! definition of a form.

use countersign_protocol::form::Boundary;

use super::read_form::Form;

/// The form, or `None` where it is to be refused. Limits are left out: inputs are shorter than all of them.
pub(super) fn read_whole(boundary: &Boundary, body: &[u8]) -> Option<Form> {
    let mut text = b"\r\n".to_vec();
    text.extend_from_slice(body);
    let mut form = Form::default();
    let mut names: Vec<String> = Vec::new();
    let mut file_seen = false;
    let (_, mut at, mut closing) = next_delimiter(boundary, &text, 0)?;
    while !closing {
        let (header, content_begin) = read_header(&text, at)?;
        let (content_end, behind, last) = next_delimiter(boundary, &text, content_begin)?;
        let content = &text[content_begin..content_end];
        let is_file = header.name.eq_ignore_ascii_case("file");
        match (file_seen, is_file) {
            (true, true) => return None,
            (true, false) => {}
            (false, true) => {
                file_seen = true;
                form.filename = header.filename;
                form.content_type = header.content_type;
                form.data = content.to_vec();
            }
            (false, false) => {
                if names.contains(&header.name.to_lowercase()) {
                    return None;
                }
                names.push(header.name.to_lowercase());
                form.fields.push((header.name, String::from_utf8(content.to_vec()).ok()?));
            }
        }
        (at, closing) = (behind, last);
    }
    file_seen.then_some(form)
}

/// Where the next delimiter begins, where it ends, and whether it is the closing one.
fn next_delimiter(boundary: &Boundary, text: &[u8], from: usize) -> Option<(usize, usize, bool)> {
    (from..text.len()).find_map(|at| delimiter_at(boundary, text, at).map(|(end, last)| (at, end, last)))
}

fn delimiter_at(boundary: &Boundary, text: &[u8], at: usize) -> Option<(usize, bool)> {
    let rest = text[at..].strip_prefix(b"\r\n--")?.strip_prefix(boundary.as_bytes())?;
    let (closing, behind) = match rest.strip_prefix(b"--") {
        Some(behind) => (true, behind),
        None => (false, rest),
    };
    let blanks = behind.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let after = &behind[blanks..];
    let ends = after.starts_with(b"\r\n") || (closing && after.is_empty());
    let padding = rest.len() - after.len();
    let end = text.len() - after.len() + if after.is_empty() { 0 } else { 2 };
    (ends && padding <= 64).then_some((end, closing))
}

struct Header {
    name: String,
    filename: Option<String>,
    content_type: Option<String>,
}

/// The header lines from a position on, and where the content begins.
fn read_header(text: &[u8], mut at: usize) -> Option<(Header, usize)> {
    let (mut disposition, mut content_type) = (None, None);
    loop {
        let length = text[at..].iter().position(|byte| *byte == b'\n')?;
        let line = text[at..at + length].strip_suffix(b"\r")?;
        at += length + 1;
        if line.is_empty() {
            let (name, filename) = disposition?;
            return Some((Header { name, filename, content_type }, at));
        }
        let line = String::from_utf8(line.to_vec()).ok()?;
        let colon = line.find(':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_matches([' ', '\t']));
        if name.is_empty() || name.contains([' ', '\t']) || line.contains(['\r', '\0']) {
            return None;
        }
        match name.to_ascii_lowercase().as_str() {
            "content-disposition" if disposition.is_none() => disposition = Some(read_disposition(value)?),
            "content-type" if content_type.is_none() => content_type = Some(value.to_owned()),
            "content-transfer-encoding" => {
                let known = ["binary", "8bit", "7bit"].contains(&value.to_ascii_lowercase().as_str());
                known.then_some(())?;
            }
            "content-length" | "content-id" | "content-description" => {}
            _ => return None,
        }
    }
}

/// Name and file name.
fn read_disposition(value: &str) -> Option<(String, Option<String>)> {
    let letters: Vec<char> = value.chars().collect();
    let mut at = letters.iter().position(|letter| *letter == ';').unwrap_or(letters.len());
    let kind: String = letters[..at].iter().collect();
    if !kind.trim_matches([' ', '\t']).eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut name, mut plain, mut extended) = (None, None, None);
    loop {
        while at < letters.len() && matches!(letters[at], ' ' | '\t' | ';') {
            at += 1;
        }
        if at == letters.len() {
            break;
        }
        let equals = at + letters[at..].iter().position(|letter| *letter == '=')?;
        let parameter: String = letters[at..equals].iter().collect();
        let parameter = parameter.trim_matches([' ', '\t']).to_ascii_lowercase();
        if parameter.is_empty() || parameter.contains([';', '"', ' ', '\t']) {
            return None;
        }
        let (value, behind) = read_value(&letters, equals + 1)?;
        at = behind;
        let place = match parameter.as_str() {
            "name" => &mut name,
            "filename" => &mut plain,
            "filename*" => &mut extended,
            _ => continue,
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    let filename = match extended {
        Some(extended) => Some(read_extended(&extended)?),
        None => plain,
    };
    name.filter(|name| !name.is_empty()).map(|name| (name, filename))
}

fn read_value(letters: &[char], mut at: usize) -> Option<(String, usize)> {
    while at < letters.len() && matches!(letters[at], ' ' | '\t') {
        at += 1;
    }
    let mut value = String::new();
    if letters.get(at) != Some(&'"') {
        while at < letters.len() && letters[at] != ';' {
            value.push(letters[at]);
            at += 1;
        }
        let value = value.trim_matches([' ', '\t']).to_owned();
        return (!value.contains('"')).then_some((value, at));
    }
    at += 1;
    while *letters.get(at)? != '"' {
        if letters[at] == '\\' && matches!(letters.get(at + 1), Some('"' | '\\')) {
            at += 1;
        }
        value.push(letters[at]);
        at += 1;
    }
    at += 1;
    while at < letters.len() && matches!(letters[at], ' ' | '\t') {
        at += 1;
    }
    (at == letters.len() || letters[at] == ';').then_some((value, at))
}

/// `charset'language'percent-encoded`.
fn read_extended(text: &str) -> Option<String> {
    let mut pieces = text.splitn(3, '\'');
    let (charset, _, encoded) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let mut bytes = Vec::new();
    let mut rest = encoded.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escaped = match (first, behind) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high << 4 | low);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    if charset.eq_ignore_ascii_case("utf-8") {
        String::from_utf8(bytes).ok()
    } else if charset.eq_ignore_ascii_case("iso-8859-1") {
        Some(bytes.into_iter().map(char::from).collect())
    } else {
        None
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
