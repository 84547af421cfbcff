//! Grants, and repositories as those who manage them see them.

use super::people::{admin, audited, by, differs, org, unknown, user};
use super::*;

fn to(grantee: Grantee, org: OrgId, repository: Option<RepoId>, role: Role) -> NewGrant {
    NewGrant { target: repository.map_or(GrantTarget::Org(org), GrantTarget::Repository), to: grantee, role }
}

#[tokio::test]
async fn a_grant_is_given_once_and_changed_by_its_id() {
    let scratch = scratch();
    let meta = &scratch.meta;
    user(meta, "bob").await;
    let team = org(meta, "team", None).await.id;
    let app = repo(meta, "team/app").await;
    meta.make_team(team, "devs", "", by(1)).await.unwrap();
    meta.make_robot(team, "ci", "", by(1)).await.unwrap();
    let all = [
        Grantee::User("bob".into()),
        Grantee::Team("devs".into()),
        Grantee::Robot("team+ci".into()),
        Grantee::Email("new@example.org".into()),
    ];
    for grantee in &all {
        for place in [None, Some(app)] {
            let give = || to(grantee.clone(), team, place, Role::Reader);
            let made = meta.make_grant(give(), by(2)).await.unwrap();
            assert!(made.is_new && made.value.to == *grantee, "{made:?}");
            assert_eq!(made.value.target(), if place.is_some() { "team/app" } else { "team" });
            let again = meta.make_grant(give(), by(3)).await.unwrap();
            assert!(!again.is_new && again.value == made.value);
            let more = NewGrant { role: Role::Writer, ..give() };
            assert_eq!(differs(meta.make_grant(more, by(3)).await), "role");
            let changed = meta.change_grant(made.value.id, Role::Maintainer, by(4)).await.unwrap();
            assert_eq!((changed.role, changed.granted_at), (Role::Maintainer, 4));
        }
    }
    assert_eq!(meta.grants(GrantsOf::Org(team), 0, 99).await.unwrap().len(), 8);
    assert_eq!(meta.grants(GrantsOf::Repository(app), 0, 99).await.unwrap().len(), 4);
    let first = meta.grants(GrantsOf::All, 0, 1).await.unwrap().remove(0);
    assert_eq!(meta.grants(GrantsOf::All, first.id, 99).await.unwrap().len(), 7);
    meta.delete_grant(first.id, by(5)).await.unwrap();
    assert_eq!(unknown(meta.delete_grant(first.id, by(5)).await), format!("grant {}", first.id));
    let (action, org, target, details) = audited(&scratch).pop().unwrap();
    assert_eq!((action.as_str(), org.as_deref(), target.as_str()), ("grant.delete", Some("team"), "team"));
    assert_eq!((&details["before"]["user"], &details["before"]["role"]), (&"bob".into(), &"maintainer".into()));
}

#[tokio::test]
async fn a_grant_to_nobody_is_refused() {
    let meta = scratch().meta;
    let team = org(&meta, "team", None).await.id;
    let other = org(&meta, "other", None).await.id;
    meta.make_team(other, "devs", "", by(1)).await.unwrap();
    for (grantee, what) in [
        (Grantee::User("bob".into()), "user bob"),
        (Grantee::Team("devs".into()), "team devs in team"),
        (Grantee::Robot("team+ci".into()), "robot team+ci"),
        (Grantee::Robot("ci".into()), "robot ci"),
    ] {
        assert_eq!(unknown(meta.make_grant(to(grantee, team, None, Role::Reader), by(1)).await), what);
    }
}

#[tokio::test]
async fn a_grant_may_make_its_repository_and_makes_none_for_nobody() {
    let meta = scratch().meta;
    user(&meta, "bob").await;
    let name: RepoName = "team/new".parse().unwrap();
    let give = async |grantee| {
        let target = GrantTarget::NewRepository(name.clone());
        meta.make_grant(NewGrant { target, to: grantee, role: Role::Writer }, by(1)).await
    };
    assert_eq!(unknown(give(Grantee::User("nobody".into())).await), "user nobody");
    assert!(meta.repository(&name).await.unwrap().is_none());
    let made = give(Grantee::User("bob".into())).await.unwrap().value;
    assert_eq!(made.target(), "team/new");
    assert!(meta.repository(&name).await.unwrap().is_some());
}

