use std::path::Path;

use serde_json::json;

use super::*;

#[test]
fn details_are_what_was_and_what_is_in_one_line() {
    let made = json!({ "before": null, "after": { "role": "writer", "to": "user bob" } });
    assert_eq!(details(&made), "role=writer to=user bob");
    let changed = json!({ "before": { "bytes": null, "tags": 5 }, "after": { "bytes": 10, "tags": 5 } });
    assert_eq!(details(&changed), "bytes=-→10 tags=5");
    assert_eq!(details(&json!({ "before": { "role": "owner" }, "after": null })), "role=owner");
    assert_eq!(details(&json!({ "reason": "no role there", "kind": 3 })), "kind=3 no role there");
}

#[test]
fn every_action_that_the_server_records_is_known() {
    let nouns: BTreeSet<&str> = ACTIONS.iter().filter_map(|action| Some(action.split_once('.')?.0)).collect();
    let mut found = BTreeSet::new();
    for room in ["meta", "registry"] {
        words(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(room).join("src"), &mut |word| {
            let is_verb = |verb: &str| verb.bytes().all(|byte| byte.is_ascii_lowercase());
            if word
                .split_once('.')
                .is_some_and(|(noun, verb)| nouns.contains(noun) && is_verb(verb) && !verb.is_empty())
            {
                found.insert(word.to_owned());
            }
        });
    }
    // A setting that is called like one.
    found.remove("audit.measured");
    assert!(found.contains("grant.create"), "{found:?}");
    let unknown: Vec<_> = found.iter().filter(|word| !ACTIONS.contains(&word.as_str())).collect();
    assert!(unknown.is_empty(), "ACTIONS lacks {unknown:?}");
}

/// What stands between quotes in the sources there.
fn words(folder: &Path, each: &mut impl FnMut(&str)) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            words(&path, each);
        } else {
            std::fs::read_to_string(&path).unwrap().split('"').skip(1).step_by(2).for_each(&mut *each);
        }
    }
}
