//! What the audit has of requests: sign-ins, refused writes, changes; and what it does not have.

use std::net::SocketAddr;

use wharf_http::serve::Peer;
use wharf_registry::{AuditFilter, AuditRow, Caller, Error, Order, Outcome};

use super::*;

/// All rows that fit, oldest first, those included that wait in memory.
async fn rows(b: &Boxed, filter: AuditFilter) -> Vec<AuditRow> {
    let page = b.registry.audit(&Caller::operator(), filter, Order::OldestFirst, None, 10_000).await.unwrap();
    assert_eq!(page.next, None);
    page.rows
}

/// Rows of actions that begin so, as `actor action target × times`.
async fn brief(b: &Boxed, action: &str) -> Vec<String> {
    let filter = AuditFilter { action: Some(action.into()), ..AuditFilter::default() };
    let line = |row: &AuditRow| format!("{} {} {} × {}", row.actor, row.action, row.target, row.times);
    rows(b, filter).await.iter().map(line).collect()
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// `GET /v2/` as from that address.
async fn sign_in_from(b: &Boxed, address: &str, user: &str, password: &str) -> u16 {
    let mut request = http::Request::get("/v2/").header("authorization", basic(user, password));
    let addr = SocketAddr::new(address.parse().unwrap(), 40_000);
    let peer = Peer { addr: Some(addr), socket_addr: Some(addr), ..Peer::default() };
    request.extensions_mut().unwrap().insert(peer);
    b.send(request.body(axum::body::Body::empty()).unwrap()).await.status.as_u16()
}

fn minute(b: &Boxed) {
    b.clock.advance(Duration::from_mins(1));
}

#[tokio::test]
async fn a_sign_in_is_recorded_once_in_a_while_for_each_way_and_address() {
    let b = Boxed::new().await;
    for _ in 0..20 {
        assert_eq!(sign_in_from(&b, "192.0.2.1", "admin", "secret").await, 200);
        b.clock.advance(Duration::from_mins(2));
    }
    sign_in_from(&b, "192.0.2.2", "admin", "secret").await;
    b.clock.advance(Duration::from_mins(30));
    sign_in_from(&b, "192.0.2.1", "admin", "secret").await;
    let found = rows(&b, AuditFilter { action: Some("sign-in".into()), ..AuditFilter::default() }).await;
    let found: Vec<_> =
        found.iter().map(|row| (row.address.as_deref().unwrap(), row.via.as_str(), row.times)).collect();
    assert_eq!(found, [("192.0.2.1", "password", 1), ("192.0.2.2", "password", 1), ("192.0.2.1", "password", 1)]);
}

#[tokio::test]
async fn an_access_token_in_use_is_no_sign_in_and_getting_one_is() {
    let b = Boxed::new().await;
    let token = b.token(&["repository:team/app:pull"]).await;
    for _ in 0..3 {
        b.get("/v2/").bearer(&token).await.expect(200);
    }
    b.get("/v2/").anonymous().await.expect(401);
    b.get("/v2/").bearer("garbage").await.expect(401);
    assert_eq!(brief(&b, "sign-in").await, ["admin sign-in admin × 1"]);
}

#[tokio::test]
async fn thousands_of_wrong_passwords_are_three_rows() {
    let b = Boxed::new().await;
    for _ in 0..1000 {
        assert!([401, 429].contains(&sign_in_from(&b, "192.0.2.66", "admin", "guess").await));
    }
    let first = ["anonymous sign-in.failure admin × 10", "anonymous sign-in.failure admin × 990"];
    assert_eq!(brief(&b, "sign-in").await, first, "those that were tried, and those that had to wait");
    for _ in 0..1000 {
        assert!([401, 429].contains(&sign_in_from(&b, "192.0.2.66", "admin", "guess").await));
    }
    minute(&b);
    let all = [first[0], first[1], "anonymous sign-in.failure admin × 1000"];
    assert_eq!(brief(&b, "sign-in").await, all);
    let row = rows(&b, AuditFilter::default()).await.remove(0);
    assert_eq!((row.outcome, row.via.as_str(), row.org), (Outcome::Refused, "password", None));
    assert!(row.request.is_some() && row.details["reason"].as_str().unwrap().contains("wrong"));
}

/// People type passwords and tokens where a name belongs.
#[tokio::test]
async fn what_a_stranger_typed_for_a_name_is_not_repeated_unless_somebody_has_it() {
    let b = Boxed::new().await;
    for user in ["admin", "nobody", "team+ci", "Tr0ub4dor&3", "whf_Secret", "a\r\nb", "", &"x".repeat(5000)] {
        b.get("/v2/").header("authorization", basic(user, "wrong")).await.expect(401);
    }
    let found = brief(&b, "sign-in.failure").await;
    assert_eq!(found.len(), 4, "{found:?}");
    for line in ["(not a user name) × 5", "admin × 1"] {
        assert!(found.contains(&format!("anonymous sign-in.failure {line}")), "{found:?}");
    }
    let unknown = found.iter().filter(|line| line.starts_with("anonymous sign-in.failure (unknown "));
    assert_eq!(unknown.count(), 2, "they are told apart: {found:?}");
    assert!(!found.iter().any(|line| line.contains("nobody") || line.contains("team+ci")), "{found:?}");
}

#[tokio::test]
async fn tokens_that_do_not_work_are_failures_too() {
    let b = Boxed::new().await;
    b.get("/v2/").bearer("whf_0123456789012345678901234567890123456789abcdef").await.expect(401);
    let form = "grant_type=refresh_token&refresh_token=wrong&service=wharf";
    b.post("/token").anonymous().form(form).await.expect(401);
    let mut found = brief(&b, "sign-in.failure").await;
    found.sort();
    let wanted = ["anonymous sign-in.failure (refresh) × 1", "anonymous sign-in.failure (token) × 1"];
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn a_refused_write_is_recorded_for_the_owners_and_a_refused_read_is_counted() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let image = b.push_image("team/app", "v1").await;
    b.put("/v2/team/app/manifests/v2").bob().body("{}").await.refused(403, "DENIED");
    b.post("/v2/team/app/blobs/uploads/").bob().await.refused(403, "DENIED");
    b.delete("/v2/team/app/manifests/v1").bob().await.refused(403, "DENIED");
    b.delete(format!("/v2/team/app/blobs/{}", image.manifest.digest)).bob().await.refused(403, "DENIED");
    b.post("/v2/nowhere/app/blobs/uploads/").bob().await.refused(403, "DENIED");
    b.get("/v2/team/app/manifests/v1").bob().await.refused(404, "NAME_UNKNOWN");
    b.get("/v2/team/app/manifests/v1").anonymous().await.expect(401);
    let refused = rows(&b, AuditFilter { outcome: Some(Outcome::Refused), ..AuditFilter::default() }).await;
    let line = |row: &AuditRow| format!("{} {} {} {:?} × {}", row.actor, row.action, row.target, row.org, row.times);
    let mut found: Vec<_> = refused.iter().map(line).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "bob delete team/app Some(\"team\") × 2",
            "bob push nowhere/app Some(\"nowhere\") × 1",
            "bob push team/app Some(\"team\") × 2"
        ]
    );
    let metrics = String::from_utf8(b.get("/metrics").await.expect(200).body.to_vec()).unwrap();
    for line in [
        "wharf_refusals_total{action=\"pull\",reason=\"hidden\"} 1",
        "wharf_refusals_total{action=\"pull\",reason=\"sign_in\"} 1",
        "wharf_refusals_total{action=\"push\",reason=\"no_right\"} 3",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}