#[tokio::test]
async fn every_grant_that_counts_somewhere_is_found() {
    let meta = scratch().meta;
    let bob = user(&meta, "bob").await;
    let team = org(&meta, "team", None).await.id;
    let (app, other) = (repo(&meta, "team/app").await, repo(&meta, "team/other").await);
    let devs = meta.make_team(team, "devs", "", by(1)).await.unwrap().value;
    let ci = meta.make_robot(team, "ci", "", by(1)).await.unwrap().value;
    meta.add_to_team(devs.id, "bob", by(1)).await.unwrap();
    for (grantee, place) in [
        (Grantee::User("bob".into()), None),
        (Grantee::Team("devs".into()), Some(app)),
        (Grantee::User("bob".into()), Some(other)),
        (Grantee::Robot("team+ci".into()), Some(app)),
    ] {
        meta.make_grant(to(grantee, team, place, Role::Reader), by(1)).await.unwrap();
    }
    let found = async |who, place| meta.grants_at(who, team, place).await.unwrap().len();
    let (bob, ci) = (Principal::User(bob.id), Principal::Robot(ci.id));
    assert_eq!((found(bob, Some(app)).await, found(bob, None).await), (2, 1));
    assert_eq!((found(ci, Some(app)).await, found(ci, Some(other)).await), (1, 0));
}

#[tokio::test]
async fn what_was_granted_to_an_address_is_its_owners_and_does_not_say_whose() {
    let scratch = scratch();
    let meta = &scratch.meta;
    let team = org(meta, "team", None).await.id;
    let app = repo(meta, "team/app").await;
    let address = || Grantee::Email("bob@example.org".into());
    meta.make_grant(to(address(), team, None, Role::Reader), by(1)).await.unwrap();
    meta.make_grant(to(address(), team, Some(app), Role::Writer), by(1)).await.unwrap();
    let new = NewUser { name: "bob".into(), email: Some("bob@example.org".into()), ..NewUser::default() };
    let bob = meta.make_user(new, by(2)).await.unwrap().value;
    let name = "team/app".parse().unwrap();
    let place = meta.place(Some(Principal::User(bob.id)), &name).await.unwrap();
    assert_eq!(place.role, Some(Role::Writer));
    let other = org(meta, "other", None).await.id;
    assert!(meta.make_grant(to(address(), other, None, Role::Reader), by(3)).await.unwrap().is_new);
    let his = meta.grants(GrantsOf::Principal(Principal::User(bob.id)), 0, 9).await.unwrap();
    assert_eq!(his.iter().map(|grant| grant.role).collect::<Vec<_>>(), [Role::Reader, Role::Writer, Role::Reader]);
    assert!(his.iter().all(|grant| grant.to == address() && grant.user_id == Some(bob.id)), "{his:?}");
    let woken = audited(&scratch).into_iter().filter(|event| event.0 == "grant.wake");
    assert_eq!(
        woken.map(|event| (event.1, event.2)).collect::<Vec<_>>(),
        [(None, "team".into()), (None, "team/app".into())]
    );
}

