//! Writes the seeds of the corpora: the golden vectors, brought into the form each target reads, and a few
//! shapes that no vector has. What an engine finds besides is kept next to them, minimised.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a tool for developers"
)]

use std::path::{Path, PathBuf};

use serde_json::Value;

fn main() -> std::io::Result<()> {
    let fuzz = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let vectors = fuzz.parent().expect("the repository").join("vectors");
    let mut seeds: Vec<(&str, Vec<u8>)> = Vec::new();
    forms(&mut seeds);
    policies(&vectors, &mut seeds);
    signatures(&vectors, &mut seeds);
    callbacks(&vectors, &mut seeds);
    documents(&mut seeds);
    notations(&vectors, &mut seeds);
    let mut number = 0;
    for (target, bytes) in seeds {
        let folder = fuzz.join("corpus").join(target);
        std::fs::create_dir_all(&folder)?;
        number += 1;
        std::fs::write(folder.join(format!("seed-{number:03}")), bytes)?;
    }
    println!("{number} seeds");
    Ok(())
}

type Seeds<'a> = Vec<(&'a str, Vec<u8>)>;

fn cases(vectors: &Path, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(vectors.join(file)).expect("a file of vectors");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    document["cases"].as_array().expect("cases").clone()
}

fn text<'a>(case: &'a Value, member: &str) -> &'a str {
    case[member].as_str().unwrap_or_default()
}

