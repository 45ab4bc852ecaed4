//! The strings that are signed, made a second time and more plainly, and the HMAC by its definition.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Sha256;

use super::request_text::Request;

/// The parameters of V1 that the targets' inputs may hold and whose standing nobody disputes.
pub(super) const V1_SIGNED: &[&str] = &[
    "acl",
    "append",
    "asyncFetch",
    "bucketInfo",
    "callback",
    "callback-var",
    "cname",
    "comp",
    "continuation-token",
    "cors",
    "delete",
    "encryption",
    "endTime",
    "inventory",
    "inventoryId",
    "lifecycle",
    "live",
    "location",
    "logging",
    "objectMeta",
    "partNumber",
    "policy",
    "position",
    "qos",
    "qosInfo",
    "referer",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "seal",
    "security-token",
    "sequential",
    "startTime",
    "stat",
    "status",
    "symlink",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "vod",
    "website",
    "worm",
    "wormExtend",
    "wormId",
    "x-oss-async-process",
    "x-oss-process",
    "x-oss-request-payer",
    "x-oss-traffic-limit",
    "accessPoint",
    "accessPointPolicy",
    "accessmonitor",
    "bucketArchiveDirectRead",
    "cloudboxes",
    "group",
    "httpsConfig",
    "img",
    "link",
    "metaQuery",
    "objectInfo",
    "policyStatus",
    "processConf",
    "publicAccessBlock",
    "qosRequester",
    "redundancyTransition",
    "regionList",
    "regions",
    "requesterQosInfo",
    "resourceGroup",
    "resourcePool",
    "resourcePoolBuckets",
    "resourcePoolInfo",
    "rtc",
    "style",
    "styleName",
    "transferAcceleration",
    "udf",
    "udfApplication",
    "udfApplicationLog",
    "udfImage",
    "udfImageDesc",
    "udfName",
    "vip",
    "vpcip",
];

/// Parameters that choose an operation or change an answer: a signature that leaves one out is worthless.
const V1_NEVER_LEFT_OUT: [&str; 12] = [
    "acl",
    "append",
    "callback",
    "callback-var",
    "cors",
    "delete",
    "lifecycle",
    "partNumber",
    "response-content-type",
    "security-token",
    "uploadId",
    "versionId",
];

pub(super) fn post_v1(secret: &[u8], policy: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).unwrap();
    mac.update(policy.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

pub(super) fn post_v4(secret: &[u8], scope: &str, policy: &str) -> String {
    let mut key = [b"aliyun_v4", secret].concat();
    for link in scope.split('/') {
        key = sha256_mac(&key, link.as_bytes());
    }
    sha256_mac(&key, policy.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256_mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Name and value of each item of the query, decoded.
fn pairs(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let items = query.split('&').filter(|item| !item.is_empty());
    items
        .map(|item| {
            let mut parts = item.splitn(2, '=');
            (decoded(parts.next().unwrap_or_default()), decoded(parts.next().unwrap_or_default()))
        })
        .collect()
}

fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let digit = |place: usize| bytes.get(place).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap());
                at += 3;
            }
            (b'+', ..) => {
                decoded.push(b' ');
                at += 1;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

fn first_header<'a>(request: &'a Request, name: &str) -> &'a str {
    let found = request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map_or("", |(_, value)| value.trim_ascii())
}

/// `name:value` lines of the chosen headers, sorted by name, repeated ones joined by commas.
fn header_lines(request: &Request, chosen: &dyn Fn(&str) -> bool) -> String {
    let mut names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| chosen(name));
    let lines = names.iter().map(|name| {
        let same = request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let values: Vec<&str> = same.map(|(_, value)| value.trim_ascii()).collect();
        format!("{name}:{}\n", values.join(","))
    });
    lines.collect()
}

