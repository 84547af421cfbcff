use super::*;

fn to(user: &str) -> Grantee {
    Grantee::User(user.into())
}

fn email(address: &str) -> Grantee {
    Grantee::Email(address.into())
}

#[tokio::test]
async fn a_maintainer_grants_up_to_maintainer_where_they_are_one() {
    let world = World::new().await;
    let r = &world.r;
    world.push("team/app").await;
    world.push("team/other").await;
    world.give("bob", "team/app", Role::Maintainer).await;
    let bob = world.caller("bob").await;
    let made = r.create_grant(&bob, "team/app", to("carol"), Role::Maintainer).await.unwrap();
    assert!(made.is_new);
    assert_eq!((made.value.target.as_str(), made.value.granted_by.as_str()), ("team/app", "bob"));
    assert!(!r.create_grant(&bob, "team/app", to("carol"), Role::Maintainer).await.unwrap().is_new);
    assert_eq!(in_the_way(r.create_grant(&bob, "team/app", to("carol"), Role::Reader).await), "role");
    assert_eq!(invalid(r.create_grant(&bob, "team/app", to("carol"), Role::Owner).await), "role");
    let sentence = "bob may not change grants in team/other: ask an owner of it or an administrator";
    assert_eq!(denied(r.create_grant(&bob, "team/other", to("carol"), Role::Reader).await), sentence);
    denied(r.create_grant(&bob, "team", to("carol"), Role::Reader).await);
    let changed = r.update_grant(&bob, made.value.id, Role::Reader).await.unwrap();
    assert_eq!((changed.id, changed.role), (made.value.id, Role::Reader));
    assert_eq!(invalid(r.update_grant(&bob, made.value.id, Role::Owner).await), "role");
    r.delete_grant(&bob, made.value.id).await.unwrap();
    hidden(r.delete_grant(&bob, made.value.id).await);
}

#[tokio::test]
async fn a_writer_grants_nothing_and_a_token_grants_what_it_leaves() {
    let world = World::new().await;
    let r = &world.r;
    let app = world.push("team/app").await;
    world.give("bob", "team", Role::Writer).await;
    denied(r.create_grant(&world.caller("bob").await, "team/app", to("carol"), Role::Reader).await);
    let writer = world.by_token("alice", Role::Writer, Reach::Everywhere).await;
    too_narrow(r.create_grant(&writer, "team/app", to("carol"), Role::Reader).await);
    let there = world.by_token("alice", Role::Maintainer, Reach::Repository(app)).await;
    r.create_grant(&there, "team/app", to("carol"), Role::Reader).await.unwrap();
    too_narrow(r.create_grant(&there, "team/new", to("carol"), Role::Reader).await);
}

#[tokio::test]
async fn granting_on_a_repository_that_is_not_there_makes_it() {
    let world = World::new().await;
    let r = &world.r;
    let alice = world.caller("alice").await;
    let new = || "team/new".parse().unwrap();
    assert_eq!(invalid(r.create_grant(&alice, "team/new", to("nobody"), Role::Reader).await), "user");
    hidden(r.repository(&alice, &new()).await);
    r.create_grant(&alice, "team/new", to("bob"), Role::Reader).await.unwrap();
    assert_eq!(r.repository(&world.caller("bob").await, &new()).await.unwrap().name.as_str(), "team/new");
    denied(r.create_grant(&world.caller("bob").await, "team/newer", to("bob"), Role::Reader).await);
    denied(r.create_grant(&world.caller("bob").await, "no/thing", to("bob"), Role::Reader).await);
    let root = world.caller("root").await;
    r.create_grant(&root, "fresh/app", to("bob"), Role::Writer).await.unwrap();
    assert_eq!(r.org(&root, "fresh").await.unwrap().your_role, None);
    denied(r.create_grant(&root, "api/app", to("bob"), Role::Writer).await);
    assert_eq!(invalid(r.create_grant(&root, "fresh/App", to("bob"), Role::Writer).await), "target");
}

