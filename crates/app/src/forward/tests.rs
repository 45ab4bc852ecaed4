//! An application behind that answers, stays silent, never ends, or is absent.

use std::sync::Arc;

use super::*;
use crate::{
    callback_verifier::signed_callback::{BODY, noon, signed, verifier},
    grant::Grant,
    upload_path::UploadPath,
};
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

fn callback() -> VerifiedCallback {
    callback_saying(BODY)
}

fn callback_saying(body: &str) -> VerifiedCallback {
    let mut request = signed("/callback?a=1", body, "5C");
    request.headers.insert("connection", HeaderValue::from_static("close"));
    for own in [VERDICT_HEADER, PROOF_HEADER] {
        request.headers.insert(own, HeaderValue::from_static("forged"));
    }
    for name in
        ["x-countersign-token", "cookie", "x-oss-requester", "x-oss-owner", "x-forwarded-user", "x-user"]
    {
        request.headers.insert(name, HeaderValue::from_static("theirs"));
    }
    verifier().verify_request(request, None).unwrap()
}

async fn send(forward: &Forward) -> Result<Answer, ApplicationError> {
    forward.send(&callback(), noon()()).await
}

/// Answers one connection with these bytes and gives back what was asked.
async fn neighbour(answer: Vec<u8>) -> (Forward, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/oss/done?b=2", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(BODY.as_bytes()) {
            assert!(stream.read_buf(&mut asked).await.unwrap() > 0, "the request came whole");
        }
        // A sender that is cut off in mid-answer is part of some tests.
        let _ = stream.write_all(&answer).await;
        String::from_utf8(asked).unwrap()
    });
    (url.parse().unwrap(), served)
}

#[tokio::test]
async fn passes_the_callback_on_with_a_verdict_and_relays_the_answer() {
    let answer = b"HTTP/1.1 403 No\r\nContent-Type: text/x\r\nContent-Length: 5\r\n\r\nno \xff!";
    let (forward, served) = neighbour(answer.to_vec()).await;
    let answer = send(&forward).await.unwrap();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.content_type.as_deref(), Some("text/x"));
    assert_eq!(answer.body.as_ref(), b"no \xff!");
    let asked = served.await.unwrap();
    assert!(asked.starts_with("POST /oss/done?b=2 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("x-oss-request-id: 5C\r\n"));
    assert!(asked.contains("content-type: application/x-www-form-urlencoded\r\n"));
    assert!(asked.contains("x-countersign-verdict: verified\r\n") && !asked.contains("forged"));
    assert!(asked.contains("x-countersign-callback-path: /callback?a=1\r\n"));
    assert!(asked.contains(&format!("host: {}\r\n", forward.application.authority)));
    assert!(!asked.contains("connection: close") && !asked.contains("theirs"), "{asked}");
    assert!(!asked.contains(PROOF_HEADER), "nothing is proven without a secret: {asked}");
    assert!(asked.contains("authorization: ") && asked.contains("x-oss-pub-key-url: "));
}

#[test]
fn the_request_id_is_the_signed_one_where_there_is_one() {
    let forward: Forward = "http://127.0.0.1:1/".parse().unwrap();
    let request = forward.request(&callback_saying("filename=a.jpg&reqId=6F"), noon()()).unwrap();
    assert_eq!(request.headers().get("x-oss-request-id").unwrap(), "6F");
}

#[test]
fn with_a_secret_the_proof_is_this_servers_and_tells_whose_upload_it_is() {
    let secrets = ForwardSecrets::parse("0123456789abcdef").unwrap();
    let forward: Forward = "http://127.0.0.1:1/".parse().unwrap();
    let forward = forward.proving(secrets.clone());
    let mut callback = callback();
    callback.grant = Some(Grant::new("42", UploadPath::normalise("user/42").unwrap()));
    let request = forward.request(&callback, noon()()).unwrap();
    let shown: Vec<&HeaderValue> = request.headers().get_all(PROOF_HEADER).iter().collect();
    assert_eq!(shown, [&secrets.proof(callback.grant.as_ref(), noon()(), BODY.as_bytes())]);
    callback.grant = None;
    let other = forward.request(&callback, noon()()).unwrap();
    assert_ne!(other.headers().get(PROOF_HEADER), request.headers().get(PROOF_HEADER));
}

#[tokio::test]
async fn does_not_follow_a_redirect() {
    let (forward, _served) =
        neighbour(b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n".to_vec())
            .await;
    assert_eq!(send(&forward).await.unwrap().status, StatusCode::FOUND);
}

#[tokio::test]
async fn times_out_when_the_application_is_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let forward: Forward = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let forward = forward.with_timeout(Duration::from_millis(50));
    assert!(matches!(send(&forward).await, Err(ApplicationError::TooSlow)));
}

#[tokio::test]
async fn reports_an_application_that_is_not_listening() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let forward: Forward = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    assert!(matches!(send(&forward).await, Err(ApplicationError::Unreachable(_))));
}

#[tokio::test]
async fn stops_reading_an_answer_that_is_too_long() {
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(endless.len() + FORWARD_ANSWER_BYTES_MAX + 1, b'x');
    let (forward, _served) = neighbour(endless).await;
    assert!(matches!(send(&forward).await, Err(ApplicationError::AnswerTooLong { .. })));
}

#[tokio::test]
async fn notices_an_answer_that_breaks_off() {
    let (forward, _served) = neighbour(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort".to_vec()).await;
    assert!(matches!(send(&forward).await, Err(ApplicationError::AnswerBroken)));
}

#[test]
fn forwards_to_http_and_https_addresses_only() {
    for good in [
        "http://127.0.0.1:8080/done",
        "http://app.internal",
        "http://[::1]:8080/",
        "https://app/",
        "https://10.0.0.1/",
    ] {
        assert!(good.parse::<Forward>().is_ok(), "{good}");
    }
    for bad in ["app:8080/x", "/x", "", "ftp://app/", "http://u:p@app/", "https://u@app/"] {
        assert!(bad.parse::<Forward>().is_err(), "{bad}");
    }
}

#[tokio::test]
async fn speaks_https_to_an_application_whose_authority_is_trusted_and_to_no_other() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.der().clone(), made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.try_into().unwrap())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let forward = format!("https://localhost:{}/done", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut asked = Vec::new();
            while !asked.ends_with(BODY.as_bytes()) {
                assert!(stream.read_buf(&mut asked).await.unwrap() > 0);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret").await.unwrap();
        }
    });
    let forward: Forward = forward.parse().unwrap();
    let refused = send(&forward).await.unwrap_err();
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    let answer = send(&forward.trusting(&[certificate]).unwrap()).await.unwrap();
    assert_eq!(answer.body.as_ref(), b"secret");
}
