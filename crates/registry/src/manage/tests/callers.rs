//! Every method, for callers that it must not do anything for.

use super::*;
use crate::limits::{Class, Per};

fn new_token() -> NewToken {
    NewToken { name: "x".into(), scope: Role::Reader, on: None, lifetime: None }
}

fn new_user() -> NewUser {
    NewUser { name: "x".into(), email: None, password: None, is_admin: false }
}

fn new_provider() -> NewProvider {
    NewProvider {
        name: "x".into(),
        title: "X".into(),
        issuer: "https://id.example".into(),
        client_id: "wharf".into(),
        client_secret: "x".into(),
        scopes: vec![],
        trusted_domains: vec![],
        groups_claim: None,
        groups: vec![],
        is_enabled: true,
        makes_users: true,
    }
}

fn new_rule() -> NewTrustRule {
    NewTrustRule {
        name: "x".into(),
        robot: "ci".into(),
        issuer: "https://id.example".into(),
        audience: "here".into(),
        claims: [("sub".to_owned(), "job".to_owned())].into(),
        role: Role::Writer,
        lifetime: 60,
        is_enabled: true,
    }
}

fn secret() -> Secret {
    Secret::new("long enough")
}

/// What each method says to a caller, by its name.
async fn all(r: &Registry, c: &Caller) -> Vec<(&'static str, Option<Error>)> {
    let (name, to) = ("team/app".parse().unwrap(), Grantee::User("bob".into()));
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse().unwrap();
    let mut said = Vec::new();
    macro_rules! ask {
        ($($method:ident($($argument:expr),*);)*) => {
            $(said.push((stringify!($method), r.$method(c, $($argument),*).await.err()));)*
        };
    }
    ask! {
        whoami();
        orgs("", None, 9);
        org("team");
        create_org("x", None);
        update_org("team", None, None);
        delete_org("team", None);
        members("team", None, 9);
        set_member("team", "bob", Membership::Owner);
        remove_member("team", "alice");
        teams("team", None, 9);
        team("team", "devs");
        create_team("team", "x", "");
        update_team("team", "devs", None, None);
        delete_team("team", "devs", None);
        team_members("team", "devs", None, 9);
        add_team_member("team", "devs", "bob");
        remove_team_member("team", "devs", "bob");
        robots("team", None, 9);
        robot("team", "ci");
        create_robot("team", "x", "");
        update_robot("team", "ci", RobotChange::default(), None);
        delete_robot("team", "ci", None);
        robot_tokens("team", "ci", None, 9);
        create_robot_token("team", "ci", new_token());
        revoke_robot_token("team", "ci", "x");
        users("", None, 9);
        user("alice");
        create_user(new_user());
        update_user("alice", UserChange::default(), None);
        delete_user("alice", None);
        set_user_password("alice", secret());
        user_tokens("alice", None, 9);
        revoke_user_token("alice", "x");
        user_sessions("alice", None, 9);
        end_user_session("alice", "x");
        change_own_password(secret(), secret());
        own_tokens(None, 9);
        create_own_token(new_token());
        revoke_own_token("x");
        own_sessions(None, 9);
        end_own_session("x");
        grants(None, None, None, 9);
        grant(1);
        create_grant("team", to.clone(), Role::Reader);
        create_grant("team/app", to, Role::Reader);
        update_grant(1, Role::Reader);
        delete_grant(1);
        repositories(None, "", None, 9);
        repository(&name);
        repository_contents(&name);
        create_repository(&name, None);
        update_repository(&name, None, None);
        delete_repository(&name, None);
        tag_entries(&name, None, 9);
        manifest_entries(&name, None, 9);
        manifest_entry(&name, &digest);
        providers(None, 9);
        provider("id");
        create_provider(new_provider());
        update_provider("id", ProviderChange::default(), None);
        delete_provider("id", None);
        trust_rules("team", None, 9);
        trust_rule("team", "rule");
        create_trust_rule("team", new_rule());
        update_trust_rule("team", "rule", TrustRuleChange::default(), None);
        delete_trust_rule("team", "rule", None);
        quota("team");
        set_quota("team", wharf_meta::Quota::default(), None);
        limits();
        set_limit(Class::Pushes, Per::Caller, Some(1), std::time::Duration::from_secs(1));
        unset_limit(Class::Pushes, Per::Caller);
        audit(wharf_meta::AuditFilter::default(), wharf_meta::Order::NewestFirst, None, 9);
        explain("alice", Action::Pull, "team");
        stats();
    }
    said
}

