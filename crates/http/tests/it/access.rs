//! Who may do what: HOUSE.md's table, over every route and method there is, for everybody there can be.

use std::collections::BTreeSet;

use wharf_http::methods_of;
use wharf_oci::{Digest, Reference, Route};
use wharf_registry::Anonymous;

use super::*;

/// What somebody may do in the repositories of `team`, as a number: nothing, read, write, delete.
const EVERYBODY: [(&str, u8); 11] = [
    ("anonymous", 0),
    ("none", 0),
    ("member", 0),
    ("reader", 1),
    ("writer", 2),
    ("maintainer", 3),
    ("orgreader", 1),
    ("orgwriter", 2),
    ("orgmaintainer", 3),
    ("owner", 3),
    ("admin", 3),
];

const OPEN: &str = "team/public";
const KNOWN: &str = "team/internal";
const CLOSED: &str = "team/private";
const REPOSITORIES: [&str; 3] = [CLOSED, KNOWN, OPEN];

/// One route of each kind about that repository. The match makes a new kind of route a compile error here.
fn routes(name: &str) -> Vec<Route> {
    let (name, nowhere) = (|| name.parse().unwrap(), || -> Digest { NOWHERE.parse().unwrap() });
    let upload = "00000000-0000-7000-8000-000000000000".to_owned();
    let reference = || -> Reference { "v1".parse().unwrap() };
    let all = vec![
        Route::Ping,
        Route::Catalog,
        Route::Extensions(None),
        Route::Extensions(Some(name())),
        Route::Blob(name(), nowhere()),
        Route::Uploads(name()),
        Route::Upload(name(), upload),
        Route::Manifest(name(), reference()),
        Route::Manifest(name(), Reference::Digest(nowhere())),
        Route::Tags(name()),
        Route::Referrers(name(), nowhere()),
    ];
    for route in &all {
        match route {
            Route::Ping
            | Route::Catalog
            | Route::Extensions(_)
            | Route::Blob(..)
            | Route::Uploads(_)
            | Route::Upload(..)
            | Route::Manifest(..)
            | Route::Tags(_)
            | Route::Referrers(..) => {}
        }
    }
    all
}

fn path(route: &Route) -> String {
    match route {
        Route::Ping => "/v2/".into(),
        Route::Catalog => "/v2/_catalog".into(),
        Route::Extensions(None) => "/v2/_oci/ext/discover".into(),
        Route::Extensions(Some(name)) => format!("/v2/{name}/_oci/ext/discover"),
        Route::Blob(name, digest) => format!("/v2/{name}/blobs/{digest}"),
        Route::Uploads(name) => format!("/v2/{name}/blobs/uploads/"),
        Route::Upload(name, id) => format!("/v2/{name}/blobs/uploads/{id}?digest={NOWHERE}"),
        Route::Manifest(name, reference) => format!("/v2/{name}/manifests/{reference}"),
        Route::Tags(name) => format!("/v2/{name}/tags/list"),
        Route::Referrers(name, digest) => format!("/v2/{name}/referrers/{digest}"),
    }
}

/// What it takes, as in [`EVERYBODY`].
fn takes(route: &Route, method: &str) -> u8 {
    match (route, method) {
        (Route::Upload(..), _) => 2,
        (_, "GET" | "HEAD") => 1,
        (_, "DELETE") => 3,
        _ => 2,
    }
}

/// With `team` and everybody in it.
async fn team(anonymous: Anonymous) -> Boxed {
    let b = Boxed::builder().settings(|s| s.anonymous = anonymous).open().await.leaving_uploads();
    for name in REPOSITORIES {
        b.push_image(name, "v1").await;
        b.set_visibility(name, name.split('/').nth(1).unwrap());
    }
    for (user, _) in EVERYBODY.iter().filter(|(user, _)| !["anonymous", "admin"].contains(user)) {
        b.make_user(user);
        match (*user, user.strip_prefix("org")) {
            ("none" | "member", _) => {}
            ("owner", _) => b.grant(user, "team", "owner"),
            (_, Some(role)) => b.grant(user, "team", role),
            (role, None) => REPOSITORIES.iter().for_each(|name| b.grant(user, name, role)),
        }
    }
    b
}

