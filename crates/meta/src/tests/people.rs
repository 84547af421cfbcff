//! Orgs, members, teams, robots and users, and what stands against changing them.
#![expect(clippy::needless_pass_by_value, reason = "an outcome that was looked at is done with")]

use serde_json::Value;

use super::*;

pub(super) fn by(now: Millis) -> By {
    By { actor: Actor { name: "root".into(), via: "password".into(), address: None, request: None }, now }
}

pub(super) async fn user(meta: &Meta, name: &str) -> Account {
    let new = NewUser { name: name.into(), ..NewUser::default() };
    meta.make_user(new, by(1)).await.unwrap().value
}

pub(super) async fn admin(meta: &Meta, name: &str) -> Account {
    let new = NewUser { name: name.into(), is_admin: true, ..NewUser::default() };
    meta.make_user(new, by(1)).await.unwrap().value
}

pub(super) async fn org(meta: &Meta, name: &str, owner: Option<i64>) -> Org {
    meta.make_org(name, None, owner, Owning::Unbounded, by(1)).await.unwrap().value
}

pub(super) fn kept<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    let Err(Error::Refused(Refusal::Kept { message, .. })) = outcome else { panic!("{outcome:?}") };
    message
}

pub(super) fn differs<T: std::fmt::Debug>(outcome: Result<T>) -> &'static str {
    let Err(Error::Refused(Refusal::Exists { field, .. })) = outcome else { panic!("{outcome:?}") };
    field
}

pub(super) fn unknown<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    let Err(Error::Refused(Refusal::Unknown { what })) = outcome else { panic!("{outcome:?}") };
    what
}

pub(super) fn invalid<T: std::fmt::Debug>(outcome: Result<T>) -> &'static str {
    let Err(Error::Refused(Refusal::Invalid { field, .. })) = outcome else { panic!("{outcome:?}") };
    field
}

fn is_stale<T: std::fmt::Debug>(outcome: Result<T>) -> bool {
    matches!(outcome, Err(Error::Refused(Refusal::Stale)))
}

