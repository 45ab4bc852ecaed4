//! The page of callback errors agrees with the table of causes.

use std::collections::HashSet;

use super::super::CallbackFailure;
use super::*;
use crate::error_xml::WireError;

/// The committed files. With `COUNTERSIGN_REGENERATE=1` the test writes them instead of comparing.
const FILES: [(Language, &str); 2] =
    [(Language::English, "callback-errors.md"), (Language::Chinese, "callback-errors.zh-CN.md")];

#[test]
fn the_documents_in_the_repository_are_made_from_the_table() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for (language, name) in FILES {
        let (path, page) = (folder.join(name), render(language));
        if std::env::var_os("COUNTERSIGN_REGENERATE").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &page).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == page, "docs/{name} is stale; run this test with COUNTERSIGN_REGENERATE=1");
    }
}

#[test]
fn every_cause_has_a_row_in_both_languages() {
    let pages = [render(Language::English), render(Language::Chinese)];
    for cause in CallbackCause::ALL {
        let row = cause.row();
        assert_eq!(row.cause, *cause);
        for page in &pages {
            assert_eq!(page.matches(&format!("<a id=\"{}\"></a>", row.anchor)).count(), 1, "{cause:?}");
            assert!(page.contains(&format!("`{}`", row.message)), "{cause:?}");
        }
        for explanation in [&row.english, &row.chinese] {
            assert!(
                explanation.cause.chars().count() > 10 && explanation.remedy.chars().count() > 5,
                "{cause:?}"
            );
        }
        assert!(row.english.cause.is_ascii() && row.english.remedy.is_ascii(), "{cause:?}");
        assert!(!row.chinese.cause.is_ascii() && !row.chinese.remedy.is_ascii(), "{cause:?}");
    }
    let anchors: HashSet<_> = CallbackCause::ALL.iter().map(|cause| cause.row().anchor).collect();
    assert_eq!(anchors.len(), CallbackCause::ALL.len());
}

#[test]
fn no_cell_breaks_its_table() {
    for (language, _) in FILES {
        for line in render(language).lines().filter(|line| line.starts_with("| <a")) {
            assert_eq!(line.matches('|').count(), 4, "{line}");
        }
    }
}

#[test]
fn says_each_failure_in_the_words_of_oss() {
    for (failure, message, ec) in [
        (CallbackFailure::ErrorStatus { status: 301 }, "Error status : 301.", "0007-00000203"),
        (CallbackFailure::AnswerNotJson, "Response body is not valid json format.", "0007-00000205"),
        (CallbackFailure::TimedOut, "Cost too long time.", "0007-00000202"),
        (
            CallbackFailure::Unreachable,
            "Error status : -1.OSS can not connect to your callbackUrl, please check it.",
            "0007-00000203",
        ),
        (
            CallbackFailure::LengthMissing,
            "Error Status : 400.User server missing content-length.",
            "0007-00000203",
        ),
        (
            CallbackFailure::LengthInvalid,
            "Error Status : 400.User server return invalid conent-length value.",
            "0007-00000203",
        ),
        (
            CallbackFailure::LengthTooLong,
            "Error Status : 400.User server return too long content-length value",
            "0007-00000203",
        ),
        (CallbackFailure::TooManyRequests, "Too many callback requests.", "0007-90000007"),
        (
            CallbackFailure::GaveWay,
            "The callback gave way to callbacks to other applications.",
            "0007-90000020",
        ),
    ] {
        let error = WireError::from(failure);
        assert_eq!((error.status(), error.code().as_str()), (203, "CallbackFailed"));
        assert_eq!((error.message(), error.ec()), (message, Some(ec)));
        assert!(CallbackCause::ALL.iter().any(|cause| cause.row().anchor == error.topic()));
    }
}

#[test]
fn names_the_line_that_would_permit_a_refused_destination() {
    let allow = "--callback-allow 10.0.0.5/32:80".to_owned();
    let error = WireError::from(CallbackFailure::DestinationRefused { allow: allow.clone() });
    assert_eq!(error.message(), "Private address is forbidden to callback.");
    assert_eq!(error.element("CallbackAllow"), Some(allow.as_str()));
}
