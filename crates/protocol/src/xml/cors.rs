//! Reads and writes a bucket's CORS rules (CORS-1 to CORS-5). Which rule matches a request is decided by the server.

use super::XmlError;
use super::element::{Element, boolean, read};
use super::writer::XmlWriter;

const BYTES_MAX: usize = 16 * 1024;
const RULES_MAX: usize = 10;
const METHODS: [&str; 5] = ["GET", "PUT", "DELETE", "POST", "HEAD"];

/// A bucket's rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CorsConfiguration {
    /// In order; the first match wins.
    pub rules: Vec<CorsRule>,
    /// Whether `Vary: Origin` is always sent.
    pub response_vary: bool,
}

/// One rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CorsRule {
    /// Origins, each with at most one `*`.
    pub allowed_origins: Vec<String>,
    /// `GET`, `PUT`, `DELETE`, `POST`, `HEAD`.
    pub allowed_methods: Vec<String>,
    /// Request headers, each with at most one `*`.
    pub allowed_headers: Vec<String>,
    /// Response headers that a page may read; no `*`.
    pub expose_headers: Vec<String>,
    /// How long a browser may remember the answer of a preflight.
    pub max_age_seconds: Option<u32>,
}

impl CorsConfiguration {
    /// Reads the body of PutBucketCors, or what [`Self::to_xml`] wrote.
    ///
    /// Source: CORS-1 to CORS-5.
    ///
    /// # Errors
    /// [`XmlError`]: not well-formed, more than 10 rules, or an element or value that means nothing here.
    ///
    /// ```
    /// use countersign_protocol::xml::CorsConfiguration;
    ///
    /// let sent = b"<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example</AllowedOrigin>\
    ///     <AllowedMethod>POST</AllowedMethod></CORSRule></CORSConfiguration>";
    /// let rules = CorsConfiguration::parse(sent)?;
    /// assert_eq!(rules.rules[0].allowed_origins, ["https://app.example"]);
    /// assert_eq!(CorsConfiguration::parse(rules.to_xml().as_bytes())?, rules, "it reads what it writes");
    /// assert!(CorsConfiguration::parse(b"<CORSConfiguration/>").is_err(), "no rule");
    /// # Ok::<(), countersign_protocol::xml::XmlError>(())
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        let root = read(bytes, "CORSConfiguration", BYTES_MAX)?;
        root.only(&["CORSRule", "ResponseVary"])?;
        let rules = root.all("CORSRule").map(read_rule).collect::<Result<Vec<_>, _>>()?;
        match rules.len() {
            0 => Err(XmlError::Missing { name: "CORSRule" }),
            count if count > RULES_MAX => Err(XmlError::CorsRuleBeyondLimit),
            _ => Ok(Self { rules, response_vary: root.value_of("ResponseVary", boolean)?.unwrap_or(false) }),
        }
    }

    /// The document, as GetBucketCors answers it.
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new("CORSConfiguration");
        for rule in &self.rules {
            writer.open("CORSRule");
            writer.each("AllowedOrigin", &rule.allowed_origins);
            writer.each("AllowedMethod", &rule.allowed_methods);
            writer.each("AllowedHeader", &rule.allowed_headers);
            writer.each("ExposeHeader", &rule.expose_headers);
            writer.optional("MaxAgeSeconds", rule.max_age_seconds.map(|seconds| seconds.to_string()));
            writer.close();
        }
        writer.plain("ResponseVary", self.response_vary);
        writer.finish()
    }
}

fn read_rule(rule: &Element) -> Result<CorsRule, XmlError> {
    rule.only(&["AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds", "ID"])?;
    let one_star = |text: &str| text.matches('*').count() <= 1;
    Ok(CorsRule {
        allowed_origins: required(texts(rule, "AllowedOrigin", one_star)?, "AllowedOrigin")?,
        allowed_methods: required(
            texts(rule, "AllowedMethod", |text| METHODS.contains(&text))?,
            "AllowedMethod",
        )?,
        // Names of headers have no letter case; OSS shows them so.
        allowed_headers: texts(rule, "AllowedHeader", one_star)?
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect(),
        expose_headers: texts(rule, "ExposeHeader", |text| !text.contains('*'))?,
        max_age_seconds: read_max_age(rule)?,
    })
}

/// What is a number and not one of seconds is refused as an argument, anything else as a malformed document.
fn read_max_age(rule: &Element) -> Result<Option<u32>, XmlError> {
    const NAME: &str = "MaxAgeSeconds";
    let Some(number) = rule.value_of(NAME, |text| text.parse::<i64>().ok())? else { return Ok(None) };
    u32::try_from(number).map(Some).map_err(|_| XmlError::Number { name: NAME, value: number.to_string() })
}

/// Printable texts without blanks: each of them may end up in a header.
fn texts(rule: &Element, name: &'static str, legal: impl Fn(&str) -> bool) -> Result<Vec<String>, XmlError> {
    let texts = rule.all(name).map(|item| {
        let text = item.text()?.trim();
        let printable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        match printable && legal(text) {
            true => Ok(text.to_owned()),
            false => Err(XmlError::Value { name, value: text.chars().take(256).collect() }),
        }
    });
    texts.collect()
}

fn required(texts: Vec<String>, name: &'static str) -> Result<Vec<String>, XmlError> {
    if texts.is_empty() { Err(XmlError::Missing { name }) } else { Ok(texts) }
}