#[tokio::test]
async fn what_is_granted_to_an_address_stands_beside_what_is_granted_by_name() {
    let meta = scratch().meta;
    let bob = user(&meta, "bob").await;
    let team = org(&meta, "team", None).await.id;
    let give = async |grantee, role| meta.make_grant(to(grantee, team, None, role), by(1)).await;
    let (name, address) = (|| Grantee::User("bob".into()), || Grantee::Email("bob@example.org".into()));
    let change = UserChange { email: Some(Some("bob@example.org".into())), ..UserChange::default() };
    meta.change_user(bob.id, change.clone(), None, by(2)).await.unwrap();
    give(name(), Role::Reader).await.unwrap();
    // As it would go with an address of nobody's.
    assert!(give(address(), Role::Maintainer).await.unwrap().is_new);
    assert!(!give(address(), Role::Maintainer).await.unwrap().is_new);
    let Err(Error::Refused(Refusal::Exists { message, .. })) = give(address(), Role::Reader).await else { panic!() };
    assert!(message.contains("bob@example.org is maintainer of team already"), "{message}");
    let carol = user(&meta, "carol").await;
    assert_eq!(differs(meta.change_user(carol.id, change, None, by(3)).await), "email");
    let gone = UserChange { email: Some(None), ..UserChange::default() };
    meta.change_user(bob.id, gone, None, by(4)).await.unwrap();
    let all = meta.grants(GrantsOf::All, 0, 9).await.unwrap();
    let all: Vec<_> = all.iter().map(|grant| (&grant.to, grant.role)).collect();
    assert_eq!(all, [(&name(), Role::Maintainer)], "what was his stays his, the greater of both");
    assert!(give(address(), Role::Reader).await.unwrap().is_new, "the address is nobody's again");
}

#[tokio::test]
async fn a_repository_can_be_made_empty_and_opened() {
    let scratch = scratch();
    let meta = &scratch.meta;
    let name: RepoName = "team/app".parse().unwrap();
    let made = meta.make_repository(&name, Some(Visibility::Internal), by(1)).await.unwrap();
    assert!(made.is_new);
    assert!(!meta.make_repository(&name, Some(Visibility::Internal), by(1)).await.unwrap().is_new);
    assert_eq!(differs(meta.make_repository(&name, None, by(1)).await), "visibility");
    let id = made.value.id;
    let changed = meta.change_repository(id, None, Some(made.value.version), by(2)).await.unwrap();
    assert_eq!((changed.own_visibility, changed.visibility), (None, None));
    assert!(meta.change_repository(id, Some(Visibility::Public), Some(made.value.version), by(3)).await.is_err());
    let org = meta.org("team").await.unwrap().unwrap();
    meta.change_org(org.id, Some(Visibility::Public), None, by(4)).await.unwrap();
    let found = meta.repository_settings(&name).await.unwrap().unwrap();
    assert_eq!((found.own_visibility, found.visibility), (None, Some(Visibility::Public)), "its org's");
    assert_eq!(meta.repository_contents(id).await.unwrap(), Contents::default());
}

#[tokio::test]
async fn a_deleted_repository_is_out_of_sight_with_all_that_was_in_it() {
    let scratch = scratch();
    let meta = &scratch.meta;
    let name: RepoName = "team/app".parse().unwrap();
    user(meta, "bob").await;
    let app = repo(meta, "team/app").await;
    let layer = push_blob(meta, app, "layer").await;
    let new = NewManifest { refs: vec![(RefKind::Layer, layer.clone())], ..manifest("one", &["v1", "latest"]) };
    meta.put_manifest(app, new, 1).await.unwrap();
    let team = meta.org("team").await.unwrap().unwrap().id;
    meta.make_grant(to(Grantee::User("bob".into()), team, Some(app), Role::Writer), by(1)).await.unwrap();
    let contents = meta.repository_contents(app).await.unwrap();
    assert_eq!(contents, Contents { tags: 2, manifests: 1, blobs: 1, bytes: 8 });
    meta.change_repository(app, Some(Visibility::Public), None, by(2)).await.unwrap();

    meta.delete_repository(app, None, by(3)).await.unwrap();
    assert!(meta.repository(&name).await.unwrap().is_none());
    assert!(meta.repository_settings(&name).await.unwrap().is_none());
    assert!(meta.repositories("", "", 10).await.unwrap().entries.is_empty());
    assert!(meta.repository_window(Within::Org(team), "", "", 10).await.unwrap().entries.is_empty());
    assert!(meta.blob(app, &layer).await.unwrap().is_none());
    assert_eq!(unknown(meta.delete_repository(app, None, by(3)).await), "this repository");
    assert_eq!(unknown(meta.put_manifest(app, manifest("late", &["v2"]), 4).await), "repository team/app");
    let (action, _, _, details) = audited(&scratch).pop().unwrap();
    assert_eq!((action.as_str(), &details["before"]["tags"]), ("repository.delete", &2.into()));

    assert_eq!(repo(meta, "team/app").await, app, "a push brings back the row");
    let back = meta.repository_settings(&name).await.unwrap().unwrap();
    assert_eq!(back.own_visibility, None, "and not who could read it");
    assert!(meta.tags(app, "", 10).await.unwrap().is_empty());
    assert!(meta.manifest(app, &Reference::Digest(digest("one"))).await.unwrap().is_none());
    assert!(meta.grants(GrantsOf::Repository(app), 0, 9).await.unwrap().is_empty());
    let connection = Connection::open(scratch.folder.path().join("wharf.db")).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM review WHERE event = 'repository deleted'"), 2);
    assert_eq!(count("SELECT count(*) FROM tag_events WHERE to_digest IS NULL AND by = 'root'"), 2);
}

