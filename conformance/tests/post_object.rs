//! PostObject through the built binary: the success answers, the fields, and forms that are odd but good, each read back
//! byte for byte.

use countersign_conformance::{
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, Form, PolicyText, Running, StoreClient, sign_policy_v4,
};

fn store_with_bucket() -> (Running, StoreClient) {
    let running = Running::store(&[]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    (running, client)
}

#[test]
fn answers_as_success_action_status_asks() {
    let (running, client) = store_with_bucket();
    let policy = PolicyText::open();
    for (asked, status) in
        [(None, 204), (Some("200"), 200), (Some("201"), 201), (Some("204"), 204), (Some("418"), 204)]
    {
        let mut form = Form::signed("a.txt", &policy).without("success_action_status");
        if let Some(asked) = asked {
            form = form.field("success_action_status", asked);
        }
        let answer = form.file("x.txt", "text/plain", "hello world").post("photos").send(&running.store);
        assert_eq!(answer.status, status, "{asked:?}: {}", answer.text());
        assert_eq!(answer.header("etag"), Some("\"5EB63BBBE01EEED093CB22BB8F5ACDC3\""));
        assert_eq!(answer.header("content-md5"), Some("XrY7u+Ae7tCTyyK7j1rNww=="));
        assert_eq!(answer.header("x-oss-hash-crc64ecma"), Some("5981764153023615706"));
        assert_eq!(answer.header("x-oss-request-id").map(str::len), Some(24));
        assert_eq!(answer.header("server"), Some("AliyunOSS"));
        if status == 201 {
            assert_eq!(answer.element("Bucket").as_deref(), Some("photos"));
            assert_eq!(answer.element("Key").as_deref(), Some("a.txt"));
            assert_eq!(answer.element("ETag").as_deref(), Some("5EB63BBBE01EEED093CB22BB8F5ACDC3"));
            assert!(
                answer.element("Location").is_some_and(|url| url.ends_with("/a.txt")),
                "{}",
                answer.text()
            );
        } else {
            assert!(answer.body.is_empty());
        }
    }
    assert_eq!(client.get("photos", "a.txt").text(), "hello world");
}

#[test]
fn redirects_on_success_and_never_on_failure() {
    let (running, _) = store_with_bucket();
    let form = Form::signed("a.txt", &PolicyText::open())
        .field("success_action_redirect", "http://example.com/done?a=1");
    let answer = form.clone().file("x", "text/plain", "x").post("photos").send(&running.store);
    assert_eq!((answer.status, answer.header("location")), (303, Some("http://example.com/done?a=1")));
    let unsigned = form.without("signature").field("Signature", "AAAA");
    let answer = unsigned.file("x", "text/plain", "x").post("photos").send(&running.store);
    assert_eq!(answer.verdict(), "403 SignatureDoesNotMatch");
}

#[test]
fn keeps_what_the_fields_say_about_the_object() {
    let (running, client) = store_with_bucket();
    let form = Form::signed("a.bin", &PolicyText::open())
        .field("Cache-Control", "max-age=60")
        .field("Content-Disposition", "attachment; filename=\"照片.jpg\"")
        .field("Content-Encoding", "identity")
        .field("Expires", "Wed, 28 Dec 2033 10:27:41 GMT")
        .field("x-oss-meta-Owner", "alice")
        .field("Content-Type", "text/css")
        .file("x.bin", "image/png", "data");
    assert_eq!(form.post("photos").send(&running.store).status, 200);
    let got = client.get("photos", "a.bin");
    assert_eq!(got.header("cache-control"), Some("max-age=60"));
    assert_eq!(got.header("content-encoding"), Some("identity"));
    assert_eq!(got.header("expires"), Some("Wed, 28 Dec 2033 10:27:41 GMT"));
    assert_eq!(got.header("x-oss-meta-owner"), Some("alice"));
    assert_eq!(got.header("content-type"), Some("image/png"), "the part's type wins over the plain field");
    let form = Form::signed("b.bin", &PolicyText::open()).field("x-oss-content-type", "text/markdown");
    assert_eq!(form.file("x", "image/png", "x").post("photos").send(&running.store).status, 200);
    assert_eq!(client.get("photos", "b.bin").header("content-type"), Some("text/markdown"));
}

#[test]
fn expands_filename_after_the_policy_and_from_the_last_segment() {
    let (running, client) = store_with_bucket();
    let policy = PolicyText::with(r#"["eq","$key","u/\\${filename}"]"#);
    let literal = PolicyText::with(r#"["eq","$key","u/${filename}"]"#);
    let refused = Form::signed("u/${filename}", &policy)
        .file("a.txt", "text/plain", "x")
        .post("photos")
        .send(&running.store);
    assert_eq!(refused.verdict(), "403 AccessDenied");
    for (sent, key) in [
        ("a b.txt", "u/a b.txt"),
        ("C:\\fakepath\\c.txt", "u/c.txt"),
        ("../../etc/d.txt", "u/d.txt"),
        ("照片.jpg", "u/照片.jpg"),
    ] {
        let answer = Form::signed("u/${filename}", &literal)
            .file(sent, "text/plain", sent)
            .post("photos")
            .send(&running.store);
        assert_eq!(answer.status, 200, "{sent}: {}", answer.text());
        assert_eq!(client.get("photos", key).text(), sent);
    }
}

#[test]
fn accepts_version_four_signatures() {
    let (running, client) = store_with_bucket();
    let now = jiff_now();
    let (date, time) = (&now[..8], now.as_str());
    let credential = format!("{ACCESS_KEY_ID}/{date}/cn-hangzhou/oss/aliyun_v4_request");
    let conditions = format!(
        r#"{{"bucket":"photos"}},{{"x-oss-signature-version":"OSS4-HMAC-SHA256"}},{{"x-oss-credential":"{credential}"}},{{"x-oss-date":"{time}"}},["starts-with","$key","v4/"]"#
    );
    let policy = PolicyText::with(&conditions);
    let form = |signature: &str| {
        Form::empty()
            .field("success_action_status", "200")
            .field("policy", &policy.0)
            .field("x-oss-signature", signature)
            .field("x-oss-signature-version", "OSS4-HMAC-SHA256")
            .field("x-oss-credential", &credential)
            .field("x-oss-date", time)
            .field("key", "v4/a.txt")
            .field("x-oss-security-token", "")
            .file("a.txt", "text/plain", "four")
    };
    let signature = sign_policy_v4(ACCESS_KEY_SECRET, date, "cn-hangzhou", &policy);
    let answer = form(&signature).post("photos").send(&running.store);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(client.get("photos", "v4/a.txt").text(), "four");
    let wrong = sign_policy_v4("another", date, "cn-hangzhou", &policy);
    assert_eq!(form(&wrong).post("photos").send(&running.store).verdict(), "403 SignatureDoesNotMatch");
}

#[test]
fn stores_odd_keys_as_they_are() {
    let (running, client) = store_with_bucket();
    let longest = format!("long/{}", "k".repeat(1018));
    let keys = [
        "中文/照片.jpg",
        "emoji/🎉.png",
        "a/../b",
        "..",
        "a//b",
        "with space",
        "a+b#c%d",
        "100%25",
        "q?x=1&y=2",
        "quote\"and'",
        "<tag>&amp;",
        "tab\tkey",
        "trailing/",
        "back\\slash",
        "/leading",
        &longest,
    ];
    for key in keys {
        let answer = Form::signed(key, &PolicyText::open())
            .file("x", "text/plain", key)
            .post("photos")
            .send(&running.store);
        assert_eq!(answer.status, 200, "{key:?}: {}", answer.text());
        assert_eq!(client.get("photos", key).text(), key, "{key:?}");
    }
    let mut expected: Vec<String> = keys.iter().map(ToString::to_string).collect();
    expected.sort_by(|one, other| one.as_bytes().cmp(other.as_bytes()));
    assert_eq!(client.keys("photos"), expected);
}

#[test]
fn takes_bytes_that_look_like_a_boundary_for_data() {
    let (running, client) = store_with_bucket();
    let boundary = countersign_conformance::form::BOUNDARY;
    let files = [
        format!("\r\n--{boundary}x"),
        format!("\r\n--{boundary}-"),
        format!("--{boundary}--"),
        format!("\r\n-{boundary}--\r\n"),
        "\r\n".repeat(1000),
        format!("\r\n--{}", &boundary[..boundary.len() - 1]),
        "\r\n--".into(),
        "\r".into(),
        String::new(),
    ];
    for (number, file) in files.iter().enumerate() {
        let key = format!("b/{number}");
        let answer = Form::signed(&key, &PolicyText::open())
            .file("x", "a/b", file.clone())
            .post("photos")
            .send(&running.store);
        assert_eq!(answer.status, 200, "{file:?}: {}", answer.text());
        assert_eq!(client.get("photos", &key).text(), *file);
    }
}

#[test]
fn ignores_unknown_fields_and_fields_after_the_file() {
    let (running, client) = store_with_bucket();
    let policy = PolicyText::open();
    let form = Form::empty()
        .field("name", "o_1.jpg")
        .field("KEY", "p/a.jpg")
        .field("Policy", &policy.0)
        .field("OSSAccessKeyId", ACCESS_KEY_ID)
        .field("success_action_status", "200")
        .field("callback", "")
        .field("signature", countersign_conformance::sign_policy_v1(ACCESS_KEY_SECRET, &policy))
        .file("a.jpg", "image/jpeg", "bytes")
        .field_after("submit", "Upload")
        .field_after("key", "elsewhere");
    let answer = form.post("photos").send(&running.store);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(client.keys("photos"), ["p/a.jpg"]);
}

#[test]
fn is_reached_by_every_host_that_names_the_bucket() {
    let running = Running::store(&[
        "--domain",
        "store.test",
        "--domain",
        "other.example",
        "--cname",
        "img.example.com=photos",
    ]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    let hosts = [
        "photos.oss.aliyuncs.com",
        "photos.oss-cn-hangzhou.aliyuncs.com",
        "photos.oss-cn-beijing.aliyuncs.com",
        "photos.store.test",
        "photos.other.example:9000",
        "img.example.com",
        "PHOTOS.oss-cn-hangzhou.aliyuncs.com",
    ];
    for (number, host) in hosts.iter().enumerate() {
        let key = format!("h/{number}");
        let mut post = Form::signed(&key, &PolicyText::open()).file("x", "a/b", *host).post("photos");
        post.headers[0].1 = host.to_string();
        let answer = post.send(&running.store);
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
        assert_eq!(client.get("photos", &key).text(), *host);
    }
    let mut by_path = Form::signed("h/path", &PolicyText::open()).file("x", "a/b", "path").post("photos");
    by_path.headers[0].1 = running.store.clone();
    by_path.target = "/photos/".into();
    assert_eq!(by_path.send(&running.store).status, 200);
    assert_eq!(client.get("photos", "h/path").text(), "path");
}

#[test]
fn lets_anonymous_forms_into_public_buckets_only() {
    let (running, client) = store_with_bucket();
    let form = Form::empty().field("key", "anon.txt").file("x", "text/plain", "x");
    assert_eq!(form.post("photos").send(&running.store).verdict(), "403 AccessDenied");
    assert_eq!(
        client.request("PUT", "photos", "", "acl", &[("x-oss-acl", "public-read-write")], "").status,
        200
    );
    assert_eq!(form.post("photos").send(&running.store).status, 204);
    assert_eq!(client.get("photos", "anon.txt").text(), "x");
}

fn jiff_now() -> String {
    jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string()
}
