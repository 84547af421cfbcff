use serde_json::json;

use super::*;

fn provider() -> Provider {
    Provider {
        id: 1,
        name: "corp".into(),
        title: "Company".into(),
        issuer: "https://id.example".into(),
        client_id: "wharf".into(),
        client_secret: "hunter2".into(),
        scopes: vec![],
        trusted_domains: vec!["example.com".into()],
        groups_claim: Some("groups".into()),
        groups: vec![],
        is_enabled: true,
        makes_users: true,
        version: 1,
        created_at: 0,
    }
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("an object") };
    object
}

#[test]
fn an_address_counts_only_from_who_is_trusted_with_it_and_says_it_is_theirs() {
    let email = |claims: Value| vouched(&provider(), &object(claims));
    let jane = Some("jane@example.com".to_owned());
    assert_eq!(email(json!({ "email": "Jane@Example.com", "email_verified": true })), jane);
    assert_eq!(email(json!({ "email": "jane@example.com", "email_verified": "true" })), jane);
    for claims in [
        json!({ "email": "jane@example.com" }),
        json!({ "email": "jane@example.com", "email_verified": false }),
        json!({ "email": "jane@example.com", "email_verified": 1 }),
        json!({ "email": "jane@example.org", "email_verified": true }),
        json!({ "email": "jane@sub.example.com", "email_verified": true }),
        json!({ "email": "jane@notexample.com", "email_verified": true }),
        json!({ "email": "jane@example.com@example.org", "email_verified": true }),
        json!({ "email": "example.com", "email_verified": true }),
        json!({ "email": "@example.com", "email_verified": true }),
        json!({ "email": "ja ne@example.com", "email_verified": true }),
        json!({ "email": ["jane@example.com"], "email_verified": true }),
    ] {
        assert_eq!(email(claims.clone()), None, "{claims}");
    }
}

#[test]
fn groups_are_what_the_claim_lists() {
    let list = |claims: Value, name: &str| groups(&object(claims), name);
    assert_eq!(list(json!({ "groups": ["a", 1, "b"] }), "groups"), Some(vec!["a".into(), "b".into()]));
    assert_eq!(list(json!({ "groups": "a" }), "groups"), Some(vec!["a".into()]));
    assert_eq!(list(json!({}), "groups"), Some(vec![]));
    assert_eq!(list(json!({ "realm_access": { "roles": ["a"] } }), "/realm_access/roles"), Some(vec!["a".into()]));
    assert_eq!(list(json!({ "_claim_names": { "groups": "src1" } }), "groups"), None);
}
