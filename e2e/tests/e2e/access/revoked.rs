//! A right taken away is gone at the next request, whatever the client holds.

use serde_json::json;

use super::{Team, made, push, secret};

/// The id of alice's grant on `team/app`.
fn grant_of_alice(team: &Team) -> String {
    let grants = team.wharf.api().get("/api/v1/grants?target=team%2Fapp").expect(200).json();
    let found = grants["items"].as_array().unwrap().iter().find(|grant| grant["user"] == "alice");
    found.expect("a grant")["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_revoked_grant_stops_the_next_request_in_the_middle_of_a_pull() {
    let team = Team::start();
    let image = push(&team.wharf, "team/app", "1");
    let puller = team.as_user("alice").token("repository:team/app:pull");
    puller.get("/v2/team/app/manifests/1").expect(200);
    let layer = format!("/v2/team/app/blobs/{}", wharf_e2e::digest_of(&image.layer));
    assert_eq!(puller.get(&layer).expect(200).body, image.layer);
    team.wharf.api().delete(&format!("/api/v1/grants/{}", grant_of_alice(&team))).expect(204);
    puller.get(&layer).expect_error(404, "NAME_UNKNOWN");
    puller.get("/v2/team/app/manifests/1").expect_error(404, "NAME_UNKNOWN");
    assert!(puller.get("/v2/team/app/tags/list").status == 404);
}

#[test]
fn a_revoked_token_ends_the_access_tokens_it_bought() {
    let team = Team::start();
    push(&team.wharf, "team/app", "1");
    let alice = team.as_user("alice");
    let made = made(&alice, "self/tokens", &json!({ "name": "laptop", "scope": "read" }));
    let token = made["secret"].as_str().unwrap();
    let by_token = team.wharf.anonymous().basic("alice", token);
    let bought = by_token.token("repository:team/app:pull");
    for caller in [&by_token, &bought, &team.wharf.anonymous().bearer(token)] {
        caller.get("/v2/team/app/manifests/1").expect(200);
    }
    let id = made["token"]["id"].as_str().unwrap();
    alice.delete(&format!("/api/v1/self/tokens/{id}")).expect(204);
    for caller in [&by_token, &bought, &team.wharf.anonymous().bearer(token)] {
        caller.get("/v2/team/app/manifests/1").expect_error(401, "UNAUTHORIZED");
    }
}

#[test]
fn a_disabled_user_robot_or_rule_ends_at_once() {
    let team = Team::start();
    push(&team.wharf, "team/app", "1");
    let admin = team.wharf.api();
    let job = team.issuer.job("octo/app", "main");
    let callers = [
        (team.as_user("alice").token("repository:team/app:pull"), "users/alice", json!({ "is_disabled": true })),
        (
            team.wharf.anonymous().basic("team+ci", &job).token("repository:team/app:pull"),
            "orgs/team/trust-rules/github",
            json!({ "is_enabled": false }),
        ),
        (
            team.wharf.anonymous().basic("team+ci", &team.token_of_robot("one")).token("repository:team/app:pull"),
            "orgs/team/robots/ci",
            json!({ "is_disabled": true }),
        ),
    ];
    for (caller, path, change) in callers {
        caller.get("/v2/team/app/manifests/1").expect(200);
        admin.json("PATCH", &format!("/api/v1/{path}"), &change).expect(200);
        caller.get("/v2/team/app/manifests/1").expect_error(401, "UNAUTHORIZED");
    }
}

#[test]
fn a_token_gives_no_more_than_it_says_and_no_more_than_its_owner_has() {
    let team = Team::start();
    push(&team.wharf, "team/app", "1");
    push(&team.wharf, "team/other", "1");
    let admin = team.wharf.api();
    made(&admin, "grants", &json!({ "target": "team", "role": "maintainer", "user": "alice" }));
    let alice = team.as_user("alice");
    let read = secret(&alice, "self/tokens", &json!({ "name": "r", "scope": "read" }));
    let one = secret(&alice, "self/tokens", &json!({ "name": "one", "scope": "admin", "on": "team/app" }));
    let scope = "repository:team/app:pull,push,delete%20repository:team/other:pull,push,delete";
    let (read, one) = (team.wharf.anonymous().basic("alice", &read), team.wharf.anonymous().basic("alice", &one));
    for caller in [read.clone(), read.token(scope)] {
        caller.get("/v2/team/app/manifests/1").expect(200);
        assert!(caller.upload("team/app").is_err());
        caller.delete("/v2/team/app/manifests/1").expect_error(401, "UNAUTHORIZED");
    }
    for caller in [one.clone(), one.token(scope)] {
        caller.get("/v2/team/app/manifests/1").expect(200);
        caller.get("/v2/team/other/manifests/1").expect_error(401, "UNAUTHORIZED");
    }
    // Reading only: a token is no way into the management of anything.
    read.json("POST", "/api/v1/self/tokens", &json!({ "name": "more", "scope": "admin" })).expect(403);
    admin.delete(&format!("/api/v1/grants/{}", grant_of_alice(&team))).expect(204);
    one.get("/v2/team/app/manifests/1").expect(200);
}
