use wharf_meta::{AuditFilter, AuditRow, Order};

use super::*;

#[tokio::test]
async fn administrators_make_orgs_unless_anyone_may() {
    let world = World::new().await;
    let (root, bob) = (world.caller("root").await, world.caller("bob").await);
    let sentence = denied(world.r.create_org(&bob, "bobs", None).await);
    assert_eq!(sentence, "bob may not make orgs: only administrators may, ask one of them");
    let made = world.r.create_org(&root, "roots", Some(Visibility::Internal)).await.unwrap();
    assert!(made.is_new);
    assert_eq!((made.value.your_role, made.value.version), (Some(Membership::Owner), 1));
    assert!(!world.r.create_org(&root, "roots", Some(Visibility::Internal)).await.unwrap().is_new);
    assert_eq!(in_the_way(world.r.create_org(&root, "roots", None).await), "visibility");

    let settings = Settings { org_creation: OrgCreation::Anyone, ..Settings::default() };
    let world = World::with(settings).await;
    let bob = world.caller("bob").await;
    assert!(world.r.create_org(&bob, "bobs", None).await.unwrap().is_new);
    assert_eq!(in_the_way(world.r.create_org(&bob, "team", None).await), "name", "not what it is like");
    assert_eq!(in_the_way(world.r.create_org(&bob, "alice", None).await), "name");
    assert_eq!(in_the_way(world.r.create_org(&bob, "api", None).await), "name");
    assert_eq!(invalid(world.r.create_org(&bob, "Bad", None).await), "name");
    too_narrow(world.r.create_org(&world.by_token("root", Role::Maintainer, Reach::Everywhere).await, "x", None).await);
    denied(world.r.create_org(&world.by_token("bob", Role::Maintainer, Reach::Everywhere).await, "x", None).await);
}

#[tokio::test]
async fn where_anyone_makes_orgs_nobody_comes_to_own_them_without_end() {
    let world = World::with(Settings { org_creation: OrgCreation::Anyone, ..Settings::default() }).await;
    let (r, root, bob) = (&world.r, world.caller("root").await, world.caller("bob").await);
    for n in 0..100 {
        r.create_org(&bob, &format!("bobs{n}"), None).await.unwrap();
    }
    assert_eq!(in_the_way(r.create_org(&bob, "one-more", None).await), "name");
    assert!(!r.create_org(&bob, "bobs7", None).await.unwrap().is_new, "what is there is there");
    // Nor by way of others, who would hand theirs over and make more.
    let alice = world.caller("alice").await;
    assert_eq!(in_the_way(r.set_member(&alice, "team", "bob", Membership::Owner).await), "role");
    r.set_member(&alice, "team", "bob", Membership::Member).await.unwrap();
    r.delete_org(&bob, "bobs0", None).await.unwrap();
    r.create_org(&bob, "one-more", None).await.unwrap();
    // Administrators give and take as they see fit.
    r.set_member(&root, "team", "bob", Membership::Owner).await.unwrap();
    for n in 0..101 {
        r.create_org(&root, &format!("roots{n}"), None).await.unwrap();
    }
    r.set_member(&alice, "team", "root", Membership::Owner).await.unwrap();
}

#[tokio::test]
async fn where_administrators_make_orgs_they_give_as_many_as_they_like() {
    let world = World::new().await;
    let root = world.caller("root").await;
    for n in 0..101 {
        let name = format!("orgs{n}");
        world.r.create_org(&root, &name, None).await.unwrap();
        world.join(&name, "bob", Membership::Owner).await;
    }
    let alice = world.caller("alice").await;
    world.r.set_member(&alice, "team", "bob", Membership::Owner).await.unwrap();
}

#[tokio::test]
async fn an_org_that_a_caller_may_not_know_of_is_not_there() {
    let world = World::new().await;
    let bob = world.caller("bob").await;
    let r = &world.r;
    r.create_team(&world.caller("alice").await, "team", "devs", "").await.unwrap();
    let change = RobotChange::default;
    for org in ["team", "nothing"] {
        let said = [
            hidden(r.org(&bob, org).await),
            hidden(r.update_org(&bob, org, None, None).await),
            hidden(r.delete_org(&bob, org, None).await),
            hidden(r.members(&bob, org, None, 9).await),
            hidden(r.set_member(&bob, org, "bob", Membership::Owner).await),
            hidden(r.remove_member(&bob, org, "alice").await),
            hidden(r.teams(&bob, org, None, 9).await),
            hidden(r.team(&bob, org, "devs").await),
            hidden(r.create_team(&bob, org, "t", "").await),
            hidden(r.update_team(&bob, org, "devs", None, None).await),
            hidden(r.delete_team(&bob, org, "devs", None).await),
            hidden(r.team_members(&bob, org, "devs", None, 9).await),
            hidden(r.add_team_member(&bob, org, "devs", "bob").await),
            hidden(r.remove_team_member(&bob, org, "devs", "bob").await),
            hidden(r.robots(&bob, org, None, 9).await),
            hidden(r.robot(&bob, org, "ci").await),
            hidden(r.create_robot(&bob, org, "ci", "").await),
            hidden(r.update_robot(&bob, org, "ci", change(), None).await),
            hidden(r.delete_robot(&bob, org, "ci", None).await),
            hidden(r.robot_tokens(&bob, org, "ci", None, 9).await),
            hidden(r.revoke_robot_token(&bob, org, "ci", "x").await),
        ];
        assert!(said.iter().all(|said| *said == format!("org {org} is not known here")), "{said:?}");
    }
    let names: Vec<_> = r.orgs(&bob, "", None, 9).await.unwrap().entries.into_iter().map(|org| org.name).collect();
    assert_eq!(names, ["bob", "public"]);
}

