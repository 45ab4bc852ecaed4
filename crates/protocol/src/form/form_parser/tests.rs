//! The form parser: shapes, limits, refusals, and every chunking.

use std::time::Instant;

use proptest::prelude::*;

use super::*;

/// A form read to its end.
#[derive(Debug, PartialEq)]
struct Form {
    fields: Vec<(String, String)>,
    filename: Option<String>,
    content_type: Option<String>,
    data: Vec<u8>,
}

fn read_with(limits: FormLimits, boundary: &str, pieces: &[&[u8]]) -> Result<Form, FormError> {
    let mut parser = FormParser::new(&Boundary::new(boundary).unwrap(), limits);
    let mut form = None;
    let mut data = Vec::new();
    let mut pieces = pieces.iter();
    loop {
        match parser.next_event()? {
            FormEvent::NeedMore => match pieces.next() {
                Some(piece) => parser.push(Bytes::copy_from_slice(piece)),
                None => parser.finish_input(),
            },
            FormEvent::Head(fields) => {
                assert!(form.is_none(), "one head only");
                form = Some(fields);
            }
            FormEvent::Data(bytes) => {
                assert!(!bytes.is_empty() && form.is_some());
                data.extend_from_slice(&bytes);
            }
            FormEvent::End => break,
        }
    }
    assert!(matches!(parser.next_event(), Ok(FormEvent::End)), "the end repeats");
    let fields = form.expect("a head before the end");
    Ok(Form {
        fields: fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        filename: fields.file().filename.clone(),
        content_type: fields.file().content_type.clone(),
        data,
    })
}

fn read(body: &str) -> Result<Form, FormError> {
    read_with(FormLimits::default(), "B", &[body.as_bytes()])
}

