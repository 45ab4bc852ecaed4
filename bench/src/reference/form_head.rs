//! Reads the fields of a form up to its file, and checks the policy's signature, the only check that the reference
//! makes.

use memchr::memmem::find;

use crate::signing::AccessKey;

/// A form whose file's bytes begin here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FormHead {
    /// The policy is signed with our key.
    Signed {
        /// The key field.
        key: String,
        /// Where the file's bytes begin.
        file_at: usize,
    },
    /// It is not.
    Refused,
}

impl FormHead {
    /// Reads the form at the beginning of `bytes`; `None` while its file has not begun.
    pub(super) fn parse(bytes: &[u8], boundary: &[u8], secret: &AccessKey) -> Option<FormHead> {
        let (mut key, mut policy, mut signature) = (&b""[..], &b""[..], &b""[..]);
        let mut at = find(bytes, boundary)? + boundary.len() + 2;
        loop {
            let rest = bytes.get(at..)?;
            let value_at = find(rest, b"\r\n\r\n")? + 4;
            let name = field_name(rest.get(..value_at)?)?;
            if name == b"file" {
                return Some(judged(key, policy, signature, at + value_at, secret));
            }
            let value = rest.get(value_at..)?;
            let value_bytes = find(value, boundary)?.checked_sub(2)?;
            let text = value.get(..value_bytes)?;
            // The names of a form's fields have no case.
            for (known, place) in
                [(&b"key"[..], &mut key), (b"policy", &mut policy), (b"signature", &mut signature)]
            {
                if name.eq_ignore_ascii_case(known) {
                    *place = text;
                }
            }
            at += value_at + value_bytes + 2 + boundary.len() + 2;
        }
    }
}

fn judged(key: &[u8], policy: &[u8], signature: &[u8], file_at: usize, secret: &AccessKey) -> FormHead {
    let genuine = std::str::from_utf8(policy)
        .is_ok_and(|policy| !policy.is_empty() && secret.sign_v1(policy).as_bytes() == signature);
    if genuine {
        FormHead::Signed { key: String::from_utf8_lossy(key).into_owned(), file_at }
    } else {
        FormHead::Refused
    }
}

/// The name in a part's head, between its quotes.
fn field_name(head: &[u8]) -> Option<&[u8]> {
    let name = head.get(find(head, b" name=\"")? + 7..)?;
    name.get(..find(name, b"\"")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDARY: &[u8] = b"--b";

    fn form(signature: &str) -> Vec<u8> {
        let field = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let fields = field("policy", "e30=") + &field("signature", signature) + &field("key", "a/b");
        let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nBYTES";
        format!("{fields}{file}").into_bytes()
    }

    fn secret() -> AccessKey {
        AccessKey { id: String::new(), secret: "sk".to_owned() }
    }

    #[test]
    fn a_signed_form_yields_its_key_and_where_the_file_begins() {
        let bytes = form(&secret().sign_v1("e30="));
        let Some(FormHead::Signed { key, file_at }) = FormHead::parse(&bytes, BOUNDARY, &secret()) else {
            panic!("refused or not whole")
        };
        assert_eq!((key.as_str(), &bytes[file_at..]), ("a/b", &b"BYTES"[..]));
        for cut in 0..file_at {
            assert_eq!(FormHead::parse(&bytes[..cut], BOUNDARY, &secret()), None, "cut at {cut}");
        }
    }

    #[test]
    fn names_of_fields_have_no_case() {
        let bytes = String::from_utf8(form(&secret().sign_v1("e30="))).unwrap();
        let bytes = bytes.replace("\"signature\"", "\"Signature\"").into_bytes();
        assert!(matches!(FormHead::parse(&bytes, BOUNDARY, &secret()), Some(FormHead::Signed { .. })));
    }

    #[test]
    fn another_signature_is_refused() {
        let bytes = form("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        assert_eq!(FormHead::parse(&bytes, BOUNDARY, &secret()), Some(FormHead::Refused));
    }
}
