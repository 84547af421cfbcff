use std::time::Duration;

use super::*;

fn new_user(name: &str, password: Option<&str>) -> NewUser {
    NewUser { name: name.into(), email: None, password: password.map(Secret::new), is_admin: false }
}

fn new_token(name: &str) -> NewToken {
    NewToken { name: name.into(), scope: Role::Writer, on: None, lifetime: None }
}

async fn sign_in(r: &Registry, user: &str, password: &str) -> Result<Caller> {
    let credentials = Credentials::Basic { user: user.into(), password: Secret::new(password) };
    r.authenticate(credentials, Source::here()).await
}

#[tokio::test]
async fn administrators_keep_users_and_nobody_else() {
    let world = World::new().await;
    let r = &world.r;
    let (root, bob) = (world.caller("root").await, world.caller("bob").await);
    let change = UserChange::default;
    denied(r.users(&bob, "", None, 9).await);
    denied(r.user(&bob, "alice").await);
    denied(r.user(&bob, "nobody").await);
    denied(r.create_user(&bob, new_user("dave", None)).await);
    denied(r.update_user(&bob, "alice", change(), None).await);
    denied(r.delete_user(&bob, "alice", None).await);
    denied(r.set_user_password(&bob, "alice", Secret::new("new-password")).await);
    denied(r.user_tokens(&bob, "alice", None, 9).await);
    denied(r.user_sessions(&bob, "alice", None, 9).await);
    assert_eq!(r.user(&bob, "bob").await.unwrap().name, "bob");
    too_narrow(r.users(&world.by_token("root", Role::Maintainer, Reach::Everywhere).await, "", None, 9).await);

    let made =
        r.create_user(&root, NewUser { email: Some("Dave@B.C".into()), ..new_user("dave", None) }).await.unwrap();
    assert_eq!((made.is_new, made.value.email.as_deref()), (true, Some("dave@b.c")));
    let page = r.users(&root, "DAVE@", None, 9).await.unwrap();
    assert_eq!(page.entries.len(), 1);
    assert_eq!(invalid(r.create_user(&root, new_user("Dave", None)).await), "name");
    assert_eq!(invalid(r.create_user(&root, new_user("erin", Some("short"))).await), "password");
    let bad = NewUser { email: Some("erin".into()), ..new_user("erin", None) };
    assert_eq!(invalid(r.create_user(&root, bad).await), "email");
    assert_eq!(in_the_way(r.create_user(&root, new_user("team", None)).await), "name");
    assert_eq!(in_the_way(r.create_user(&root, new_user("library", None)).await), "name");
    let taken = UserChange { email: Some(Some("DAVE@b.c".into())), ..change() };
    assert_eq!(in_the_way(r.update_user(&root, "bob", taken, None).await), "email");
    let off = UserChange { is_admin: Some(false), ..change() };
    assert_eq!(in_the_way(r.update_user(&root, "root", off, None).await), "is_admin");
    assert_eq!(in_the_way(r.delete_user(&root, "alice", None).await), "role", "team would have no owner");
    r.delete_user(&root, "dave", None).await.unwrap();
    hidden(r.user(&root, "dave").await);
}

#[tokio::test]
async fn making_the_same_user_again_takes_the_same_password() {
    let world = World::new().await;
    let root = world.caller("root").await;
    let r = &world.r;
    assert!(r.create_user(&root, new_user("dave", Some("dave's password"))).await.unwrap().is_new);
    assert!(!r.create_user(&root, new_user("dave", Some("dave's password"))).await.unwrap().is_new);
    assert_eq!(in_the_way(r.create_user(&root, new_user("dave", Some("another password"))).await), "password");
    assert_eq!(in_the_way(r.create_user(&root, new_user("dave", None)).await), "password");
    sign_in(r, "dave", "dave's password").await.unwrap();
}

