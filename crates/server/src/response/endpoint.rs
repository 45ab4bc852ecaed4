//! The endpoint that documents advertise. Clients connect to it (ADDR-6), so it has to be this store's address.

use crate::request::Call;
use crate::request::context::RequestContext;

/// The advertised endpoint: what is configured, else where browsers reach the store, else the host of this
/// request without its bucket.
pub(crate) fn advertised(context: &RequestContext, call: &Call) -> String {
    let options = &context.server.options;
    let public = options.public_store_url.as_deref().and_then(authority);
    match (&options.advertised_endpoint, public) {
        (Some(configured), _) => configured.clone(),
        (None, Some(public)) => public.to_owned(),
        (None, None) => without_bucket(&call.host, call.bucket()).to_owned(),
    }
}

/// The endpoint inside Alibaba's network that belongs to one of its own; any other leads to the same place from
/// everywhere.
pub(crate) fn internal(endpoint: &str) -> String {
    match endpoint.strip_suffix(".aliyuncs.com") {
        Some(region) if !region.ends_with("-internal") => format!("{region}-internal.aliyuncs.com"),
        _ => endpoint.to_owned(),
    }
}

/// The address of the store itself, `http://host:port`, for links that are opened in a browser: what is configured,
/// else where this request reached it.
pub(crate) fn reached(context: &RequestContext, call: &Call) -> String {
    match &context.server.options.public_store_url {
        Some(public) => public.clone(),
        None => {
            let scheme = if context.secure { "https" } else { "http" };
            format!("{scheme}://{}", without_bucket(&call.host, call.bucket()))
        }
    }
}

fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next().filter(|authority| !authority.is_empty())
}

fn without_bucket<'h>(host: &'h str, bucket: Option<&str>) -> &'h str {
    bucket
        .and_then(|bucket| host.get(..bucket.len()).filter(|front| front.eq_ignore_ascii_case(bucket)))
        .and_then(|front| host.get(front.len()..))
        .and_then(|rest| rest.strip_prefix('.'))
        .unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_endpoint_of_oss_has_another_one_inside() {
        assert_eq!(internal("oss-cn-hangzhou.aliyuncs.com"), "oss-cn-hangzhou-internal.aliyuncs.com");
        for endpoint in ["oss-cn-hangzhou-internal.aliyuncs.com", "127.0.0.1:9817", "oss.example.org"] {
            assert_eq!(internal(endpoint), endpoint);
        }
    }

    #[test]
    fn an_endpoint_is_a_host_without_its_bucket() {
        assert_eq!(without_bucket("demo.localhost:9817", Some("demo")), "localhost:9817");
        assert_eq!(without_bucket("Demo.localhost", Some("demo")), "localhost");
        assert_eq!(without_bucket("127.0.0.1:9817", Some("demo")), "127.0.0.1:9817");
        assert_eq!(without_bucket("demo", Some("demo")), "demo");
        assert_eq!(without_bucket("é.x", Some("a")), "é.x");
        assert_eq!(authority("http://192.168.1.5:9817/"), Some("192.168.1.5:9817"));
    }
}
