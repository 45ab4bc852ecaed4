//! Serves the error reference as web pages under `/_countersign/docs/errors`, in English or Chinese.
//!
//! One page per topic, so that the link in an error (`RecommendDoc`) opens at what happened and what to do, and an
//! index of them all. The pages load nothing from anywhere and run no script. The words are
//! [`countersign_protocol::error_reference`]'s.

use bytes::Bytes;
use countersign_protocol::callback::cause::Explanation;
use countersign_protocol::error_reference::Topic;
use countersign_protocol::language::Language;
use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, VARY};
use http::{HeaderValue, StatusCode};

use crate::request::Call;
use crate::response::wire_response::{self, WireResponse};

/// Where the reference lies below the store's own pages.
const FOLDER: &str = "docs/errors";

/// Answers a request for a page of the reference; `None` when `page` is not one of them.
pub(super) fn find(call: &Call, page: &str) -> Option<WireResponse> {
    let language = language(call);
    let document = match page.strip_prefix(FOLDER) {
        Some("" | "/") => index(language),
        Some(rest) => topic_page(Topic::find(rest.strip_prefix('/')?)?, language),
        None if matches!(page, "docs" | "docs/") => index(language),
        None => return None,
    };
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let mut response = wire_response::bytes(StatusCode::OK, html, Bytes::from(document));
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    Some(response)
}

/// The language that the address names, else the one that the browser prefers, else English.
fn language(call: &Call) -> Language {
    let named = call.query.get("lang");
    let wanted = named.or_else(|| call.header(ACCEPT_LANGUAGE.as_str())).unwrap_or_default();
    let first = wanted.split([',', ';']).next().unwrap_or_default().trim();
    if first.get(..2).is_some_and(|tag| tag.eq_ignore_ascii_case("zh")) {
        Language::Chinese
    } else {
        Language::English
    }
}

struct Words {
    lang: &'static str,
    title: &'static str,
    happened: &'static str,
    todo: &'static str,
    message: &'static str,
    all: &'static str,
    other: (&'static str, &'static str),
    nothing_stored: &'static str,
    object_stays: &'static str,
    codes: &'static str,
    callbacks: &'static str,
}

const ENGLISH: Words = Words {
    lang: "en",
    title: "Errors of this store",
    happened: "What happened",
    todo: "What to do",
    message: "Message",
    all: "All errors",
    other: ("zh", "中文"),
    nothing_stored: "Nothing was stored and the application was not called.",
    object_stays: "The object is stored. The store keeps the callback listed as owed.",
    codes: "Error codes",
    callbacks: "Callback errors",
};

const CHINESE: Words = Words {
    lang: "zh",
    title: "本存储的错误码",
    happened: "发生了什么",
    todo: "该怎么办",
    message: "消息",
    all: "全部错误",
    other: ("en", "English"),
    nothing_stored: "什么也没有存储，也没有调用应用。",
    object_stays: "Object 已存储。存储把这次回调记在待办里。",
    codes: "错误码",
    callbacks: "回调错误",
};

fn words(language: Language) -> &'static Words {
    match language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    }
}

fn explanation(topic: Topic, language: Language) -> &'static Explanation {
    match (topic, language) {
        (Topic::Code(row), _) => row.explanation(language),
        (Topic::Callback(cause), Language::English) => &cause.row().english,
        (Topic::Callback(cause), Language::Chinese) => &cause.row().chinese,
    }
}

fn topic_page(topic: Topic, language: Language) -> String {
    let words = words(language);
    let explanation = explanation(topic, language);
    let (heading, fact) = match topic {
        Topic::Code(row) => (format!("{} {}", row.code.status(), row.code), String::new()),
        Topic::Callback(cause) => {
            let row = cause.row();
            let outcome = if row.code().status() == 203 { words.object_stays } else { words.nothing_stored };
            let message = code_spans(&format!("`{}`", row.message));
            (
                format!("{} {} · EC {}", row.code().status(), row.code(), row.ec),
                format!("<h2>{}</h2><p>{message}</p><p>{outcome}</p>", words.message),
            )
        }
    };
    let body = format!(
        "<h1>{}</h1>{fact}<h2>{}</h2><p>{}</p><h2>{}</h2><p>{}</p><p class=\"all\"><a href=\"../errors?lang={}\">{}</a></p>",
        escaped(&heading),
        words.happened,
        code_spans(explanation.cause),
        words.todo,
        code_spans(explanation.remedy),
        words.lang,
        words.all,
    );
    frame(words, &heading, &body)
}

fn index(language: Language) -> String {
    let words = words(language);
    let list = |callbacks: bool| -> String {
        Topic::all()
            .filter(|topic| matches!(topic, Topic::Callback(_)) == callbacks)
            .map(|topic| {
                let status = match topic {
                    Topic::Code(row) => row.code.status(),
                    Topic::Callback(cause) => cause.row().code().status(),
                };
                format!(
                    "<li><a href=\"errors/{name}?lang={}\"><b>{status}</b> {name}</a><p>{}</p></li>",
                    words.lang,
                    code_spans(explanation(topic, language).cause),
                    name = topic.name(),
                )
            })
            .collect()
    };
    let body = format!(
        "<h1>{}</h1><h2>{}</h2><ul>{}</ul><h2>{}</h2><ul>{}</ul>",
        words.title,
        words.codes,
        list(false),
        words.callbacks,
        list(true)
    );
    frame(words, words.title, &body)
}

fn frame(words: &Words, title: &str, body: &str) -> String {
    let (other, other_name) = words.other;
    format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{}</title><style>{STYLE}</style></head><body><main>\
         <p class=\"language\"><a href=\"?lang={other}\" lang=\"{other}\">{other_name}</a></p>{body}</main></body></html>\n",
        words.lang,
        escaped(title),
    )
}

const STYLE: &str = ":root{color-scheme:light dark;--ink:#15201d;--muted:#58655f;--paper:#fbfbf9;--line:#e2e6e2;\
    --accent:#0a7566;font:16px/1.6 system-ui,-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei',\
    'Noto Sans CJK SC',sans-serif;color:var(--ink);background:var(--paper)}\
    @media(prefers-color-scheme:dark){:root{--ink:#e6ece9;--muted:#98a5a0;--paper:#0f1413;--line:#29322f;--accent:#4cc9b0}}\
    body{margin:0}main{max-width:720px;margin:0 auto;padding:24px;overflow-wrap:anywhere}\
    h1{font-size:24px;line-height:1.3;margin:8px 0 24px}h2{font-size:14px;color:var(--muted);margin:24px 0 4px}\
    p{margin:0 0 8px}a{color:var(--accent)}.language{text-align:right;margin:0}.all{margin-top:32px}\
    ul{list-style:none;margin:0;padding:0}li{border-top:1px solid var(--line);padding:12px 0}\
    li a{text-decoration:none}li p{margin:0;color:var(--muted);font-size:14px}\
    code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}";

/// Text for HTML, with what stands between backticks as code.
fn code_spans(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(index, piece)| match index % 2 {
            0 => escaped(piece),
            _ => format!("<code>{}</code>", escaped(piece)),
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