fn field(name: &str, value: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn file(content: &str) -> String {
    format!(
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n{content}\r\n"
    )
}

fn whole() -> String {
    format!(
        "{}{}{}{}--B--\r\n",
        field("key", "user-dir/照片.jpg"),
        field("policy", "cA=="),
        file("\r\n--Bx\r"),
        field("submit", "Up")
    )
}

#[test]
fn reads_fields_in_order_then_the_file_and_ignores_what_follows() {
    let form = read(&whole()).unwrap();
    let expected = [("key", "user-dir/照片.jpg"), ("policy", "cA==")];
    assert_eq!(form.fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(form.filename.as_deref(), Some("a.jpg"));
    assert_eq!(form.content_type.as_deref(), Some("image/jpeg"));
    assert_eq!(form.data, b"\r\n--Bx\r");
}

#[test]
fn boundary_like_bytes_inside_the_file_are_data() {
    for content in [
        "\r\n--B-",
        "\r\n--B--x",
        "\r\n--B--\rx",
        "\r\n--B\rx",
        "\r\n--Bx\r\n",
        "\r\r\n--\r\n-B",
        "\n--B\n",
        "--B--",
        "\r\n--B\t-",
    ] {
        let body = format!("{}{}--B--\r\n", field("key", "k"), file(content));
        assert_eq!(read(&body).unwrap().data, content.as_bytes(), "{content:?}");
    }
}

#[test]
fn accepts_the_shapes_that_clients_send() {
    let plain = format!("{}{}", field("key", "k"), file("x"));
    let nameless = "--B\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n";
    let bodies = [
        format!("{plain}--B--"),
        format!("{plain}--B--\r\nepilogue that nobody reads"),
        format!("This is a preamble.\r\nOf two lines.\r\n{plain}--B--\r\n"),
        format!("\r\n{plain}--B--\r\n"),
        format!("{}{nameless}--B--\r\n", field("KEY", "k")),
        format!("{plain}--B  \r\nContent-Disposition: form-data; name=submit\r\n\r\nUp\r\n--B--\r\n"),
    ];
    for body in bodies {
        let form = read(&body).unwrap_or_else(|error| panic!("{error}: {body:?}"));
        assert_eq!((form.fields.len(), form.data.as_slice()), (1, &b"x"[..]), "{body:?}");
    }
    assert_eq!(read(&format!("{}--B--", file(""))).unwrap().data, b"");
}

#[test]
fn refuses_each_broken_form_by_its_own_name() {
    let twice = FormError::FieldNamedTwice { name: "KEY".to_owned() };
    let cases = [
        (format!("{}{}{}--B--", field("key", "a"), field("KEY", "b"), file("x")), twice),
        (format!("{}{}--B--", file("x"), file("y")), FormError::SecondFile),
        (format!("{}{}{}--B--", file("x"), field("submit", "s"), field("FILE", "y")), FormError::SecondFile),
        (format!("{}--B--\r\n", field("key", "k")), FormError::FileMissing),
        ("--B--\r\n".to_owned(), FormError::FileMissing),
        (String::new(), FormError::Truncated),
        ("no boundary at all".to_owned(), FormError::Truncated),
        (format!("{}{}", field("key", "k"), file("x")), FormError::Truncated),
        (format!("{}--B\r\n", file("x")), FormError::Truncated),
        (format!("{}--B--\r", file("x")), FormError::Truncated),
        (format!("{}{}", file("x"), field("submit", "s")), FormError::Truncated),
        (whole().replace("\r\n", "\n"), FormError::Truncated),
        (whole().replace("\"key\"\r\n", "\"key\"\n"), FormError::PartHeaderMalformed),
        ("--B\r\n\r\nx\r\n--B--".to_owned(), FormError::PartWithoutDisposition),
    ];
    for (body, error) in cases {
        assert_eq!(read(&body), Err(error), "{body:?}");
    }
}

#[test]
fn a_value_that_is_no_text_is_refused() {
    let pieces: [&[u8]; 3] =
        [b"--B\r\nContent-Disposition: form-data; name=key\r\n\r\n", b"\xff", b"\r\n--B--"];
    let error = read_with(FormLimits::default(), "B", &pieces).unwrap_err();
    assert_eq!(error, FormError::ValueNotUtf8 { name: "key".to_owned() });
}

#[test]
fn fields_in_another_encoding_are_passed_over_unless_the_store_looks_at_them() {
    let part = |name: &[u8], value: &[u8]| {
        [b"--B\r\nContent-Disposition: form-data; name=\"", name, b"\"\r\n\r\n", value, b"\r\n"].concat()
    };
    let head = |name: &[u8], value: &[u8]| {
        let mut parser = FormParser::new(&Boundary::new("B").unwrap(), FormLimits::default());
        parser.push([part(name, value), part(b"\xd5\xd5", b"1"), file("x").into_bytes()].concat().into());
        match parser.next_event()? {
            FormEvent::Head(fields) => Ok(fields),
            other => panic!("{other:?}"),
        }
    };
    for (name, value) in [(&b"name"[..], &b"\xd5\xd5.jpg"[..]), (b"x:name", b"\xff"), (b"\xd5\xd6", b"a")] {
        let fields = head(name, value).unwrap();
        assert_eq!((fields.len(), fields.foreign().count()), (2, 2));
        assert!(fields.iter().any(|(_, value)| value.is_empty()));
    }
    for name in ["key", "POLICY", "callback-var", "X-Oss-Meta-a", "x-oss-anything", "content-type", "Expires"]
    {
        assert_eq!(
            head(name.as_bytes(), b"\xff").unwrap_err(),
            FormError::ValueNotUtf8 { name: name.to_owned() }
        );
    }
    assert!(matches!(head(b"x-oss-meta-\xd5", b"a"), Err(FormError::ValueNotUtf8 { .. })));
    assert!(matches!(head(b"\xd5\xd5", b"a"), Err(FormError::FieldNamedTwice { .. })));
}

#[test]
fn repeats_its_error_and_reads_no_further() {
    let mut parser = FormParser::new(&Boundary::new("B").unwrap(), FormLimits::default());
    parser.push(Bytes::from("--B--\r\n"));
    for _ in 0..2 {
        assert_eq!(parser.next_event().unwrap_err(), FormError::FileMissing);
        parser.push(Bytes::from(whole()));
    }
}

#[test]
fn keeps_to_every_limit_exactly() {
    let head =
        format!("{}--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n", field("key", "12345"));
    let body = format!("{head}file\r\n--B--\r\n");
    let line = "Content-Disposition: form-data; name=\"file\"\r\n\r\n".len();
    // The virtual CR LF in front of the first delimiter is charged like one that was sent.
    let fits = FormLimits {
        name_bytes_max: 4,
        value_bytes_max: 5,
        part_header_bytes_max: line,
        fields_max: 1,
        head_bytes_max: head.len() + 2,
        tail_bytes_max: "\r\n--B--\r\n".len(),
    };
    let with = |change: fn(&mut FormLimits)| {
        let mut limits = fits;
        change(&mut limits);
        read_with(limits, "B", &[body.as_bytes()]).map(|form| form.data)
    };
    assert_eq!(with(|_| {}), Ok(b"file".to_vec()));
    assert_eq!(with(|limits| limits.name_bytes_max -= 1), Err(FormError::NameTooLong));
    let value = FormError::ValueTooLong { name: "key".to_owned() };
    assert_eq!(with(|limits| limits.value_bytes_max -= 1), Err(value));
    assert_eq!(with(|limits| limits.part_header_bytes_max -= 1), Err(FormError::NameTooLong));
    assert_eq!(with(|limits| limits.fields_max -= 1), Err(FormError::TooManyFields));
    assert_eq!(with(|limits| limits.head_bytes_max -= 1), Err(FormError::HeadTooLarge));
    assert_eq!(with(|limits| limits.tail_bytes_max -= 1), Err(FormError::TailTooLarge));
}

/// Pushes `bytes` of a repeated pattern after a beginning and gives the first error and how many were pushed.
fn flooded(start: &str, pattern: &[u8], chunk_bytes: usize, bytes: usize) -> (Option<FormError>, usize) {
    let mut parser = FormParser::new(&Boundary::new("B").unwrap(), FormLimits::default());
    parser.push(Bytes::from(start.to_owned()));
    let flood: Vec<u8> = pattern.iter().copied().cycle().take(chunk_bytes).collect();
    let flood = Bytes::from(flood);
    let mut pushed = 0;
    loop {
        match parser.next_event() {
            Err(error) => return (Some(error), pushed),
            Ok(FormEvent::NeedMore) if pushed >= bytes => return (None, pushed),
            Ok(FormEvent::NeedMore) => {
                parser.push(flood.clone());
                pushed += flood.len();
            }
            Ok(_) => {}
        }
    }
}

#[test]
fn a_header_or_value_or_head_without_end_is_refused_at_its_limit() {
    let (error, pushed) = flooded("--B\r\nContent-Disposition: ", b"a", 1_000, 64 << 20);
    assert_eq!(error, Some(FormError::NameTooLong));
    assert!(pushed <= 34_000, "{pushed}");
    let start = "--B\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n";
    let (error, pushed) = flooded(start, b"a\r", 1_000, 64 << 20);
    assert_eq!(error, Some(FormError::ValueTooLong { name: "v".to_owned() }));
    assert!(pushed <= (2 << 20) + 2_000, "{pushed}");
    let (error, pushed) = flooded("", b"preamble\r\n-", 1_000, 64 << 20);
    assert_eq!(error, Some(FormError::HeadTooLarge));
    assert!(pushed <= (8 << 20) + 2_000, "{pushed}");
    let (error, _) = flooded(&format!("{}--B--\r\n", file("x")), b"z", 1_000, 64 << 20);
    assert_eq!(error, Some(FormError::TailTooLarge));
}

#[test]
fn one_byte_chunks_of_hostile_bodies_cost_linear_time() {
    let time = |pattern: &[u8], bytes: usize| {
        let mut parser = FormParser::new(&Boundary::new("B").unwrap(), FormLimits::default());
        parser.push(Bytes::from(file("").trim_end_matches("\r\n").to_owned() + "\r\n\r\n"));
        let flood: Bytes = pattern.iter().copied().cycle().take(bytes).collect();
        let begun = Instant::now();
        for at in 0..bytes {
            parser.push(flood.slice(at..=at));
            while !matches!(parser.next_event().unwrap(), FormEvent::NeedMore) {}
        }
        begun.elapsed()
    };
    for pattern in [&b"\r"[..], b"\r\n--Bx", b"\r\n--B \t x", b"-"] {
        // The best of three: what else the machine does only ever adds.
        let best = |bytes| (0..3).map(|_| time(pattern, bytes)).min().unwrap_or_default();
        let small = best(1 << 17);
        let large = best(1 << 20);
        // Eight times the bytes; quadratic work would take sixty-four times as long.
        assert!(large < small * 32 + std::time::Duration::from_millis(500), "{small:?} {large:?}");
    }
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same(
        content in "[\r\n\\-B x]{0,40}",
        value in "[\r\n\\-B x]{0,20}",
        cut in prop::option::of(0usize..400),
        sizes in prop::collection::vec(1usize..9, 1..60),
    ) {
        let body = format!("pre\r\n{}{}{}--B--\r\n", field("key", &value), file(&content), field("submit", "s"));
        let body = &body.as_bytes()[..cut.unwrap_or(body.len()).min(body.len())];
        let whole = read_with(FormLimits::default(), "B", &[body]);
        let mut pieces = Vec::new();
        let mut rest = body;
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        prop_assert_eq!(read_with(FormLimits::default(), "B", &pieces), whole);
    }

    #[test]
    fn tight_limits_give_the_same_error_in_any_chunking(
        head_bytes_max in 0usize..400,
        value_bytes_max in 0usize..20,
        part_header_bytes_max in 0usize..120,
        tail_bytes_max in 0usize..120,
        chunk_bytes in 1usize..30,
    ) {
        let limits = FormLimits { head_bytes_max, value_bytes_max, part_header_bytes_max, tail_bytes_max, ..FormLimits::default() };
        let body = whole();
        let pieces: Vec<&[u8]> = body.as_bytes().chunks(chunk_bytes).collect();
        prop_assert_eq!(read_with(limits, "B", &pieces), read_with(limits, "B", &[body.as_bytes()]));
    }

    #[test]
    fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..300), chunk_bytes in 1usize..20) {
        let pieces: Vec<&[u8]> = body.chunks(chunk_bytes).collect();
        let _ = read_with(FormLimits::default(), "B", &pieces);
    }
}