#[tokio::test]
async fn only_who_may_grant_finds_out_who_there_is() {
    let world = World::new().await;
    let r = &world.r;
    world.push("team/app").await;
    let (alice, bob) = (world.caller("alice").await, world.caller("bob").await);
    for user in ["carol", "nobody"] {
        let told = denied(r.create_grant(&bob, "team/app", to(user), Role::Reader).await);
        assert_eq!(told, "bob may not change grants in team/app: ask an owner of it or an administrator");
        assert_eq!(hidden(r.create_grant(&bob, "team", to(user), Role::Reader).await), "org team is not known here");
    }
    for (grantee, field) in [
        (to("nobody"), "user"),
        (to("No"), "user"),
        (Grantee::Team("devs".into()), "team"),
        (Grantee::Robot("team+ci".into()), "robot"),
        (Grantee::Robot("ci".into()), "robot"),
        (email("nobody"), "email"),
    ] {
        assert_eq!(invalid(r.create_grant(&alice, "team/app", grantee, Role::Reader).await), field);
    }
}

#[tokio::test]
async fn a_grant_to_an_address_is_its_users_and_tells_nobody_whose_it_is() {
    let world = World::new().await;
    let r = &world.r;
    world.push("team/app").await;
    let (alice, root) = (world.caller("alice").await, world.caller("root").await);
    let change = UserChange { email: Some(Some("Bob@B.C".into())), ..UserChange::default() };
    r.update_user(&root, "bob", change, None).await.unwrap();
    world.give("bob", "team", Role::Reader).await;
    // Of a user who has that very grant by name already, of one who comes later, and of nobody: all alike.
    let addresses = ["bob@b.c", "dave@b.c", "nobody@b.c"];
    let mut made = Vec::new();
    for address in addresses {
        let new = r.create_grant(&alice, "team", email(&address.to_uppercase()), Role::Reader).await.unwrap();
        assert_eq!((&new.value.to, new.is_new), (&email(address), true));
        assert!(!r.create_grant(&alice, "team", email(address), Role::Reader).await.unwrap().is_new);
        let Err(Error::Exists { message, .. }) = r.create_grant(&alice, "team", email(address), Role::Writer).await
        else {
            panic!("{address}");
        };
        assert_eq!(message, format!("email {address} is reader of team already: change that"));
        made.push(r.update_grant(&alice, new.value.id, Role::Writer).await.unwrap());
    }
    let dave = NewUser { name: "dave".into(), email: Some("dave@b.c".into()), password: None, is_admin: false };
    r.create_user(&root, dave).await.unwrap();
    let name = "team/app".parse().unwrap();
    for user in ["bob", "dave"] {
        r.may_push(&world.caller(user).await, &name).await.unwrap();
    }
    for (grant, address) in made.iter().zip(addresses) {
        assert_eq!(r.grant(&alice, grant.id).await.unwrap().to, email(address));
    }
    let to_bob = r.grants(&alice, Some("team"), Some("bob"), None, 9).await.unwrap().entries;
    assert_eq!(to_bob.iter().map(|grant| &grant.to).collect::<Vec<_>>(), [&to("bob")]);
    let told = r.explain(&alice, "bob", Action::Push, "team/app").await.unwrap();
    assert!(!told.is_allowed && !told.because.iter().any(|line| line.contains('@')), "{told:?}");
    let events = wharf_meta::AuditFilter { org: Some("team".into()), ..Default::default() };
    let events = r.audit(&alice, events, wharf_meta::Order::OldestFirst, None, 99).await.unwrap();
    assert!(!format!("{events:?}").contains("dave\""), "{events:?}");
    // They themselves and administrators know.
    let bob = world.caller("bob").await;
    assert_eq!(r.grants(&bob, None, None, None, 9).await.unwrap().entries.len(), 2);
    assert_eq!(r.grant(&bob, made[0].id).await.unwrap().to, email("bob@b.c"));
    hidden(r.grant(&bob, made[1].id).await);
    assert_eq!(r.grants(&root, Some("team"), Some("bob"), None, 9).await.unwrap().entries.len(), 2);
    let told = r.explain(&root, "bob", Action::Push, "team/app").await.unwrap();
    assert!(told.because.contains(&"bob@b.c is writer of team, granted by alice".into()), "{told:?}");
}

