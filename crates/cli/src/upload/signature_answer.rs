//! Asking the application for a signature, and reading its answer: the list of fields that this project's signer
//! gives, or the shapes of the official samples, version 1 and version 4, JSON whatever the type says.

use anyhow::{Context as _, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_app::AccessKeySecret;
use countersign_protocol::url_encoding;
use reqwest::Url;
use serde_json::Value;

use super::http_client::client_for;
use crate::wording::innermost;

/// Where signatures are asked for, and how.
#[derive(Debug, Clone)]
pub(super) struct SignatureEndpoint {
    url: Url,
    token: Option<AccessKeySecret>,
    /// Whether the store shall use the files' own names.
    pub(super) keep_name: bool,
}

/// What the application signed for one upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignatureAnswer {
    /// Where the form goes.
    pub(super) host: Url,
    /// The folder that the policy permits.
    pub(super) directory: String,
    /// The form's fields beside key and file: as the application lists them, else in the order of the samples.
    pub(super) fields: Vec<(String, String)>,
    /// The key that the application lists; one that ends in `${filename}` may be replaced by any in the folder.
    pub(super) key: Option<String>,
    /// Whether the store reads the file's own name from the field `x:name`.
    pub(super) wants_name: bool,
    /// Whether the application will be asked before the answer comes.
    pub(super) with_callback: bool,
}

impl SignatureEndpoint {
    /// The endpoint behind `to`: an address without a path is an application server, whose endpoint is
    /// `/signature`; any other is the endpoint itself. A token in the address goes into the header.
    pub(super) fn new(
        to: &Url,
        path: Option<&str>,
        keep_name: bool,
        token: Option<&AccessKeySecret>,
    ) -> anyhow::Result<Self> {
        if !matches!(to.scheme(), "http" | "https") {
            bail!("--to wants an http or https address, not {to}");
        }
        let in_address = to.query_pairs().find(|(name, _)| name == "token");
        let token = token.cloned().or_else(|| in_address.map(|(_, value)| AccessKeySecret::from(&*value)));
        let kept: Vec<(String, String)> = to
            .query_pairs()
            .filter(|(name, _)| name != "token")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let mut url = to.clone();
        if url.path() == "/" {
            url.set_path("/signature");
        }
        let asks = to.query_pairs().any(|(name, _)| name == "fields");
        let pairs = kept.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let query: Vec<String> = pairs
            .chain(path.map(|path| ("path", path)))
            // Applications of the samples take no notice.
            .chain((!asks).then_some(("fields", "1")))
            .map(|(name, value)| format!("{}={}", url_encoding::encode(name), url_encoding::encode(value)))
            .collect();
        url.set_query(Some(query.join("&")).filter(|query| !query.is_empty()).as_deref());
        url.set_fragment(None);
        Ok(SignatureEndpoint { url, token, keep_name })
    }

    /// Asks for a permission.
    pub(super) async fn ask(&self) -> anyhow::Result<SignatureAnswer> {
        let mut request = client_for(&self.url)?.get(self.url.clone());
        if let Some(token) = &self.token {
            request = request.header("x-countersign-token", token.as_bytes());
        }
        let answer = request.send().await.map_err(|error| {
            let server = self.url.origin().ascii_serialization();
            anyhow!("the application server at {server} cannot be reached: {}", innermost(&error))
        })?;
        let status = answer.status();
        let text = answer.text().await.context("the application server's answer broke off")?;
        if !status.is_success() {
            bail!(refusal(&format!("{status}"), &text));
        }
        read(&text)
    }
}

/// An application says why in JSON; whatever else answers is hardly its signature endpoint.
fn refusal(status: &str, text: &str) -> String {
    match serde_json::from_str::<Value>(text).ok().and_then(|answer| text_of(&answer, &["message"])) {
        Some(message) => format!("the application server refused ({status}): {message}"),
        None => format!("{status} came instead of a signature; is --to the application server's address?"),
    }
}

fn read(text: &str) -> anyhow::Result<SignatureAnswer> {
    let answer: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .context("the application server's answer is no JSON; is --to its signature endpoint?")?;
    let get = |names: &[&str]| text_of(&answer, names);
    let need = |names: &[&'static str]| {
        get(names).with_context(|| format!("the signature's answer has no {names:?}"))
    };
    let host = need(&["host"])?;
    let host = if host.starts_with("//") { format!("https:{host}") } else { host };
    let listed = listed_fields(&answer)?;
    let is_listed = listed.is_some();
    let mut fields = match listed {
        Some(listed) => listed,
        None => fields_of_the_samples(&answer)?,
    };
    let place = fields.iter().position(|(name, _)| name == "key");
    let key = place.map(|place| fields.remove(place).1);
    let callback = fields.iter().find(|(name, _)| name == "callback").map(|(_, value)| value.as_str());
    let callback = callback.filter(|callback| !callback.is_empty());
    let wants_name = is_listed || callback.is_some_and(names_the_file);
    Ok(SignatureAnswer {
        host: host.parse().with_context(|| format!("the upload address {host:?} is none"))?,
        directory: get(&["dir"]).unwrap_or_default(),
        with_callback: callback.is_some(),
        wants_name: wants_name && fields.iter().all(|(name, _)| name != "x:name"),
        key,
        fields,
    })
}

/// The member `fields`, `[name, value]` each, from an application that lists them.
fn listed_fields(answer: &Value) -> anyhow::Result<Option<Vec<(String, String)>>> {
    let Some(listed) = answer.get("fields").filter(|listed| !listed.is_null()) else { return Ok(None) };
    let fields = serde_json::from_value(listed.clone());
    fields.map(Some).context("the signature's answer has fields that are no list of names and values")
}

