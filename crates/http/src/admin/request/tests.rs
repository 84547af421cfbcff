use http::header::IF_MATCH;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;

use super::condition::if_match;
use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what is read of it is its errors")]
struct Body {
    name: wharf_api::Name,
    inner: Option<Inner>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what is read of it is its errors")]
struct Inner {
    count: u8,
}

fn blamed(body: &str) -> (Option<String>, String) {
    let mut json = serde_json::Deserializer::from_str(body);
    let error = serde_path_to_error::deserialize::<_, Body>(&mut json).unwrap_err();
    let Refusal(rejection) = invalid_at(&error);
    (rejection.field().map(str::to_owned), rejection.message().to_owned())
}

#[test]
fn what_is_wrong_in_a_body_is_named() {
    let table = [
        (r#"{"name":"Team"}"#, Some("name")),
        (r#"{"name":1}"#, Some("name")),
        (r#"{"nome":"team"}"#, Some("nome")),
        ("{}", Some("name")),
        (r#"{"name":"team","inner":{"count":-1}}"#, Some("inner.count")),
        (r#"{"name":"team","inner":{}}"#, Some("inner.count")),
        (r#"{"name":"team","inner":{"count":1,"more":2}}"#, Some("inner.more")),
        (r#"{"name":"team","name":"other"}"#, Some("name")),
        ("[]x", None),
        ("", None),
        ("nonsense", None),
    ];
    for (body, field) in table {
        let (blamed, message) = blamed(body);
        assert_eq!(blamed.as_deref(), field, "{body}: {message}");
        assert!(message.len() > 10, "{body}: {message}");
    }
}

#[test]
fn a_message_does_not_repeat_all_that_was_sent() {
    let (_, message) = blamed(&format!(r#"{{"name":"team","inner":"{}"}}"#, "x".repeat(10_000)));
    assert!(message.len() < 400, "{message}");
}

#[test]
fn if_match_takes_one_entity_tag() {
    let with = |value: &'static str| if_match(&HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(value))]));
    assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
    assert_eq!(with("*").unwrap(), None);
    assert_eq!(with("\"3\"").unwrap(), Some(3));
    for wrong in ["3", "\"\"", "\"x\"", "W/\"3\"", "\"1\", \"2\"", "\"-1\""] {
        assert!(with(wrong).is_err(), "{wrong}");
    }
}