#[tokio::test]
async fn a_change_is_recorded_with_who_made_it_how_and_in_which_request() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    let request = b.delete("/v2/team/app/manifests/v1").await.expect(202).header("x-request-id").to_owned();
    assert_eq!(
        brief(&b, "repository.").await.into_iter().chain(brief(&b, "manifest.push").await).collect::<Vec<_>>(),
        ["admin repository.create team/app × 1", "admin manifest.push team/app:v1 × 1"]
    );
    let deleted = rows(&b, AuditFilter { action: Some("tag.delete".into()), ..AuditFilter::default() }).await;
    let [row] = &deleted[..] else { panic!("{deleted:?}") };
    assert_eq!(
        (row.target.as_str(), row.via.as_str(), row.request.as_deref()),
        ("team/app:v1", "password", Some(&*request))
    );
}

/// What a leaked token was tried for is on record; that a client had fetched an access token for less is not.
#[tokio::test]
async fn a_write_that_a_token_does_not_give_is_recorded_and_one_that_was_not_asked_for_is_counted() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    let new = serde_json::json!({ "name": "leaked", "scope": "read" });
    let made = b.post("/api/v1/self/tokens").json(&new).await.expect(201).json();
    let leaked = made["secret"].as_str().unwrap();
    let bought = b.get("/token?scope=repository:team/app:pull,push").basic("admin", leaked).await.expect(200).json();
    for token in [leaked, bought["token"].as_str().unwrap()] {
        b.get("/v2/team/app/manifests/v1").bearer(token).await.expect(200);
        b.delete("/v2/team/app/manifests/v1").bearer(token).await.expect(401);
    }
    // Another access token would not help there, and neither would another API token.
    let refused = b.post("/api/v1/users").bearer(leaked).json(&serde_json::json!({ "name": "eve" })).await.expect(403);
    assert_eq!(refused.json()["type"], "/api/docs#token-too-narrow");
    let said = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(said.contains("no API token can do it; sign in"), "{said}");
    // What only a person may do with their account.
    let refused = b.post("/api/v1/self/tokens").bearer(leaked).json(&new).await.expect(403);
    assert_eq!(refused.json()["type"], "/api/docs#token-too-narrow");
    b.get("/api/v1/self/sessions").bearer(leaked).await.expect(403);
    let narrow = b.token(&["repository:team/app:pull"]).await;
    b.delete("/v2/team/app/manifests/v1").bearer(&narrow).await.expect(401);
    let refused = rows(&b, AuditFilter { outcome: Some(Outcome::Refused), ..AuditFilter::default() }).await;
    let line = |row: &AuditRow| format!("{} {} {} × {}", row.via, row.action, row.target, row.times);
    let found: Vec<_> = refused.iter().map(line).collect();
    let own = "token:leaked own admin × 1";
    assert_eq!(found, ["token:leaked delete team/app × 2", "token:leaked administer * × 1", own, own]);
    assert_eq!(refused[0].details["reason"], "more than the credential gives");
    let tried: Vec<_> = refused[2..].iter().map(|row| row.details["tried"].as_str().unwrap()).collect();
    assert_eq!(tried, ["make API tokens", "list sessions"]);
}