#[tokio::test]
async fn who_sees_an_org_and_may_not_change_it_is_told_who_may() {
    let world = World::new().await;
    let r = &world.r;
    world.join("team", "bob", Membership::Member).await;
    let bob = world.caller("bob").await;
    let sentence = "bob may not change teams in team: ask an owner of it or an administrator";
    assert_eq!(denied(r.create_team(&bob, "team", "devs", "").await), sentence);
    denied(r.set_member(&bob, "team", "carol", Membership::Member).await);
    denied(r.set_member(&bob, "team", "bob", Membership::Owner).await);
    denied(r.remove_member(&bob, "team", "alice").await);
    denied(r.create_robot(&bob, "team", "ci", "").await);
    denied(r.update_org(&bob, "team", Some(Some(Visibility::Public)), None).await);
    denied(r.delete_org(&bob, "team", None).await);
    assert_eq!(r.members(&bob, "team", None, 9).await.unwrap().entries.len(), 2);
    assert!(r.teams(&bob, "team", None, 9).await.unwrap().entries.is_empty());
    assert_eq!(r.org(&bob, "team").await.unwrap().your_role, Some(Membership::Member));
    r.remove_member(&bob, "team", "bob").await.unwrap();
    hidden(r.org(&bob, "team").await);
}

#[tokio::test]
async fn an_open_org_is_seen_and_who_is_in_it_is_not() {
    let world = World::new().await;
    let (alice, bob) = (world.caller("alice").await, world.caller("bob").await);
    world.r.update_org(&alice, "team", Some(Some(Visibility::Internal)), Some(1)).await.unwrap();
    assert_eq!(world.r.org(&bob, "team").await.unwrap().effective_visibility, Visibility::Internal);
    denied(world.r.members(&bob, "team", None, 9).await);
    denied(world.r.teams(&bob, "team", None, 9).await);
    denied(world.r.robots(&bob, "team", None, 9).await);
    world.give("bob", "team", Role::Reader).await;
    denied(world.r.members(&bob, "team", None, 9).await);
    world.give("carol", "team", Role::Maintainer).await;
    let carol = world.caller("carol").await;
    assert_eq!(world.r.members(&carol, "team", None, 9).await.unwrap().entries.len(), 1);
    world.r.update_org(&carol, "team", Some(None), None).await.unwrap();
    denied(world.r.set_member(&carol, "team", "carol", Membership::Owner).await);
}

#[tokio::test]
async fn an_owner_runs_their_org() {
    let world = World::new().await;
    let r = &world.r;
    let alice = world.caller("alice").await;
    assert!(r.set_member(&alice, "team", "bob", Membership::Member).await.unwrap().is_new);
    assert!(r.create_team(&alice, "team", "devs", "d").await.unwrap().is_new);
    assert!(r.add_team_member(&alice, "team", "devs", "bob").await.unwrap().is_new);
    assert_eq!(r.team_members(&alice, "team", "devs", None, 9).await.unwrap().entries[0].user, "bob");
    assert_eq!(r.update_team(&alice, "team", "devs", Some("e"), Some(1)).await.unwrap().version, 2);
    assert!(matches!(r.update_team(&alice, "team", "devs", Some("f"), Some(1)).await, Err(Error::Stale)));
    assert_eq!(invalid(r.update_team(&alice, "team", "devs", Some("a\nb"), None).await), "description");
    assert_eq!(invalid(r.create_team(&alice, "team", "Devs", "").await), "name");
    let robot = r.create_robot(&alice, "team", "ci", "").await.unwrap().value;
    assert_eq!(robot.name, "team+ci");
    let off = RobotChange { is_disabled: Some(true), ..RobotChange::default() };
    assert!(r.update_robot(&alice, "team", "ci", off, None).await.unwrap().is_disabled);
    assert!(r.robot(&alice, "team", "ci").await.unwrap().is_disabled);
    r.remove_team_member(&alice, "team", "devs", "bob").await.unwrap();
    hidden(r.remove_team_member(&alice, "team", "devs", "bob").await);
    hidden(r.set_member(&alice, "team", "nobody", Membership::Member).await);
    r.delete_team(&alice, "team", "devs", None).await.unwrap();
    r.delete_robot(&alice, "team", "ci", None).await.unwrap();
    hidden(r.team(&alice, "team", "devs").await);
    hidden(r.robot(&alice, "team", "ci").await);
    world.push("team/app").await;
    assert_eq!(in_the_way(r.delete_org(&alice, "team", None).await), "repositories");
    assert_eq!(in_the_way(r.delete_org(&alice, "alice", None).await), "name");
    assert_eq!(in_the_way(r.remove_member(&alice, "alice", "alice").await), "role");
    assert_eq!(in_the_way(r.remove_member(&alice, "team", "alice").await), "role");
}

