use super::*;
use crate::Algorithm;

/// goharbor/harbor#18418: an unknown subject has no referrers, and that is a list.
#[test]
fn an_empty_page_is_a_whole_index() {
    let expected = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    assert_eq!(String::from_utf8(referrers_index(&[])).unwrap(), expected);
}

#[test]
fn what_a_referrer_has_not_is_left_out() {
    let digest = Digest::of(Algorithm::Sha256, b"");
    let bare = ReferrerDescriptor {
        media_type: MediaType::OCI_MANIFEST.into(),
        digest: digest.clone(),
        size: 7,
        artifact_type: None,
        annotations: BTreeMap::new(),
    };
    let full = ReferrerDescriptor {
        artifact_type: Some("application/x".into()),
        annotations: BTreeMap::from([("k".into(), "\"v\"".into())]),
        ..bare.clone()
    };
    let page: serde_json::Value = serde_json::from_slice(&referrers_index(&[bare, full])).unwrap();
    let start = serde_json::json!({"mediaType": MediaType::OCI_MANIFEST, "digest": digest, "size": 7});
    assert_eq!(page["manifests"][0], start);
    assert_eq!(page["manifests"][1]["artifactType"], "application/x");
    assert_eq!(page["manifests"][1]["annotations"], serde_json::json!({"k": "\"v\""}));
}

/// distribution/distribution#1186
#[test]
fn tags_are_a_list_even_when_there_are_none() {
    let name: RepoName = "alpine".parse().unwrap();
    assert_eq!(tag_list(&name, &[]), br#"{"name":"alpine","tags":[]}"#);
    let tags = ["a".parse().unwrap(), "b".parse().unwrap()];
    assert_eq!(tag_list(&name, &tags), br#"{"name":"alpine","tags":["a","b"]}"#);
}
