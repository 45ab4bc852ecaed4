//! Sends signed requests of OSS's bucket API, to a store of ours or to the real OSS.
//!
//! Requests are signed with V4. The bucket stands in the path, but in the host for the real OSS, which refuses it
//! elsewhere.

use std::time::Duration;

use anyhow::{Context as _, bail};
use countersign_app::AccessKeySecret;
use countersign_protocol::authorization::{RequestView, v4};
use reqwest::{Method, StatusCode, Url};

use crate::shown_address::without_secrets;
use crate::xml_text::first_text;

/// The longest a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The domain of the real OSS.
const ALIYUN: &str = ".aliyuncs.com";

/// A store and the key to speak to it with.
pub(crate) struct ApiClient {
    http: reqwest::Client,
    endpoint: Url,
    key_id: String,
    secret: AccessKeySecret,
    region: String,
}

/// One request.
#[derive(Debug, Default)]
pub(crate) struct ApiRequest<'a> {
    pub(crate) bucket: Option<&'a str>,
    /// The query without its question mark, as in `cors`.
    pub(crate) query: &'a str,
    /// A header beside those that every request has; lower case.
    pub(crate) header: Option<(&'a str, &'a str)>,
    pub(crate) body: String,
}

/// What came back, whatever its status.
#[derive(Debug)]
pub(crate) struct ApiAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl ApiClient {
    /// A client of the store at `endpoint`, `http://host:port` or a bare host, which means https.
    pub(crate) fn new(
        endpoint: &str,
        key_id: String,
        secret: AccessKeySecret,
        region: String,
    ) -> anyhow::Result<Self> {
        let spelled =
            if endpoint.contains("://") { endpoint.to_owned() } else { format!("https://{endpoint}") };
        let url = Url::parse(&spelled)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let endpoint =
            url.with_context(|| format!("{:?} is no address of a store", without_secrets(endpoint)))?;
        // Proxies of the environment are for the Internet; a store on this machine is reached directly.
        let local = endpoint.host_str().is_some_and(|host| host == "localhost" || host.starts_with("127."));
        let builder = reqwest::Client::builder().timeout(TIMEOUT);
        let http = if local { builder.no_proxy() } else { builder }.build()?;
        Ok(Self { http, endpoint, key_id, secret, region })
    }

    /// Whether this is the real OSS.
    pub(crate) fn is_aliyun(&self) -> bool {
        self.endpoint.host_str().is_some_and(|host| host.ends_with(ALIYUN))
    }

    /// Sends a request and gives its answer, a refusal too.
    pub(crate) async fn send(&self, method: Method, request: ApiRequest<'_>) -> anyhow::Result<ApiAnswer> {
        let url = self.url(&request)?;
        let date = crate::setup::clock::real(0).wall().strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut headers = vec![("x-oss-content-sha256", "UNSIGNED-PAYLOAD"), ("x-oss-date", date.as_str())];
        headers.extend(request.header);
        let view = RequestView {
            method: method.as_str(),
            bucket: request.bucket,
            key: None,
            raw_query: (!request.query.is_empty()).then_some(request.query),
            headers: headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect(),
        };
        let authorization = v4::sign_header(&view, &self.key_id, &self.secret, &self.region, &[])
            .context("the request cannot be signed")?;
        let mut sending =
            self.http.request(method, url).header("authorization", authorization).body(request.body);
        for (name, value) in headers {
            sending = sending.header(name, value);
        }
        let answer = sending.send().await.with_context(|| format!("no answer from {}", self.endpoint))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.text().await.context("the answer broke off")?;
        Ok(ApiAnswer { status, headers, body })
    }

    /// Sends a request that must succeed.
    pub(crate) async fn done(&self, method: Method, request: ApiRequest<'_>) -> anyhow::Result<ApiAnswer> {
        let answer = self.send(method, request).await?;
        if answer.status.is_success() { Ok(answer) } else { bail!(answer.refusal()) }
    }

    fn url(&self, request: &ApiRequest<'_>) -> anyhow::Result<Url> {
        let mut url = self.endpoint.clone();
        match request.bucket {
            Some(bucket) if self.is_aliyun() => {
                let host = format!("{bucket}.{}", self.endpoint.host_str().unwrap_or_default());
                url.set_host(Some(&host)).with_context(|| format!("{bucket:?} is no name of a bucket"))?;
                url.set_path("/");
            }
            Some(bucket) => url.set_path(&format!("/{bucket}/")),
            None => url.set_path("/"),
        }
        url.set_query((!request.query.is_empty()).then_some(request.query));
        Ok(url)
    }
}

impl ApiAnswer {
    /// The refusal in one sentence: the store's message, its code, and where it is explained.
    pub(crate) fn refusal(&self) -> String {
        let Some(code) = first_text(&self.body, "Code") else {
            return format!("the server answered {} and no error of OSS", self.status);
        };
        let message = first_text(&self.body, "Message").unwrap_or_default();
        let link =
            first_text(&self.body, "RecommendDoc").map(|link| format!("; see {link}")).unwrap_or_default();
        format!("refused with {} {code}: {message}{link}", self.status.as_u16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(endpoint: &str, bucket: Option<&str>, query: &str) -> String {
        let client = ApiClient::new(endpoint, "id".into(), AccessKeySecret::from("s"), "r".into()).unwrap();
        client.url(&ApiRequest { bucket, query, ..ApiRequest::default() }).unwrap().to_string()
    }

    #[test]
    fn the_bucket_stands_in_the_host_only_for_the_real_oss() {
        assert_eq!(url("http://127.0.0.1:9817", Some("demo"), "cors"), "http://127.0.0.1:9817/demo/?cors");
        assert_eq!(
            url("oss-cn-hangzhou.aliyuncs.com", Some("demo"), ""),
            "https://demo.oss-cn-hangzhou.aliyuncs.com/"
        );
        assert_eq!(url("http://localhost:1/", None, ""), "http://localhost:1/");
        assert!(ApiClient::new("ftp://x", "i".into(), AccessKeySecret::from("s"), "r".into()).is_err());
    }
}
