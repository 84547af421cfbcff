use std::collections::BTreeMap;

use serde_json::json;
use wharf_meta::Role;

use super::*;

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn patterns(claims: &[(&str, &str)]) -> BTreeMap<String, String> {
    claims.iter().map(|(name, pattern)| ((*name).to_owned(), (*pattern).to_owned())).collect()
}

fn rule(robot: &str, role: Role, claims: &[(&str, &str)]) -> TrustRule {
    TrustRule {
        id: 1,
        org: "team".into(),
        name: "rule".into(),
        robot_id: 1,
        robot: robot.into(),
        issuer: GITHUB.into(),
        audience: "wharf".into(),
        claims: patterns(claims),
        role,
        lifetime: 900,
        is_enabled: true,
        version: 1,
        created_at: 0,
    }
}

fn claims(value: Value) -> Map<String, Value> {
    let Value::Object(mut claims) = value else { panic!("an object") };
    claims.entry("aud").or_insert(json!("wharf"));
    claims
}

#[test]
fn a_star_stands_for_anything_and_the_rest_for_itself() {
    let fits = [
        ("repo:octo/app:ref:refs/heads/main", "repo:octo/app:ref:refs/heads/main"),
        ("repo:octo/app:ref:refs/heads/main", "repo:octo/app:*"),
        ("repo:octo/app:ref:refs/tags/v1", "repo:octo/*:ref:refs/tags/v*"),
        ("a", "*"),
        ("", "*"),
        ("", ""),
        ("aXbXc", "a*b*c"),
        ("abab", "*ab"),
        ("aab", "a*ab"),
        ("über", "ü*r"),
        ("a*b", "a*b"),
    ];
    for (text, pattern) in fits {
        assert!(text_fits(text, pattern), "{text} {pattern}");
    }
    let differs = [
        ("repo:octo/app2:ref:refs/heads/main", "repo:octo/app:*"),
        ("repo:octo/app", "repo:octo/app:*"),
        ("xrepo:octo/app", "repo:octo/app"),
        ("octo", "Octo"),
        ("octo/", "octo"),
        ("ab", "a*ab"),
        ("aba", "ab*ba"),
        ("a", ""),
        ("ab", "a?"),
        ("ac", "a*b*c"),
        ("a.b", "a.*.b"),
    ];
    for (text, pattern) in differs {
        assert!(!text_fits(text, pattern), "{text} {pattern}");
    }
}

#[test]
fn every_claim_of_a_rule_must_fit() {
    let rules = [rule("team+ci", Role::Writer, &[("repository", "octo/app"), ("ref", "refs/heads/*")])];
    let one = Choice::One(&rules[0]);
    assert_eq!(choose(&rules, &claims(json!({ "repository": "octo/app", "ref": "refs/heads/main" })), None), one);
    for other in [
        json!({ "repository": "octo/app", "ref": "refs/tags/v1" }),
        json!({ "repository": "octo/app" }),
        json!({ "repository": "octo/app", "ref": null }),
        json!({ "repository": "octo/app", "ref": { "refs/heads/": 1 } }),
        json!({ "repository": "octo/app", "ref": "refs/heads/main", "aud": "other" }),
        json!({ "repository": "octo/app", "ref": "refs/heads/main", "aud": "wharf*" }),
    ] {
        assert_eq!(choose(&rules, &claims(other.clone()), None), Choice::Nothing, "{other}");
    }
}

#[test]
fn claims_may_be_numbers_lists_and_nested() {
    let fits = |name: &str, pattern: &str, value: Value| claim_fits(&claims(value), name, pattern);
    assert!(fits("project_id", "20", json!({ "project_id": 20 })));
    assert!(fits("ref_protected", "true", json!({ "ref_protected": true })));
    assert!(fits("groups", "team*", json!({ "groups": ["other", "team/a"] })));
    assert!(fits("/kubernetes.io/namespace", "build", json!({ "kubernetes.io": { "namespace": "build" } })));
    assert!(fits("/a~1b", "x", json!({ "a/b": "x" })));
    assert!(!fits("kubernetes.io", "*", json!({ "kubernetes.io": { "namespace": "build" } })));
    assert!(!fits("/kubernetes.io/pod", "*", json!({ "kubernetes.io": { "namespace": "build" } })));
    assert!(!fits("/", "*", json!({ "a": "x" })));
}

