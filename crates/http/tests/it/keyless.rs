//! Robots without secrets: CI jobs and pods that show the token their own system gave them.

use std::time::Duration;

use serde_json::{Value, json};
use wharf_registry::manage::{NewTrustRule, TrustRuleChange};
use wharf_registry::{Caller, Role};
use wharf_testkit::boxed::{Builder, trust_rule};
use wharf_testkit::issuer::{Forgery, Issuer, Mood};

use super::*;

const EXCHANGE: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange\
    &subject_token_type=urn:ietf:params:oauth:token-type:jwt";
const PUSH: &str = "repository:team/app:pull,push";
const ROBOT: &str = "&robot=team%2Bci";

/// A box with `team/app` and `team+ci`, who may write there; an issuer; a rule for its tokens from `octo/app`.
async fn scene() -> (Boxed, Issuer) {
    let b = Boxed::builder();
    let issuer = Issuer::start(b.clock()).await;
    let b = b.asks(&issuer.url()).open().await.leaving_uploads();
    b.push_image("team/app", "v1").await;
    b.push_image("team/other", "v1").await;
    b.make_robot("team+ci").await;
    b.grant_robot("team+ci", "team/app", Role::Maintainer);
    b.trust("main", "team+ci", &issuer.url(), ("sub", "repo:octo/app:*")).await;
    (b, issuer)
}

fn job(issuer: &Issuer) -> String {
    issuer.github("octo/app", "refs/heads/main", "wharf", json!({}))
}

async fn exchange(b: &Boxed, token: &str, more: &str) -> Reply {
    b.post("/token").anonymous().form(format!("{EXCHANGE}&subject_token={token}{more}")).await
}

async fn refusal(b: &Boxed, token: &str) -> String {
    let answer = exchange(b, token, ROBOT).await.expect(400).json();
    assert_eq!(answer["error"], "invalid_request");
    answer["error_description"].as_str().unwrap().to_owned()
}