/// Whether the callback's template asks for the file's own name.
fn names_the_file(callback: &str) -> bool {
    STANDARD.decode(callback).is_ok_and(|json| String::from_utf8_lossy(&json).contains("${x:name}"))
}

/// The form of the official samples, from the members of their answers.
fn fields_of_the_samples(answer: &Value) -> anyhow::Result<Vec<(String, String)>> {
    let get = |names: &[&str]| text_of(answer, names);
    let need = |names: &[&'static str]| {
        get(names).with_context(|| format!("the signature's answer has no {names:?}"))
    };
    let mut fields = vec![("policy", need(&["policy"])?), ("success_action_status", "200".to_owned())];
    if let Some(credential) = get(&["x_oss_credential"]) {
        let version =
            get(&["x_oss_signature_version", "version"]).unwrap_or_else(|| "OSS4-HMAC-SHA256".to_owned());
        fields.push(("x-oss-signature", need(&["signature"])?));
        fields.push(("x-oss-signature-version", version));
        fields.push(("x-oss-credential", credential));
        fields.push(("x-oss-date", need(&["x_oss_date"])?));
    } else {
        fields.push(("OSSAccessKeyId", need(&["accessid"])?));
        fields.push(("signature", need(&["signature"])?));
    }
    fields.extend(get(&["callback"]).map(|callback| ("callback", callback)));
    let token = get(&["security_token", "x_oss_security_token"]);
    fields.extend(token.map(|token| ("x-oss-security-token", token)));
    Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The first of these members that is text and not empty.
fn text_of(value: &Value, names: &[&str]) -> Option<String> {
    let texts = names.iter().filter_map(|name| value.get(name)).filter_map(Value::as_str);
    texts.map(str::to_owned).find(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(to: &str, path: Option<&str>) -> (String, Option<String>) {
        let endpoint = SignatureEndpoint::new(&to.parse().unwrap(), path, false, None).unwrap();
        let token = endpoint.token.map(|token| String::from_utf8_lossy(token.as_bytes()).into_owned());
        (endpoint.url.to_string(), token)
    }

    #[test]
    fn an_application_server_is_asked_at_its_signature_endpoint() {
        assert_eq!(endpoint("http://127.0.0.1:9818", None).0, "http://127.0.0.1:9818/signature?fields=1");
        assert_eq!(
            endpoint("http://h/?token=a%20b#x", Some("user-dir/照片/")),
            (
                "http://h/signature?path=user-dir%2F%E7%85%A7%E7%89%87%2F&fields=1".to_owned(),
                Some("a b".to_owned())
            )
        );
        assert_eq!(endpoint("http://h:1/get.php?a=1", Some("x")).0, "http://h:1/get.php?a=1&path=x&fields=1");
        assert_eq!(endpoint("http://h/signature?fields=0", None).0, "http://h/signature?fields=0");
    }

    #[test]
    fn reads_version_1_with_a_callback() {
        let answer = read(
            r#"{"accessid":"id","host":"http://h/demo","policy":"p","signature":"s","expire":1,"callback":"c","dir":"d/"}"#,
        )
        .unwrap();
        assert!(answer.with_callback);
        assert_eq!(answer.directory, "d/");
        let names: Vec<&str> = answer.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["policy", "success_action_status", "OSSAccessKeyId", "signature", "callback"]);
    }

    #[test]
    fn sends_the_fields_that_the_application_lists() {
        let text = r#"{"host":"http://h","dir":"d/","policy":"p","callback":"ignored",
            "fields":[["key","d/${filename}"],["policy","p"],["x:uid","42"],["callback","c"]]}"#;
        let answer = read(text).unwrap();
        assert_eq!(answer.key.as_deref(), Some("d/${filename}"));
        assert!(answer.with_callback && answer.wants_name);
        let listed = [("policy", "p"), ("x:uid", "42"), ("callback", "c")];
        assert_eq!(answer.fields, listed.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(read(r#"{"host":"http://h","fields":[["key"]]}"#).is_err());
        let named = STANDARD.encode(r#"{"callbackUrl":"http://a","callbackBody":"n=${x:name}"}"#);
        let samples = format!(
            r#"{{"host":"http://h","accessid":"a","policy":"p","signature":"s","callback":"{named}"}}"#
        );
        assert!(read(&samples).unwrap().wants_name);
    }

    #[test]
    fn reads_version_4_in_both_spellings_of_its_version() {
        for name in ["version", "x_oss_signature_version"] {
            let text = format!(
                r#"{{"policy":"p","{name}":"V","x_oss_credential":"c","x_oss_date":"d","signature":"s","host":"//h"}}"#
            );
            let answer = read(&text).unwrap();
            assert_eq!(answer.host.as_str(), "https://h/");
            assert!(answer.fields.contains(&("x-oss-signature-version".to_owned(), "V".to_owned())));
            assert!(!answer.with_callback);
        }
    }

    #[test]
    fn a_refusal_is_one_sentence_whatever_answered() {
        let told = refusal("400 Bad Request", r#"{"Status":"InvalidPath","message":"path is empty"}"#);
        assert_eq!(told, "the application server refused (400 Bad Request): path is empty");
        for other in ["", "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchBucket</Code></Error>", "[1]"] {
            let told = refusal("404 Not Found", other);
            assert!(told.starts_with("404 Not Found came instead of a signature"), "{told}");
        }
    }

    #[test]
    fn names_what_is_missing() {
        assert!(read(r#"{"host":"http://h"}"#).unwrap_err().to_string().contains("policy"));
        assert!(read("<html>").unwrap_err().to_string().contains("no JSON"));
    }
}
