use super::*;

async fn lines(r: &Registry, caller: &Caller, user: &str, action: Action, target: &str) -> Vec<String> {
    let explanation = r.explain(caller, user, action, target).await.unwrap();
    let verdict = if explanation.is_allowed { "yes" } else { "no" };
    [format!("{verdict}: {}", explanation.reason)].into_iter().chain(explanation.because).collect()
}

#[tokio::test]
async fn a_decision_is_explained_by_what_it_rests_on() {
    let world = World::new().await;
    let r = &world.r;
    world.push("team/app").await;
    let (alice, root) = (world.caller("alice").await, world.caller("root").await);
    r.create_team(&alice, "team", "devs", "").await.unwrap();
    r.add_team_member(&alice, "team", "devs", "bob").await.unwrap();
    r.set_member(&alice, "team", "bob", Membership::Member).await.unwrap();
    r.create_grant(&alice, "team/app", Grantee::Team("devs".into()), Role::Reader).await.unwrap();
    r.create_grant(&root, "team", Grantee::User("bob".into()), Role::Writer).await.unwrap();
    assert_eq!(
        lines(r, &root, "bob", Action::Delete, "team/app").await,
        [
            "no: bob may not delete team/app: they are writer there, and it takes a maintainer",
            "bob is a user",
            "team/app is private, as the registry is set",
            "bob is a member of team, which by itself gives no right",
            "bob is writer of team, granted by root",
            "the team devs, which bob is in, is reader of team/app, granted by alice",
            "to delete takes a maintainer",
        ]
    );
    assert_eq!(
        lines(r, &alice, "alice", Action::Own, "team").await,
        [
            "yes: alice may own team, as owner there",
            "alice is a user",
            "team is private, as the registry is set",
            "alice is an owner of team",
            "nothing there is granted to alice",
            "to own takes an owner of the org",
        ]
    );
    assert_eq!(
        lines(r, &root, "root", Action::Push, "team/app").await[..2],
        ["yes: root may push team/app, as an administrator", "root is an administrator, who may do everything",]
    );
    assert_eq!(
        lines(r, &alice, "anonymous", Action::Pull, "team/app").await[..3],
        [
            "no: anonymous may not pull team/app: somebody has to sign in for it",
            "who shows nothing may do nothing: anonymous = none",
            "team/app is private, as the registry is set",
        ]
    );
    r.update_org(&alice, "team", Some(Some(Visibility::Internal)), None).await.unwrap();
    assert_eq!(
        lines(r, &alice, "carol", Action::Pull, "team/app").await[..3],
        [
            "yes: carol may pull team/app, because it is internal",
            "carol is a user",
            "team/app is internal, as the org team says",
        ]
    );
    assert_eq!(
        lines(r, &root, "bob", Action::Push, "team/none").await[2],
        "there is no repository team/none: what holds in all of team counts"
    );
    assert_eq!(
        lines(r, &root, "bob", Action::Push, "no/thing").await[2],
        "there is no org no, and only administrators make one by pushing"
    );
}

#[tokio::test]
async fn everybody_learns_about_themselves_and_not_what_is_hidden_from_them() {
    let world = World::new().await;
    let r = &world.r;
    world.push("team/app").await;
    let bob = world.caller("bob").await;
    for target in ["team/app", "team/none", "no/thing"] {
        assert_eq!(
            lines(r, &bob, "bob", Action::Pull, target).await,
            [
                format!("no: bob may not pull {target}: to them it is not there"),
                "bob is a user".into(),
                format!("nothing that you may know of gives you a right on {target}"),
            ]
        );
        assert_eq!(
            lines(r, &bob, "bob", Action::Push, target).await[0],
            format!("no: bob may not push {target}: they have no role there, and it takes a writer")
        );
    }
    denied(r.explain(&bob, "alice", Action::Pull, "team/app").await);
    denied(r.explain(&bob, "nobody", Action::Pull, "team/none").await);
    hidden(r.explain(&bob, "alice", Action::Pull, "team").await);
    hidden(r.explain(&bob, "alice", Action::Pull, "nothing").await);
    let alice = world.caller("alice").await;
    hidden(r.explain(&alice, "nobody", Action::Pull, "team/app").await);
    denied(r.explain(&alice, "bob", Action::Pull, "bob/app").await);
}

