use proptest::prelude::*;

use super::Challenge;

fn one(header: &str) -> Challenge {
    let mut all = Challenge::parse_all(header);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_bearer_challenge_says_where_and_what_for() {
    let challenge =
        one(r#"Bearer realm="https://auth.example/token",service="wharf",scope="repository:a/b:pull,push""#);
    assert_eq!(challenge.scheme, "bearer");
    assert_eq!(challenge.get("realm"), Some("https://auth.example/token"));
    assert_eq!(challenge.get("scope"), Some("repository:a/b:pull,push"));
    assert_eq!(challenge.get("error"), None);
}

#[test]
fn names_are_read_in_any_case_with_any_space_and_quotes_are_optional() {
    let challenge = one("BEARER  Realm = \"x\\\"y\" ,\tSERVICE=plain");
    assert_eq!((challenge.get("realm"), challenge.get("service")), (Some("x\"y"), Some("plain")));
}

#[test]
fn several_challenges_in_one_header_are_kept_apart() {
    let all = Challenge::parse_all(r#"Negotiate, Negotiate a874==, Basic realm="a, b", Bearer realm="c""#);
    let schemes: Vec<&str> = all.iter().map(|challenge| challenge.scheme.as_str()).collect();
    assert_eq!(schemes, ["negotiate", "negotiate", "basic", "bearer"]);
    assert_eq!((all[2].get("realm"), all[3].get("realm")), (Some("a, b"), Some("c")));
}

#[test]
fn what_is_cut_off_does_not_hide_what_came_before() {
    let all = Challenge::parse_all(r#"Basic realm="here", Bearer realm="never ends"#);
    assert_eq!(all[0].get("realm"), Some("here"));
}

proptest! {
    #[test]
    fn no_header_makes_it_panic_or_hang(header in "\\PC*") {
        Challenge::parse_all(&header);
    }

    #[test]
    fn no_punctuation_makes_it_panic_or_hang(header in "[ab=,\" \\\\\t]{0,40}") {
        Challenge::parse_all(&header);
    }
}