#[tokio::test]
async fn a_robot_of_an_org_that_is_hidden_from_the_caller_is_not_there() {
    let world = World::new().await;
    let r = &world.r;
    let (alice, bob) = (world.caller("alice").await, world.caller("bob").await);
    let robot = |name: &str| Grantee::Robot(name.into());
    r.create_robot(&alice, "team", "ci", "").await.unwrap();
    let said = async |name: &str| {
        let Err(Error::Invalid { field: "robot", message }) =
            r.create_grant(&bob, "bob", robot(name), Role::Reader).await
        else {
            panic!("{name}");
        };
        hidden(r.explain(&bob, name, Action::Pull, "bob").await);
        message.replace(name, "it")
    };
    assert_eq!(said("team+ci").await, said("team+none").await);
    assert_eq!(said("team+ci").await, said("nobodys+ci").await);
    r.update_org(&alice, "team", Some(Some(Visibility::Internal)), None).await.unwrap();
    r.create_grant(&bob, "bob", robot("team+ci"), Role::Reader).await.unwrap();
    assert!(r.explain(&bob, "team+ci", Action::Pull, "bob").await.unwrap().is_allowed);
}

#[tokio::test]
async fn grants_are_listed_to_who_may_grant_and_to_whom_they_are() {
    let world = World::new().await;
    let r = &world.r;
    world.push("team/app").await;
    let (alice, bob, root) = (world.caller("alice").await, world.caller("bob").await, world.caller("root").await);
    r.create_team(&alice, "team", "devs", "").await.unwrap();
    r.create_robot(&alice, "team", "ci", "").await.unwrap();
    for (target, grantee) in [
        ("team", to("bob")),
        ("team/app", to("bob")),
        ("team/app", Grantee::Team("devs".into())),
        ("team/app", Grantee::Robot("team+ci".into())),
    ] {
        r.create_grant(&alice, target, grantee, Role::Reader).await.unwrap();
    }
    r.create_grant(&root, "carol", to("bob"), Role::Reader).await.unwrap();
    let count = async |caller: &Caller, target, to| r.grants(caller, target, to, None, 9).await.unwrap().entries.len();
    assert_eq!(count(&alice, Some("team"), None).await, 4, "of an org with its repositories");
    assert_eq!(count(&alice, Some("team/app"), None).await, 3);
    assert_eq!(count(&alice, Some("team"), Some("bob")).await, 2);
    assert_eq!(count(&alice, Some("team/app"), Some("team+ci")).await, 1);
    assert_eq!(count(&alice, Some("team"), Some("nobody")).await, 0);
    assert_eq!(count(&bob, None, None).await, 3, "one's own");
    assert_eq!(count(&bob, None, Some("bob")).await, 3);
    assert_eq!(count(&root, None, None).await, 5);
    assert_eq!(count(&root, None, Some("bob")).await, 3);
    assert_eq!(invalid(r.grants(&bob, None, Some("carol"), None, 9).await), "target");
    denied(r.grants(&bob, Some("team"), None, None, 9).await);
    hidden(r.grants(&bob, Some("carols"), None, None, 9).await);
    denied(r.grants(&bob, Some("no/thing"), None, None, 9).await);
    hidden(r.grants(&alice, Some("team/none"), None, None, 9).await);
    let first = r.grants(&alice, Some("team"), None, None, 1).await.unwrap();
    assert!(first.more);
    let after = first.entries[0].id.to_string();
    assert_eq!(r.grants(&alice, Some("team"), None, Some(&after), 9).await.unwrap().entries.len(), 3);
    assert_eq!(invalid(r.grants(&alice, Some("team"), None, Some("x"), 9).await), "after");
    assert_eq!(r.grant(&bob, first.entries[0].id).await.unwrap().to, to("bob"));
    hidden(r.grant(&world.caller("carol").await, first.entries[0].id).await);
    hidden(r.delete_grant(&bob, first.entries[0].id).await);
}

#[tokio::test]
async fn a_grant_that_is_taken_back_is_gone_at_the_next_request() {
    let world = World::new().await;
    let r = &world.r;
    world.push("team/app").await;
    let (alice, bob) = (world.caller("alice").await, world.caller("bob").await);
    let name = "team/app".parse().unwrap();
    let grant = r.create_grant(&alice, "team/app", to("bob"), Role::Writer).await.unwrap().value;
    r.may_push(&bob, &name).await.unwrap();
    r.delete_grant(&alice, grant.id).await.unwrap();
    denied(r.may_push(&bob, &name).await);
}