#[tokio::test]
async fn every_method_asks_who_calls() {
    let world = World::new().await;
    for (method, said) in all(&world.r, &Caller::anonymous(Source::here())).await {
        assert!(matches!(said, Some(Error::SignInNeeded { .. })), "{method}: {said:?}");
    }
}

/// An access token that was given out for a pull is not taken for what people do.
#[tokio::test]
async fn every_method_takes_a_token_that_was_asked_for_it() {
    let world = World::new().await;
    world.push("team/app").await;
    let scopes = ["repository:team/app:*", "registry:catalog:*"];
    let narrow = world.caller("root").await.with_scopes(wharf_oci::Scope::parse_all(scopes.into_iter()));
    for (method, said) in all(&world.r, &narrow).await {
        assert!(matches!(said, Some(Error::TokenTooNarrow { .. })), "{method}: {said:?}");
    }
    let admitted = world.caller("root").await.with_scopes(wharf_oci::Scope::parse_all(["registry:api:*"].into_iter()));
    let admitted = world.r.admit_to_api(admitted).unwrap();
    assert_eq!(world.r.whoami(&admitted).await.unwrap().name, "root");
}

/// What somebody did, is and was given everywhere is more than a token for one place shows.
#[tokio::test]
async fn a_token_for_one_place_tells_of_no_other() {
    let world = World::new().await;
    let ask = async |caller: &Caller| {
        world.r.audit(caller, wharf_meta::AuditFilter::default(), wharf_meta::Order::NewestFirst, None, 9).await
    };
    let app = world.push("bob/app").await;
    let org = world.org_id("bob").await;
    let give = (world.caller("alice").await, Grantee::User("bob".into()));
    let grant = world.r.create_grant(&give.0, "team", give.1, Role::Reader).await.unwrap().value.id;
    for reach in [Reach::Repository(app), Reach::Org(org)] {
        let caller = world.by_token("bob", Role::Maintainer, reach).await;
        too_narrow(ask(&caller).await);
        too_narrow(world.r.grants(&caller, None, None, None, 9).await);
        too_narrow(world.r.grant(&caller, grant).await);
        let orgs: Vec<_> = world.r.whoami(&caller).await.unwrap().orgs.into_iter().map(|org| org.org).collect();
        assert_eq!(orgs, if matches!(reach, Reach::Org(_)) { vec!["bob"] } else { vec![] });
        let told = world.r.explain(&caller, "bob", Action::Pull, "team").await.unwrap();
        assert!(!told.is_allowed && told.because.iter().all(|line| !line.contains("granted by")), "{told:?}");
    }
    ask(&world.by_token("bob", Role::Reader, Reach::Everywhere).await).await.unwrap();
}

/// Nothing that a stranger with an account asks for changes anything, or tells what there is.
#[tokio::test]
async fn a_stranger_changes_nothing() {
    let world = World::new().await;
    world.push("team/app").await;
    let alice = world.caller("alice").await;
    world.r.create_team(&alice, "team", "devs", "").await.unwrap();
    world.r.create_robot(&alice, "team", "ci", "").await.unwrap();
    world.r.create_grant(&alice, "team", Grantee::User("carol".into()), Role::Reader).await.unwrap();
    let own = [
        "whoami",
        "orgs",
        "own_tokens",
        "create_own_token",
        "revoke_own_token",
        "own_sessions",
        "end_own_session",
        "change_own_password",
        "grants",
        "repositories",
        "audit",
    ];
    for (method, said) in all(&world.r, &world.caller("bob").await).await {
        let is_refused = matches!(
            said,
            Some(
                Error::NotFound { .. }
                    | Error::NameUnknown(_)
                    | Error::Denied { .. }
                    | Error::AdministratorsOnly { .. }
            )
        );
        assert!(is_refused || own.contains(&method), "{method}: {said:?}");
    }
}
