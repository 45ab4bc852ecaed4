//! Says in words which conditions of a policy a form does not meet. (The store lists them as the policy writes them.)

use serde_json::Value;

/// The store's list (its element `FailedConditions`) in words: field, what is expected, what was got. None where it is
/// not as expected, most likely because a long one was cut.
pub(super) fn in_words(list: &str) -> Option<String> {
    let begun = list.strip_prefix('[')?;
    let told: Option<Vec<String>> = begun.split("; [").map(|one| condition(&format!("[{one}"))).collect();
    told.map(|told| told.join("; "))
}

/// One condition in list form, and behind a colon what the form has instead.
fn condition(text: &str) -> Option<String> {
    let mut read = serde_json::Deserializer::from_str(text).into_iter::<Vec<Value>>();
    let items = read.next()?.ok()?;
    let got = text.get(read.byte_offset()..)?.strip_prefix(": ")?;
    let [operator, field, operand] = items.as_slice() else { return None };
    let field = field.as_str()?.trim_start_matches('$');
    let all = || Some(operand.as_array()?.iter().map(Value::to_string).collect::<Vec<_>>().join(", "));
    let expected = match operator.as_str()? {
        "eq" if operand == "" => "must be empty or left out".to_owned(),
        "eq" => format!("must be {operand}"),
        "starts-with" => format!("must begin with {operand}"),
        "in" => format!("must be one of {}", all()?),
        "not-in" => format!("must be none of {}", all()?),
        _ => return None,
    };
    Some(format!("{field} {expected}, {got}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_condition_is_field_expectation_and_what_came() {
        let list = r#"["in", "$x-oss-object-acl", ["default", "private"]]: got "public-read"; ["starts-with", "$key", "user/"]: got "a; [b"; ["eq", "$callback", ""]: the form has no such field"#;
        // A key with the list's own separator in it cannot be told apart; then the list stays as it is.
        assert_eq!(in_words(list), None);
        let list = list.replace("a; [b", "a\"b");
        assert_eq!(
            in_words(&list).as_deref(),
            Some(
                "x-oss-object-acl must be one of \"default\", \"private\", got \"public-read\"; \
                 key must begin with \"user/\", got \"a\"b\"; \
                 callback must be empty or left out, the form has no such field"
            )
        );
        let one = in_words(r#"["not-in", "$x-oss-content-type", ["a/b"]]: got "a/b""#);
        assert_eq!(one.as_deref(), Some("x-oss-content-type must be none of \"a/b\", got \"a/b\""));
        for cut in ["", "no list", r#"["eq", "$key", "aaa…: got "b""#, r#"["eq", "$key", "a"]"#] {
            assert_eq!(in_words(cut), None, "{cut}");
        }
    }
}
