//! Providers, who comes by them, and devices that wait.

use super::people::{audited, by, differs, org, unknown, user};
use super::*;

fn provider() -> NewProvider {
    NewProvider {
        name: "corp".into(),
        title: "Company".into(),
        issuer: "https://id.example".into(),
        client_id: "wharf".into(),
        client_secret: "hunter2".into(),
        scopes: vec!["openid".into(), "email".into()],
        trusted_domains: vec!["example.com".into()],
        groups_claim: Some("groups".into()),
        groups: vec![],
        is_enabled: true,
        makes_users: true,
    }
}

async fn made(meta: &Meta) -> Provider {
    meta.make_provider(provider(), by(1)).await.unwrap().value
}

fn newcomer(provider: &Provider, subject: &str, name: &str, email: Option<&str>) -> Newcomer {
    Newcomer {
        provider_id: provider.id,
        issuer: provider.issuer.clone(),
        subject: subject.into(),
        email: email.map(str::to_owned),
        name: name.into(),
        groups: None,
        makes_user: true,
    }
}

#[tokio::test]
async fn a_provider_is_made_once_and_its_secret_is_in_no_audit() {
    let scratch = scratch();
    let meta = &scratch.meta;
    assert_eq!(made(meta).await.client_secret, "hunter2");
    assert!(!meta.make_provider(provider(), by(2)).await.unwrap().is_new);
    let other = NewProvider { client_id: "other".into(), ..provider() };
    assert_eq!(differs(meta.make_provider(other, by(2)).await), "client_id");
    let change = ProviderChange { client_secret: Some("hunter3".into()), ..ProviderChange::default() };
    let id = meta.provider("corp").await.unwrap().unwrap().id;
    assert_eq!(meta.change_provider(id, change, Some(1), by(3)).await.unwrap().version, 2);
    let audit = format!("{:?}{:?}", audited(&scratch), meta.provider("corp").await.unwrap());
    assert!(audit.contains("provider.update") && audit.contains("changed") && !audit.contains("hunter"), "{audit}");
    meta.delete_provider(id, None, by(4)).await.unwrap();
    assert!(meta.providers("", 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_comes_again_has_the_same_account_whatever_they_are_called_then() {
    let meta = scratch().meta;
    let corp = made(&meta).await;
    let (jane, is_new) = meta.welcome(newcomer(&corp, "1", "jane", None), by(2)).await.unwrap();
    assert!(is_new && jane.name == "jane");
    let (again, is_new) = meta.welcome(newcomer(&corp, "1", "renamed", None), by(3)).await.unwrap();
    assert!(!is_new && again.id == jane.id);
    assert!(meta.org("jane").await.unwrap().unwrap().personal_of.is_some());
}

#[tokio::test]
async fn a_name_that_is_taken_or_reserved_gets_a_number() {
    let meta = scratch().meta;
    let corp = made(&meta).await;
    user(&meta, "jane").await;
    org(&meta, "jane-2", None).await;
    let name = |subject: &'static str, name: &'static str| {
        let come = meta.welcome(newcomer(&corp, subject, name, None), by(2));
        async { come.await.unwrap().0.name }
    };
    assert_eq!(name("1", "jane").await, "jane-3");
    assert_eq!(name("2", "jane").await, "jane-4");
    assert_eq!(name("3", "admin").await, "admin-2");
    assert_eq!(name("4", "library").await, "library-2");
}

#[tokio::test]
async fn an_address_that_was_vouched_for_links_to_its_account() {
    let scratch = scratch();
    let meta = &scratch.meta;
    let corp = made(meta).await;
    let new = NewUser { name: "jane".into(), email: Some("jane@example.com".into()), ..NewUser::default() };
    let jane = meta.make_user(new, by(1)).await.unwrap().value;
    let (found, is_new) = meta.welcome(newcomer(&corp, "1", "jd", Some("jane@example.com")), by(2)).await.unwrap();
    assert!(!is_new && found.id == jane.id);
    // The address moves on to somebody else at the provider: the identity decides, not the address.
    let (other, _) = meta.welcome(newcomer(&corp, "2", "john", None), by(3)).await.unwrap();
    assert_ne!(other.id, jane.id);
    let (still, _) = meta.welcome(newcomer(&corp, "2", "john", Some("jane@example.com")), by(4)).await.unwrap();
    assert_eq!(still.id, other.id);
    let (third, is_new) = meta.welcome(newcomer(&corp, "3", "jane", Some("jane@example.com")), by(5)).await.unwrap();
    assert!(is_new && third.email.is_none(), "the issuer knows jane as somebody else");
    assert!(audited(&scratch).iter().any(|(action, _, target, _)| action == "identity.link" && target == "jane"));
}

#[tokio::test]
async fn who_has_no_account_gets_none_where_none_are_made() {
    let meta = scratch().meta;
    let corp = made(&meta).await;
    let stranger = Newcomer { makes_user: false, ..newcomer(&corp, "1", "jane", None) };
    assert!(unknown(meta.welcome(stranger, by(2)).await).contains("Company makes none"));
    assert!(meta.account("jane").await.unwrap().is_none());
}

#[tokio::test]
async fn a_disabled_account_lets_nobody_in() {
    let meta = scratch().meta;
    let corp = made(&meta).await;
    let (jane, _) = meta.welcome(newcomer(&corp, "1", "jane", None), by(2)).await.unwrap();
    let change = UserChange { is_disabled: Some(true), ..UserChange::default() };
    meta.change_user(jane.id, change, None, by(3)).await.unwrap();
    assert!(meta.welcome(newcomer(&corp, "1", "jane", None), by(4)).await.is_err());
}

#[tokio::test]
async fn groups_are_teams_and_what_was_done_by_hand_stays() {
    let scratch = scratch();
    let meta = &scratch.meta;
    let team = org(meta, "team", None).await;
    for name in ["devs", "ops", "hand"] {
        meta.make_team(team.id, name, "", by(1)).await.unwrap();
    }
    let group = |group: &str, name: &str| GroupTeam { group: group.into(), org: "team".into(), team: name.into() };
    let groups = vec![group("/dev", "devs"), group("/ops", "ops"), group("/ops", "hand")];
    let corp = meta.make_provider(NewProvider { groups, ..provider() }, by(1)).await.unwrap().value;
    let come = |groups: Option<&[&str]>| {
        let groups = groups.map(|groups| groups.iter().map(|group| (*group).to_owned()).collect());
        meta.welcome(Newcomer { groups, ..newcomer(&corp, "1", "jane", None) }, by(2))
    };
    let members = async |name: &str| {
        let found = meta.team(team.id, name).await.unwrap().unwrap();
        meta.team_members(found.id, "", 10).await.unwrap()
    };
    come(Some(&["/dev", "/ops", "/unknown"])).await.unwrap();
    assert_eq!(members("devs").await[0].provider.as_deref(), Some("corp"));
    let hand = meta.team(team.id, "hand").await.unwrap().unwrap();
    meta.add_to_team(hand.id, "jane", by(3)).await.unwrap();
    let added: Vec<_> =
        audited(&scratch).into_iter().filter(|event| event.0 == "team.add" && event.2 == "team/hand").collect();
    let details = serde_json::json!({ "before": { "user": "jane", "provider": "corp" }, "after": { "user": "jane" } });
    assert_eq!(added.last().map(|event| &event.3), Some(&details), "kept by hand now, whatever the provider says");
    come(Some(&["/dev"])).await.unwrap();
    assert!(members("ops").await.is_empty());
    assert_eq!((members("devs").await.len(), members("hand").await.len()), (1, 1));
    come(None).await.unwrap();
    assert_eq!(members("devs").await.len(), 1, "a provider that is silent takes nothing");
    let change = ProviderChange { groups: Some(vec![group("/ops", "ops")]), ..ProviderChange::default() };
    meta.change_provider(corp.id, change, None, by(4)).await.unwrap();
    assert!(members("devs").await.is_empty());
    meta.delete_provider(corp.id, None, by(5)).await.unwrap();
    assert_eq!(members("hand").await.len(), 1);
}

#[tokio::test]
async fn a_sign_in_ends_once_and_in_time() {
    let meta = scratch().meta;
    let corp = made(&meta).await;
    let begin = |state: &[u8]| SignIn {
        state_hash: state.into(),
        provider_id: corp.id,
        nonce: "n".into(),
        verifier: "v".into(),
        return_to: String::new(),
        expires_at: 100,
    };
    meta.begin_sign_in(begin(b"one"), 1).await.unwrap();
    meta.begin_sign_in(begin(b"two"), 1).await.unwrap();
    assert!(meta.end_sign_in(b"none", 2).await.unwrap().is_none());
    assert_eq!(meta.end_sign_in(b"one", 2).await.unwrap().unwrap().nonce, "n");
    assert!(meta.end_sign_in(b"one", 2).await.unwrap().is_none());
    assert!(meta.end_sign_in(b"two", 100).await.unwrap().is_none());
}

#[tokio::test]
async fn a_device_is_told_once_what_was_decided() {
    let meta = scratch().meta;
    let jane = user(&meta, "jane").await;
    let start = |hash: &[u8], code: &str| NewDevice {
        hash: hash.into(),
        user_code: code.into(),
        client_id: "wharf".into(),
        address: None,
        expires_at: 1000,
    };
    for (hash, code) in [(b"one", "A"), (b"two", "B")] {
        assert!(meta.start_device(start(hash, code), 1).await.unwrap());
    }
    assert!(!meta.start_device(start(b"tri", "A"), 1).await.unwrap(), "the code is another's");
    assert_eq!(meta.poll_device(b"one", 5, 10).await.unwrap(), Polled::Waiting);
    assert_eq!(meta.poll_device(b"one", 5, 14).await.unwrap(), Polled::TooSoon);
    assert_eq!(meta.poll_device(b"one", 5, 19).await.unwrap(), Polled::Waiting);
    assert!(meta.decide_device("A", jane.id, true, by(20)).await.unwrap());
    assert!(!meta.decide_device("A", jane.id, false, by(20)).await.unwrap(), "it is decided");
    assert!(meta.device("A", 20).await.unwrap().is_none() && meta.device("B", 20).await.unwrap().is_some());
    assert_eq!(meta.poll_device(b"one", 5, 21).await.unwrap(), Polled::Allowed(jane.id));
    assert_eq!(meta.poll_device(b"one", 5, 22).await.unwrap(), Polled::Unknown);
    assert!(meta.decide_device("B", jane.id, false, by(20)).await.unwrap());
    assert_eq!(meta.poll_device(b"two", 5, 21).await.unwrap(), Polled::Refused);
    assert!(meta.start_device(start(b"old", "C"), 21).await.unwrap());
    assert_eq!(meta.poll_device(b"old", 5, 1000).await.unwrap(), Polled::Unknown);
}