/// Pairs `[name, value]` as lines.
fn lines(pairs: &Value, between: &str) -> String {
    let pairs = pairs.as_array().cloned().unwrap_or_default();
    let lines = pairs.iter().map(|pair| {
        format!("{}{between}{}", pair[0].as_str().unwrap_or_default(), pair[1].as_str().unwrap_or_default())
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn forms(seeds: &mut Seeds<'_>) {
    let field = |name: &str, value: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = |line: &str, content: &str| {
        format!("--B\r\nContent-Disposition: form-data; {line}\r\n\r\n{content}\r\n")
    };
    let named = "name=\"file\"; filename=\"C:\\\\me\\\\照.jpg\"\r\nContent-Type: image/jpeg";
    let bodies = [
        format!("{}{}{}--B--\r\n", field("key", "user-dir/${filename}"), field("policy", "cA=="), file(named, "x")),
        format!("pre\r\n{}{}{}--B--", field("KEY", "a\\${filename}"), file("name=file", "\r\n--Bx\r\n--B-\r"), field("submit", "s")),
        format!("{}--B \t\r\nContent-Disposition: form-data; name=file; filename*=utf-8''%E7%85%A7\r\n\r\n\r\n--B--  ", field("key", "k")),
        format!("{}{}--B--\r\nepilogue", field("a", "\r\n\r\n--\r\n"), file("filename*=iso-8859-1'en'%E9; name=\"file\"", "")),
        format!("{}{}{}", field("a", "1"), field("A", "2"), file("name=file", "x")),
        "--B\r\ncontent-transfer-encoding: 8bit\r\nContent-Length: 1\r\nContent-disposition:form-data;name=\"say \\\"hi\\\"\"\r\n\r\nv\r\n--B\r\n".to_owned(),
    ];
    for (at, body) in bodies.iter().enumerate() {
        for choice in [0_u8, 1, 97] {
            let sizes = [u8::try_from(at).unwrap_or_default(), 0, 7];
            let mut seed = vec![0, choice];
            seed.extend(sizes);
            seed.extend_from_slice(b"multipart/form-data; charset=utf-8; boundary=\"a b:c\\\"d\"\n");
            seed.extend_from_slice(body.as_bytes());
            seeds.push(("form", seed));
        }
    }
}

fn policies(vectors: &Path, seeds: &mut Seeds<'_>) {
    for case in cases(vectors, "policy.json") {
        let json = text(&case, "policy_json").replace("2015-", "2027-");
        let mut seed = json.into_bytes();
        seed.push(0);
        seed.extend_from_slice(
            format!("{}\n{}", text(&case, "bucket"), lines(&case["fields"], "=")).as_bytes(),
        );
        seeds.push(("policy", seed));
    }
    for case in cases(vectors, "post_signature_v1.json") {
        seeds.push(("policy", [text(&case, "policy_json").as_bytes(), b"\0demo\nkey=user/eric/a"].concat()));
    }
}

fn signatures(vectors: &Path, seeds: &mut Seeds<'_>) {
    for case in cases(vectors, "post_signature_v1.json") {
        let (policy, signature) = (text(&case, "policy_base64"), text(&case, "signature"));
        let form =
            format!("POSSAccessKeyId=ak\npolicy={policy}\nSignature={signature}\nx-oss-security-token=t");
        seeds.push(("signature", form.into_bytes()));
    }
    for case in cases(vectors, "post_signature_v4.json") {
        let form = format!(
            "Px-oss-signature-version=OSS4-HMAC-SHA256\nx-oss-credential={}\nx-oss-date={}\nx-oss-signature={}\npolicy={}",
            text(&case, "credential"),
            text(&case, "date"),
            text(&case, "signature"),
            text(&case, "policy_base64"),
        );
        seeds.push(("signature", form.into_bytes()));
    }
    let changes = [
        "mDELETE",
        "bother",
        "kkey%2B",
        "qacl",
        "Qx-oss-process=a",
        "hx-oss-meta-a:b",
        "hContent-Type:a",
        "d",
        "q",
        "qrtc=%2f",
        "q%61cl",
        "hX-OSS-META-A: b ",
    ];
    for (at, file) in [
        "header_signature_v1.json",
        "header_signature_v4.json",
        "url_signature_v1.json",
        "url_signature_v4.json",
    ]
    .iter()
    .enumerate()
    {
        for (turn, case) in cases(vectors, file).iter().enumerate() {
            let place = format!("{}\n{}\n{}", text(case, "method"), text(case, "bucket"), text(case, "key"));
            let headers = lines(&case["headers"], ":");
            let change = changes[(at * 5 + turn) % changes.len()];
            seeds.push((
                "signature",
                format!("Q{place}\n{}\n{change}\n{headers}", text(case, "raw_query")).into_bytes(),
            ));
            let query = if case["signed_query"].is_null() {
                text(case, "raw_query")
            } else {
                text(case, "signed_query")
            };
            let claim = text(case, "authorization");
            seeds.push((
                "signature",
                format!("A{place}\n{query}\n{headers}\nAuthorization:{claim}").into_bytes(),
            ));
        }
    }
}

fn callbacks(vectors: &Path, seeds: &mut Seeds<'_>) {
    for (at, case) in cases(vectors, "callback_expansion.json").iter().enumerate() {
        let custom = lines(&case["variables"]["custom"], "=");
        let template = text(case, "template").replace('\n', "\u{2028}");
        seeds.push(("callback", format!("T{template}\n{custom}").into_bytes()));
        let urls = ["http://127.0.0.1:23450/cb?a=b", "app.example.com;https://b.example/x", "my:8080"];
        let parameter = serde_json::json!({
            "callbackUrl": (urls[at % 3]),
            "callbackHost": (["", "app.example.com", "a:80"][at % 3]),
            "callbackBody": text(case, "template"),
            "callbackBodyType": text(case, "body_type"),
            "callbackSNI": at % 2 == 0,
            "additionalHeaders": {"X-Own": "1"},
        });
        seeds.push(("callback", format!("P{parameter}").into_bytes()));
    }
    for case in cases(vectors, "callback_signature.json") {
        let (path, query) =
            text(&case, "path_and_query").split_once('?').unwrap_or((text(&case, "path_and_query"), ""));
        let seed = format!("S{path}\n{query}\n{}\0{}", text(&case, "body"), text(&case, "authorization"));
        seeds.push(("callback", seed.into_bytes()));
    }
    seeds.push(("callback", b"V{\"x:a\":\"1\",\"x:\xe7\x85\xa7\":\"\\\"\"}".to_vec()));
    for url in [
        "http://127.0.0.1:80/a?b=%20",
        "HTTPS://a_b.example.",
        "localhost",
        "0x7f.1",
        "http://a:0/",
        "a?b=http://c",
        "http://u@h/",
    ] {
        seeds.push(("callback", format!("U{url}").into_bytes()));
    }
    for answer in [
        "15\napplication/json\n{\"Status\":\"OK\"}",
        "3145729\ntext/html\n<html>",
        " 7 \napplication/xml; a\n<a/>",
    ] {
        seeds.push(("callback", format!("A{answer}").into_bytes()));
    }
}

fn documents(seeds: &mut Seeds<'_>) {
    let documents = [
        "D<?xml version=\"1.0\" encoding=\"UTF-8\"?><Delete><Quiet>true</Quiet><Object><Key>a&amp;b &#x4e00;</Key></Object></Delete>",
        "D<Delete><Object><Key> a </Key><VersionId>null</VersionId></Object><Object><Key><![CDATA[<b>]]></Key></Object></Delete>",
        "D<o:Delete xmlns:o=\"http://doc.oss-cn-hangzhou.aliyuncs.com\"><!-- c --><o:Object><o:Key>k</o:Key></o:Object></o:Delete>",
        "D<!DOCTYPE a [<!ENTITY b \"c\">]><Delete><Object><Key>&b;</Key></Object></Delete>",
        "C<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule><ResponseVary>false</ResponseVary></CORSConfiguration>",
        "L<LifecycleConfiguration><Rule><ID>a</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration><AbortMultipartUpload><Days>2</Days></AbortMultipartUpload></Rule></LifecycleConfiguration>",
        "L<LifecycleConfiguration><Rule><Prefix/><Status>Disabled</Status><Expiration><CreatedBeforeDate>2026-11-22T00:00:00.000Z</CreatedBeforeDate></Expiration></Rule><Rule><Prefix>b</Prefix><Status>Enabled</Status><Expiration><Date>2026-11-22T00:00:00Z</Date></Expiration></Rule></LifecycleConfiguration>",
        "L<LifecycleConfiguration><Rule><Prefix>a</Prefix><Status>Enabled</Status><Filter><Not/></Filter></Rule></LifecycleConfiguration>",
        "B<CreateBucketConfiguration><StorageClass>IA</StorageClass><DataRedundancyType>ZRS</DataRedundancyType><LocationConstraint>oss-cn-hangzhou</LocationConstraint></CreateBucketConfiguration>",
        "Ka&b<c>\n照片 🦀\n]]>\n<![CDATA[",
        "Rhttp://a.example\nx-oss-&<>",
        "*<a><b><c><d><e><f><g><h><i/></h></g></f></e></d></c></b></a>",
    ];
    seeds.extend(documents.map(|document| ("xml", document.as_bytes().to_vec())));
}

fn notations(vectors: &Path, seeds: &mut Seeds<'_>) {
    let inputs = [
        "R100\nbytes=0-9",
        "R100\nbytes= 90 - ",
        "R100\nbytes=-101",
        "R0\nbytes=-1",
        "R18446744073709551615\nbytes=18446744073709551614-",
        "R5\nbytes=+1-2",
        "R5\nbytes=0-1,3-4",
        "DWed, 28 Dec 2022 10:27:41 GMT",
        "DSunday, 06-Nov-94 08:49:37 GMT",
        "DSun Nov  6 08:49:37 1994",
        "D20231203T121212Z",
        "D2023-11-12T16:43:40.0071Z",
        "D2023-11-12T16:43:40+08:00",
        "DTue, 29 Feb 2000 23:59:60 GMT",
        "EAB\n\"AB\", W/\"cd\",*",
        "Eab\nW/ab",
        "Ua+b%2Bc=%E7%85%A7&&a&=b",
        "Sak/20231203/cn-hangzhou/oss/aliyun_v4_request",
        "S/a/20231303//oss/aliyun_v4_request",
        "Nuser-dir/照片.jpg",
        "Npublic-read",
        "Ndefault",
        "T\0\0\0\x7f\0\0\0\0",
    ];
    seeds.extend(inputs.map(|input| ("notation", input.as_bytes().to_vec())));
    for case in cases(vectors, "normalise_path.json") {
        seeds.push(("notation", format!("U{}", text(&case, "path")).into_bytes()));
    }
}