#[tokio::test]
async fn tags_and_manifests_are_listed_with_what_people_ask_about() {
    let meta = scratch().meta;
    let app = repo(&meta, "team/app").await;
    let layer = push_blob(&meta, app, "layer").await;
    let refs = vec![(RefKind::Layer, layer), (RefKind::Subject, digest("elsewhere"))];
    let new = NewManifest { refs, by: Actor { name: "alice".into(), ..Actor::operator() }, ..manifest("one", &["v1"]) };
    meta.put_manifest(app, new, 5).await.unwrap();
    let again = NewManifest {
        tags: vec![tag("v2")],
        by: Actor { name: "bob".into(), ..Actor::operator() },
        ..manifest("two", &[])
    };
    meta.put_manifest(app, again, 6).await.unwrap();
    let tags = meta.tag_entries(app, "", 10).await.unwrap();
    assert_eq!(
        tags.iter().map(|t| (t.tag.as_str(), t.content_size, t.by.as_str(), t.at)).collect::<Vec<_>>(),
        [("v1", 5, "alice", 5), ("v2", 0, "bob", 6)]
    );
    assert_eq!(meta.tag_entries(app, "v1", 10).await.unwrap().len(), 1);
    let all = meta.manifest_entries(app, "", 10).await.unwrap();
    let one = all.iter().find(|entry| entry.digest == digest("one")).unwrap();
    assert_eq!(
        (one.size + one.content_size, &one.subject, &one.tags),
        (8, &Some(digest("elsewhere")), &vec![tag("v1")])
    );
    assert_eq!(meta.manifest_entry(app, &digest("one")).await.unwrap().as_ref(), Some(one));
    assert!(meta.manifest_entry(app, &digest("none")).await.unwrap().is_none());
    assert_eq!(meta.manifest_entries(app, all[0].digest.as_str(), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn repositories_are_looked_through_by_org_and_by_part_of_the_name() {
    let meta = scratch().meta;
    admin(&meta, "root").await;
    for name in ["a/app", "team/app", "team/base", "z/app"] {
        repo(&meta, name).await;
    }
    let names = |window: Window<RepositorySettings>| {
        window.entries.iter().map(|entry| entry.name.as_str().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let team = meta.org("team").await.unwrap().unwrap().id;
    let all = meta.repository_window(Within::Registry, "app", "", 10).await.unwrap();
    assert_eq!((names(all.clone()).as_str(), all.last), ("a/app team/app z/app", None));
    let two = meta.repository_window(Within::Registry, "app", "", 2).await.unwrap();
    assert_eq!((names(two.clone()).as_str(), two.last.as_deref()), ("a/app team/app", Some("team/app")));
    assert_eq!(names(meta.repository_window(Within::Org(team), "", "", 10).await.unwrap()), "team/app team/base");
    assert_eq!(names(meta.repository_window(Within::Org(team), "", "team/app", 10).await.unwrap()), "team/base");
}
