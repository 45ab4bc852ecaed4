//! Callback bodies expanded from templates: the vectors, and hostile values.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    template: String,
    body_type: String,
    variables: Values,
    expanded: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Values {
    bucket: String,
    object: String,
    etag: String,
    size: u64,
    mime_type: String,
    image: Option<Image>,
    crc64: String,
    content_md5: Option<String>,
    vpc_id: Option<String>,
    client_ip: String,
    req_id: String,
    operation: String,
    custom: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Image {
    height: u64,
    width: u64,
    format: String,
}

impl From<Values> for CallbackVariables {
    fn from(values: Values) -> Self {
        Self {
            bucket: values.bucket,
            object: values.object,
            etag: values.etag,
            size: values.size,
            mime_type: values.mime_type,
            image: values.image.map(|image| ImageInfo {
                height: image.height,
                width: image.width,
                format: image.format,
            }),
            crc64: values.crc64.parse().unwrap(),
            content_md5: values.content_md5,
            vpc_id: values.vpc_id,
            client_ip: values.client_ip,
            req_id: values.req_id,
            operation: values.operation,
            custom: values.custom,
        }
    }
}

#[test]
fn expands_the_vectors() {
    let text = crate::test_vectors::read("callback_expansion.json");
    let vectors: Vectors = serde_json::from_str(&text).unwrap();
    assert_eq!(vectors.cases.len(), 19);
    for case in vectors.cases {
        let template = Template::parse(&case.template).unwrap();
        let body_type = BodyType::parse(&case.body_type).unwrap();
        let variables = CallbackVariables::from(case.variables);
        assert_eq!(template.expand(&variables, body_type), case.expanded, "{}", case.name);
        assert!(template.expanded_bytes_max(&variables, body_type) >= case.expanded.len());
    }
}

#[test]
fn refuses_an_empty_body_and_parentheses() {
    assert_eq!(Template::parse(""), Err(TemplateError::Empty));
    assert_eq!(Template::parse("bucket=${bucket}&object=$(object)"), Err(TemplateError::Parenthesis));
    assert_eq!(Template::parse("a=$1").unwrap().as_str(), "a=$1");
}

#[test]
fn bounds_a_body_before_it_expands_repeated_variables() {
    let custom = vec![("x:a".to_owned(), "照".repeat(1000))];
    let template = Template::parse(&"${x:a}".repeat(100)).unwrap();
    let variables = CallbackVariables { custom, ..CallbackVariables::default() };
    assert_eq!(template.expanded_bytes_max(&variables, BodyType::Form), 900_000);
    assert_eq!(template.expanded_bytes_max(&variables, BodyType::Json), 300_200);
    assert_eq!(template.expanded_bytes_max(&CallbackVariables::default(), BodyType::Form), 0);
}

proptest! {
    #[test]
    fn a_value_in_json_is_always_one_json_string(value in "\\PC{0,20}[\\x00-\\x1f\"\\\\]{0,4}") {
        let template = Template::parse("{\"v\":${x:v}}").unwrap();
        let custom = vec![("x:v".to_owned(), value.clone())];
        let body = template.expand(&CallbackVariables { custom, ..Default::default() }, BodyType::Json);
        let read: serde_json::Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(read["v"].as_str(), Some(value.as_str()));
    }

    #[test]
    fn a_value_in_a_form_never_leaves_its_field(value in "\\PC{0,20}[&=+%#\\x00]{0,4}") {
        let template = Template::parse("v=${x:v}&end=1").unwrap();
        let custom = vec![("x:v".to_owned(), value.clone())];
        let body = template.expand(&CallbackVariables { custom, ..Default::default() }, BodyType::Form);
        let pairs = crate::url_encoding::query_pairs(&body);
        prop_assert_eq!(pairs.len(), 2);
        prop_assert_eq!(&pairs[0].1, value.as_bytes());
    }

    #[test]
    fn any_text_can_be_a_template(text in "[a${}:\"\\\\()]{1,30}") {
        if let Ok(template) = Template::parse(&text) {
            template.expand(&CallbackVariables::default(), BodyType::Json);
        }
    }
}