#[tokio::test]
async fn what_a_token_leaves_and_what_is_switched_off_is_said() {
    let world = World::with(Settings { token_auth: false, ..Settings::default() }).await;
    let r = &world.r;
    world.push("team/app").await;
    let reader = world.by_token("alice", Role::Reader, Reach::Everywhere).await;
    let told = lines(r, &reader, "alice", Action::Push, "team/app").await;
    assert_eq!(told[0], "no: alice may not push team/app: only administrators do, while token_auth is off");
    assert!(
        told.contains(&"signed in by token:laptop, which leaves reader at most where it is good".into()),
        "{told:?}"
    );
    assert!(told.contains(&"token_auth is off: only administrators push and delete".into()), "{told:?}");
    let told = lines(r, &reader, "alice", Action::Manage, "team/app").await;
    assert_eq!(told[0], "no: alice may manage team/app, but not with what they are signed in by");
    let root = world.caller("root").await;
    let off = UserChange { is_disabled: Some(true), ..UserChange::default() };
    r.update_user(&root, "bob", off, None).await.unwrap();
    assert_eq!(
        lines(r, &root, "bob", Action::Pull, "team/app").await[..2],
        ["no: bob may not pull team/app: the account is disabled", "bob is disabled, and may do nothing",]
    );
}

#[tokio::test]
async fn who_is_an_administrator_or_disabled_is_told_to_administrators_and_themselves() {
    let world = World::new().await;
    let r = &world.r;
    world.push("team/app").await;
    world.give("bob", "team", Role::Reader).await;
    let (alice, root) = (world.caller("alice").await, world.caller("root").await);
    let off = UserChange { is_disabled: Some(true), ..UserChange::default() };
    r.update_user(&root, "bob", off, None).await.unwrap();
    assert_eq!(
        lines(r, &alice, "root", Action::Push, "team/app").await[..2],
        ["yes: root may push team/app", "root is a user"]
    );
    let told = lines(r, &alice, "bob", Action::Pull, "team/app").await;
    assert_eq!(told[..2], ["no: bob may not pull team/app", "bob is a user"]);
    assert!(told.contains(&"bob is reader of team, granted by operator".into()), "{told:?}");
}

/// Whoever may grant anywhere could else ask about one user after another.
#[tokio::test]
async fn nobody_finds_out_by_a_grant_whose_an_address_is() {
    let world = World::new().await;
    let r = &world.r;
    let (alice, root) = (world.caller("alice").await, world.caller("root").await);
    let address = UserChange { email: Some(Some("bob@example.org".into())), ..UserChange::default() };
    r.update_user(&root, "bob", address, None).await.unwrap();
    world.push("alice/app").await;
    let told = async |user: &str| {
        let mut told = vec![];
        for action in [Action::Pull, Action::Push, Action::Manage, Action::Own] {
            told.extend(lines(r, &alice, user, action, "alice/app").await);
            told.extend(lines(r, &alice, user, action, "alice").await);
        }
        told.join("\n").replace(user, "SOMEBODY")
    };
    let before = told("bob").await;
    r.create_grant(&alice, "alice", Grantee::Email("bob@example.org".into()), Role::Maintainer).await.unwrap();
    r.create_grant(&alice, "alice/app", Grantee::Email("bob@example.org".into()), Role::Writer).await.unwrap();
    assert_eq!(told("bob").await, before);
    assert_eq!(told("carol").await, before);
    assert!(before.contains("what is granted to addresses is left out"), "{before}");
    let all = lines(r, &root, "bob", Action::Push, "alice/app").await;
    assert_eq!(all[0], "yes: bob may push alice/app, as maintainer there");
    // Nor by taking them out: only what was granted by name goes, and is named.
    world.join("alice", "bob", Membership::Member).await;
    r.remove_member(&alice, "alice", "bob").await.unwrap();
    let grants = r.grants(&alice, Some("alice"), None, None, 9).await.unwrap().entries;
    assert_eq!(grants.len(), 2, "{grants:?}");
}