#[tokio::test]
async fn ones_own_password_takes_the_one_of_now() {
    let world = World::new().await;
    let root = world.caller("root").await;
    let r = &world.r;
    r.create_user(&root, new_user("dave", Some("the first one"))).await.unwrap();
    let dave = sign_in(r, "dave", "the first one").await.unwrap();
    let change =
        async |current: &str, new: &str| r.change_own_password(&dave, Secret::new(current), Secret::new(new)).await;
    assert_eq!(invalid(change("a wrong one", "the second one").await), "current");
    let long = "x".repeat(257);
    for bad in ["1234567", &long, "whf_of-a-password-manager", "eyJhbGciOiJub25lIn0.e30.x"] {
        assert_eq!(invalid(change("the first one", bad).await), "new", "{bad}");
    }
    change("the first one", "the second one").await.unwrap();
    assert!(sign_in(r, "dave", "the first one").await.is_err());
    while r.user(&root, "dave").await.unwrap().signed_in_at.is_none() {
        tokio::task::yield_now().await;
    }
    sign_in(r, "dave", "the second one").await.unwrap();
    r.set_user_password(&root, "dave", Secret::new("the third one")).await.unwrap();
    sign_in(r, "dave", "the third one").await.unwrap();
    let by_token = world.by_token("dave", Role::Maintainer, Reach::Everywhere).await;
    let by_token = r.change_own_password(&by_token, Secret::new("the third one"), Secret::new("the fourth one")).await;
    too_narrow(by_token);
}

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let world = World::new().await;
    let bob = world.caller("bob").await;
    let r = &world.r;
    let made = r.create_own_token(&bob, new_token("laptop")).await.unwrap();
    let secret = made.secret.expose().to_owned();
    assert!(secret.starts_with("whf_") && secret.ends_with(&made.token.hint));
    let caller = sign_in(r, "bob", &secret).await.unwrap();
    assert_eq!((caller.name(), caller.via().to_string().as_str()), ("bob", "token:laptop"));
    let listed = r.own_tokens(&bob, None, 9).await.unwrap().entries;
    assert_eq!(listed.iter().map(|token| &token.id).collect::<Vec<_>>(), [&made.token.id]);
    assert!(!format!("{listed:?} {made:?}").contains(&secret[4..44]));
    assert_eq!(in_the_way(r.create_own_token(&bob, new_token("laptop")).await), "name");
    assert_eq!(invalid(r.create_own_token(&bob, new_token(" ")).await), "name");
    let owner = NewToken { scope: Role::Owner, ..new_token("owner") };
    assert_eq!(invalid(r.create_own_token(&bob, owner).await), "scope");
    hidden(r.revoke_own_token(&world.caller("carol").await, &made.token.id).await);
    r.revoke_own_token(&bob, &made.token.id).await.unwrap();
    hidden(r.revoke_own_token(&bob, &made.token.id).await);
    assert!(sign_in(r, "bob", &secret).await.is_err());
}

#[tokio::test]
async fn a_token_makes_no_token_and_shows_none() {
    let world = World::new().await;
    let r = &world.r;
    let caller = world.by_token("bob", Role::Maintainer, Reach::Everywhere).await;
    too_narrow(r.create_own_token(&caller, new_token("another")).await);
    too_narrow(r.own_tokens(&caller, None, 9).await);
    too_narrow(r.revoke_own_token(&caller, "x").await);
    too_narrow(r.own_sessions(&caller, None, 9).await);
}

#[tokio::test]
async fn a_token_is_limited_to_a_place_that_its_maker_knows() {
    let world = World::new().await;
    let r = &world.r;
    world.push("team/app").await;
    let (alice, bob) = (world.caller("alice").await, world.caller("bob").await);
    let on = |name: &str, on: &str| NewToken { on: Some(on.into()), ..new_token(name) };
    for place in ["team", "team/app", "nothing", "no/thing"] {
        assert_eq!(invalid(r.create_own_token(&bob, on("x", place)).await), "on", "{place}");
    }
    assert_eq!(invalid(r.create_own_token(&bob, on("x", "bob/No")).await), "on");
    for place in ["team", "team/app"] {
        let made = r.create_own_token(&alice, on(place, place)).await.unwrap();
        assert_eq!(made.token.on.as_deref(), Some(place));
        let caller = sign_in(r, "alice", made.secret.expose()).await.unwrap();
        assert_eq!(r.whoami(&caller).await.unwrap().on.as_deref(), Some(place));
    }
}

