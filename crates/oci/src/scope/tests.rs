use proptest::prelude::*;

use super::*;

fn all(texts: &[&str]) -> Vec<String> {
    Scope::parse_all(texts.iter().copied()).iter().map(ToString::to_string).collect()
}

/// goharbor/harbor#2411, google/go-containerregistry#724: the first scope is not the only one.
#[test]
fn scopes_may_be_repeated_or_spaced() {
    let expected = ["repository:a/b:pull", "repository:c:pull,push"];
    assert_eq!(all(&["repository:a/b:pull", "repository:c:push,pull"]), expected);
    assert_eq!(all(&[" repository:a/b:pull  repository:c:push,pull "]), expected);
    assert!(all(&[]).is_empty() && all(&["", " "]).is_empty());
}

#[test]
fn actions_come_in_any_order_and_repeated() {
    assert_eq!(all(&["repository:a:push,pull,push"]), ["repository:a:pull,push"]);
    assert_eq!(all(&["repository:a:*"]), ["repository:a:pull,push,delete"]);
    assert_eq!(all(&["repository:a:fly,pull"]), ["repository:a:pull"]);
    assert_eq!(all(&["repository:a:"]), ["repository:a:"]);
    assert!(Actions::parse("").is_empty());
}

#[test]
fn one_repository_under_both_of_its_names_is_merged_as_first_asked() {
    assert_eq!(
        all(&["repository:alpine:pull", "repository:b:pull", "repository:library/alpine:delete"]),
        ["repository:alpine:pull,delete", "repository:b:pull"]
    );
}

#[test]
fn what_cannot_be_granted_is_left_out() {
    for text in [
        "a",
        "repository",
        "repository:a",
        "repository:A:pull",
        "repository:host:5000/a:pull",
        "repository::pull",
        "image:a:pull",
        "registry:other:*",
        "aws:x:y",
        ":",
        "::",
    ] {
        assert!(all(&[text]).is_empty(), "{text}");
    }
}

#[test]
fn a_class_is_tolerated_and_the_catalog_is_known() {
    assert_eq!(all(&["repository(plugin):a:pull", "registry:catalog:*"]), ["repository:a:pull", "registry:catalog:*"]);
}

#[test]
fn sets_contain_their_parts() {
    let both = Actions::PULL | Actions::PUSH;
    assert!(both.contains(Actions::PULL) && both.contains(Actions::NONE) && !both.contains(Actions::ALL));
    assert_eq!(both & (Actions::PUSH | Actions::DELETE), Actions::PUSH);
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in ".*") {
        let _ = Scope::parse_all([text.as_str()].into_iter());
    }

    #[test]
    fn a_printed_scope_reads_back(name in "[a-z0-9]{1,5}(/[a-z0-9]{1,5}){0,3}", bits in 0_u8..8) {
        let scope = Scope { resource: Resource::Repository(name.parse().unwrap()), actions: Actions(bits) };
        prop_assert_eq!(Scope::parse(&scope.to_string()), Some(scope));
    }
}
