//! Requests that an application authorizes one by one: which folder they get, and whose uploads are accepted.

use super::*;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{answer::Answer, grant::Grant};

/// User `N` has `user-dir/N/`, up to 1,000 bytes of PNG.
fn of_users(options: AppOptions) -> AppOptions {
    options.authorize(|question| async move {
        let refusal = || Answer::refusal(StatusCode::UNAUTHORIZED, "NotLoggedIn", "log in first");
        let user = question.header("x-user").ok_or_else(refusal)?;
        let folder = UploadPath::normalise(&format!("user-dir/{user}")).map_err(|_| refusal())?;
        Ok(Grant {
            size_bytes_max: Some(1_000),
            content_types: vec!["image/png".to_owned()],
            values: vec![("x:album".to_owned(), "海".to_owned())],
            ..Grant::new(user, folder)
        })
    })
}

fn decoded(value: &Value) -> String {
    String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap()
}

/// The body of the callback that the store makes of what was signed.
fn callback_body(answer: &Value, key: &str, id: &str) -> String {
    let parameter: Value = serde_json::from_str(&decoded(&answer["callback"])).unwrap();
    let template = parameter["callbackBody"].as_str().unwrap();
    let encoded = countersign_protocol::url_encoding::encode(key);
    let mut body = template.replace("${object}", &encoded).replace("${reqId}", id);
    while let Some((before, rest)) = body.clone().split_once("${") {
        body = format!("{before}{}", rest.split_once('}').unwrap().1);
    }
    body
}

async fn uploaded(options: &AppOptions, user: &str, key: &str) -> Heard {
    let answer = get_with(&router(options.clone()), "/signature", &[("x-user", user)]).await.json();
    let body = callback_body(&answer, key, key);
    callbacks::call(&router(options.clone()), signed("/callback", &body, "5C")).await
}