#[test]
fn of_several_rules_that_which_gives_most_counts_and_robots_are_not_guessed() {
    let pin = [("sub", "job")];
    let mut rules = vec![
        rule("team+ci", Role::Reader, &pin),
        rule("team+ci", Role::Writer, &pin),
        rule("team+ci", Role::Maintainer, &[("sub", "x")]),
    ];
    let job = claims(json!({ "sub": "job" }));
    assert_eq!(choose(&rules, &job, None), Choice::One(&rules[1]));
    rules.push(rule("team+two", Role::Reader, &pin));
    assert_eq!(choose(&rules, &job, None), Choice::Several);
    assert_eq!(choose(&rules, &job, Some("team+two")), Choice::One(&rules[3]));
    assert_eq!(choose(&rules, &job, Some("team+three")), Choice::Nothing);
}

#[test]
fn a_robots_name_means_its_org_and_scopes_mean_the_one_that_all_are_in() {
    let meant = |org, robot| Some(Meant { org, robot });
    assert_eq!(Meant::robot("team+ci"), meant("team", Some("team+ci")));
    assert_eq!(Meant::robot("ci"), None);
    let by =
        |scopes: &str| Meant::by_scopes(&Scope::parse_all(std::iter::once(scopes))).map(|meant| meant.org.to_owned());
    let one = Some("team".to_owned());
    assert_eq!(by("repository:team/app:pull,push repository:team/base/x:pull registry:catalog:*"), one);
    assert_eq!(by("repository:alpine:pull"), Some("library".to_owned()));
    for several in ["repository:team/app:push repository:other/app:pull", "registry:catalog:*", "registry:api:*", ""] {
        assert_eq!(by(several), None, "{several}");
    }
}

#[test]
fn a_rule_without_claims_takes_nothing() {
    assert_eq!(choose(&[rule("team+ci", Role::Reader, &[])], &claims(json!({ "sub": "job" })), None), Choice::Nothing);
}

#[test]
fn a_rule_that_would_take_every_token_is_objected_to() {
    let own = "https://ci.example.com";
    for bad in [&[][..], &[("sub", "*")], &[("sub", "**"), ("ref", "*")], &[("aud", "x")], &[("iss", "x")]] {
        assert!(objection(own, &patterns(bad)).is_some(), "{bad:?}");
    }
    assert_eq!(objection(own, &patterns(&[("sub", "*x")])), None);
}

#[test]
fn at_an_issuer_for_everybody_the_owner_must_be_pinned() {
    let good: [&[(&str, &str)]; 6] = [
        &[("sub", "repo:octo/app:ref:refs/heads/main")],
        &[("sub", "repo:octo/*")],
        &[("repository", "octo/app"), ("ref", "*")],
        &[("repository", "octo/*")],
        &[("repository_owner", "octo")],
        &[("repository_owner_id", "65")],
    ];
    for claims in good {
        assert_eq!(objection(GITHUB, &patterns(claims)), None, "{claims:?}");
    }
    let bad: [&[(&str, &str)]; 9] = [
        &[("ref", "refs/heads/main")],
        &[("sub", "repo:octo*")],
        &[("sub", "repo:*/app:*")],
        &[("sub", "*octo/app*")],
        &[("repository", "octo*")],
        &[("repository", "*/app")],
        &[("repository_owner", "oct*")],
        &[("workflow", "octo/app")],
        &[("job_workflow_ref", "octo/workflows/.github/workflows/release.yml@*")],
    ];
    for claims in bad {
        assert!(objection(GITHUB, &patterns(claims)).is_some(), "{claims:?}");
    }
    assert!(objection("https://gitlab.com", &patterns(&[("project_path", "group*")])).is_some());
    assert_eq!(objection("https://gitlab.com", &patterns(&[("project_path", "group/*")])), None);
}
