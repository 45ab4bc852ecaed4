//! Sidecars: what is written, what is read back, and what is refused.

use super::*;

#[test]
fn writes_only_what_differs_from_the_defaults_and_reads_it_back() {
    let mut sidecar = Sidecar { mode: Some("guarded".to_owned()), ..Sidecar::default() };
    let usual = sidecar.attributes("a.png").unwrap();
    assert_eq!(usual.content_type, "image/png");
    sidecar.note("a.png", &usual, true, None);
    assert_eq!(sidecar.to_text().unwrap(), "mode = \"guarded\"\n");

    let attributes = ObjectAttributes {
        content_type: "text/x-\"odd\"".to_owned(),
        acl: ObjectAcl::Own(Acl::PublicRead),
        storage_class: Some("IA".to_owned()),
        metadata: vec![
            ("x-oss-meta-author".to_owned(), "作者\t".to_owned()),
            ("x-oss-meta-author".to_owned(), "b".to_owned()),
        ],
        ..ObjectAttributes::default()
    };
    let key = "a//\u{1b}\"]\n.txt";
    sidecar.note(key, &attributes, false, Some("x".to_owned()));
    let read = Sidecar::parse(&sidecar.to_text().unwrap()).unwrap();
    assert_eq!(read, sidecar);
    assert_eq!(read.attributes(key).unwrap(), attributes);
    assert_eq!((read.with_md5(key), read.with_md5("a.png")), (Ok(false), Ok(true)));
}

#[test]
fn unnamed_settings_of_a_bucket_have_their_defaults() {
    let settings = Sidecar::parse("").unwrap().settings().unwrap();
    let text = |name: &str| settings.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
    assert_eq!(text("acl").as_deref(), Some("private"));
    assert_eq!(text("mode").as_deref(), Some("guarded"));
    assert_eq!(settings.len(), 2);
}

#[test]
fn a_bucket_comes_back_with_all_its_settings() {
    let written = "acl = \"public-read\"\nmode = \"strict\"\nstorage-class = \"IA\"\n\
        [cors]\nresponse-vary = true\n[[cors.rules]]\nallowed-origins = [\"https://a.example\"]\n\
        allowed-methods = [\"PUT\", \"GET\"]\nallowed-headers = [\"*\"]\nexpose-headers = [\"ETag\"]\nmax-age-seconds = 9\n\
        [[lifecycle]]\nid = \"one\"\nprefix = \"tmp/\"\ndays = 3\nabort-multipart-days = 1\n\
        [[lifecycle]]\nprefix = \"old/\"\nenabled = false\ncreated-before = \"2026-01-01T00:00:00Z\"\n";
    let settings = Sidecar::parse(written).unwrap().settings().unwrap();
    let bucket = BucketRecord { name: "b".to_owned(), created: jiff::Timestamp::UNIX_EPOCH, settings };
    let read = Sidecar::of_bucket(&bucket).unwrap();
    assert_eq!(read.settings().unwrap(), bucket.settings);
    assert_eq!(Sidecar::parse(&read.to_text().unwrap()).unwrap(), read);
    assert!(read.to_text().unwrap().contains("rule-1"), "a rule without an id is given one");
}

#[test]
fn refuses_what_it_does_not_know_with_its_line() {
    for (text, line, word) in [
        ("acl = \"private\"\nmood = 1\n", Some(2), "mood"),
        ("[objects.\"a\"]\ntype = \"x\"\n", Some(2), "type"),
        ("[[cors.rules]]\nallowed-origins = [\"*\"]\n", Some(1), "allowed-methods"),
        ("acl = \n", Some(1), ""),
        ("acl = \"private\"\nacl = \"private\"\n", Some(2), "duplicate"),
    ] {
        let (found, problem) = Sidecar::parse(text).unwrap_err();
        assert_eq!(found, line, "{text}: {problem}");
        assert!(problem.contains(word), "{text}: {problem}");
    }
    for text in [
        "acl = \"world\"",
        "mode = \"lax\"",
        "storage-class = \"Archive\"",
        "[cors]\nrules = []",
        "[[cors.rules]]\nallowed-origins = [\"*\"]\nallowed-methods = [\"PATCH\"]",
        "[[cors.rules]]\nallowed-origins = [\"http://a</AllowedOrigin>\"]\nallowed-methods = [\"GE T\"]",
        "[[lifecycle]]\nprefix = \"a\"",
        "[[lifecycle]]\ndays = 0",
        "[[lifecycle]]\ndays = 1\ndate = \"2026-01-01T00:00:00Z\"",
        "[[lifecycle]]\ndays = 1\n[[lifecycle]]\ndays = 2",
    ] {
        assert!(Sidecar::parse(text).unwrap().settings().is_err(), "{text}");
    }
    for text in [
        "acl = \"world\"",
        "storage-class = \"Archive\"",
        "metadata = { a = \"b\\r\\nSet-Cookie: c\" }",
        "metadata = { \"a b\" = \"c\" }",
        "cache-control = \"a\\u0000\"",
    ] {
        let sidecar = Sidecar::parse(&format!("[objects.a]\n{text}\n")).unwrap();
        assert!(sidecar.attributes("a").is_err(), "{text}");
    }
}
