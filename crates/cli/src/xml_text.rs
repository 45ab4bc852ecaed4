//! Extracts the text of single elements from a small XML answer of the API.

/// The text of the first element of this name.
pub(crate) fn first_text(xml: &str, name: &str) -> Option<String> {
    texts(xml, name).next()
}

/// The texts of all elements of this name, in order.
pub(crate) fn texts<'x>(xml: &'x str, name: &str) -> impl Iterator<Item = String> + use<'x> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (text, behind) = after.split_once(&close)?;
        rest = behind;
        Some(unescaped(text))
    })
}

fn unescaped(text: &str) -> String {
    // The ampersand last, so that nothing is read twice.
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_each_text_once_and_unescaped() {
        let xml = "<A><N>one</N><N>a &amp;lt; b</N></A>";
        assert_eq!(texts(xml, "N").collect::<Vec<_>>(), ["one", "a &lt; b"]);
        assert_eq!(first_text(xml, "M"), None);
        assert_eq!(first_text("<N>never closed", "N"), None);
    }
}
