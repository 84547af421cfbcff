//! Trust rules.

use std::collections::BTreeMap;

use super::bounds::enough;
use super::people::{audited, by, differs, invalid, org};
use super::*;

fn rule(name: &str) -> NewTrustRule {
    NewTrustRule {
        name: name.into(),
        robot: "ci".into(),
        issuer: "https://ci.example".into(),
        audience: "wharf".into(),
        claims: BTreeMap::from([("sub".into(), "repo:team/app:*".into())]),
        role: Role::Writer,
        lifetime: 900,
        is_enabled: true,
    }
}

#[tokio::test]
async fn a_rule_is_found_by_its_issuer_while_it_and_its_robot_are_in_force() {
    let meta = scratch().meta;
    let team = org(&meta, "team", None).await;
    assert_eq!(invalid(meta.make_trust_rule(team.id, rule("main"), by(1)).await), "robot");
    let robot = meta.make_robot(team.id, "ci", "", by(1)).await.unwrap().value;
    let made = meta.make_trust_rule(team.id, rule("main"), by(1)).await.unwrap().value;
    assert_eq!((made.robot.as_str(), made.robot_id, made.role), ("team+ci", robot.id, Role::Writer));
    let found = || async {
        let rules = meta.trust_rules_in_force("team", "https://ci.example").await.unwrap();
        (meta.trusts_issuer("https://ci.example").await.unwrap(), rules.len())
    };
    assert_eq!(found().await, (true, 1));
    assert!(!meta.trusts_issuer("https://ci.example/").await.unwrap());
    for (org, issuer) in [("team", "https://ci.example/"), ("other", "https://ci.example")] {
        assert!(meta.trust_rules_in_force(org, issuer).await.unwrap().is_empty(), "{org} {issuer}");
    }
    let off = TrustRuleChange { is_enabled: Some(false), ..TrustRuleChange::default() };
    let changed = meta.change_trust_rule(made.id, off, Some(made.version), by(2)).await.unwrap();
    assert_eq!((found().await, changed.version), ((false, 0), made.version + 1));
    let on = TrustRuleChange { is_enabled: Some(true), ..TrustRuleChange::default() };
    meta.change_trust_rule(made.id, on, None, by(3)).await.unwrap();
    let disabled = RobotChange { is_disabled: Some(true), ..RobotChange::default() };
    meta.change_robot(robot.id, disabled, None, by(4)).await.unwrap();
    assert_eq!(found().await, (true, 0));
    meta.delete_robot(robot.id, None, by(5)).await.unwrap();
    assert!(meta.trust_rule_by_id(made.id).await.unwrap().is_none(), "it goes with its robot");
}

#[tokio::test]
async fn an_org_has_at_most_a_hundred_rules() {
    let meta = scratch().meta;
    let (team, other) = (org(&meta, "team", None).await, org(&meta, "other", None).await);
    for org in [&team, &other] {
        meta.make_robot(org.id, "ci", "", by(1)).await.unwrap();
    }
    for number in 0..TRUST_RULES {
        meta.make_trust_rule(team.id, rule(&format!("rule-{number}")), by(1)).await.unwrap();
    }
    let message = enough(meta.make_trust_rule(team.id, rule("more"), by(2)).await);
    assert_eq!(message, "org team has 100 trust rules, and may not have more: delete one that is not needed");
    assert!(!meta.make_trust_rule(team.id, rule("rule-0"), by(2)).await.unwrap().is_new);
    meta.make_trust_rule(other.id, rule("one"), by(2)).await.unwrap();
    let first = meta.trust_rule(team.id, "rule-0").await.unwrap().unwrap();
    meta.delete_trust_rule(first.id, None, by(3)).await.unwrap();
    meta.make_trust_rule(team.id, rule("more"), by(4)).await.unwrap();
}

#[tokio::test]
async fn a_number_that_was_a_rules_is_never_anothers() {
    let meta = scratch().meta;
    let team = org(&meta, "team", None).await;
    meta.make_robot(team.id, "ci", "", by(1)).await.unwrap();
    let one = meta.make_trust_rule(team.id, rule("one"), by(1)).await.unwrap().value;
    meta.delete_trust_rule(one.id, None, by(2)).await.unwrap();
    let two = meta.make_trust_rule(team.id, rule("two"), by(3)).await.unwrap().value;
    assert!(two.id > one.id);
}

#[tokio::test]
async fn making_a_rule_again_finds_it_or_names_what_differs() {
    let scratch = scratch();
    let meta = &scratch.meta;
    let team = org(meta, "team", None).await;
    meta.make_robot(team.id, "ci", "", by(1)).await.unwrap();
    assert!(meta.make_trust_rule(team.id, rule("main"), by(1)).await.unwrap().is_new);
    assert!(!meta.make_trust_rule(team.id, rule("main"), by(2)).await.unwrap().is_new);
    let others = [
        ("audience", NewTrustRule { audience: "other".into(), ..rule("main") }),
        ("issuer", NewTrustRule { issuer: "https://other.example".into(), ..rule("main") }),
        ("claims", NewTrustRule { claims: BTreeMap::new(), ..rule("main") }),
        ("role", NewTrustRule { role: Role::Reader, ..rule("main") }),
        ("lifetime", NewTrustRule { lifetime: 60, ..rule("main") }),
        ("is_enabled", NewTrustRule { is_enabled: false, ..rule("main") }),
    ];
    for (field, other) in others {
        assert_eq!(differs(meta.make_trust_rule(team.id, other, by(3)).await), field);
    }
    let audit = audited(&scratch);
    let (action, org, target, details) = audit.last().unwrap();
    assert_eq!((action.as_str(), org.as_deref(), target.as_str()), ("trust-rule.create", Some("team"), "main"));
    assert_eq!(details["after"]["claims"]["sub"], "repo:team/app:*");
}

#[tokio::test]
async fn a_change_for_another_version_changes_nothing() {
    let meta = scratch().meta;
    let team = org(&meta, "team", None).await;
    meta.make_robot(team.id, "ci", "", by(1)).await.unwrap();
    let made = meta.make_trust_rule(team.id, rule("main"), by(1)).await.unwrap().value;
    let change = TrustRuleChange { role: Some(Role::Reader), ..TrustRuleChange::default() };
    let stale = meta.change_trust_rule(made.id, change.clone(), Some(7), by(2)).await;
    assert!(matches!(stale, Err(Error::Refused(Refusal::Stale))));
    let nobody = TrustRuleChange { robot: Some("nobody".into()), ..TrustRuleChange::default() };
    assert_eq!(invalid(meta.change_trust_rule(made.id, nobody, None, by(2)).await), "robot");
    let changed = meta.change_trust_rule(made.id, change, None, by(2)).await.unwrap();
    assert_eq!((changed.role, changed.lifetime), (Role::Reader, 900));
    assert_eq!(meta.trust_rules(team.id, "", 10).await.unwrap(), [changed]);
}
