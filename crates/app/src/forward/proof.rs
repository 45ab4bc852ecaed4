//! Writes the header that proves to the application behind that this server passed a callback on, when, and for which
//! user.
//!
//! Its value is `CLAIMS MAC`, or `CLAIMS MAC MAC` while a secret is being replaced. `CLAIMS` is the base64 of a JSON
//! object with `time` (Unix seconds) and, where an upload was granted to a user, `user`, `folder` and `values`. Each
//! `MAC` is the HMAC-SHA256, in lower-case hex, of `CLAIMS`, a line feed and the request's body, under one of the
//! secrets. So who and what cannot be taken apart, and a receiver that reads the claims has their proof in its hand.
//! `docs/your-application.md` shows the receiver's side.

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_protocol::access_key::AccessKeySecret;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::grant::Grant;

/// The shortest secret, in bytes.
const SECRET_BYTES_MIN: usize = 16;
/// The longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 1024;
/// The one in use, and the one that replaces it.
const SECRETS_MAX: usize = 2;

/// One secret that the application knows, or two while one replaces the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardSecrets(Vec<AccessKeySecret>);

/// Why a text holds no secrets to prove with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ForwardSecretError {
    /// No line, or more than two.
    #[error("write one secret a line: one, or two while one replaces the other")]
    Number,
    /// Shorter than what nobody guesses, or longer than anybody needs.
    #[error("a secret has 16 to 1024 letters; `openssl rand -hex 32` makes one")]
    Length,
    /// A space or a control character within a secret, which the other side might read otherwise.
    #[error("a secret has no spaces and no control characters in it")]
    Space,
}

impl ForwardSecrets {
    /// Reads secrets as a file holds them, one a line; spaces around them and empty lines do not count.
    ///
    /// # Errors
    /// [`ForwardSecretError`], which names no secret.
    ///
    /// ```
    /// use countersign_app::forward::proof::{ForwardSecretError, ForwardSecrets};
    ///
    /// let secrets = ForwardSecrets::parse("3c8e1f0a9d7b4c55\n  0f1e2d3c4b5a6978\n")?;
    /// assert!(!format!("{secrets:?}").contains("3c8e"), "secrets are never printed");
    /// assert_eq!(ForwardSecrets::parse("guess me"), Err(ForwardSecretError::Length));
    /// assert_eq!(ForwardSecrets::parse("\n"), Err(ForwardSecretError::Number));
    /// # Ok::<(), ForwardSecretError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ForwardSecretError> {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.is_empty() || lines.len() > SECRETS_MAX {
            return Err(ForwardSecretError::Number);
        }
        if lines.iter().any(|line| !(SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&line.len())) {
            return Err(ForwardSecretError::Length);
        }
        if lines.iter().any(|line| line.chars().any(|letter| letter.is_whitespace() || letter.is_control())) {
            return Err(ForwardSecretError::Space);
        }
        Ok(Self(lines.into_iter().map(AccessKeySecret::from).collect()))
    }

    /// The header's value for a callback with this body, granted as said.
    pub(super) fn proof(&self, grant: Option<&Grant>, now: Timestamp, body: &[u8]) -> String {
        let mut claims = Map::new();
        claims.insert("time".to_owned(), json!(now.as_second()));
        if let Some(grant) = grant {
            let values: Map<String, Value> =
                grant.values.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            claims.insert("user".to_owned(), json!(grant.user));
            claims.insert("folder".to_owned(), json!(grant.folder.as_str()));
            claims.insert("values".to_owned(), Value::Object(values));
        }
        let mut proof = STANDARD.encode(Value::Object(claims).to_string());
        let message = [proof.as_bytes(), b"\n", body].concat();
        for secret in &self.0 {
            proof.push(' ');
            proof.extend(secret.hmac_sha256(&message).iter().map(|byte| format!("{byte:02x}")));
        }
        proof
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upload_path::UploadPath;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const SPACED: &str = "not one word but some";

    #[test]
    fn secrets_are_one_or_two_lines_of_some_length() {
        assert_eq!(ForwardSecrets::parse(&format!("\n {SECRET} \r\n\n")).unwrap().0.len(), 1);
        let two = format!("{SECRET}\n{}\n", SECRET.to_uppercase());
        assert_eq!(ForwardSecrets::parse(&two).unwrap().0.len(), 2);
        for (text, error) in [
            (String::new(), ForwardSecretError::Number),
            (format!("{two}{SECRET}\n"), ForwardSecretError::Number),
            ("short".to_owned(), ForwardSecretError::Length),
            ("a".repeat(1025), ForwardSecretError::Length),
            (SPACED.to_owned(), ForwardSecretError::Space),
        ] {
            assert_eq!(ForwardSecrets::parse(&text), Err(error), "{text:?}");
        }
        assert!(!format!("{:?}", ForwardSecrets::parse(SECRET).unwrap()).contains(SECRET));
    }

    /// The same value was calculated with Python's `hmac`; the examples in `docs/your-application.md` check it too.
    #[test]
    fn proves_the_claims_and_the_body_with_each_secret() {
        let mut grant = Grant::new("42", UploadPath::normalise("user/42").unwrap());
        grant.values = vec![("x:album".to_owned(), "海".to_owned())];
        let secrets = ForwardSecrets::parse(&format!("{SECRET}\n{}", SECRET.to_uppercase())).unwrap();
        let now = Timestamp::from_second(1_795_435_200).unwrap();
        let proof = secrets.proof(Some(&grant), now, b"filename=a");
        let parts: Vec<&str> = proof.split(' ').collect();
        let claims: Value = serde_json::from_slice(&STANDARD.decode(parts[0]).unwrap()).unwrap();
        let values = json!({ "x:album": "海" });
        assert_eq!(
            claims,
            json!({ "time": 1_795_435_200, "user": "42", "folder": "user/42/", "values": values })
        );
        assert_eq!(
            parts[1..],
            [
                "92f7c85b27e63d4e3820d887c3aaff8686e60f4df37a573fb1a3cc5393099720",
                "f0dc73c73611740602e1c96cbe29e0c93866b546cb371454a038428cb2490e62",
            ]
        );
        let other = secrets.proof(Some(&grant), now, b"filename=b");
        assert!(other.starts_with(parts[0]) && other != proof, "the body is covered");
        assert!(!secrets.proof(None, now, b"").contains("user"));
    }
}
