use super::*;

/// The document is reviewed as a file; what it says is what is served.
#[test]
fn the_document_in_docs_is_the_one_that_is_served() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");
    let written = std::fs::read_to_string(file).unwrap_or_default();
    if written != *DOCUMENT {
        let new = std::env::temp_dir().join("wharf-openapi.json");
        std::fs::write(&new, DOCUMENT.as_str()).unwrap();
        panic!("the operations have changed; look at the difference, then: cp {} {file}", new.display());
    }
}

#[test]
fn every_operation_is_named_once_and_says_what_it_does() {
    let document: serde_json::Value = serde_json::from_str(&DOCUMENT).unwrap();
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "two operations are called {id}");
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{method} {path}");
            let tag = &operation["tags"][0];
            assert!(
                document["tags"].as_array().unwrap().iter().any(|one| one["name"] == *tag),
                "{method} {path}: {tag}"
            );
        }
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn references(value: &serde_json::Value, into: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(members) => {
                into.extend(members.get("$ref").and_then(|to| to.as_str()).map(str::to_owned));
                members.values().for_each(|value| references(value, into));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|value| references(value, into)),
            _ => {}
        }
    }
    let document: serde_json::Value = serde_json::from_str(&DOCUMENT).unwrap();
    let mut all = vec![];
    references(&document, &mut all);
    for to in all {
        assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
    }
}
