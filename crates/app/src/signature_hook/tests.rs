//! What an application is told of a request by a signature hook, and what each of its answers means.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// An application that answers every question with these bytes, and the heads of what it was asked.
struct Asked {
    hook: SignatureHook,
    heads: Arc<std::sync::Mutex<Vec<String>>>,
}

async fn application(answer: impl Into<Vec<u8>>) -> Asked {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = SignatureHook::new(&format!("http://{}/who?a=1", listener.local_addr().unwrap())).unwrap();
    let heads = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, kept) = (answer.clone(), Arc::clone(&kept));
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut head).await.unwrap_or_default() == 0 {
                        return;
                    }
                }
                kept.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                // A sender that is cut off in mid-answer is part of some tests.
                let _ = stream.write_all(&answer).await;
            });
        }
    });
    Asked { hook, heads }
}

fn answer(status: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}")
        .into()
}

fn question(headers: &[(&str, &str)]) -> Question {
    let mut request = Request::get("/signature?path=user/42&token=t0ken");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let path = Some(crate::upload_path::UploadPath::normalise("user/42/a b&c").unwrap());
    Question { purpose: Purpose::Signature, path, request: request.body(()).unwrap().into_parts().0 }
}

const GOOD: &str = r#"{"user":"42","folder":"user/42"}"#;