/// Actions and details of the audit, oldest first.
pub(super) fn audited(scratch: &Scratch) -> Vec<(String, Option<String>, String, Value)> {
    let connection = Connection::open(scratch.folder.path().join("wharf.db")).unwrap();
    let mut statement = connection.prepare("SELECT action, org, target, details FROM audit ORDER BY id").unwrap();
    let rows = statement.query_map([], |row| {
        let details: Option<String> = row.get(3)?;
        let details = details.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, details))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn users_and_orgs_share_their_names() {
    let meta = scratch().meta;
    let alice = user(&meta, "alice").await;
    let own = meta.org("alice").await.unwrap().unwrap();
    assert_eq!(own.personal_of.as_deref(), Some("alice"));
    assert_eq!(meta.member(own.id, alice.id).await.unwrap().unwrap().role, Membership::Owner);
    assert_eq!(differs(meta.make_org("alice", None, None, Owning::Unbounded, by(1)).await), "name");
    org(&meta, "team", None).await;
    let new = NewUser { name: "team".into(), ..NewUser::default() };
    assert_eq!(differs(meta.make_user(new, by(1)).await), "name");
    assert!(meta.account("team").await.unwrap().is_none(), "nothing of it happened");
    for name in ["library", "public", "admin", "api", "token", "_deleted"] {
        let new = NewUser { name: name.into(), ..NewUser::default() };
        assert_eq!(differs(meta.make_user(new, by(1)).await), "name", "{name}");
    }
    for name in ["library", "admin", "api", "token", "_deleted"] {
        assert_eq!(differs(meta.make_org(name, None, None, Owning::Unbounded, by(1)).await), "name", "{name}");
    }
}

#[tokio::test]
async fn the_org_that_comes_with_a_database_is_as_old_as_that() {
    let scratch = scratch();
    let made = scratch.meta.org("public").await.unwrap().unwrap().created_at;
    let database = Connection::open(scratch.folder.path().join("wharf.db")).unwrap();
    let now = "SELECT 1000 * CAST(strftime('%s', 'now') AS INTEGER)";
    let now: Millis = database.query_row(now, [], |row| row.get(0)).unwrap();
    assert!((now - 60_000..=now).contains(&made), "{made} and {now}");
}

#[tokio::test]
async fn making_again_what_is_there_changes_nothing() {
    let scratch = scratch();
    let meta = &scratch.meta;
    let first = meta.make_org("team", Some(Visibility::Internal), None, Owning::Unbounded, by(1)).await.unwrap();
    let again = meta.make_org("team", Some(Visibility::Internal), None, Owning::Unbounded, by(2)).await.unwrap();
    assert!(first.is_new && !again.is_new);
    assert_eq!(first.value, again.value);
    assert_eq!(differs(meta.make_org("team", None, None, Owning::Unbounded, by(2)).await), "visibility");
    let org = first.value.id;
    assert!(meta.make_team(org, "devs", "d", by(1)).await.unwrap().is_new);
    assert!(!meta.make_team(org, "devs", "d", by(1)).await.unwrap().is_new);
    assert_eq!(differs(meta.make_team(org, "devs", "other", by(1)).await), "description");
    assert!(meta.make_robot(org, "ci", "d", by(1)).await.unwrap().is_new);
    assert!(!meta.make_robot(org, "ci", "d", by(1)).await.unwrap().is_new);
    assert_eq!(differs(meta.make_robot(org, "ci", "other", by(1)).await), "description");
    let new = NewUser { name: "alice".into(), email: Some("a@b.c".into()), ..NewUser::default() };
    assert!(meta.make_user(new.clone(), by(1)).await.unwrap().is_new);
    assert!(!meta.make_user(new.clone(), by(1)).await.unwrap().is_new);
    let other = NewUser { email: None, ..new.clone() };
    assert_eq!(differs(meta.make_user(other, by(1)).await), "email");
    assert_eq!(differs(meta.make_user(NewUser { is_admin: true, ..new }, by(1)).await), "is_admin");
    let actions: Vec<_> = audited(&scratch).into_iter().map(|event| event.0).collect();
    assert_eq!(actions, ["org.create", "team.create", "robot.create", "user.create"]);
}

#[tokio::test]
async fn an_update_is_for_a_version_and_leaves_before_and_after() {
    let scratch = scratch();
    let meta = &scratch.meta;
    let team = org(meta, "team", None).await;
    let changed = meta.change_org(team.id, Some(Visibility::Public), Some(1), by(2)).await.unwrap();
    assert_eq!((changed.visibility, changed.version), (Some(Visibility::Public), 2));
    assert!(is_stale(meta.change_org(team.id, None, Some(1), by(3)).await));
    let same = meta.change_org(team.id, Some(Visibility::Public), Some(2), by(3)).await.unwrap();
    assert_eq!(same.version, 2, "what changes nothing is no change");
    let (action, org, target, details) = audited(&scratch).pop().unwrap();
    assert_eq!((action.as_str(), org.as_deref(), target.as_str()), ("org.update", Some("team"), "team"));
    assert_eq!(details, serde_json::json!({ "before": { "visibility": null }, "after": { "visibility": "public" } }));
}

#[tokio::test]
async fn an_org_goes_when_no_repository_is_in_it_and_its_name_is_free_again() {
    let scratch = scratch();
    let meta = &scratch.meta;
    let alice = user(meta, "alice").await;
    let first = org(meta, "team", Some(alice.id)).await;
    let app = repo(meta, "team/app").await;
    meta.make_robot(first.id, "ci", "", by(1)).await.unwrap();
    assert!(kept(meta.delete_org(first.id, None, by(2)).await).contains("team/app"));
    meta.delete_repository(app, None, by(2)).await.unwrap();
    meta.delete_org(first.id, None, by(2)).await.unwrap();
    assert!(meta.org("team").await.unwrap().is_none());
    assert!(meta.repository(&"team/app".parse().unwrap()).await.unwrap().is_none());
    let found = meta.org_window(Seen::All, "", "", 10).await.unwrap();
    let names: Vec<_> = found.entries.into_iter().map(|org| org.name).collect();
    assert_eq!(names, ["alice", "public"]);
    let second = org(meta, "team", None).await;
    assert!(meta.members(second.id, "", 10).await.unwrap().is_empty());
    assert!(meta.robots(second.id, "", 10).await.unwrap().is_empty());
    assert_eq!(repo(meta, "team/app").await, app, "the row comes back into the org of that name");
    let back = meta.repository_settings(&"team/app".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(back.org, second.id);
}

#[tokio::test]
async fn some_orgs_stay() {
    let meta = scratch().meta;
    user(&meta, "alice").await;
    for name in ["alice", "public"] {
        let org = meta.org(name).await.unwrap().unwrap();
        kept(meta.delete_org(org.id, None, by(1)).await);
    }
}

#[tokio::test]
async fn an_org_keeps_an_owner() {
    let meta = scratch().meta;
    let (alice, _) = (user(&meta, "alice").await, user(&meta, "bob").await);
    let team = org(&meta, "team", Some(alice.id)).await.id;
    kept(meta.remove_member(team, "alice", by(1)).await);
    kept(meta.set_member(team, "alice", Membership::Member, Owning::Unbounded, by(1)).await);
    assert!(meta.set_member(team, "bob", Membership::Member, Owning::Unbounded, by(2)).await.unwrap().is_new);
    kept(meta.remove_member(team, "alice", by(3)).await);
    assert!(!meta.set_member(team, "bob", Membership::Owner, Owning::Unbounded, by(4)).await.unwrap().is_new);
    meta.remove_member(team, "alice", by(5)).await.unwrap();
    let members = meta.members(team, "", 10).await.unwrap();
    assert_eq!(members, [Member { user: "bob".into(), role: Membership::Owner, since: 2 }]);
    assert_eq!(unknown(meta.remove_member(team, "alice", by(6)).await), "member alice");
    assert_eq!(
        unknown(meta.set_member(team, "nobody", Membership::Owner, Owning::Unbounded, by(6)).await),
        "user nobody"
    );
    let own = meta.org("alice").await.unwrap().unwrap().id;
    meta.set_member(own, "bob", Membership::Owner, Owning::Unbounded, by(7)).await.unwrap();
    kept(meta.remove_member(own, "alice", by(8)).await);
}

/// Both see another owner before; only one of them may go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_cannot_both_leave_at_once() {
    let meta = scratch().meta;
    for round in 0..20 {
        let (a, b) = (format!("a{round}"), format!("b{round}"));
        let first = user(&meta, &a).await;
        user(&meta, &b).await;
        let team = org(&meta, &format!("team{round}"), Some(first.id)).await.id;
        meta.set_member(team, &b, Membership::Owner, Owning::Unbounded, by(1)).await.unwrap();
        let leave = |name: String| {
            let meta = meta.clone();
            tokio::spawn(async move { meta.remove_member(team, &name, by(2)).await.is_ok() })
        };
        let (one, other) = (leave(a), leave(b));
        assert!(one.await.unwrap() ^ other.await.unwrap());
        assert_eq!(meta.members(team, "", 10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn who_leaves_an_org_leaves_its_teams_and_what_was_granted_to_them() {
    let scratch = scratch();
    let meta = &scratch.meta;
    let bob = user(meta, "bob").await;
    let (team, other) = (org(meta, "team", None).await.id, org(meta, "other", None).await.id);
    let to_bob = |org| NewGrant { target: GrantTarget::Org(org), to: Grantee::User("bob".into()), role: Role::Writer };
    for org in [team, other] {
        meta.set_member(org, "bob", Membership::Member, Owning::Unbounded, by(1)).await.unwrap();
        let devs = meta.make_team(org, "devs", "", by(1)).await.unwrap().value;
        assert!(meta.add_to_team(devs.id, "bob", by(1)).await.unwrap().is_new);
        assert!(!meta.add_to_team(devs.id, "bob", by(1)).await.unwrap().is_new);
        meta.make_grant(to_bob(org), by(1)).await.unwrap();
    }
    meta.remove_member(team, "bob", by(2)).await.unwrap();
    assert!(!meta.belongs(Principal::User(bob.id), team).await.unwrap());
    assert!(meta.belongs(Principal::User(bob.id), other).await.unwrap());
    let rest = meta.grants(GrantsOf::Principal(Principal::User(bob.id)), 0, 10).await.unwrap();
    assert_eq!(rest.into_iter().map(|grant| grant.org).collect::<Vec<_>>(), ["other"]);
    let details = audited(&scratch).pop().unwrap().3;
    assert_eq!(
        details["before"],
        serde_json::json!({ "role": "member", "teams": ["devs"], "grants": ["writer of team"] })
    );
}

#[tokio::test]
async fn teams_and_robots_are_listed_changed_and_deleted() {
    let scratch = scratch();
    let meta = &scratch.meta;
    user(meta, "bob").await;
    let org = org(meta, "team", None).await.id;
    let devs = meta.make_team(org, "devs", "", by(1)).await.unwrap().value;
    meta.make_team(org, "ops", "", by(1)).await.unwrap();
    let names = |teams: Vec<Team>| teams.into_iter().map(|team| team.name).collect::<Vec<_>>();
    assert_eq!(names(meta.teams(org, "", 1).await.unwrap()), ["devs"]);
    assert_eq!(names(meta.teams(org, "devs", 9).await.unwrap()), ["ops"]);
    assert_eq!(meta.change_team(devs.id, "d", Some(1), by(2)).await.unwrap().version, 2);
    assert!(is_stale(meta.change_team(devs.id, "e", Some(1), by(2)).await));
    meta.add_to_team(devs.id, "bob", by(2)).await.unwrap();
    assert_eq!(meta.team_members(devs.id, "", 9).await.unwrap()[0].user, "bob");
    meta.take_from_team(devs.id, "bob", by(3)).await.unwrap();
    assert_eq!(unknown(meta.take_from_team(devs.id, "bob", by(3)).await), "member bob of the team");
    let give = NewGrant { target: GrantTarget::Org(org), to: Grantee::Team("devs".into()), role: Role::Reader };
    meta.make_grant(give, by(4)).await.unwrap();
    meta.delete_team(devs.id, None, by(4)).await.unwrap();
    assert_eq!(audited(&scratch).pop().unwrap().3["before"]["grants"][0], "reader of team to team devs");
    assert_eq!(unknown(meta.delete_team(devs.id, None, by(4)).await), "this team");

    let robot = meta.make_robot(org, "ci", "", by(1)).await.unwrap().value;
    assert_eq!(robot.full_name(), "team+ci");
    let off = RobotChange { is_disabled: Some(true), ..RobotChange::default() };
    let changed = meta.change_robot(robot.id, off.clone(), Some(1), by(2)).await.unwrap();
    assert!(changed.is_disabled && changed.version == 2);
    assert!(is_stale(meta.change_robot(robot.id, off, Some(1), by(2)).await));
    meta.delete_robot(robot.id, None, by(3)).await.unwrap();
    let next = meta.make_robot(org, "ci", "", by(4)).await.unwrap().value;
    assert!(next.id > robot.id, "what was a robot's number is nobody else's");
}

#[tokio::test]
async fn an_administrator_who_is_enabled_is_always_left() {
    let meta = scratch().meta;
    let root = admin(&meta, "root").await;
    let change = |is_admin, is_disabled| UserChange { is_admin, is_disabled, email: None };
    kept(meta.change_user(root.id, change(Some(false), None), None, by(1)).await);
    kept(meta.change_user(root.id, change(None, Some(true)), None, by(1)).await);
    kept(meta.delete_user(root.id, None, by(1)).await);
    let second = admin(&meta, "second").await;
    meta.change_user(second.id, change(None, Some(true)), None, by(2)).await.unwrap();
    kept(meta.delete_user(root.id, None, by(3)).await);
    meta.change_user(second.id, change(None, Some(false)), None, by(4)).await.unwrap();
    meta.delete_user(root.id, None, by(5)).await.unwrap();
    kept(meta.change_user(second.id, change(Some(false), None), Some(3), by(6)).await);
    assert!(is_stale(meta.change_user(second.id, change(Some(true), None), Some(1), by(6)).await));
}

#[tokio::test]
async fn a_disabled_user_is_signed_out_everywhere() {
    let meta = scratch().meta;
    let bob = user(&meta, "bob").await;
    for hash in [1, 2] {
        let token = RefreshToken { hash: vec![hash], user_id: bob.id, client_id: "docker".into(), expires_at: 100 };
        assert!(meta.keep_refresh_token(token, "", by(1)).await.unwrap());
    }
    let sessions = meta.sessions(bob.id, &[], 2, 10).await.unwrap();
    assert_eq!(sessions.iter().map(|session| session.hash[0]).collect::<Vec<_>>(), [1, 2]);
    assert!(meta.sessions(bob.id, &[], 100, 10).await.unwrap().is_empty(), "they have ended by then");
    meta.end_session(bob.id, &[1], by(2)).await.unwrap();
    assert_eq!(unknown(meta.end_session(bob.id + 1, &[2], by(2)).await), "this user");
    assert_eq!(unknown(meta.end_session(bob.id, &[1], by(2)).await), "this session");
    let off = UserChange { is_disabled: Some(true), ..UserChange::default() };
    meta.change_user(bob.id, off, None, by(3)).await.unwrap();
    assert!(meta.refresh_token(&[2]).await.unwrap().is_none());
}

#[tokio::test]
async fn a_new_password_given_by_name_or_by_its_owner_ends_sessions() {
    let scratch = scratch();
    let meta = &scratch.meta;
    let bob = user(meta, "bob").await;
    let token = RefreshToken { hash: vec![1], user_id: bob.id, client_id: "docker".into(), expires_at: 100 };
    assert!(meta.keep_refresh_token(token, "", by(1)).await.unwrap());
    meta.change_password(bob.id, "$argon2id$new", by(2)).await.unwrap();
    assert!(meta.refresh_token(&[1]).await.unwrap().is_none());
    assert!(meta.account("bob").await.unwrap().unwrap().has_password);
    assert!(audited(&scratch).iter().all(|event| !event.3.to_string().contains("argon2")));
}

#[tokio::test]
async fn a_user_goes_when_nothing_depends_on_them() {
    let meta = scratch().meta;
    let (bob, _) = (user(&meta, "bob").await, user(&meta, "carol").await);
    let app = repo(&meta, "bob/app").await;
    assert!(kept(meta.delete_user(bob.id, None, by(1)).await).contains("bob/app"));
    meta.delete_repository(app, None, by(1)).await.unwrap();
    let team = org(&meta, "team", Some(bob.id)).await.id;
    assert!(kept(meta.delete_user(bob.id, None, by(1)).await).contains("team"));
    meta.set_member(team, "carol", Membership::Owner, Owning::Unbounded, by(1)).await.unwrap();
    meta.delete_user(bob.id, None, by(2)).await.unwrap();
    assert!(meta.account("bob").await.unwrap().is_none() && meta.org("bob").await.unwrap().is_none());
    assert_eq!(meta.members(team, "", 9).await.unwrap().len(), 1);
    assert!(user(&meta, "bob").await.id > bob.id);
}

#[tokio::test]
async fn the_number_of_the_last_user_is_not_given_again() {
    let meta = scratch().meta;
    let bob = user(&meta, "bob").await;
    meta.delete_user(bob.id, None, by(2)).await.unwrap();
    assert!(user(&meta, "carol").await.id > bob.id, "a token that still says it must not become carol's");
}

#[tokio::test]
async fn orgs_are_listed_to_whom_they_concern() {
    let meta = scratch().meta;
    let bob = user(&meta, "bob").await;
    for name in ["a-member", "b-granted", "c-team", "d-hidden", "e-open"] {
        org(&meta, name, None).await;
    }
    let id = async |name: &str| meta.org(name).await.unwrap().unwrap().id;
    meta.set_member(id("a-member").await, "bob", Membership::Member, Owning::Unbounded, by(1)).await.unwrap();
    let grant = NewGrant {
        target: GrantTarget::Repository(repo(&meta, "b-granted/app").await),
        to: Grantee::User("bob".into()),
        role: Role::Reader,
    };
    meta.make_grant(grant, by(1)).await.unwrap();
    let devs = meta.make_team(id("c-team").await, "devs", "", by(1)).await.unwrap().value;
    meta.add_to_team(devs.id, "bob", by(1)).await.unwrap();
    meta.change_org(id("e-open").await, Some(Visibility::Internal), None, by(1)).await.unwrap();
    let list = async |seen, after: &str, limit| {
        let orgs = meta.org_window(seen, "", after, limit).await.unwrap().entries;
        orgs.into_iter().map(|org| org.name).collect::<Vec<_>>().join(" ")
    };
    let who = Principal::User(bob.id);
    assert_eq!(list(Seen::By(who, false), "", 9).await, "a-member b-granted bob c-team e-open public");
    assert_eq!(list(Seen::By(who, false), "b", 2).await, "b-granted bob");
    meta.change_org(id("d-hidden").await, Some(Visibility::Private), None, by(1)).await.unwrap();
    assert_eq!(list(Seen::By(who, true), "", 9).await, "a-member b-granted bob c-team e-open public");
    assert_eq!(list(Seen::Theirs(who), "", 9).await, "a-member b-granted bob c-team");
    for name in ["a-member", "b-granted", "c-team", "bob"] {
        assert!(meta.belongs(who, id(name).await).await.unwrap(), "{name}");
    }
    assert!(!meta.belongs(who, id("d-hidden").await).await.unwrap());
    for seen in [Seen::All, Seen::By(who, false), Seen::By(who, true)] {
        let orgs = meta.org_window(seen, "-m", "", 9).await.unwrap();
        assert_eq!(orgs.entries.into_iter().map(|org| org.name).collect::<Vec<_>>(), ["a-member"]);
        assert_eq!(orgs.last, None);
        // However few are asked for, only so many are looked at; what comes after says where to go on.
        let (mut found, mut after, mut windows) = (Vec::new(), Some(String::new()), 0);
        while let Some(from) = after {
            let window = meta.org_window(seen, "c-t", &from, 2).await.unwrap();
            assert!(window.entries.len() <= 2, "{window:?}");
            found.extend(window.entries.into_iter().map(|org| org.name));
            (after, windows) = (window.last, windows + 1);
        }
        assert_eq!((found, windows > 1), (vec!["c-team".to_owned()], true));
    }
}

#[tokio::test]
async fn users_are_found_by_a_part_of_their_name_or_address() {
    let meta = scratch().meta;
    user(&meta, "alice").await;
    let new = NewUser { name: "bob".into(), email: Some("b@alice.example".into()), ..NewUser::default() };
    meta.make_user(new, by(1)).await.unwrap();
    user(&meta, "carol").await;
    let look = async |part: &str, after: &str, window| {
        let found = meta.account_window(part, after, window).await.unwrap();
        let names = found.entries.into_iter().map(|account| account.name).collect::<Vec<_>>().join(" ");
        (names, found.last.unwrap_or_default())
    };
    assert_eq!(look("alice", "", 9).await, ("alice bob".into(), String::new()));
    assert_eq!(look("", "alice", 1).await, ("bob".into(), "bob".into()));
    assert_eq!(look("zoe", "", 2).await, (String::new(), "bob".into()), "two were looked at, and none fits");
}
