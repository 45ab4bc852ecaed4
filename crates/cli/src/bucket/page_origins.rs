//! Makes the CORS rule that lets pages of an origin upload into a bucket.

use anyhow::bail;
use countersign_protocol::xml::{CorsConfiguration, CorsRule};

/// The rule for these origins: what a form upload, a preview and their preflights need.
pub(crate) fn rule(origins: &[String]) -> anyhow::Result<CorsRule> {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for origin in origins {
        // An origin is a scheme, a host and a port; a wildcard only where it stands alone.
        if origin.contains(['<', '&', '"', ' ']) || (origin.contains('*') && origin != "*") {
            bail!("{origin:?} is no origin of a page");
        }
    }
    Ok(CorsRule {
        allowed_origins: origins.to_vec(),
        allowed_methods: texts(&["POST", "GET", "HEAD"]),
        allowed_headers: texts(&["*"]),
        expose_headers: texts(&["ETag", "x-oss-request-id", "x-oss-hash-crc64ecma"]),
        max_age_seconds: Some(600),
    })
}

/// Adds the origins to a bucket's rules, to the rule of this kind where there is one; the other rules stay as they
/// are. `None` when nothing changes.
pub(crate) fn added(
    mut rules: CorsConfiguration,
    origins: &[String],
) -> anyhow::Result<Option<CorsConfiguration>> {
    let wanted = rule(origins)?;
    let same_kind = |known: &CorsRule| CorsRule { allowed_origins: Vec::new(), ..known.clone() };
    match rules.rules.iter_mut().find(|known| same_kind(known) == same_kind(&wanted)) {
        Some(known) => {
            let missing: Vec<String> =
                origins.iter().filter(|origin| !known.allowed_origins.contains(origin)).cloned().collect();
            if missing.is_empty() {
                return Ok(None);
            }
            known.allowed_origins.extend(missing);
        }
        None => rules.rules.push(wanted),
    }
    Ok(Some(rules))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(list: &[&str]) -> Vec<String> {
        list.iter().map(|origin| (*origin).to_owned()).collect()
    }

    #[test]
    fn an_origin_is_added_once_and_other_rules_stay() {
        let other = CorsRule { allowed_origins: origins(&["https://old"]), ..CorsRule::default() };
        let rules = CorsConfiguration { rules: vec![other.clone()], response_vary: true };
        let rules = added(rules, &origins(&["https://a"])).unwrap().unwrap();
        assert_eq!((rules.rules.len(), rules.response_vary), (2, true));
        let rules = added(rules, &origins(&["https://a", "https://b"])).unwrap().unwrap();
        assert_eq!(rules.rules[0], other);
        assert_eq!(rules.rules[1].allowed_origins, ["https://a", "https://b"]);
        assert_eq!(added(rules, &origins(&["https://b"])).unwrap(), None);
    }

    #[test]
    fn a_rule_takes_nothing_but_origins() {
        assert!(rule(&origins(&["http://*.example"])).is_err());
        assert!(rule(&origins(&["http://a</AllowedOrigin>"])).is_err());
        assert!(rule(&origins(&["*"])).is_ok());
    }
}