async fn access_token(b: &Boxed, token: &str) -> String {
    let answer = exchange(b, token, &format!("&scope={PUSH}")).await.expect(200).json();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn pushes(b: &Boxed, name: &str, token: &str) -> u16 {
    b.post(format!("/v2/{name}/blobs/uploads/")).bearer(token).await.status.as_u16()
}

/// RFC 8693 §2.2.1
#[tokio::test]
async fn a_jobs_token_is_exchanged_for_one_that_pushes() {
    let (b, issuer) = scene().await;
    let answer = exchange(&b, &job(&issuer), &format!("&scope={PUSH}")).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let answer = answer.json();
    assert_eq!(answer["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert_eq!((&answer["token_type"], &answer["scope"]), (&json!("Bearer"), &json!(PUSH)));
    assert_eq!((&answer["expires_in"], answer.get("refresh_token")), (&json!(900), None));
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(pushes(&b, "team/app", token).await, 202);
    b.get("/v2/team/other/tags/list").bearer(token).await.refused(404, "NAME_UNKNOWN");
}

#[tokio::test]
async fn a_jobs_token_is_a_docker_password_under_the_robots_name() {
    let (b, issuer) = scene().await;
    let token = job(&issuer);
    b.get("/v2/").basic("team+ci", &token).await.expect(200);
    let who = b.get("/api/v1/self").basic("team+ci", &token).await.expect(200).json();
    assert!(who["via"].as_str().unwrap().starts_with("ci:") && who["expires_at"].is_string(), "{who}");
    let answer = b.get(format!("/token?scope={PUSH}")).basic("team+ci", &token).await.expect(200).json();
    assert_eq!(pushes(&b, "team/app", answer["token"].as_str().unwrap()).await, 202);
    assert_eq!(answer["expires_in"], 300);
    b.post("/v2/team/app/blobs/uploads/").basic("team+ci", &token).await.expect(202);
    for user in ["team+other", "none+ci", "ci", "oidc", "alice", "<token>"] {
        b.get("/v2/").basic(user, &token).await.refused(401, "UNAUTHORIZED");
    }
    let form = format!("grant_type=password&username=team%2Bci&password={token}&access_type=offline&scope={PUSH}");
    let answer = b.post("/token").anonymous().form(form).await.expect(200).json();
    assert_eq!(answer.get("refresh_token"), None, "a job's rights end with the job");
}

#[tokio::test]
async fn a_rule_gives_no_more_than_its_role_and_the_robots_grants() {
    let (b, issuer) = scene().await;
    let token = job(&issuer);
    // A maintainer by grant, a writer by the rule.
    b.delete("/v2/team/app/manifests/v1").basic("team+ci", &token).await.refused(401, "UNAUTHORIZED");
    b.post("/v2/team/other/blobs/uploads/").basic("team+ci", &token).await.refused(403, "DENIED");
    let answer = exchange(&b, &token, "&scope=repository:team/app:pull,push,delete").await.expect(200).json();
    assert_eq!(answer["scope"], PUSH);
}

#[tokio::test]
async fn every_claim_must_fit_and_the_refusal_says_what_did_not() {
    let (b, issuer) = scene().await;
    let other = issuer.github("octo/other", "refs/heads/main", "wharf", json!({}));
    let said = "no trust rule for team+ci fits its claims (aud \"wharf\", sub \"repo:octo/other:ref:refs/heads/main\")";
    assert!(refusal(&b, &other).await.contains(said));
    let audience = issuer.github("octo/app", "refs/heads/main", "https://github.com/octo", json!({}));
    assert!(refusal(&b, &audience).await.contains("(aud \"https://github.com/octo\", sub"));
    let stranger = issuer.mint(json!({ "iss": "https://token.actions.githubusercontent.com", "aud": "wharf" }));
    assert!(refusal(&b, &stranger).await.contains("no trust rule is for tokens of"));
    assert!(refusal(&b, "garbage").await.contains("not a JSON Web Token"));
}

/// The job is told little, since anybody may ask; whoever made the rule has to mend it.
#[tokio::test]
async fn owners_see_in_their_audit_which_claim_kept_a_job_out() {
    let (b, issuer) = scene().await;
    let other = issuer.github("octo/other", "refs/heads/main", "wharf", json!({}));
    let audience = issuer.github("octo/app", "refs/heads/main", "https://github.com/octo", json!({}));
    for token in [&other, &audience, &other] {
        refusal(&b, token).await;
        b.get("/v2/").basic("team+ci", token).await.refused(401, "UNAUTHORIZED");
    }
    b.get("/v2/").basic("team+ci", "whf_nonsense").await.refused(401, "UNAUTHORIZED");
    let listed = b.get("/api/v1/audit?org=team&action=sign-in.failure").await.expect(200).json();
    let rows = listed["items"].as_array().unwrap();
    let whys: Vec<&str> = rows.iter().filter_map(|row| row["details"]["why"].as_str()).collect();
    let sub = "rule main: sub is \"repo:octo/other:ref:refs/heads/main\", expected repo:octo/app:*";
    assert!(whys.contains(&sub), "{listed}");
    assert!(whys.contains(&"rule main: aud is \"https://github.com/octo\", expected wharf"), "{listed}");
    assert!(rows.iter().any(|row| row["via"] == "token" && row["target"] == "team+ci"), "{listed}");
}

#[tokio::test]
async fn what_the_issuer_did_not_sign_now_for_this_is_refused() {
    let (b, issuer) = scene().await;
    let now = b.clock.seconds();
    for forgery in [
        Forgery::Unsigned,
        Forgery::PublicKeyAsSecret,
        Forgery::OtherKey,
        Forgery::OtherPayload,
        Forgery::OwnKey,
        Forgery::Critical,
    ] {
        let forged = issuer.forge(forgery, json!({ "sub": "repo:octo/app:x", "aud": "wharf" }));
        refusal(&b, &forged).await;
        b.get("/v2/").basic("team+ci", &forged).await.refused(401, "UNAUTHORIZED");
    }
    for times in [json!({ "exp": now }), json!({ "iat": now + 61 }), json!({ "exp": "soon" })] {
        refusal(&b, &issuer.github("octo/app", "refs/heads/main", "wharf", times)).await;
    }
}

#[tokio::test]
async fn a_token_is_taken_for_as_long_as_the_rule_says() {
    let (b, issuer) = scene().await;
    let token = issuer.github("octo/app", "refs/heads/main", "wharf", json!({ "exp": 9_999_999_999_i64 }));
    b.clock.advance(Duration::from_secs(700));
    let answer = exchange(&b, &token, &format!("&scope={PUSH}")).await.expect(200).json();
    assert_eq!(answer["expires_in"], 200);
    let basic = b.get("/token").basic("team+ci", &token).await.expect(200).json();
    assert_eq!(basic["expires_in"], 200);
    b.clock.advance(Duration::from_secs(200));
    assert!(refusal(&b, &token).await.contains("longer ago than the 900 s of trust rule main"));
    b.clock.advance(Duration::from_secs(31));
    b.get("/v2/").bearer(answer["access_token"].as_str().unwrap()).await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn changing_disabling_or_deleting_the_rule_ends_its_tokens_at_once() {
    let change = |change: TrustRuleChange| Some(change);
    let changes = [
        change(TrustRuleChange { is_enabled: Some(false), ..TrustRuleChange::default() }),
        change(TrustRuleChange { role: Some(Role::Reader), ..TrustRuleChange::default() }),
        None,
    ];
    for change in changes {
        let (b, issuer) = scene().await;
        let token = access_token(&b, &job(&issuer)).await;
        assert_eq!(pushes(&b, "team/app", &token).await, 202);
        let operator = Caller::operator();
        match change {
            Some(change) => drop(b.registry.update_trust_rule(&operator, "team", "main", change, None).await.unwrap()),
            None => b.registry.delete_trust_rule(&operator, "team", "main", None).await.unwrap(),
        }
        assert_eq!(pushes(&b, "team/app", &token).await, 401);
    }
}

#[tokio::test]
async fn disabling_the_robot_ends_its_tokens_at_once() {
    let (b, issuer) = scene().await;
    let token = access_token(&b, &job(&issuer)).await;
    let robot = b.make_robot("team+ci").await;
    b.disable_robot(robot).await;
    assert_eq!(pushes(&b, "team/app", &token).await, 401);
    refusal(&b, &job(&issuer)).await;
}

#[tokio::test]
async fn a_token_stands_for_the_robot_that_is_named_or_whose_org_is_asked_for() {
    let (b, issuer) = scene().await;
    let scope = format!("&scope={PUSH}");
    let said = |reply: Reply| reply.expect(400).json()["error_description"].as_str().unwrap().to_owned();
    let team = exchange(&b, &job(&issuer), &scope).await.expect(200).json();
    assert_eq!(team["scope"], PUSH);
    for silent in ["", "&robot=ci", "&scope=registry:catalog:*", &format!("{scope}%20repository:other/app:pull")] {
        let refused = said(exchange(&b, &job(&issuer), silent).await);
        assert!(refused.contains("say which one it shall stand for"), "{silent}: {refused}");
    }
    b.make_robot("team+two").await;
    b.trust("also", "team+two", &issuer.url(), ("repository", "octo/*")).await;
    let refused = said(exchange(&b, &job(&issuer), &scope).await);
    assert!(refused.contains("fits several robots of team: say which"), "{refused}");
    exchange(&b, &job(&issuer), &format!("{scope}{ROBOT}")).await.expect(200);
}

/// Anybody can make rules in an org of their own, for anybody's jobs.
#[tokio::test]
async fn no_rule_of_another_org_changes_what_a_job_gets() {
    let (b, issuer) = scene().await;
    let scope = format!("&scope={PUSH}");
    let ways = [ROBOT.to_owned(), scope.clone(), format!("{scope}{ROBOT}"), String::new()];
    let all = || async {
        let mut answers = vec![];
        for way in &ways {
            let answer = exchange(&b, &job(&issuer), way).await;
            let (status, said) = (answer.status.as_u16(), answer.json());
            answers.push((status, said["scope"].clone(), said["error_description"].clone()));
        }
        let named = b.get("/v2/").basic("team+ci", &job(&issuer)).await.status.as_u16();
        let unnamed = b.get("/v2/").basic("ci", &job(&issuer)).await.status.as_u16();
        (answers, named, unnamed)
    };
    let before = all().await;
    assert_eq!((before.0[1].0, before.1), (200, 200));
    b.make_robot("other+ci").await;
    b.grant_robot("other+ci", "team/other", Role::Maintainer);
    let rule = trust_rule("other+ci", &issuer.url(), ("repository", "octo/*"));
    b.trust_as("other+ci", NewTrustRule { role: Role::Maintainer, lifetime: 86_400, ..rule }).await;
    assert_eq!(all().await, before);
    exchange(&b, &job(&issuer), "&robot=other%2Bci").await.expect(200);
}

/// A good token of an issuer that everybody may use tells nothing of whom an org trusts.
#[tokio::test]
async fn an_org_without_a_fitting_rule_is_refused_as_one_that_is_not_there() {
    let (b, issuer) = scene().await;
    let other = issuer.github("octo/other", "refs/heads/main", "else", json!({}));
    let mut said = vec![];
    b.make_robot("quiet+ci").await;
    for org in ["team", "quiet", "none"] {
        for robot in ["ci", "none"] {
            let answer = exchange(&b, &other, &format!("&robot={org}%2B{robot}")).await.expect(400).json();
            let text = answer["error_description"].as_str().unwrap();
            said.push(text.replace(&format!("{org}+{robot}"), "it"));
        }
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test]
async fn gitlab_and_kubernetes_tokens_are_taken_by_their_own_claims() {
    let (b, issuer) = scene().await;
    b.trust("gitlab", "team+ci", &issuer.url(), ("project_path", "group/app")).await;
    b.trust("cluster", "team+ci", &issuer.url(), ("sub", "system:serviceaccount:build:*")).await;
    let gitlab = issuer.gitlab("group/app", "main", "wharf", json!({}));
    assert_eq!(pushes(&b, "team/app", &access_token(&b, &gitlab).await).await, 202);
    let pod = issuer.kubernetes("build", "pusher", &["https://kubernetes.default.svc", "wharf"], json!({}));
    assert_eq!(pushes(&b, "team/app", &access_token(&b, &pod).await).await, 202);
    let other = issuer.kubernetes("default", "pusher", &["wharf"], json!({}));
    refusal(&b, &other).await;
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_is_no_fault_of_the_token() {
    let b = Boxed::builder();
    let issuer = Issuer::start(b.clock()).await;
    let b = b.asks(&issuer.url()).fails().open().await;
    b.make_robot("team+ci").await;
    b.trust("main", "team+ci", &issuer.url(), ("sub", "*app*")).await;
    issuer.behave(Mood::Down);
    let reply = exchange(&b, &job(&issuer), ROBOT).await.expect(503);
    assert_eq!((reply.header("retry-after"), &reply.json()["error"]), ("10", &json!("temporarily_unavailable")));
    b.get("/v2/").basic("team+ci", &job(&issuer)).await.expect(503);
}

#[tokio::test]
async fn an_issuer_inside_is_asked_only_when_the_operator_allows_it() {
    type Change = fn(Builder, &str) -> Builder;
    let not_enough: [Change; 4] = [
        |builder, _| builder,
        |builder, issuer| builder.settings(|settings| settings.issuers_inside.push(issuer.into())),
        // What the operator opened for others is not for whatever issuer somebody names in a rule.
        |builder, _| builder.asks_loopback(),
        |builder, issuer| builder.asks(&format!("{issuer}/")),
    ];
    for change in not_enough {
        let builder = Boxed::builder();
        let issuer = Issuer::start(builder.clock()).await;
        let b = builder.asks(&issuer.url()).open().await;
        b.make_robot("team+ci").await;
        b.trust("main", "team+ci", &issuer.url(), ("sub", "*app*")).await;
        let b = change(b.close(), &issuer.url()).fails().open().await;
        let new = trust_rule("team+ci", &issuer.url(), ("sub", "*"));
        let refused = b.registry.create_trust_rule(&Caller::operator(), "team", new).await.unwrap_err();
        assert!(refused.to_string().contains("outgoing.allow"), "{refused}");
        // A rule from before: it will not be better shortly.
        let said = refusal(&b, &job(&issuer)).await;
        assert!(said.contains("settings do not let it ask the issuer") && !said.contains("loopback"), "{said}");
        assert_eq!(issuer.asked("/.well-known/openid-configuration"), 0);
    }
}

/// Nobody looks up the names of the operator's network by rules.
#[tokio::test]
async fn where_an_issuers_name_leads_is_told_to_nobody() {
    let b = Boxed::builder().fails().open().await;
    let issuer = Issuer::start(&b.clock).await;
    b.make_robot("team+ci").await;
    // Inside, and nowhere.
    for name in ["localhost", "nowhere.invalid"] {
        let url = format!("https://{name}:1");
        b.trust(name, "team+ci", &url, ("sub", "job")).await;
        let reply = exchange(&b, &issuer.mint(json!({ "iss": url })), ROBOT).await.expect(503).json();
        let said = format!("the issuer {url} cannot be asked for its keys at the moment: try again shortly");
        assert_eq!(reply["error_description"], said);
    }
    let listed = b.get("/api/v1/audit?org=team&action=sign-in.failure").await.expect(200).json();
    for row in listed["items"].as_array().unwrap() {
        assert!(row["details"].get("why").is_none(), "{row}");
    }
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed}");
}

#[tokio::test]
async fn nobody_makes_the_registry_ask_an_issuer_of_their_choice() {
    let b = Boxed::builder().asks_loopback().open().await;
    let issuer = Issuer::start(&b.clock).await;
    refusal(&b, &job(&issuer)).await;
    b.get("/v2/").basic("team+ci", &job(&issuer)).await.refused(401, "UNAUTHORIZED");
    assert_eq!(issuer.asked("/.well-known/openid-configuration"), 0);
}

#[tokio::test]
async fn tokens_of_many_issuers_do_not_make_a_jobs_keys_be_fetched_again() {
    let builder = Boxed::builder();
    let issuer = Issuer::start(builder.clock()).await;
    // Nobody listens there.
    let many: Vec<String> = (0..100).map(|number| format!("http://127.0.0.1:1/{number}")).collect();
    let listed = many.clone();
    let builder = builder.asks(&issuer.url()).settings(move |settings| settings.issuers_inside.extend(listed));
    let b = builder.fails().open().await;
    b.make_robot("team+ci").await;
    b.make_robot("other+ci").await;
    b.trust("main", "team+ci", &issuer.url(), ("sub", "*app*")).await;
    exchange(&b, &job(&issuer), ROBOT).await.expect(200);
    for (number, url) in many.iter().enumerate() {
        b.trust(&format!("rule-{number}"), "other+ci", url, ("sub", "x")).await;
        exchange(&b, &issuer.mint(json!({ "iss": url })), "&robot=other%2Bci").await.expect(503);
    }
    exchange(&b, &job(&issuer), ROBOT).await.expect(200);
    assert_eq!(issuer.asked("/keys"), 1);
}

#[tokio::test]
async fn an_exchange_that_is_not_one_is_told_what_is_missing() {
    let (b, issuer) = scene().await;
    let token = job(&issuer);
    let grant = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange";
    for form in [
        grant.to_owned(),
        format!("{grant}&subject_token={token}"),
        format!("{grant}&subject_token={token}&subject_token_type=urn:ietf:params:oauth:token-type:saml2"),
        format!("{EXCHANGE}&subject_token={token}&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token"),
        format!("{EXCHANGE}&subject_token={token}&actor_token={token}"),
    ] {
        let answer: Value = b.post("/token").anonymous().form(form).await.expect(400).json();
        assert_eq!(answer["error"], "invalid_request");
    }
}

#[tokio::test]
async fn a_rule_is_checked_when_it_is_made() {
    let b = Boxed::new().await;
    b.make_robot("team+ci").await;
    let good = || trust_rule("team+ci", "https://ci.example", ("sub", "job"));
    let bad = [
        ("issuer", NewTrustRule { issuer: "ci.example".into(), ..good() }),
        ("issuer", NewTrustRule { issuer: "https://user@ci.example".into(), ..good() }),
        ("audience", NewTrustRule { audience: "*".into(), ..good() }),
        ("lifetime", NewTrustRule { lifetime: 5, ..good() }),
        ("claims", trust_rule("team+ci", "https://ci.example", ("sub", "*"))),
        ("claims", trust_rule("team+ci", "https://token.actions.githubusercontent.com", ("ref", "refs/heads/main"))),
    ];
    for (field, rule) in bad {
        let error = b.registry.create_trust_rule(&Caller::operator(), "team", rule).await.unwrap_err();
        let wharf_registry::Error::Invalid { field: found, .. } = error else { panic!("{error}") };
        assert_eq!(found, field);
    }
}
