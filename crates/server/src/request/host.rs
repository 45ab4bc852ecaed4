//! Finds the bucket in the `Host` header, if it names one (ADDR-1 to ADDR-4).
//!
//! Pure: a host string and the configured names in, an [`Addressed`] out. It knows neither paths nor stores,
//! and it never refuses: a name it has never heard of is the bare endpoint, because a store in a container or
//! behind a tunnel is reached under names nobody told it. What a bucket may be called is checked by the caller.

use std::{collections::BTreeMap, net::IpAddr};

/// Where a request says it goes, as far as its host can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Addressed {
    /// The bare endpoint: the bucket, if any, is the first segment of the path.
    Endpoint,
    /// The host names this bucket, and the whole path is the object key. Not yet checked to be a legal name.
    Bucket(String),
}

/// The names under which a store answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostNames {
    domains: Vec<String>,
    bound: BTreeMap<String, String>,
}

impl HostNames {
    /// `domains` are endpoints (`oss.example.org`): `BUCKET.` in front of one names a bucket. `bound` maps
    /// whole host names to buckets, as OSS's CNAME binding does. Letter case is of no importance; ports are
    /// ignored in both. `localhost` is always a domain.
    pub(crate) fn new(
        domains: impl IntoIterator<Item = String>,
        bound: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut domains: Vec<String> = domains.into_iter().map(|domain| host_name(&domain)).collect();
        domains.push("localhost".to_owned());
        domains.retain(|domain| !domain.is_empty());
        // The longest first: with `a.example` and `x.a.example` both configured, the more exact one decides.
        domains.sort_by_key(|domain| std::cmp::Reverse(domain.len()));
        domains.dedup();
        let bound = bound.into_iter().map(|(host, bucket)| (host_name(&host), bucket)).collect();
        Self { domains, bound }
    }

    /// Resolves the value of a `Host` header (with or without a port).
    pub(crate) fn resolve(&self, host_header: &str) -> Addressed {
        let host = host_name(host_header);
        if let Some(bucket) = self.bound.get(&host) {
            return Addressed::Bucket(bucket.clone());
        }
        if is_address(&host) {
            return Addressed::Endpoint;
        }
        for domain in &self.domains {
            if host == *domain {
                return Addressed::Endpoint;
            }
            if let Some(bucket) = host.strip_suffix(domain.as_str()).and_then(|head| head.strip_suffix('.')) {
                return bucket_or_endpoint(bucket);
            }
        }
        resolve_aliyun(&host).or_else(|| resolve_before_address(&host)).unwrap_or(Addressed::Endpoint)
    }
}

/// A host name as it is compared: no port, no dot at its end, lower case.
fn host_name(text: &str) -> String {
    let text = text.trim();
    let name = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if text.matches(':').count() > 1 => text,
        None => text.split(':').next().unwrap_or_default(),
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

fn bucket_or_endpoint(bucket: &str) -> Addressed {
    if bucket.is_empty() { Addressed::Endpoint } else { Addressed::Bucket(bucket.to_owned()) }
}

/// `[BUCKET.]oss.aliyuncs.com` and `[BUCKET.]oss-<region>.aliyuncs.com`: what official SDKs send whatever
/// address their socket has. The Node SDK, given an address and a region without its prefix, sends
/// `BUCKET.<region>.aliyuncs.com`.
fn resolve_aliyun(host: &str) -> Option<Addressed> {
    let front = host.strip_suffix(".aliyuncs.com")?;
    let (bucket, endpoint) = front.rsplit_once('.').unwrap_or(("", front));
    let ours = match endpoint.strip_prefix("oss-") {
        Some(region) => !region.is_empty(),
        None => endpoint == "oss" || endpoint.contains('-'),
    };
    ours.then(|| bucket_or_endpoint(bucket))
}

/// The region that a host of `oss-<region>.aliyuncs.com` names; an `-internal` at its end is not part of it.
pub(crate) fn region(host_header: &str) -> Option<String> {
    let host = host_name(host_header);
    let endpoint = host.strip_suffix(".aliyuncs.com")?.rsplit('.').next()?;
    let region = endpoint.strip_prefix("oss-")?;
    let region = region.strip_suffix("-internal").unwrap_or(region);
    (!region.is_empty() && region != "accelerate").then(|| region.to_owned())
}

/// `BUCKET.127.0.0.1`: OpenDAL puts the bucket in front of an address unless it is told otherwise.
fn resolve_before_address(host: &str) -> Option<Addressed> {
    let (bucket, rest) = host.split_once('.')?;
    is_address(rest).then(|| bucket_or_endpoint(bucket))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> HostNames {
        HostNames::new(
            ["oss.example.org".to_owned(), "cdn.oss.example.org:9817".to_owned()],
            [("Pictures.Example.ORG".to_owned(), "photos".to_owned())],
        )
    }

    #[test]
    fn the_host_decides_between_endpoint_and_bucket() {
        let table: &[(&str, Option<&str>)] = &[
            ("oss.example.org", None),
            ("OSS.example.org:9817", None),
            ("demo.oss.example.org", Some("demo")),
            ("Demo.oss.example.org.:80", Some("demo")),
            ("demo.cdn.oss.example.org", Some("demo")),
            ("cdn.oss.example.org", None),
            ("pictures.example.org", Some("photos")),
            ("pictures.example.org:8080", Some("photos")),
            ("127.0.0.1", None),
            ("127.0.0.1:9817", None),
            ("[::1]:9817", None),
            ("::1", None),
            ("localhost:9817", None),
            ("demo.localhost:9817", Some("demo")),
            ("demo.127.0.0.1:9817", Some("demo")),
            ("oss.aliyuncs.com", None),
            ("demo.oss.aliyuncs.com", Some("demo")),
            ("oss-cn-hangzhou.aliyuncs.com", None),
            ("demo.oss-cn-hangzhou.aliyuncs.com", Some("demo")),
            ("demo.oss-cn-hangzhou-internal.aliyuncs.com:80", Some("demo")),
            ("demo.cn-hangzhou.aliyuncs.com", Some("demo")),
            ("cn-hangzhou.aliyuncs.com", None),
            ("demo.oss-.aliyuncs.com", None),
            ("demo.ecs.aliyuncs.com", None),
            ("store", None),
            ("", None),
        ];
        for (host, bucket) in table {
            let expected = bucket.map_or(Addressed::Endpoint, |name| Addressed::Bucket(name.to_owned()));
            assert_eq!(names().resolve(host), expected, "{host}");
        }
    }

    #[test]
    fn a_host_of_oss_names_its_region() {
        for (host, expected) in [
            ("demo.oss-cn-hangzhou.aliyuncs.com", Some("cn-hangzhou")),
            ("oss-cn-shanghai-internal.aliyuncs.com:80", Some("cn-shanghai")),
            ("oss.aliyuncs.com", None),
            ("demo.oss-accelerate.aliyuncs.com", None),
            ("demo.oss-cn-hangzhou.example.com", None),
            ("127.0.0.1:9817", None),
        ] {
            assert_eq!(region(host).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn a_host_prefix_with_dots_is_taken_for_one_bucket_name() {
        assert_eq!(names().resolve("a.b.oss.example.org"), Addressed::Bucket("a.b".to_owned()));
    }
}
