//! Interprets the store's answer to an upload. 203 says that the file is stored and that the application did not
//! confirm it: it is neither success nor a reason to upload again.

mod failed_conditions;

use reqwest::StatusCode;
use serde_json::Value;

use crate::xml_text::first_text;

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Stored, and confirmed by the application.
    Done { key: String, answer: String },
    /// Stored; nobody was to be asked.
    Stored { key: String },
    /// Stored, and the application said no.
    Declined { key: String, message: String },
    /// Stored, and the application gave no answer that counts.
    NotConfirmed { key: String, message: String },
    /// Refused by the store.
    Refused { message: String },
    /// Refused by the store, because the signature had run out.
    Expired { message: String },
    /// It came to no answer of the store.
    Failed { message: String },
}

impl Outcome {
    /// The exit code of a run with this file alone.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Outcome::Done { .. } | Outcome::Stored { .. } => 0,
            Outcome::Refused { .. } | Outcome::Expired { .. } | Outcome::Failed { .. } => 1,
            Outcome::Declined { .. } => 3,
            Outcome::NotConfirmed { .. } => 4,
        }
    }

    /// The outcome for programs: its name, the key and what was said.
    pub(super) fn parts(&self) -> (&'static str, Option<&str>, Option<&str>) {
        match self {
            Outcome::Done { key, answer } => ("confirmed", Some(key), Some(answer)),
            Outcome::Stored { key } => ("stored", Some(key), None),
            Outcome::Declined { key, message } => ("declined", Some(key), Some(message)),
            Outcome::NotConfirmed { key, message } => ("not-confirmed", Some(key), Some(message)),
            Outcome::Refused { message } | Outcome::Expired { message } => ("refused", None, Some(message)),
            Outcome::Failed { message } => ("failed", None, Some(message)),
        }
    }

    /// The outcome in words.
    pub(super) fn line(&self) -> String {
        match self {
            Outcome::Done { key, answer } => format!("confirmed by the application  {key}  {answer}"),
            Outcome::Stored { key } => format!("stored  {key}"),
            Outcome::Declined { key, message } => {
                format!("stored, but the application declined: {message}  {key}")
            }
            Outcome::NotConfirmed { key, message } => {
                format!("stored, but the application did not confirm: {message}  {key}")
            }
            Outcome::Refused { message } | Outcome::Expired { message } => format!("refused: {message}"),
            Outcome::Failed { message } => format!("failed: {message}"),
        }
    }

    /// Reads an answer of the store; `key` is what the form asked for.
    pub(super) fn read(status: StatusCode, body: &str, key: String, with_callback: bool) -> Self {
        if let Some(message) = not_the_stores(status, body) {
            return Outcome::Failed { message };
        }
        if status == StatusCode::NON_AUTHORITATIVE_INFORMATION {
            let mut message = first_text(body, "Message").unwrap_or_else(|| "no reason was given".to_owned());
            if let Some(option) = first_text(body, "CallbackAllow") {
                message.push_str(&format!(" Starting the store with {option} permits it."));
            }
            message.push_str(&reference(body));
            return Outcome::NotConfirmed { key, message };
        }
        if !status.is_success() {
            let conditions = first_text(body, "FailedConditions");
            let message = match conditions.and_then(|list| failed_conditions::in_words(&list)) {
                Some(words) => format!("the policy does not allow this form: {words}"),
                None => first_text(body, "Message").unwrap_or_else(|| body.to_owned()),
            };
            let code = first_text(body, "Code").unwrap_or_else(|| "no code".to_owned());
            let expired = status == StatusCode::FORBIDDEN && message.to_ascii_lowercase().contains("expired");
            let message = format!("{message} ({status}, {code}){}", reference(body));
            return if expired { Outcome::Expired { message } } else { Outcome::Refused { message } };
        }
        if !with_callback || body.is_empty() {
            return Outcome::Stored { key };
        }
        let answer: Option<Value> = serde_json::from_str(body).ok();
        let verdict = answer.as_ref().and_then(|answer| answer.get("Status"));
        match verdict {
            Some(verdict) if !says_yes(verdict) => {
                let message =
                    answer.as_ref().and_then(|answer| answer.get("message")).and_then(Value::as_str);
                let message = message.map_or_else(|| format!("it answered {verdict}"), str::to_owned);
                Outcome::Declined { key, message }
            }
            _ => Outcome::Done { key, answer: body.trim().to_owned() },
        }
    }
}

/// Where the refusal is explained, if the answer says so with a whole address.
fn reference(body: &str) -> String {
    let link = first_text(body, "RecommendDoc")
        .filter(|link| link.starts_with("http://") || link.starts_with("https://"));
    link.map_or_else(String::new, |link| format!("; see {link}"))
}

/// What to say where something before the store answered, or in its place: the store's refusals are XML with a
/// code, and no answer of it or of an application is a page of HTML.
fn not_the_stores(status: StatusCode, body: &str) -> Option<String> {
    let is_page = is_html_page(body);
    if !is_page && (status.is_success() || first_text(body, "Code").is_some()) {
        return None;
    }
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return Some(
            "a proxy before the store does not take a body of this size (413); raise its limit, \
             for instance client_max_body_size of nginx"
                .to_owned(),
        );
    }
    let what = match (is_page, first_text(body, "title")) {
        (true, Some(title)) => format!("a page of HTML (\"{}\")", title.trim()),
        (true, None) => "a page of HTML".to_owned(),
        (false, _) => "no answer of a store".to_owned(),
    };
    let may_be_stored = status.is_success() || status.is_server_error();
    let consequence = if may_be_stored { "; the file may be stored all the same" } else { "" };
    Some(format!(
        "what came with status {} is {what}: a proxy or another server gave it{consequence}",
        status.as_u16()
    ))
}