#[tokio::test]
async fn each_request_is_signed_for_the_folder_that_is_its_own() {
    let router = router(of_users(options()));
    let user = [("x-user", "4")];
    let dir = async |address: &str| get_with(&router, address, &user).await.json()["dir"].clone();
    assert_eq!(dir("/signature").await, "user-dir/4/");
    assert_eq!(dir("/signature?path=user-dir/4/cats").await, "user-dir/4/cats/");
    assert_eq!(dir("/signature?path=//user-dir//4//").await, "user-dir/4/");
    for other in [
        "user-dir/43",
        "user-dir/",
        "user-dir/42",
        "",
        "user-dir/4/../43",
        "user-dir/4/%2e%2e/43",
        "user-dir/4/.%2E/43/",
        "user-dir%2F4%2F..%2F43",
        "user-dir/4/%5C../43",
        "user-dir",
        "4",
        "user-dir//43",
        "user-dir%00/4/",
        "USER-DIR/4/",
    ] {
        let heard = get_with(&router, &format!("/signature?path={other}"), &user).await;
        let status = heard.json()["Status"].as_str().map(str::to_owned);
        assert_eq!(
            (heard.status, status.as_deref()),
            (StatusCode::BAD_REQUEST, Some("InvalidPath")),
            "{other}"
        );
    }
    // Decoded once and never again: this is a folder of the user's with a percent sign in its name.
    assert_eq!(dir("/signature?path=user-dir/4/%252e%252e/43").await, "user-dir/4/%2e%2e/43/");
    let nobody = fetch(&router, "/signature").await;
    assert_eq!(
        (nobody.status, nobody.json()["Status"].as_str()),
        (StatusCode::UNAUTHORIZED, Some("NotLoggedIn"))
    );
    assert_eq!(nobody.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn size_and_types_are_the_grants_and_the_tutorials_form_still_passes() {
    let router = router(of_users(options()));
    let answer = get_with(&router, "/signature?fields=1", &[("x-user", "42")]).await.json();
    let policy: Value = serde_json::from_str(&decoded(&answer["policy"])).unwrap();
    let conditions = policy["conditions"].as_array().unwrap();
    for condition in [
        json!(["content-length-range", 0, 1000]),
        json!(["in", "$content-type", ["image/png"]]),
        json!(["starts-with", "$key", "user-dir/42/"]),
        json!(["eq", "$callback", answer["callback"]]),
    ] {
        assert!(conditions.contains(&condition), "{condition} in {conditions:?}");
    }
    assert!(!policy.to_string().contains("x:user"), "nothing must be sent that the template does not name");
}

#[tokio::test]
async fn the_list_shows_only_the_users_folder_and_is_off_unless_mounted() {
    let options = of_users(options());
    for (user, key) in
        [("42", "user-dir/42/a.jpg"), ("43", "user-dir/43/b.jpg"), ("420", "user-dir/420/c.jpg")]
    {
        assert_eq!(uploaded(&options, user, key).await.status, StatusCode::OK);
    }
    let lists = uploads_routes(options.clone());
    let listed = get_with(&lists, "/uploads", &[("x-user", "42")]).await.json();
    let keys: Vec<&Value> = listed["uploads"].as_array().unwrap().iter().map(|one| &one["key"]).collect();
    assert_eq!(keys, ["user-dir/42/a.jpg"]);
    let other = get_with(&lists, "/uploads?key=user-dir%2F43%2Fb.jpg", &[("x-user", "42")]).await.json();
    assert_eq!(other["uploads"], json!([]));
    assert_eq!(fetch(&lists, "/uploads").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(fetch(&super::super::router(options), "/uploads").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_callback_names_the_user_of_the_grant() {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let options = of_users(options()).on_upload(move |callback| {
        telling.lock().unwrap().push(callback.grant.clone().unwrap());
        async move { Answer::accepting(&callback.facts) }
    });
    assert_eq!(uploaded(&options, "42", "user-dir/42/a.png").await.status, StatusCode::OK);
    let told = told.lock().unwrap().clone();
    assert_eq!((told[0].user.as_str(), told[0].folder.as_str()), ("42", "user-dir/42/"));
    assert_eq!(told[0].values, [("x:album".to_owned(), "海".to_owned())]);
}

/// Before the real OSS one key signs the callbacks of every customer, so that the store's signature says nothing of
/// who uploaded.
#[tokio::test]
async fn a_callback_that_was_not_granted_here_is_refused_and_not_recorded() {
    let options = of_users(options());
    let router = router(options.clone());
    let answer = get_with(&router, "/signature", &[("x-user", "42")]).await.json();
    let genuine = callback_body(&answer, "user-dir/42/a.png", "5C");
    let (rest, sealed) = genuine.rsplit_once('=').unwrap();
    let (claims, tag) = sealed.split_once('.').unwrap();
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let opened = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let another = "&filename=user-dir%2F43%2Fa.png&a=";
    let of_another = URL_SAFE_NO_PAD.encode(opened.replace("42", "43"));
    let other_bucket = Signer::new(
        SignerOptions {
            root: UploadPath::normalise("user-dir").unwrap(),
            callback: Some(CallbackOptions::to("http://127.0.0.1:9818/callback")),
            ..SignerOptions::new("ak", AccessKeySecret::new("sk"), "other", "http://demo.localhost:9817")
        },
        noon(),
    );
    let elsewhere = of_users(AppOptions { signer: Arc::new(other_bucket.unwrap()), ..options.clone() });
    let elsewhere = get_with(&super::router(elsewhere), "/signature", &[("x-user", "42")]).await.json();
    for body in [
        BODY.to_owned(),
        format!("{rest}="),
        format!("{rest}={claims}"),
        format!("{rest}={claims}."),
        format!("{rest}={of_another}.{tag}"),
        format!("{rest}={claims}.{}", tag.replace(|_: char| true, "A")),
        format!("{genuine}&countersign_grant=x"),
        format!("filename=user-dir%2F43%2Fa.png&{genuine}"),
        genuine.replace("&size=", "&filename=user-dir%2F43%2Fa.png&size="),
        genuine.replace("&size=", "&key=user-dir%2F43%2Fa.png&size="),
        genuine.replace("&size=", "&length="),
        genuine.replace("&size=", "&filename&size="),
        // An object to the one reader, and a form with another key to the other.
        format!(
            r#"{{"filename":"user-dir/42/a.png","size":1,"mimeType":"","height":1,"width":1,"name":"{another}","reqId":"5C","countersign_grant":"{sealed}"}}"#
        ),
        callback_body(&answer, "user-dir/43/a.png", "5C"),
        callback_body(&answer, "user-dir/420/a.png", "5C"),
        format!("{genuine}&bucket=another"),
        callback_body(&elsewhere, "user-dir/42/a.png", "5C"),
    ] {
        let heard = callbacks::call(&router, signed("/callback", &body, "5C")).await;
        let status = heard.json()["Status"].as_str().map(str::to_owned);
        assert_eq!((heard.status, status.as_deref()), (StatusCode::FORBIDDEN, Some("NotGranted")), "{body}");
    }
    let listed = get_with(&router, "/uploads", &[("x-user", "42")]).await.json();
    assert_eq!(listed["uploads"], json!([]));
    assert_eq!(callbacks::call(&router, signed("/callback", &genuine, "5C")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_grant_that_would_widen_what_is_signed_is_an_error_and_not_cut_down() {
    for wide in [
        Grant { size_bytes_max: Some(u64::MAX), ..grant("user-dir/42") },
        Grant { user: String::new(), ..grant("user-dir/42") },
        grant("elsewhere/42"),
    ] {
        let router = router(options().authorize(move |_| {
            let wide = wide.clone();
            async move { Ok(wide) }
        }));
        for address in ["/signature", "/uploads"] {
            let heard = fetch(&router, address).await;
            assert_eq!(
                (heard.status, &heard.json()["Status"]),
                (StatusCode::INTERNAL_SERVER_ERROR, &json!("GrantUnusable"))
            );
        }
    }
}

fn grant(folder: &str) -> Grant {
    Grant::new("42", UploadPath::normalise(folder).unwrap())
}

#[tokio::test]
async fn cookies_come_along_from_listed_origins_only_and_only_where_they_decide() {
    let (origin, allow) = ("https://app.example", "access-control-allow-credentials");
    let asked = [("origin", origin), ("x-user", "42")];
    let listed = || AppOptions { origins: AllowedOrigins::from_list([origin.to_owned()]), ..options() };
    let any = || AppOptions { origins: AllowedOrigins::Any, ..options() };
    let told = async |options: AppOptions, headers: &[(&str, &str)]| {
        get_with(&router(options), "/signature", headers).await.header(allow).map(str::to_owned)
    };
    assert_eq!(told(of_users(listed()), &asked).await.as_deref(), Some("true"));
    assert_eq!(told(of_users(listed()), &[("origin", "https://evil.example")]).await, None);
    assert_eq!(told(of_users(any()), &asked).await, None);
    assert_eq!(told(listed(), &asked).await, None);
}

#[tokio::test]
async fn an_application_that_is_asked_over_http_decides_by_the_callers_cookie_each_time() {
    let who = |headers: http::HeaderMap| async move {
        let user = headers.get("cookie")?.to_str().ok()?.strip_prefix("user=")?.to_owned();
        Some(axum::Json(json!({ "user": user, "folder": format!("user-dir/{user}/") })))
    };
    let handler = async move |headers| who(headers).await.ok_or(StatusCode::UNAUTHORIZED);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/who", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/who", get(handler))).await });
    let hook = crate::signature_hook::SignatureHook::new(&url).unwrap();
    let router = router(options().signature_hook(hook));
    for user in ["42", "43", "42"] {
        let cookie = format!("user={user}");
        let answer = get_with(&router, "/signature", &[("cookie", &cookie)]).await.json();
        assert_eq!(answer["dir"], format!("user-dir/{user}/"));
    }
    let path = "/signature?path=user-dir/43/";
    assert_eq!(get_with(&router, path, &[("cookie", "user=42")]).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(get_with(&router, path, &[("cookie", "user=43")]).await.status, StatusCode::OK);
    assert_eq!(
        fetch(&router, path).await.status,
        StatusCode::UNAUTHORIZED,
        "nothing is kept of the caller before"
    );
    assert_eq!(fetch(&router, "/uploads").await.status, StatusCode::UNAUTHORIZED);
}