/// A flood of what is refused must not fill the disk, nor hide what others do.
#[tokio::test]
async fn whoever_makes_up_targets_leaves_few_rows_and_hides_nobody() {
    let b = Boxed::new().await;
    b.make_user("bob");
    b.make_user("eve");
    for n in 0..2000 {
        b.post(format!("/v2/team/made-up-{n}/blobs/uploads/")).bob().await.expect(403);
    }
    let mut other = http::Request::post("/v2/team/app/blobs/uploads/").header("authorization", basic("eve", "secret"));
    let addr = "192.0.2.9:1".parse().ok();
    other.extensions_mut().unwrap().insert(Peer { addr, ..Peer::default() });
    b.send(other.body(axum::body::Body::empty()).unwrap()).await.expect(403);
    let found = brief(&b, "push").await;
    assert!(found.len() < 70, "{}", found.len());
    assert!(found.contains(&"eve push team/app × 1".to_owned()));
    assert!(found.iter().any(|line| line.starts_with("bob push * × 19")), "{found:?}");
}

#[tokio::test]
async fn a_failing_audit_keeps_nobody_from_reading_and_no_right_changes_without_it() {
    let b = Boxed::builder().fails().open().await;
    let image = b.push_image("team/app", "v1").await;
    b.make_user("bob");
    b.break_audit(true);
    b.get("/v2/team/app/manifests/v1").await.expect(200);
    b.get(format!("/v2/team/app/blobs/{}", image.config.digest)).await.expect(200);
    b.get("/v2/").header("authorization", basic("admin", "wrong")).await.expect(401);
    b.post("/v2/team/app/blobs/uploads/").bob().await.refused(403, "DENIED");
    b.get("/token?scope=repository:team/app:pull").await.expect(200);
    b.registry.flush_audit().await;
    b.delete("/v2/team/app/manifests/v1").await.expect(500);
    b.get("/v2/team/app/manifests/v1").await.expect(200);
    assert!(b.put_manifest("team/app", "v2", &image.manifest).await.status.is_server_error());
    b.get("/v2/team/app/manifests/v2").await.expect(404);
    b.break_audit(false);
    assert_eq!(brief(&b, "sign-in.failure").await, ["anonymous sign-in.failure admin × 1"], "it was kept in memory");
    assert_eq!(brief(&b, "push").await, ["bob push team/app × 1"]);
}

