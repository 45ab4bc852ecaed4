//! Shows addresses without the passwords and tokens in them, also what was meant for an address and is none.

/// What stands for a secret.
pub(crate) const MASK: &str = "********";

/// An address without the password or the token that may be in it. Other texts stay as they are.
pub(crate) fn without_secrets(text: &str) -> String {
    // Several addresses may stand in one value.
    let addresses = text.split(';').map(|part| match reqwest::Url::parse(part.trim()) {
        Ok(url) if url.has_host() && (url.password().is_some() || url.query().is_some()) => {
            let mut url = url;
            let _only_with_a_host = url.password().is_some().then(|| url.set_password(Some(MASK)));
            if url.query().is_some() {
                url.set_query(Some(MASK));
            }
            url.to_string()
        }
        Ok(url) if url.has_host() => part.to_owned(),
        _ => unreadable_without_secrets(part),
    });
    addresses.collect::<Vec<_>>().join(";")
}

/// As [`without_secrets`], of what cannot be read as an address.
fn unreadable_without_secrets(text: &str) -> String {
    let is_template = text.contains(['{', '"', '$', ' ']) && !text.contains("://");
    if is_template {
        return text.to_owned();
    }
    let (address, query) = match text.split_once('?') {
        Some((address, _)) if text.contains("://") => (address, format!("?{MASK}")),
        _ => (text, String::new()),
    };
    let start = address.find("://").map_or(0, |at| at + "://".len());
    let (scheme, rest) = address.split_at_checked(start).unwrap_or(("", address));
    // A password that is not escaped may have any sign in it, so the last at sign counts.
    match rest.rsplit_once('@').map(|(user, host)| (user.split_once(':'), host)) {
        Some((Some((user, _)), host)) => format!("{scheme}{user}:{MASK}@{host}{query}"),
        _ => format!("{scheme}{rest}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_passwords_and_queries_of_addresses_and_nothing_else() {
        for (text, shown) in [
            ("https://user:secret@host/p", "https://user:********@host/p"),
            (
                "http://a.example/p?token=secret;http://b.example/",
                "http://a.example/p?********;http://b.example/",
            ),
            ("ht tp://user:sec/r@et@host", "ht tp://user:********@host"),
            ("user:secret@host", "user:********@host"),
            ("http://[bad?secret", "http://[bad?********"),
            ("https://host/p", "https://host/p"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("name=a@b", "name=a@b"),
            (r#"{"mail":"a@b","why":"?"}"#, r#"{"mail":"a@b","why":"?"}"#),
            ("a=${x:a}@b", "a=${x:a}@b"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
    }
}