/// Judged by the text: samples answer JSON as `text/html`.
fn is_html_page(body: &str) -> bool {
    let start: String = body.trim_start_matches('\u{feff}').trim_start().chars().take(16).collect();
    let start = start.to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body", "<title", "<center"]
        .iter()
        .any(|tag| start.starts_with(tag))
}

fn says_yes(verdict: &Value) -> bool {
    verdict.as_str().is_some_and(|word| word.eq_ignore_ascii_case("ok"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, with_callback: bool) -> Outcome {
        Outcome::read(StatusCode::from_u16(status).unwrap(), body, "k".into(), with_callback)
    }

    #[test]
    fn ok_in_any_letter_case_is_a_yes() {
        for body in [r#"{"Status":"OK"}"#, r#"{"Status":"Ok","key":"k"}"#, r#"{"other":1}"#] {
            assert_eq!(read(200, body, true).exit_code(), 0, "{body}");
        }
    }

    #[test]
    fn shows_the_applications_refusal_in_its_own_words() {
        let outcome = read(200, r#"{"Status":"declined","message":"not today"}"#, true);
        assert_eq!(outcome, Outcome::Declined { key: "k".into(), message: "not today".into() });
        assert_eq!(outcome.exit_code(), 3);
    }

    #[test]
    fn stored_but_not_confirmed_is_an_outcome_of_its_own() {
        let outcome = read(
            203,
            "<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message></Error>",
            true,
        );
        assert_eq!(outcome, Outcome::NotConfirmed { key: "k".into(), message: "Error status : 502.".into() });
        assert_eq!(outcome.exit_code(), 4);
    }

    #[test]
    fn a_refusal_says_why() {
        let outcome =
            read(403, "<Error><Code>AccessDenied</Code><Message>Policy expired.</Message></Error>", true);
        assert_eq!(outcome.line(), "refused: Policy expired. (403 Forbidden, AccessDenied)");
        assert_eq!(outcome.exit_code(), 1);
        let body =
            "<Error><Code>C</Code><Message>M</Message><RecommendDoc>http://h/d/C</RecommendDoc></Error>";
        assert_eq!(read(403, body, true).line(), "refused: M (403 Forbidden, C); see http://h/d/C");
        assert!(read(203, body, true).line().contains("M; see http://h/d/C"));
        let body = "<Error><Code>C</Code><Message>[&quot;eq&quot;, &apos;&amp;lt;&apos;]</Message></Error>";
        assert_eq!(read(403, body, true).line(), "refused: [\"eq\", '&lt;'] (403 Forbidden, C)");
    }

    #[test]
    fn conditions_that_are_not_met_are_told_in_words() {
        let body = "<Error><Code>AccessDenied</Code><Message>Policy Condition failed: [..]</Message>\
            <FailedConditions>[&quot;eq&quot;, &quot;$bucket&quot;, &quot;a&quot;]: got &quot;b&quot;</FailedConditions></Error>";
        let line = read(403, body, true).line();
        let told = "the policy does not allow this form: bucket must be \"a\", got \"b\"";
        assert_eq!(line, format!("refused: {told} (403 Forbidden, AccessDenied)"));
    }

    #[test]
    fn says_when_a_proxy_answered_instead_of_the_store() {
        let page = "<html>\n<head><title>413 Request Entity Too Large</title></head></html>";
        assert_eq!(read(413, page, true).exit_code(), 1);
        assert!(read(413, page, true).line().contains("a proxy before the store does not take"), "{page}");
        assert!(read(413, "", true).line().contains("client_max_body_size"));
        let page = "<!DOCTYPE html>\n<title>504 Gateway Time-out</title>";
        let line = read(504, page, true).line();
        assert!(line.contains("504") && line.contains("\"504 Gateway Time-out\""), "{line}");
        assert!(line.contains("a proxy or another server") && line.contains("may be stored"), "{line}");
        assert!(!read(405, "not allowed", true).line().contains("may be stored"));
        // A page instead of success is no success.
        for with_callback in [true, false] {
            assert_eq!(read(200, page, with_callback).exit_code(), 1);
        }
    }

    #[test]
    fn a_refused_destination_comes_with_the_line_that_permits_it() {
        let body = "<Error><Code>CallbackFailed</Code><Message>Private address is forbidden to callback.</Message>\
            <CallbackAllow>--callback-allow 10.0.0.5/32:80</CallbackAllow></Error>";
        assert!(read(203, body, true).line().contains("with --callback-allow 10.0.0.5/32:80 permits it"));
    }

    #[test]
    fn without_a_callback_an_empty_answer_is_success() {
        assert_eq!(read(204, "", false), Outcome::Stored { key: "k".into() });
        assert_eq!(read(200, "", true), Outcome::Stored { key: "k".into() });
    }
}