#[tokio::test]
async fn administrators_read_all_owners_their_org_and_everybody_their_own() {
    let b = Boxed::new().await;
    for name in ["alice", "bob"] {
        b.make_user(name);
    }
    b.push_image("team/app", "v1").await;
    b.push_image("other/app", "v1").await;
    b.grant("alice", "team", "owner");
    b.post("/v2/team/app/blobs/uploads/").bob().await.expect(403);
    let caller = async |name: &str| {
        let credentials =
            wharf_registry::Credentials::Basic { user: name.into(), password: wharf_registry::Secret::new("secret") };
        b.registry.authenticate(credentials, wharf_registry::Source::here()).await.unwrap()
    };
    let read = async |who: &Caller, org: Option<&str>, actor: Option<&str>| {
        let filter =
            AuditFilter { org: org.map(str::to_owned), actor: actor.map(str::to_owned), ..AuditFilter::default() };
        b.registry.audit(who, filter, Order::OldestFirst, None, 1000).await.map(|page| page.rows)
    };
    let (admin, alice, bob) = (caller("admin").await, caller("alice").await, caller("bob").await);
    assert!(read(&admin, None, None).await.unwrap().len() > 6);
    let of_team = read(&alice, Some("team"), None).await.unwrap();
    assert!(of_team.iter().all(|row| row.org.as_deref() == Some("team")), "{of_team:?}");
    assert!(of_team.iter().any(|row| row.actor == "bob" && row.action == "push" && row.outcome == Outcome::Refused));
    assert!(matches!(read(&alice, Some("other"), None).await, Err(Error::NotFound { .. })));
    assert!(matches!(read(&alice, Some("nowhere"), None).await, Err(Error::NotFound { .. })));
    assert!(matches!(read(&bob, Some("team"), None).await, Err(Error::NotFound { .. })));
    assert!(matches!(read(&bob, None, Some("admin")).await, Err(Error::Denied { .. })));
    for filter in [None, Some("bob")] {
        let own = read(&bob, None, filter).await.unwrap();
        assert!(own.iter().all(|row| row.actor == "bob") && own.len() >= 2, "{own:?}");
    }
    let nobody = Caller::anonymous(wharf_registry::Source::here());
    assert!(matches!(read(&nobody, None, None).await, Err(Error::SignInNeeded { .. })));
}

#[tokio::test]
async fn an_export_goes_through_all_of_it_in_order_and_ends_with_the_right() {
    use futures_util::{StreamExt as _, TryStreamExt as _};
    let b = Boxed::new().await;
    for n in 0..1200 {
        let name = format!("team/app{n}").parse().unwrap();
        b.meta
            .ensure_repository(&name, &wharf_registry::Actor::operator(), wharf_registry::Clock::now(&b.clock))
            .await
            .unwrap();
    }
    b.make_user("alice");
    b.grant("alice", "team", "owner");
    let filter = AuditFilter { org: Some("team".into()), ..AuditFilter::default() };
    let export = std::sync::Arc::clone(&b.registry).export_audit(Caller::operator(), filter.clone());
    let batches: Vec<Vec<AuditRow>> = export.try_collect().await.unwrap();
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [500, 500, 201]);
    assert!(batches.concat().is_sorted_by_key(|row| row.id));
    let credentials =
        wharf_registry::Credentials::Basic { user: "alice".into(), password: wharf_registry::Secret::new("secret") };
    let alice = b.registry.authenticate(credentials, wharf_registry::Source::here()).await.unwrap();
    let mut export = Box::pin(std::sync::Arc::clone(&b.registry).export_audit(alice, filter));
    assert_eq!(export.next().await.unwrap().unwrap().len(), 500);
    b.revoke("alice");
    assert!(export.next().await.unwrap().is_err());
}