#[tokio::test]
async fn passes_on_the_callers_credentials_and_nothing_else_of_the_request() {
    let asked = application(answer("200", "application/json", GOOD)).await;
    let headers = [
        ("cookie", "PHPSESSID=s1; a=b"),
        ("authorization", "Bearer t1"),
        ("x-countersign-token", "t0ken"),
        ("x-forwarded-user", "theirs"),
        ("x-user", "named"),
        ("user-agent", "theirs"),
        ("host", "theirs"),
        ("connection", "x-user"),
    ];
    let hook = asked.hook.clone().passing_on(["X-User"]).unwrap();
    let grant = hook.ask(&question(&headers)).await.unwrap();
    assert_eq!((grant.user.as_str(), grant.folder.as_str()), ("42", "user/42/"));
    let head = asked.heads.lock().unwrap().remove(0);
    let (line, rest) = head.split_once("\r\n").unwrap();
    assert_eq!(line, "GET /who?a=1&for=signature&path=user%2F42%2Fa%20b%26c%2F HTTP/1.1");
    let mut rest: Vec<&str> =
        rest.trim_end().split("\r\n").filter(|line| !line.starts_with("host:")).collect();
    rest.sort_unstable();
    let expected = [
        "accept: application/json",
        "authorization: Bearer t1",
        "cookie: PHPSESSID=s1; a=b",
        "user-agent: countersign",
        "x-user: named",
    ];
    assert_eq!(rest, expected);
    let uploads =
        Question { purpose: Purpose::Uploads, path: None, ..question(&[("authorization", "Basic eDp5")]) };
    asked.hook.ask(&uploads).await.unwrap();
    let head = asked.heads.lock().unwrap().remove(0);
    assert!(head.starts_with("GET /who?a=1&for=uploads HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("authorization"), "a password of a login in front stays here: {head}");
}

#[tokio::test]
async fn refuses_repeated_credentials_but_joins_cookies_that_http_2_splits() {
    let asked = application(answer("200", "application/json", GOOD)).await;
    for name in ["cookie", "authorization"] {
        let twice = question(&[(name, "Bearer a=1"), (name, "Bearer a=2")]);
        let refused = asked.hook.ask(&twice).await.unwrap_err();
        assert_eq!(refused.code(), (StatusCode::BAD_REQUEST, "RepeatedCredential"));
    }
    assert!(asked.heads.lock().unwrap().is_empty());
    let mut split = question(&[("cookie", "a=1"), ("cookie", "b=2")]);
    split.request.version = Version::HTTP_2;
    asked.hook.ask(&split).await.unwrap();
    assert!(asked.heads.lock().unwrap().remove(0).contains("\r\ncookie: a=1; b=2\r\n"));
}

#[tokio::test]
async fn every_answer_but_a_grant_is_a_refusal_with_a_code_of_its_own() {
    let json = "application/json";
    let denied = r#"{"message":"your quota is used up"}"#;
    for (sent, status, code, said) in [
        (answer("401", json, "{}"), 401, "NotLoggedIn", "log in first"),
        (answer("403", json, denied), 403, "NotPermitted", "your quota is used up"),
        (answer("403", "text/html", denied), 403, "NotPermitted", "does not permit"),
        (answer("403", json, r#"{"message":"a\nb"}"#), 403, "NotPermitted", "does not permit"),
        (answer("404", json, GOOD), 502, "SignatureHookFailed", "could not be asked"),
        (answer("500", json, GOOD), 502, "SignatureHookFailed", "could not be asked"),
        (answer("204", json, ""), 502, "SignatureHookFailed", "could not be asked"),
        (answer("201", json, GOOD), 502, "SignatureHookFailed", "could not be asked"),
        (answer("200", "text/html; charset=utf-8", GOOD), 502, "SignatureHookFailed", "could not be asked"),
        (answer("200", json, "<html>"), 502, "SignatureHookFailed", "could not be asked"),
        (
            answer("200", json, &" ".repeat(HOOK_ANSWER_BYTES_MAX + 1)),
            502,
            "SignatureHookFailed",
            "could not",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec(), 502, "SignatureHookFailed", "could not"),
        (b"SSH-2.0-x\r\n".to_vec(), 502, "SignatureHookFailed", "could not be asked"),
        (b"".to_vec(), 502, "SignatureHookFailed", "could not be asked"),
    ] {
        let shown = String::from_utf8_lossy(&sent).into_owned();
        let refused = application(sent).await.hook.ask(&question(&[])).await.unwrap_err();
        let told = Answer::from(refused);
        let value: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
        assert_eq!((told.status.as_u16(), value["Status"].as_str()), (status, Some(code)), "{shown}");
        assert!(value["message"].as_str().unwrap().contains(said), "{shown}: {value}");
        assert!(!told.body.windows(9).any(|part| part == b"127.0.0.1"), "{value}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_no_credential_goes_where_it_leads() {
    let elsewhere = application(answer("200", "application/json", GOOD)).await;
    let target = format!("http://{}/", elsewhere.hook.application.authority);
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
    let asked = application(redirect).await;
    let refused = asked.hook.ask(&question(&[("cookie", "a=1")])).await.unwrap_err();
    assert!(matches!(refused, HookRefusal::Status { status: StatusCode::FOUND }), "{refused}");
    assert!(elsewhere.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn gives_up_on_an_application_that_is_silent_slow_or_gone() {
    let mut dripping = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n".to_vec();
    dripping.push(b'{');
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let drips = Arc::clone(&sent);
    let dripper = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&dripping).await.unwrap();
        while stream.write_all(b" ").await.is_ok() {
            drips.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let hook = SignatureHook::new(&format!("http://{address}/")).unwrap();
    let slow = hook.clone().with_timeout(Duration::from_millis(60)).ask(&question(&[])).await.unwrap_err();
    assert_eq!(slow.code(), (StatusCode::GATEWAY_TIMEOUT, "SignatureHookTooSlow"));
    // The connection is gone with the question.
    dripper.await.unwrap();
    assert!(sent.load(Ordering::SeqCst) > 0);
    let gone = hook.ask(&question(&[])).await.unwrap_err();
    assert_eq!(gone.code(), (StatusCode::BAD_GATEWAY, "SignatureHookUnreachable"));
}

#[tokio::test]
async fn one_session_with_hanging_hooks_does_not_block_other_sessions() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = SignatureHook::new(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let mut hanging = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 2000];
            let read = stream.read(&mut head).await.unwrap();
            if String::from_utf8_lossy(&head[..read]).contains("hangs") {
                hanging.push(stream);
            } else {
                stream.write_all(&answer("200", "application/json", GOOD)).await.unwrap();
            }
        }
    });
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let hook = hook.clone();
        waiting.spawn(async move { hook.ask(&question(&[("cookie", "a=hangs")])).await });
    }
    let busy = waiting.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(busy.code(), (StatusCode::SERVICE_UNAVAILABLE, "SignatureHookBusy"));
    assert!(hook.ask(&question(&[("cookie", "a=another")])).await.is_ok());
}

#[test]
fn the_answer_is_read_strictly() {
    let read = |body: &str| {
        let content_type = Some("Application/JSON; charset=utf-8".to_owned());
        read_grant(&Answer {
            status: StatusCode::OK,
            content_type,
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    };
    let grant = read(
        r#" {"user":"42","folder":"/user//42","maxBytes":9007199254740993,"types":["image/png"],"values":{"x:a":"1"}}"#,
    );
    let grant = grant.unwrap();
    assert_eq!((grant.folder.as_str(), grant.size_bytes_max), ("user/42/", Some(9_007_199_254_740_993)));
    assert_eq!(
        (grant.content_types, grant.values),
        (vec!["image/png".into()], vec![("x:a".into(), "1".into())])
    );
    let with = |member: &str| format!(r#"{{"user":"42","folder":"user/42/",{member}}}"#);
    let deep = format!(r#""values":{}"#, "{\"a\":".repeat(10_000));
    for member in [
        r#""maxBytes":-1"#,
        r#""maxBytes":1e309"#,
        r#""maxBytes":1e3"#,
        r#""maxBytes":1.5"#,
        r#""maxBytes":"10""#,
        r#""maxBytes":null"#,
        r#""maxBytes":18446744073709551616"#,
        r#""types":[]"#,
        r#""types":null"#,
        r#""types":"image/png""#,
        r#""types":[1]"#,
        r#""values":[]"#,
        r#""values":{"x:a":1}"#,
        r#""values":null"#,
        r#""user":"43""#,
        r#""folder":"user/43/""#,
        r#""max_bytes":10"#,
        r#""MaxBytes":10"#,
        r#""admin":true"#,
        deep.as_str(),
    ] {
        assert!(matches!(read(&with(member)), Err(UnusableAnswer::Shape { .. })), "{member}");
    }
    for folder in ["", "/", "//", "../", "user/../", "user/42/./", "user\\\\42", "${x:a}/", "a\\u0000b"] {
        let refused = read(&format!(r#"{{"user":"42","folder":"{folder}"}}"#));
        assert!(matches!(refused, Err(UnusableAnswer::Folder { .. })), "{folder}: {refused:?}");
    }
    for body in ["", "null", "[]", r#"["42","user/42/"]"#, "\u{feff}{}", "{}", r#"{"user":42,"folder":"a"}"#]
    {
        assert!(matches!(read(body), Err(UnusableAnswer::Shape { .. })), "{body}");
    }
    assert!(read(&format!("{GOOD}{GOOD}")).is_err());
    let long = read(&with(&format!(r#""{}":1"#, "a".repeat(10_000)))).unwrap_err().to_string();
    assert!(long.len() <= 200, "what is logged is short: {}", long.len());
}

#[test]
fn framing_headers_and_this_servers_own_are_not_passed_on() {
    let hook = || SignatureHook::new("https://app.example/who").unwrap();
    assert!(hook().passing_on(["X-Forwarded-For", "Accept-Language"]).is_ok());
    for name in ["Host", "content-length", "Transfer-Encoding", "X-Countersign-Proof", "a b", "", "cookie:"] {
        assert!(hook().passing_on([name]).is_err(), "{name}");
    }
    for bad in ["ftp://app/", "app", "http://u:p@app/"] {
        assert!(SignatureHook::new(bad).is_err(), "{bad}");
    }
}