#[tokio::test]
async fn lists_come_in_pages_by_name() {
    let world = World::new().await;
    let r = &world.r;
    let alice = world.caller("alice").await;
    for name in ["a", "b", "c"] {
        r.create_team(&alice, "team", name, "").await.unwrap();
    }
    let first = r.teams(&alice, "team", None, 2).await.unwrap();
    assert_eq!((first.entries[1].name.as_str(), first.more), ("b", true));
    let rest = r.teams(&alice, "team", Some("b"), 2).await.unwrap();
    assert_eq!((rest.entries.len(), rest.more), (1, false));
    let orgs = r.orgs(&world.caller("root").await, "o", None, 1).await.unwrap();
    assert_eq!((orgs.entries[0].name.as_str(), orgs.next.as_deref()), ("bob", Some("bob")));
}

#[tokio::test]
async fn an_org_is_found_behind_more_orgs_than_one_look_takes() {
    for visibility in [Visibility::Private, Visibility::Internal] {
        let world = World::with(Settings { visibility, ..Settings::default() }).await;
        let r = &world.r;
        let by = || By { actor: wharf_meta::Actor::operator(), now: 1 };
        let open = Some(Visibility::Internal);
        futures_util::future::join_all((0..crate::lists::WALK.window + 50).map(|n| {
            let name = format!("crowd{n:04}");
            async move { r.meta.make_org(&name, open, None, wharf_meta::Owning::Unbounded, by()).await.unwrap() }
        }))
        .await;
        for name in ["zoo-one", "zoo-two"] {
            r.meta.make_org(name, open, None, wharf_meta::Owning::Unbounded, by()).await.unwrap();
        }
        for user in ["root", "bob"] {
            let caller = world.caller(user).await;
            let found = async |part: &str, after: Option<&str>| {
                let page = r.orgs(&caller, part, after, 1).await.unwrap();
                (page.entries.into_iter().map(|org| org.name).collect::<Vec<_>>().join(" "), page.next.is_some())
            };
            assert_eq!(found("zoo", None).await, ("zoo-one".into(), true));
            assert_eq!(found("zoo", Some("zoo-one")).await, ("zoo-two".into(), false));
            assert_eq!(found("crowd", Some("crowd0499")).await, ("crowd0500".into(), true));
            assert_eq!(found("nowhere", None).await, (String::new(), false));
            let _walking = (r.walks.turn(&caller).await.unwrap(), r.walks.turn(&caller).await.unwrap());
            assert_eq!(found("crowd", None).await, ("crowd0000".into(), true), "one look is enough");
            assert!(futures_util::poll!(std::pin::pin!(found("zoo", None))).is_pending(), "others have their turn");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_owners_who_remove_each_other_one_stays() {
    for _ in 0..10 {
        let world = World::new().await;
        world.join("team", "bob", Membership::Owner).await;
        let (alice, bob) = (world.caller("alice").await, world.caller("bob").await);
        let r = std::sync::Arc::new(world.r);
        let one = tokio::spawn({
            let r = std::sync::Arc::clone(&r);
            async move { r.remove_member(&alice, "team", "bob").await }
        });
        let other = tokio::spawn({
            let r = std::sync::Arc::clone(&r);
            async move { r.remove_member(&bob, "team", "alice").await }
        });
        let succeeded = [one.await.unwrap(), other.await.unwrap()].iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(succeeded, 1);
    }
}

#[tokio::test]
async fn a_token_does_not_run_an_org_and_shows_what_it_reaches() {
    let world = World::new().await;
    let r = &world.r;
    let team = world.org_id("team").await;
    let everywhere = world.by_token("alice", Role::Maintainer, Reach::Everywhere).await;
    too_narrow(r.create_team(&everywhere, "team", "devs", "").await);
    too_narrow(r.set_member(&everywhere, "team", "bob", Membership::Owner).await);
    too_narrow(r.remove_member(&everywhere, "team", "alice").await);
    r.update_org(&everywhere, "team", Some(Some(Visibility::Internal)), None).await.unwrap();
    let reader = world.by_token("alice", Role::Reader, Reach::Org(team)).await;
    too_narrow(r.update_org(&reader, "team", Some(None), None).await);
    r.org(&reader, "team").await.unwrap();
    too_narrow(r.org(&reader, "alice").await);
    let names = |page: Stretch<Org>| page.entries.into_iter().map(|org| org.name).collect::<Vec<_>>();
    assert_eq!(names(r.orgs(&reader, "", None, 9).await.unwrap()), ["team"]);
    let app = world.push("team/app").await;
    let elsewhere = world.by_token("alice", Role::Maintainer, Reach::Repository(app)).await;
    too_narrow(r.org(&elsewhere, "team").await);
    assert!(r.orgs(&elsewhere, "", None, 9).await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn every_way_into_an_org_denies_who_can_see_it_and_hides_it_from_who_cannot() {
    let world = World::new().await;
    let r = &world.r;
    world.push("team/app").await;
    world.give("carol", "team/app", Role::Reader).await;
    let (bob, carol) = (world.caller("bob").await, world.caller("carol").await);
    let of = |org: &str| wharf_meta::AuditFilter { org: Some(org.into()), ..Default::default() };
    let audit = |caller: Caller, org: &'static str| async move {
        r.audit(&caller, of(org), wharf_meta::Order::OldestFirst, None, 9).await
    };
    let ask = "ask an owner of it or an administrator";
    assert_eq!(denied(r.quota(&carol, "team").await), format!("carol may not see the quota in team: {ask}"));
    assert_eq!(denied(audit(carol.clone(), "team").await), format!("carol may not read the audit in team: {ask}"));
    assert_eq!(
        denied(r.delete_org(&carol, "team", None).await),
        format!("carol may not delete what is in team: {ask}")
    );
    for org in ["team", "nobodys"] {
        let unknown = format!("org {org} is not known here");
        assert_eq!(hidden(r.quota(&bob, org).await), unknown);
        assert_eq!(hidden(audit(bob.clone(), org).await), unknown);
        assert_eq!(hidden(r.delete_org(&bob, org, None).await), unknown);
    }
    // What they tried is on their own record, whether or not it exists.
    let mine =
        r.audit(&bob, wharf_meta::AuditFilter::default(), wharf_meta::Order::OldestFirst, None, 9).await.unwrap();
    let told = |row: &AuditRow| {
        assert_eq!((row.action.as_str(), row.times), ("own", 1));
        (row.target.clone(), row.details["tried"].as_str().unwrap().to_owned())
    };
    let mut tried: Vec<_> = mine.rows.iter().map(told).collect();
    tried.sort_unstable();
    let each = ["delete what is", "read the audit", "see the quota"];
    let all = ["nobodys", "team"].map(|org| each.map(|what| (org.to_owned(), what.to_owned())));
    assert_eq!(tried, all.concat());
}

#[tokio::test]
async fn whoever_is_in_a_team_is_in_its_org() {
    let world = World::new().await;
    let r = &world.r;
    let alice = world.caller("alice").await;
    r.create_team(&alice, "team", "devs", "").await.unwrap();
    r.add_team_member(&alice, "team", "devs", "bob").await.unwrap();
    let members = r.members(&alice, "team", None, 9).await.unwrap().entries;
    let members: Vec<_> = members.iter().map(|member| (&*member.user, member.role)).collect();
    assert_eq!(members, [("alice", Membership::Owner), ("bob", Membership::Member)]);
    r.add_team_member(&alice, "team", "devs", "alice").await.unwrap();
    let owner = r.members(&alice, "team", None, 1).await.unwrap().entries;
    assert_eq!(owner[0].role, Membership::Owner, "an owner stays one");
    let filter = AuditFilter { action: Some("member.add".into()), ..AuditFilter::default() };
    let rows = r.audit(&world.caller("root").await, filter, Order::OldestFirst, None, 9).await.unwrap().rows;
    let rows: Vec<_> = rows.iter().map(|row| (&*row.actor, row.org.as_deref(), &*row.target)).collect();
    assert_eq!(rows, [("alice", Some("team"), "bob")]);
    r.remove_member(&alice, "team", "bob").await.unwrap();
    let left = r.team_members(&alice, "team", "devs", None, 9).await.unwrap().entries;
    assert_eq!(left.len(), 1, "{left:?}");
}
