//! Two orgs cannot see each other, by any endpoint.

use serde_json::json;

use super::{Team, made, push};
use crate::clients::podman;

fn with_two_orgs() -> Team {
    let team = Team::start();
    let admin = team.wharf.api();
    for (org, owner) in [("red", "rita"), ("blue", "bert")] {
        team.user(owner);
        made(&admin, "orgs", &json!({ "name": org }));
        admin.json("PUT", &format!("/api/v1/orgs/{org}/members/{owner}"), &json!({ "role": "owner" })).expect(201);
        push(&team.wharf, &format!("{org}/secret-plan"), "1");
        made(&admin, &format!("orgs/{org}/teams"), &json!({ "name": "core" }));
        made(&admin, &format!("orgs/{org}/robots"), &json!({ "name": "bot" }));
    }
    team
}

#[test]
fn an_orgs_owner_finds_nothing_of_another_org_by_any_endpoint() {
    let team = with_two_orgs();
    let rita = team.as_user("rita");
    for (path, what) in [("orgs", "red"), ("repositories", "red/secret-plan"), ("audit?org=red", "red")] {
        let seen = rita.get(&format!("/api/v1/{path}")).expect(200).text();
        assert!(!seen.contains("blue") && !seen.contains("bert"), "{path}: {seen}");
        assert!(seen.contains(what), "{path}: {seen}");
    }
    for path in [
        "manifests/1",
        "tags/list",
        &format!("blobs/{}", wharf_e2e::digest_of(b"x")),
        &format!("referrers/{}", wharf_e2e::digest_of(b"x")),
    ] {
        let there = rita.get(&format!("/v2/blue/secret-plan/{path}")).expect_error(404, "NAME_UNKNOWN");
        let nowhere = rita.get(&format!("/v2/blue/none-at-all/{path}")).expect_error(404, "NAME_UNKNOWN");
        assert_eq!(there.text().replace("secret-plan", "none-at-all"), nowhere.text());
    }
    for path in [
        "orgs/blue",
        "orgs/blue/members",
        "orgs/blue/teams",
        "orgs/blue/teams/core",
        "orgs/blue/robots",
        "orgs/blue/robots/bot",
        "orgs/blue/robots/bot/tokens",
        "orgs/blue/quota",
        "orgs/blue/trust-rules",
        "repositories/blue%2Fsecret-plan",
        "repositories/blue%2Fsecret-plan/tags",
        "repositories/blue%2Fsecret-plan/manifests",
        "grants?target=blue",
        "grants?target=blue%2Fsecret-plan",
        "access?user=bert&action=pull&target=blue%2Fsecret-plan",
        "audit?org=blue",
    ] {
        let there = rita.get(&format!("/api/v1/{path}"));
        let nowhere = rita.get(&format!("/api/v1/{}", path.replace("blue", "none")));
        assert!([403, 404].contains(&there.status), "{path}: {} {}", there.status, there.text());
        assert_eq!(there.status, nowhere.status, "{path}: {}", nowhere.text());
        let words = |answer: &wharf_e2e::Answer| answer.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!(words(&there).replace("blue", "none"), words(&nowhere), "{path}");
    }
    let catalog = rita.get("/v2/_catalog").expect(200).text();
    assert!(catalog.contains("red/secret-plan") && !catalog.contains("blue"), "{catalog}");
    rita.json("PUT", "/api/v1/orgs/blue/members/rita", &json!({ "role": "owner" })).expect(404);
    let grant = |target: &str| {
        let grant = json!({ "target": target, "role": "reader", "user": "rita" });
        rita.json("POST", "/api/v1/grants", &grant).expect(403).json()["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(grant("blue/secret-plan").replace("blue", "none"), grant("none/secret-plan"));
    // What she tried is on record, for herself too, and tells no more than she knew.
    let record = |name: &str| {
        let tried = rita.get(&format!("/api/v1/audit?target={name}")).expect(200).json();
        let shape = |row: &serde_json::Value| row["org"] == row["target"].as_str().unwrap().split('/').next().unwrap();
        assert!(tried["items"].as_array().unwrap().iter().all(shape), "{tried}");
        tried["items"].as_array().unwrap().len()
    };
    assert!(record("blue") > 0 && record("none") > 0);
}

#[test]
fn a_stolen_upload_id_is_useless() {
    let team = Team::start();
    team.user("bob");
    let admin = team.wharf.api();
    for user in ["alice", "bob"] {
        made(&admin, "grants", &json!({ "target": "team", "role": "maintainer", "user": user }));
    }
    let alice = team.as_user("alice");
    let upload = alice.upload("team/app").unwrap();
    for thief in [team.as_user("bob"), admin] {
        thief.get(&upload).expect_error(404, "BLOB_UPLOAD_UNKNOWN");
        for method in ["PATCH", "PUT", "DELETE"] {
            let path = format!("{upload}?digest={}", wharf_e2e::digest_of(b"x"));
            thief.send(method, &path, &[], b"x").unwrap().expect_error(404, "BLOB_UPLOAD_UNKNOWN");
        }
    }
    alice.get(&upload).expect(204);
    alice.delete(&upload).expect(204);
}

#[test]
fn podman_search_finds_a_private_repository_for_its_owner_only() {
    let team = with_two_orgs();
    let (podman, host) = (podman::command(&team.sandbox), team.wharf.host());
    let search = || {
        let line = format!("{podman} search --tls-verify=false --format '{{{{.Name}}}}' {host}/secret-plan");
        team.sandbox.ok(&line)
    };
    for (user, org) in [("rita", "red"), ("bert", "blue")] {
        team.sandbox.feed(super::PASSWORD, &format!("{podman} login -u {user} --password-stdin {host}")).ok();
        assert_eq!(search(), format!("{host}/{org}/secret-plan"));
    }
    team.sandbox.feed(super::PASSWORD, &format!("{podman} login -u alice --password-stdin {host}")).ok();
    assert_eq!(search(), "");
}