fn may(rights: u8, user: &str, name: &str, anonymous: Anonymous, takes: u8) -> bool {
    let for_all = name == OPEN && anonymous == Anonymous::Pull;
    let for_known = name != CLOSED && user != "anonymous";
    // What is not there is found by nobody, and made by who may write in the org.
    let exists = REPOSITORIES.contains(&name);
    let is_org_wide = user.starts_with("org") || ["owner", "admin"].contains(&user);
    (rights >= takes && (exists || is_org_wide)) || (takes == 1 && exists && (for_all || for_known))
}

#[tokio::test]
async fn every_route_and_method_for_everybody_and_every_visibility() {
    let mut asked = 0;
    for anonymous in [Anonymous::Nothing, Anonymous::Pull] {
        let b = team(anonymous).await;
        for (user, rights) in EVERYBODY {
            for name in REPOSITORIES.into_iter().chain(["team/nowhere"]) {
                for route in routes(name).iter().filter(|route| route.name().is_some()) {
                    for method in methods_of(route).split(", ") {
                        asked += 1;
                        let takes = takes(route, method);
                        let reply = b.ask(method, path(route)).user(user).body("x").await;
                        let may = may(rights, user, name, anonymous, takes);
                        check(&reply, user, method, takes, may, name);
                        // A tag that an allowed one deleted is put back.
                        if reply.status == 202 && method == "DELETE" {
                            b.push_image(name, "v1").await;
                        }
                    }
                }
            }
        }
    }
    assert!(asked > 1500, "{asked}");
}

fn check(reply: &Reply, user: &str, method: &str, takes: u8, may: bool, name: &str) {
    let status = reply.status.as_u16();
    let about = format!("{user} (may: {may}): {reply:?}");
    if may {
        assert!(![401, 403].contains(&status), "{about}");
        let found = method != "HEAD" && status == 404 && reply.codes() == ["NAME_UNKNOWN"];
        assert!(!found || !REPOSITORIES.contains(&name), "{about}");
        return;
    }
    match (user, takes) {
        ("anonymous", _) => assert_eq!(status, 401, "{about}"),
        (_, 1) => {
            assert_eq!(status, 404, "{about}");
            assert!(method == "HEAD" || reply.codes() == ["NAME_UNKNOWN"], "{about}");
        }
        _ => {
            assert_eq!(status, 403, "{about}");
            assert!(method == "HEAD" || reply.codes() == ["DENIED"], "{about}");
        }
    }
}