#[tokio::test]
async fn robots_have_several_tokens_that_owners_keep() {
    let world = World::new().await;
    let r = &world.r;
    let alice = world.caller("alice").await;
    r.create_robot(&alice, "team", "ci", "").await.unwrap();
    let one = r.create_robot_token(&alice, "team", "ci", new_token("one")).await.unwrap();
    let short = NewToken { lifetime: Some(Duration::from_mins(1)), ..new_token("two") };
    let two = r.create_robot_token(&alice, "team", "ci", short).await.unwrap();
    assert_eq!(two.token.expires_at, Some(r.now() + 60_000));
    for made in [&one, &two] {
        let robot = sign_in(r, "team+ci", made.secret.expose()).await.unwrap();
        let who = r.whoami(&robot).await.unwrap();
        assert!(who.is_robot && who.name == "team+ci" && who.scope == Some(Role::Writer));
        assert_eq!(who.orgs.iter().map(|org| org.org.as_str()).collect::<Vec<_>>(), ["team"]);
    }
    assert_eq!(r.robot_tokens(&alice, "team", "ci", None, 9).await.unwrap().entries.len(), 2);
    let none = NewToken { lifetime: Some(Duration::ZERO), ..new_token("three") };
    assert_eq!(invalid(r.create_robot_token(&alice, "team", "ci", none).await), "expires_in");
    r.revoke_robot_token(&alice, "team", "ci", &one.token.id).await.unwrap();
    assert!(sign_in(r, "team+ci", one.secret.expose()).await.is_err());
    sign_in(r, "team+ci", two.secret.expose()).await.unwrap();
    hidden(r.create_robot_token(&alice, "team", "nobody", new_token("x")).await);
    world.join("team", "bob", Membership::Member).await;
    denied(r.create_robot_token(&world.caller("bob").await, "team", "ci", new_token("x")).await);
}

/// A search that has looked at enough answers with where it stopped, and goes on there.
#[tokio::test]
async fn users_are_looked_for_from_where_a_search_stopped() {
    let world = World::new().await;
    let (r, root) = (&world.r, world.caller("root").await);
    let names = async |part: &str, after: &str| {
        let found = r.users(&root, part, Some(after), 2).await.unwrap();
        (found.entries.into_iter().map(|user| user.name).collect::<Vec<_>>().join(" "), found.next)
    };
    assert_eq!(names("", "alice").await, ("bob carol".into(), Some("carol".into())));
    assert_eq!(names("O", &r.cursors.seal("bob").unwrap()).await, ("carol root".into(), None));
    assert_eq!(names("zoe", "").await, (String::new(), None));
    assert_eq!(invalid(r.users(&root, "", Some("~made-up"), 2).await), "after");
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let world = World::new().await;
    let r = &world.r;
    let bob = world.caller("bob").await;
    let id = r.meta.account("bob").await.unwrap().unwrap().id;
    for hash in [0x0a, 0xff] {
        let expires_at = r.now() + 1000;
        let token =
            wharf_meta::RefreshToken { hash: vec![hash, 1], user_id: id, client_id: "docker".into(), expires_at };
        assert!(
            r.meta
                .keep_refresh_token(token, "", By { actor: wharf_meta::Actor::operator(), now: r.now() })
                .await
                .unwrap()
        );
    }
    let page = r.own_sessions(&bob, None, 1).await.unwrap();
    assert_eq!((page.entries[0].id.as_str(), page.more), ("0a01", true));
    assert_eq!(r.own_sessions(&bob, Some("0a01"), 9).await.unwrap().entries[0].id, "ff01");
    assert_eq!(invalid(r.own_sessions(&bob, Some("no"), 9).await), "after");
    r.end_own_session(&bob, "0a01").await.unwrap();
    for id in ["0a01", "no", "0", ""] {
        hidden(r.end_own_session(&bob, id).await);
    }
    hidden(r.end_own_session(&world.caller("carol").await, "ff01").await);
    let root = world.caller("root").await;
    assert_eq!(r.user_sessions(&root, "bob", None, 9).await.unwrap().entries.len(), 1);
    r.end_user_session(&root, "bob", "ff01").await.unwrap();
    assert!(r.own_sessions(&bob, None, 9).await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn callers_learn_who_they_are() {
    let world = World::new().await;
    let r = &world.r;
    world.give("bob", "team", Role::Writer).await;
    let who = r.whoami(&world.caller("bob").await).await.unwrap();
    let (name, via) = (who.name.as_str(), who.via.as_str());
    assert_eq!((name, via, who.is_robot, who.is_admin, who.scope), ("bob", "password", false, false, None));
    let orgs: Vec<_> = who.orgs.into_iter().map(|org| (org.org, org.membership, org.role)).collect();
    let own = ("bob".to_owned(), Some(Membership::Owner), Some(Role::Owner));
    assert_eq!(orgs, [own, ("team".to_owned(), None, Some(Role::Writer))]);
}
