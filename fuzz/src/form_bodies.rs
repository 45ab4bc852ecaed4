//! Fuzzes form bodies: the same events whatever the chunks, the same fields and file as a second reading that has the
//! whole body at hand, a bounded number of steps, bounded memory, and a form that is written out again reads back.

mod read_form;
mod second_reading;

use bytes::Bytes;
use countersign_protocol::form::{Boundary, FormError, FormEvent, FormLimits, FormParser, final_key};

use crate::input::Input;
use read_form::Form;
use second_reading::read_whole;

const BOUNDARIES: [&str; 4] = ["B", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "-", "a-b--c"];

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let boundary = Boundary::new(BOUNDARIES[usize::from(input.byte()) % BOUNDARIES.len()]).unwrap();
    let limits = limits(input.byte());
    let sizes = [input.byte(), input.byte(), input.byte()].map(|size| usize::from(size % 64) + 1);
    content_type_is_read_like_a_boundary(input.until(b'\n'));
    let body = input.rest();
    let whole = read(&boundary, limits, [body].into_iter(), body.len());
    assert_eq!(read(&boundary, limits, pieces(body, &sizes), body.len()), whole, "in pieces of {sizes:?}");
    assert_eq!(read(&boundary, limits, body.chunks(1), body.len()), whole, "byte by byte");
    if limits == FormLimits::default() {
        match read_whole(&boundary, body) {
            Some(second) => assert_eq!(whole, (second, Ok(()))),
            // Names and values in another encoding are passed over where nothing depends on them; the second reading
            // knows UTF-8 only.
            None => assert!(whole.1.is_err() || std::str::from_utf8(body).is_err(), "{whole:?}"),
        }
    }
    if let (form, Ok(())) = whole {
        reads_back_when_written(&form);
        key_is_expanded_once(&form);
    }
}

/// Limits that short inputs reach, or those of the product.
fn limits(choice: u8) -> FormLimits {
    if choice.is_multiple_of(2) {
        return FormLimits::default();
    }
    let small = usize::from(choice);
    FormLimits {
        name_bytes_max: 1 + small % 8,
        value_bytes_max: small % 16,
        part_header_bytes_max: 64 + small,
        fields_max: small % 4,
        head_bytes_max: 128 + 2 * small,
        tail_bytes_max: 8 + small,
    }
}

fn pieces<'a>(mut body: &'a [u8], sizes: &[usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut sizes = sizes.iter().copied().cycle();
    std::iter::from_fn(move || {
        if body.is_empty() {
            return None;
        }
        let (piece, rest) = body.split_at(sizes.next().unwrap_or(1).min(body.len()));
        body = rest;
        Some(piece)
    })
}

/// The events, those before an error included.
fn read<'a>(
    boundary: &Boundary,
    limits: FormLimits,
    mut pieces: impl Iterator<Item = &'a [u8]>,
    body_bytes: usize,
) -> (Form, Result<(), FormError>) {
    let mut parser = FormParser::new(boundary, limits);
    let mut form = Form::default();
    let (mut pushed, mut head_seen, mut steps) = (0, false, 0_usize);
    loop {
        steps += 1;
        assert!(steps <= 4 * body_bytes + 16, "{steps} steps for {body_bytes} bytes");
        // A field costs at least its delimiter and header; what a growing buffer reserves is at most doubled.
        assert!(parser.retained_bytes() <= 8 * pushed + 1_024, "{} of {pushed}", parser.retained_bytes());
        match parser.next_event() {
            Ok(FormEvent::NeedMore) => match pieces.next() {
                Some(piece) => {
                    pushed += piece.len();
                    parser.push(Bytes::copy_from_slice(piece));
                }
                None => parser.finish_input(),
            },
            Ok(FormEvent::Head(fields)) => {
                assert!(!head_seen, "a second head");
                head_seen = true;
                form.fields =
                    fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                form.filename.clone_from(&fields.file().filename);
                form.content_type.clone_from(&fields.file().content_type);
                for (name, value) in fields.iter() {
                    assert_eq!(fields.get(&name.to_lowercase()), Some(value));
                }
            }
            Ok(FormEvent::Data(data)) => {
                assert!(head_seen && !data.is_empty(), "data without a file or without bytes");
                form.data.extend_from_slice(&data);
            }
            Ok(FormEvent::End) => {
                assert!(head_seen, "an end without a file");
                return (form, Ok(()));
            }
            Err(error) => {
                assert_eq!(parser.next_event().unwrap_err(), error, "the error repeats");
                return (form, Err(error));
            }
        }
    }
}