#[tokio::test]
async fn lists_show_exactly_what_can_be_pulled() {
    for anonymous in [Anonymous::Nothing, Anonymous::Pull] {
        let b = team(anonymous).await;
        for (user, rights) in EVERYBODY {
            let expected: BTreeSet<&str> =
                REPOSITORIES.into_iter().filter(|name| may(rights, user, name, anonymous, 1)).collect();
            for uri in ["/v2/_catalog", "/v2/_catalog?n=1", "/v1/search?q=team&n=100"] {
                let reply = b.get(uri).user(user).await;
                if user == "anonymous" && (expected.is_empty() || anonymous == Anonymous::Nothing) {
                    reply.expect(401);
                    continue;
                }
                let (mut found, mut reply) = (vec![], reply.expect(200));
                loop {
                    let json = reply.json();
                    let rows = json["repositories"].as_array().or(json["results"].as_array()).unwrap().clone();
                    let name = |row: &serde_json::Value| row.as_str().or(row["name"].as_str()).unwrap().to_owned();
                    found.extend(rows.iter().map(name));
                    let Some(next) = reply.next() else { break };
                    reply = b.get(next).user(user).await.expect(200);
                }
                assert_eq!(found.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{user} {uri}");
            }
        }
    }
}

#[tokio::test]
async fn what_can_be_pulled_can_be_mounted_and_nothing_else() {
    let b = team(Anonymous::Nothing).await;
    for name in REPOSITORIES {
        let image = b.push_image(name, "v2").await;
        for (user, rights) in EVERYBODY.into_iter().filter(|(user, _)| *user != "anonymous") {
            let may = may(rights, user, name, Anonymous::Nothing, 1);
            let digest = &image.layers[0].digest;
            for from in [format!("&from={name}"), String::new()] {
                let target = format!("{user}/{}", name.replace('/', "-"));
                let reply = b.post(format!("/v2/{target}{}/blobs/uploads/?mount={digest}{from}", from.len()));
                reply.user(user).await.expect(if may { 201 } else { 202 });
            }
        }
    }
}

#[tokio::test]
async fn a_right_taken_away_is_gone_at_the_next_request_token_or_not() {
    let b = team(Anonymous::Nothing).await;
    let token = b.get("/token?scope=repository:team/private:pull,push").user("writer").await.expect(200);
    let token = token.json()["token"].as_str().unwrap().to_owned();
    b.get("/v2/team/private/manifests/v1").bearer(&token).await.expect(200);
    b.revoke("writer");
    b.get("/v2/team/private/manifests/v1").bearer(&token).await.refused(404, "NAME_UNKNOWN");
    b.get("/v2/team/private/manifests/v1").user("writer").await.refused(404, "NAME_UNKNOWN");
    b.post("/v2/team/private/blobs/uploads/").bearer(&token).await.refused(403, "DENIED");
}

#[tokio::test]
async fn who_may_write_in_an_org_makes_repositories_there_by_pushing() {
    let b = team(Anonymous::Nothing).await;
    for (user, name, status) in [
        ("orgwriter", "team/new", 202),
        ("owner", "team/newer/deeper", 202),
        ("writer", "team/other", 403),
        ("orgreader", "team/other", 403),
        ("none", "none/mine", 202),
        ("none", "member/theirs", 403),
        ("none", "nobody/knows", 403),
        ("admin", "fresh/one", 202),
        ("admin", "alpine", 202),
        ("none", "alpine", 403),
        ("none", "public/thing", 403),
        ("admin", "api/thing", 403),
        ("admin", "token/thing", 403),
    ] {
        let reply = b.post(format!("/v2/{name}/blobs/uploads/")).user(user).await;
        assert_eq!(reply.status, status, "{user} {name}: {reply:?}");
    }
}

#[tokio::test]
async fn the_org_public_is_readable_by_everybody_with_an_account() {
    let b = team(Anonymous::Pull).await;
    b.push_image("public/base", "v1").await;
    b.get("/v2/public/base/manifests/v1").user("none").await.expect(200);
    b.get("/v2/public/base/manifests/v1").anonymous().await.expect(401);
    b.delete("/v2/public/base/manifests/v1").user("none").await.refused(403, "DENIED");
}

#[tokio::test]
async fn visibility_is_the_repositorys_own_then_its_orgs_then_the_registrys() {
    use wharf_registry::Visibility;
    let b = Boxed::builder().settings(|s| s.visibility = Visibility::Internal).open().await;
    b.make_user("bob");
    b.push_image("team/app", "v1").await;
    b.get("/v2/team/app/manifests/v1").bob().await.expect(200);
    b.set_visibility("team", "private");
    b.get("/v2/team/app/manifests/v1").bob().await.expect(404);
    b.set_visibility("team/app", "public");
    b.get("/v2/team/app/manifests/v1").bob().await.expect(200);
}

#[tokio::test]
async fn an_upload_is_its_starters_alone() {
    let b = team(Anonymous::Nothing).await;
    let started = b.post("/v2/team/private/blobs/uploads/").user("writer").await.expect(202);
    let location = started.header("location").to_owned();
    for user in ["orgwriter", "owner", "admin"] {
        b.get(&location).user(user).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        b.patch(&location).user(user).body("stolen").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        b.put(format!("{location}?digest={NOWHERE}")).user(user).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        b.delete(&location).user(user).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        let elsewhere = location.replace("team/private", "team/public");
        b.patch(elsewhere).user("writer").body("stolen").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    }
    b.delete(&location).user("writer").await.expect(204);
}

#[tokio::test]
async fn without_tokens_there_is_basic_and_only_administrators_write() {
    let b = Boxed::builder().settings(|s| s.token_auth = false).options(|o| o.token_auth = false).open().await;
    b.push_image("team/app", "v1").await;
    b.make_user("bob");
    b.grant("bob", "team", "maintainer");
    let asked = b.get("/v2/").anonymous().await.refused(401, "UNAUTHORIZED");
    assert_eq!(asked.all("www-authenticate"), ["Basic realm=\"wharf\", charset=\"UTF-8\""]);
    b.get("/token").await.expect(404);
    b.post("/token").form("grant_type=password&username=admin&password=secret").await.expect(404);
    b.get("/v2/team/app/manifests/v1").bob().await.expect(200);
    b.post("/v2/team/app/blobs/uploads/").bob().await.refused(403, "DENIED");
    b.delete("/v2/team/app/manifests/v1").bob().await.refused(403, "DENIED");
}
