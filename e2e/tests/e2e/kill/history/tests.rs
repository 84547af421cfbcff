use super::*;

/// `a` is a push of the manifest `a` to the tag `t`; `-t` deletes the tag, `-a` the manifest. After `!` its answer came.
/// So `a b a! -t` has `b` and the delete in flight.
fn history(script: &str) -> History {
    let (mut history, mut begun) = (History::default(), vec![]);
    for word in script.split_whitespace() {
        if let Some(answered) = word.strip_suffix('!') {
            let at = begun.iter().rposition(|begun| *begun == answered).expect("it has begun");
            history.acknowledge(at);
            continue;
        }
        begun.push(word);
        history.begin(match word {
            "-t" => Change::DeleteTag("t".into()),
            digest if digest.starts_with('-') => Change::DeleteManifest(digest[1..].into()),
            digest => Change::Push { digest: digest.into(), tag: Some("t".into()) },
        });
    }
    history
}

/// What the tag may be, `-` for gone.
fn tag(script: &str) -> String {
    let history = history(script);
    let may = |name: &&str| history.tag_may_be("t", (*name != "-").then_some(name));
    ["-", "a", "b", "c"].into_iter().filter(may).collect()
}

#[test]
fn a_tag_is_where_a_change_left_it_that_none_acknowledged_is_later_than() {
    for (script, may) in [
        ("", "-"),
        ("a", "-a"),
        ("a a!", "a"),
        ("a a! b", "ab"),
        ("a a! b b!", "b"),
        ("a b a! b!", "ab"),
        ("a b b! a! c", "abc"),
        ("a b b! c c! a!", "ac"),
        ("a b c c!", "abc"),
    ] {
        assert_eq!(tag(script), may, "{script}");
    }
}

#[test]
fn a_deleted_tag_stays_deleted() {
    for (script, may) in [
        ("a a! -t -t!", "-"),
        ("a a! -t", "-a"),
        ("a -t a! -t!", "-a"),
        ("a a! -t -t! b", "-b"),
        ("a a! -t -t! b b!", "b"),
    ] {
        assert_eq!(tag(script), may, "{script}");
    }
}

#[test]
fn a_deleted_manifest_takes_its_tag_along() {
    for (script, may) in [
        ("a a! -a -a!", "-"),
        ("a a! -a", "-a"),
        ("a a! b b! -a -a!", "b"),
        ("a a! -a b b! -a!", "b"),
        ("a -a a! -a!", "-a"),
        ("a a! -a -a! a a!", "a"),
        ("a a! -a -a! b", "-b"),
    ] {
        assert_eq!(tag(script), may, "{script}");
    }
}

#[test]
fn a_manifest_is_there_or_not_by_the_same_rule() {
    for (script, may) in [
        ("", [false, true]),
        ("a", [true, true]),
        ("a a!", [true, false]),
        ("a a! -a", [true, true]),
        ("a a! -a -a!", [false, true]),
        ("a a! -t -t!", [true, false]),
        ("a a! -a a -a! a!", [true, true]),
        ("a a! -a -a! a a!", [true, false]),
    ] {
        let history = history(script);
        assert_eq!([true, false].map(|there| history.manifest_may_be("a", there)), may, "{script}");
    }
}

#[test]
fn a_delete_that_found_nothing_changes_nothing() {
    let mut history = history("a a! -t");
    history.nothing_there(1);
    assert!(history.tag_may_be("t", Some("a")) && !history.tag_may_be("t", None));
}
