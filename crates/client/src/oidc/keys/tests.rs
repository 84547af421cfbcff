use serde_json::json;

use super::*;

/// A set of that many keys of one kind; names are given out by `id`.
fn set(count: usize, id: impl Fn(usize) -> Option<String>) -> Keys {
    let key = |number| {
        let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        if let Some(id) = id(number) {
            key["kid"] = json!(id);
        }
        key
    };
    Keys::parse(&json!({ "keys": (0..count).map(key).collect::<Vec<_>>() })).unwrap()
}

#[test]
fn a_signature_is_tried_with_five_keys_at_most() {
    let without = set(50, |_| None);
    assert_eq!(without.fitting(None, Algorithm::EdDSA).count(), 5);
    assert_eq!(without.fitting(Some("a"), Algorithm::EdDSA).count(), 0);
    let namesakes = set(50, |_| Some("a".into()));
    assert_eq!(namesakes.fitting(Some("a"), Algorithm::EdDSA).count(), 5);
    assert_eq!(namesakes.fitting(None, Algorithm::EdDSA).count(), 5);
    let named = set(50, |number| Some(format!("key-{number}")));
    assert_eq!(named.fitting(Some("key-49"), Algorithm::EdDSA).count(), 1, "a name finds its key wherever it stands");
    assert_eq!(named.fitting(None, Algorithm::ES256).count(), 0);
}