fn content_type_is_read_like_a_boundary(header: &[u8]) {
    let Ok(text) = std::str::from_utf8(header) else { return };
    if let Ok(boundary) = Boundary::of_content_type(text) {
        assert_eq!(Boundary::new(boundary.as_bytes()), Ok(boundary.clone()));
        let quoted: String = String::from_utf8_lossy(boundary.as_bytes())
            .chars()
            .flat_map(|letter| matches!(letter, '"' | '\\').then_some('\\').into_iter().chain([letter]))
            .collect();
        let again = Boundary::of_content_type(&format!("multipart/form-data; boundary=\"{quoted}\""));
        assert_eq!(again, Ok(boundary));
    }
}

/// Writes the form with a boundary that occurs nowhere in it, and reads it again.
fn reads_back_when_written(form: &Form) {
    let mut text = form.data.clone();
    form.fields.iter().for_each(|(_, value)| text.extend_from_slice(value.as_bytes()));
    let mut fence = String::from("fence");
    while text.windows(fence.len()).any(|window| window == fence.as_bytes()) {
        fence.push('x');
    }
    let boundary = Boundary::new(fence.as_str()).unwrap();
    let mut body = Vec::new();
    for (name, value) in &form.fields {
        body.extend_from_slice(
            format!(
                "--{fence}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n",
                quoted(name)
            )
            .as_bytes(),
        );
    }
    body.extend_from_slice(format!("--{fence}\r\nContent-Disposition: form-data; name=file").as_bytes());
    if let Some(filename) = &form.filename {
        let encoded: String = filename.bytes().map(|byte| format!("%{byte:02X}")).collect();
        body.extend_from_slice(format!("; filename*=UTF-8''{encoded}").as_bytes());
    }
    if let Some(content_type) = &form.content_type {
        body.extend_from_slice(format!("\r\nContent-Type: {content_type}").as_bytes());
    }
    body.extend_from_slice(b"\r\n\r\n");
    body.extend_from_slice(&form.data);
    body.extend_from_slice(format!("\r\n--{fence}--").as_bytes());
    let (again, end) = read(&boundary, FormLimits::default(), body.chunks(7), body.len());
    assert_eq!((end, &again), (Ok(()), form));
}

fn quoted(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The expansion of `${filename}`, told a second way: cut the key at each variable and put it together.
fn key_is_expanded_once(form: &Form) {
    let Some((_, key)) = form.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("key")) else {
        return;
    };
    let name = form.filename.as_deref().unwrap_or_default();
    let last = name.split(['/', '\\']).next_back().unwrap_or_default();
    let cut: Vec<&str> = key.split("${filename}").collect();
    let mut expected = String::new();
    for (at, piece) in cut.iter().enumerate() {
        expected.push_str(piece);
        if at + 1 < cut.len() {
            expected.push_str(if piece.ends_with('\\') { "${filename}" } else { last });
        }
    }
    let legal = !expected.is_empty()
        && expected.len() <= 1_023
        && !expected.starts_with('\\')
        && !expected.bytes().any(|byte| byte == 0);
    let given = final_key(key, form.filename.as_deref());
    assert_eq!(given.ok().map(|key| key.into_string()), legal.then_some(expected));
}
