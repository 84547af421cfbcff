use serde_json::json;

use super::*;

#[test]
fn configurations_differ_member_by_member_and_not_in_when_they_were_made() {
    let before = json!({
        "created": "2026-01-01T00:00:00Z", "os": "linux", "history": [1],
        "config": { "Cmd": ["a"], "User": "", "Labels": { "a": "1", "b": "2" } },
    });
    let after = json!({
        "created": "2026-02-02T00:00:00Z", "os": "linux", "history": [],
        "config": { "Cmd": ["b"], "Labels": { "a": "1", "c": "3" }, "Volumes": { "/data": {} } },
    });
    let names: Vec<String> = configs(&before, &after).into_iter().map(|change| change.name).collect();
    assert_eq!(names, ["config.Cmd", "config.Labels.b", "config.Labels.c", "config.Volumes./data"]);
    assert_eq!(configs(&before, &before), []);
}

#[test]
fn what_differs_is_a_line_each() {
    let layer =
        |of: &str, size| Descriptor::new("x", wharf_oci::Digest::of(wharf_oci::Algorithm::Sha256, of.as_bytes()), size);
    let mut comparison =
        Comparison::of_layers(&[layer("a", 1024), layer("b", 10)], &[layer("a", 1024), layer("c", 20)]);
    assert!(!comparison.has_same_layers());
    let change = |path: &str, change, sizes: [Option<u64>; 2], differs_in: &[&'static str]| FileChange {
        path: path.to_owned(),
        change,
        kind_before: None,
        kind_after: None,
        size_before: sizes[0],
        size_after: sizes[1],
        differs_in: differs_in.to_vec(),
    };
    comparison.files = vec![
        change("/new", "added", [None, Some(2048)], &[]),
        change("/etc/\u{1b}x", "changed", [Some(1), Some(2)], &["content"]),
        change("/old", "removed", [Some(5), None], &[]),
    ];
    comparison.config = configs(&json!({ "os": "linux" }), &json!({ "os": "windows" }));
    let text = comparison.as_text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "config  os: \"linux\" → \"windows\"");
    assert!(lines[1].starts_with("layers  1 shared ("), "{text}");
    assert!(lines[2].starts_with("+ /new  2"), "{text}");
    assert!(
        lines[3].starts_with("~ /etc/") && lines[3].ends_with("(content)") && !lines[3].contains('\u{1b}'),
        "{text}"
    );
    assert!(lines[4].starts_with("- /old  5"), "{text}");
    assert_eq!(lines[5], "files   1 added, 1 changed, 1 removed");
}