/// The string of V1 with the parameters that are counted in.
pub(super) fn v1_text(request: &Request, line: &str, counted: &dyn Fn(&str) -> bool) -> Vec<u8> {
    let md5 = first_header(request, "content-md5");
    let kind = first_header(request, "content-type");
    let headers = header_lines(request, &|name| name.starts_with("x-oss-"));
    let mut text = format!("{}\n{md5}\n{kind}\n{line}\n{headers}/", request.method).into_bytes();
    if let Some(bucket) = &request.bucket {
        text.extend_from_slice(format!("{bucket}/{}", request.key.as_deref().unwrap_or_default()).as_bytes());
    }
    let mut signed: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for (name, value) in pairs(&request.query) {
        let own = ["OSSAccessKeyId", "Expires", "Signature"].iter().any(|own| own.as_bytes() == name);
        let chosen = std::str::from_utf8(&name)
            .is_ok_and(|name| counted(name) || name.starts_with("x-oss-") && counted("x-oss-"));
        if chosen && !own && !signed.iter().any(|(known, _)| *known == name) {
            signed.push((name, value));
        }
    }
    signed.sort();
    for (at, (name, value)) in signed.iter().enumerate() {
        text.push(if at == 0 { b'?' } else { b'&' });
        text.extend_from_slice(name);
        if !value.is_empty() {
            text.push(b'=');
            text.extend_from_slice(value);
        }
    }
    text
}

/// Whether some way of leaving out disputed parameters gives both requests one string.
pub(super) fn v1_may_mean_the_same(signed: &Request, other: &Request, url: bool) -> bool {
    let line = |request: &Request| match url {
        true => pairs(&request.query)
            .into_iter()
            .find(|(name, _)| name == b"Expires")
            .map(|(_, value)| String::from_utf8_lossy(&value).into_owned())
            .unwrap_or_default(),
        false => first_header(request, "date").to_owned(),
    };
    let original = v1_text(signed, &line(signed), &|name| V1_SIGNED.contains(&name));
    let mut names: Vec<String> =
        pairs(&other.query).into_iter().filter_map(|(name, _)| String::from_utf8(name).ok()).collect();
    names.sort();
    names.dedup();
    if names.len() > 10 {
        return true;
    }
    let mut lines = vec![line(other)];
    if !url {
        lines.extend([
            first_header(other, "date").to_owned(),
            String::new(),
            first_header(other, "x-oss-date").to_owned(),
        ]);
    }
    (0_u32..1 << names.len()).any(|choice| {
        let counted = |name: &str| {
            let place = names.iter().position(|known| known == name);
            V1_NEVER_LEFT_OUT.contains(&name) || place.is_some_and(|place| choice & (1 << place) != 0)
        };
        lines.iter().any(|line| v1_text(other, line, &counted) == original)
    })
}

/// The canonical request of V4 without further headers.
pub(super) fn v4_text(request: &Request) -> Vec<u8> {
    let escaped = |bytes: &[u8], slash: bool| -> String {
        let letter = |byte: &u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(*byte).to_string()
            }
            b'/' if slash => "/".to_owned(),
            byte => format!("%{byte:02X}"),
        };
        bytes.iter().map(letter).collect()
    };
    let path = match &request.bucket {
        Some(bucket) => format!(
            "/{}/{}",
            escaped(bucket.as_bytes(), true),
            escaped(request.key.as_deref().unwrap_or_default().as_bytes(), true)
        ),
        None => "/".to_owned(),
    };
    let mut items: Vec<(String, String)> = pairs(&request.query)
        .into_iter()
        .filter(|(name, _)| name != b"x-oss-signature")
        .map(|(name, value)| (escaped(&name, false), escaped(&value, false)))
        .collect();
    items.sort();
    let items: Vec<String> = items
        .into_iter()
        .map(|(name, value)| if value.is_empty() { name } else { format!("{name}={value}") })
        .collect();
    let headers = header_lines(request, &|name| {
        name.starts_with("x-oss-") || name == "content-type" || name == "content-md5"
    });
    let digest = match first_header(request, "x-oss-content-sha256") {
        "" => "UNSIGNED-PAYLOAD",
        digest => digest,
    };
    format!("{}\n{path}\n{}\n{headers}\n\n{digest}", request.method, items.join("&")).into_bytes()
}

/// Whether both requests have one canonical form, and one claim.
pub(super) fn v4_means_the_same(signed: &Request, other: &Request) -> bool {
    let claim = |request: &Request| {
        let own = [
            "x-oss-signature-version",
            "x-oss-credential",
            "x-oss-date",
            "x-oss-expires",
            "x-oss-signature",
            "x-oss-additional-headers",
        ];
        let firsts =
            own.map(|name| pairs(&request.query).into_iter().find(|(known, _)| known == name.as_bytes()));
        let v1 = ["OSSAccessKeyId", "Expires", "Signature"];
        let foreign =
            pairs(&request.query).iter().any(|(known, _)| v1.iter().any(|name| name.as_bytes() == known));
        (firsts, foreign, first_header(request, "authorization").to_owned())
    };
    claim(signed) == claim(other) && v4_text(signed) == v4_text(other)
}
