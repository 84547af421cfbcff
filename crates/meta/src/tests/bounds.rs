//! Nobody fills the registry with what costs nothing to make.

use super::people::{by, org, user};
use super::*;

/// An org of alice's, and a connection to fill it by.
async fn with_org(scratch: &Scratch) -> (Org, Connection) {
    let alice = user(&scratch.meta, "alice").await;
    let team = org(&scratch.meta, "team", Some(alice.id)).await;
    (team, Connection::open(scratch.folder.path().join("wharf.db")).unwrap())
}

pub(super) fn enough<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    let Err(Error::Refused(Refusal::Enough { message, .. })) = outcome else { panic!("{outcome:?}") };
    message
}

#[tokio::test]
async fn an_org_has_a_thousand_teams_and_robots_at_most() {
    let scratch = scratch();
    let (team, connection) = with_org(&scratch).await;
    let meta = &scratch.meta;
    for table in ["teams", "robots"] {
        let insert = format!("INSERT INTO {table} (org_id, name, created_at) SELECT ?2, 'x' || n, 1 FROM n");
        assert_eq!(insert_many(&connection, 999, team.id, &insert), 999);
    }
    let devs = meta.make_team(team.id, "devs", "", by(1)).await.unwrap().value;
    let ci = meta.make_robot(team.id, "ci", "", by(1)).await.unwrap().value;
    let sentence = enough(meta.make_team(team.id, "more", "", by(1)).await);
    assert_eq!(sentence, "org team has 1000 teams, and may not have more: delete one that is not needed");
    assert!(enough(meta.make_robot(team.id, "more", "", by(1)).await).contains("has 1000 robots"));
    assert!(!meta.make_team(team.id, "devs", "", by(1)).await.unwrap().is_new, "what is there is there");
    assert!(!meta.make_robot(team.id, "ci", "", by(1)).await.unwrap().is_new);
    meta.delete_team(devs.id, None, by(1)).await.unwrap();
    meta.delete_robot(ci.id, None, by(1)).await.unwrap();
    meta.make_team(team.id, "more", "", by(1)).await.unwrap();
    meta.make_robot(team.id, "more", "", by(1)).await.unwrap();
    let other = org(meta, "other", None).await;
    meta.make_team(other.id, "devs", "", by(1)).await.unwrap();
}

#[tokio::test]
async fn an_org_has_ten_thousand_grants_at_most_those_to_addresses_too() {
    let scratch = scratch();
    let (team, connection) = with_org(&scratch).await;
    let meta = &scratch.meta;
    let insert = "INSERT INTO grants (org_id, email, role, granted_by, granted_at)
        SELECT ?2, n || '@example.com', 1, 'alice', 1 FROM n";
    assert_eq!(insert_many(&connection, 9999, team.id, insert), 9999);
    let give = async |to| {
        let new = NewGrant { target: GrantTarget::Org(team.id), to, role: Role::Reader };
        meta.make_grant(new, by(1)).await
    };
    let made = give(Grantee::Email("a@example.com".into())).await.unwrap().value;
    assert!(enough(give(Grantee::Email("b@example.com".into())).await).contains("org team has 10000 grants"));
    enough(give(Grantee::User("alice".into())).await);
    assert!(!give(Grantee::Email("a@example.com".into())).await.unwrap().is_new);
    let target = GrantTarget::NewRepository("team/new".parse().unwrap());
    enough(meta.make_grant(NewGrant { target, to: Grantee::User("alice".into()), role: Role::Reader }, by(1)).await);
    let place = meta.place(None, &"team/new".parse().unwrap()).await.unwrap();
    assert!(place.repository.is_none(), "nothing of it happened");
    meta.delete_grant(made.id, by(1)).await.unwrap();
    give(Grantee::User("alice".into())).await.unwrap();
}

#[tokio::test]
async fn an_org_has_ten_thousand_members_at_most() {
    let scratch = scratch();
    let (team, connection) = with_org(&scratch).await;
    let meta = &scratch.meta;
    let users = "INSERT INTO users (id, name, is_admin, created_at) SELECT 100 + n + 0 * ?2, 'u' || n, 0, 1 FROM n";
    assert_eq!(insert_many(&connection, 10_000, team.id, users), 10_000);
    let insert = "INSERT INTO members (org_id, user_id, role, since) SELECT ?2, 100 + n, 'member', 1 FROM n";
    assert_eq!(insert_many(&connection, 9999, team.id, insert), 9999);
    let set = async |user: &str, role| meta.set_member(team.id, user, role, Owning::Unbounded, by(1)).await;
    assert!(enough(set("u10000", Membership::Member).await).contains("org team has 10000 members"));
    set("u7", Membership::Owner).await.unwrap();
    meta.remove_member(team.id, "u8", by(1)).await.unwrap();
    set("u10000", Membership::Member).await.unwrap();
}

#[tokio::test]
async fn somebody_has_five_hundred_api_tokens_at_most_however_many_are_made_at_once() {
    let scratch = scratch();
    let (team, connection) = with_org(&scratch).await;
    let meta = &scratch.meta;
    let alice = meta.account("alice").await.unwrap().unwrap().id;
    let robot = meta.make_robot(team.id, "ci", "", by(1)).await.unwrap().value.id;
    let insert = format!(
        "INSERT INTO api_tokens (id, hash, user_id, name, hint, role, created_at)
         SELECT 'id' || n, CAST(n AS BLOB), {alice}, 'x' || n, '', 1, 1 + 0 * ?2 FROM n"
    );
    assert_eq!(insert_many(&connection, 499, team.id, &insert), 499);
    let make = |owner, name: &str| {
        let new = NewApiToken {
            id: format!("{owner:?} {name}"),
            hash: format!("{owner:?} {name}").into(),
            owner,
            name: name.into(),
            hint: String::new(),
            role: Role::Reader,
            reach: Reach::Everywhere,
            expires_at: None,
            proved: None,
        };
        async move { meta.keep_api_token(new, "alice", &Actor::operator(), 1).await }
    };
    let user = Principal::User(alice);
    let (one, two) = tokio::join!(make(user, "one"), make(user, "two"));
    assert_eq!(one.unwrap(), Kept::Yes);
    let sentence = enough(two);
    assert_eq!(sentence, "alice has 500 API tokens, and may not have more: delete one that is not needed");
    assert_eq!(make(Principal::Robot(robot), "one").await.unwrap(), Kept::Yes, "each counts their own");
    assert!(meta.revoke_api_token("id7", "alice", &Actor::operator(), 1).await.unwrap());
    assert_eq!(make(user, "two").await.unwrap(), Kept::Yes);
}

/// Runs an INSERT from the numbers `n` up to `last`; `?2` is the org. Says how many rows there are more.
fn insert_many(connection: &Connection, last: i64, org: OrgId, insert: &str) -> usize {
    let numbers = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)";
    connection.execute(&format!("{numbers} {insert}"), (last, org.0)).unwrap()
}
