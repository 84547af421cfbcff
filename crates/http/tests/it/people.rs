//! People at a browser: signing in by password and by a provider, and letting devices sign in.

use std::time::Duration;

use serde_json::{Value, json};
use wharf_registry::manage::{GroupTeam, NewProvider, ProviderChange};
use wharf_registry::{Caller, Visibility};
use wharf_testkit::boxed::{ADMIN, Browser};
use wharf_testkit::issuer::{CLIENT, CLIENT_SECRET, Issuer, Mood};

use super::*;

fn provider(issuer: &Issuer) -> NewProvider {
    NewProvider {
        name: "corp".into(),
        title: "Company".into(),
        issuer: issuer.url(),
        client_id: CLIENT.into(),
        client_secret: CLIENT_SECRET.into(),
        scopes: vec!["profile".into(), "email".into()],
        trusted_domains: vec!["example.com".into()],
        groups_claim: Some("groups".into()),
        groups: vec![],
        is_enabled: true,
        makes_users: true,
    }
}

async fn scene() -> (Boxed, Issuer) {
    let b = Boxed::builder().asks_loopback().open().await;
    let issuer = Issuer::start(&b.clock).await;
    b.registry.create_provider(&Caller::operator(), provider(&issuer)).await.unwrap();
    (b, issuer)
}

/// Through the provider and back; the last answer.
async fn by_provider(browser: &mut Browser<'_>, issuer: &Issuer, from: &str) -> Reply {
    let there = browser.get(from).await.expect(303).header("location").to_owned();
    let back = issuer.authorize(&there);
    browser.get(back.strip_prefix("http://localhost").unwrap()).await
}

async fn signed_in_as(browser: &mut Browser<'_>) -> Option<String> {
    let page = browser.get("/account").await;
    let text = page.text();
    (page.status == 200).then(|| text.split("<strong>").nth(1).unwrap().split('<').next().unwrap().to_owned())
}

#[tokio::test]
async fn a_password_signs_a_browser_in_until_it_signs_out() {
    let (b, _issuer) = scene().await;
    let root = |accept: &'static str| b.get("/").anonymous().header("accept", accept);
    assert_eq!(root("text/html,*/*;q=0.8").await.expect(303).header("location"), "/account");
    assert!(root("*/*").await.expect(404).json()["errors"].is_array());
    let mut browser = b.browser();
    assert_eq!(browser.get("/account").await.expect(303).header("location"), "/sign-in");
    let page = browser.get("/sign-in").await.expect(200);
    let before = browser.cookie();
    let done = browser.submit(&page, &[("user", ADMIN), ("password", "secret")]).await.expect(303);
    assert_eq!(done.header("location"), "/account");
    assert_ne!(browser.cookie(), before, "what it held before is worth nothing");
    assert_eq!(signed_in_as(&mut browser).await.as_deref(), Some(ADMIN));
    assert_eq!(browser.get("/sign-in").await.expect(303).header("location"), "/account");
    let (page, session) = (browser.get("/account").await, browser.cookie().unwrap());
    browser.submit(&page, &[]).await.expect(303);
    assert_eq!(signed_in_as(&mut browser).await, None);
    b.get("/account").anonymous().header("cookie", session).await.expect(303);
}

#[tokio::test]
async fn pages_are_guarded_and_cookies_are_for_us_alone() {
    let b = Boxed::builder().options(|o| o.public_url = Some("https://registry.example".into())).open().await;
    let page = b.get("/sign-in").anonymous().await.expect(200);
    let policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    assert_eq!(page.header("content-security-policy"), policy);
    assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "same-origin"));
    assert_eq!((page.header("x-content-type-options"), page.header("x-frame-options")), ("nosniff", "DENY"));
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-wharf="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    assert!(!page.text().contains("<script") && !page.text().contains("style="));
    assert!(b.get("/sign-in.css").anonymous().await.expect(200).header("content-type").starts_with("text/css"));
    let in_clear = Boxed::new().await.get("/sign-in").anonymous().await.header("set-cookie").to_owned();
    assert!(in_clear.starts_with("wharf=") && !in_clear.contains("Secure"), "{in_clear}");
}

#[tokio::test]
async fn a_wrong_password_is_told_in_the_page_and_never_repeated() {
    let b = Boxed::new().await;
    let mut browser = b.browser();
    let page = browser.get("/sign-in?to=device&user_code=BCDF-GHJK").await;
    let refused = browser.submit(&page, &[("user", "<b>admin"), ("password", "hunter2")]).await.expect(403);
    let text = refused.text();
    assert!(text.contains("User name or password is wrong.") && !text.contains("hunter2"), "{text}");
    assert!(text.contains("&#60;b&#62;admin") && text.contains("BCDF-GHJK"), "{text}");
    let done = browser.submit(&refused, &[("user", ADMIN), ("password", "secret")]).await.expect(303);
    assert_eq!(done.header("location"), "/device?user_code=BCDF%2DGHJK");
}

/// A token bounds what a program may; a session would not.
#[tokio::test]
async fn a_token_is_no_password_for_a_browser() {
    let b = Boxed::builder();
    let issuer = Issuer::start(b.clock()).await;
    let b = b.asks(&issuer.url()).open().await;
    b.make_robot("team+ci").await;
    b.trust("main", "team+ci", &issuer.url(), ("sub", "job")).await;
    let token = issuer.mint(json!({ "aud": "wharf", "sub": "job" }));
    let mut browser = b.browser();
    let page = browser.get("/sign-in").await;
    browser.submit(&page, &[("user", "team+ci"), ("password", &token)]).await.expect(403);
}

#[tokio::test]
async fn forms_count_only_from_our_own_pages() {
    let b = Boxed::new().await;
    let fields = "user=admin&password=secret&to=account";
    // Nobody's form.
    b.browser().post("/sign-in", fields).await.expect(403);
    // Another browser's.
    let (mut mine, mut theirs) = (b.browser(), b.browser());
    let page = theirs.get("/sign-in").await;
    mine.get("/sign-in").await;
    mine.submit(&page, &[("user", ADMIN), ("password", "secret")]).await.expect(403);
    // From elsewhere.
    for origin in ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:81"] {
        let page = mine.get("/sign-in").await;
        mine.origin = origin.into();
        mine.submit(&page, &[("user", ADMIN), ("password", "secret")]).await.expect(403);
    }
    mine.origin = "https://LOCALHOST".into();
    let page = mine.get("/sign-in").await;
    mine.submit(&page, &[("user", ADMIN), ("password", "secret")]).await.expect(303);
    mine.post("/sign-out", "").await.expect(403);
    assert_eq!(signed_in_as(&mut mine).await.as_deref(), Some(ADMIN));
}

#[tokio::test]
async fn nobody_is_sent_elsewhere_after_signing_in() {
    let b = Boxed::new().await;
    for to in ["https://evil.example", "//evil.example", "/\\evil.example", "device%0d%0aLocation:x", "x"] {
        let mut browser = b.browser();
        let page = browser.get(&format!("/sign-in?to={to}&return_to={to}")).await.expect(200);
        let done = browser.submit(&page, &[("user", ADMIN), ("password", "secret")]).await.expect(303);
        assert_eq!(done.header("location"), "/account", "{to}");
    }
}

#[tokio::test]
async fn a_person_sees_where_they_are_signed_in_and_ends_it_there() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let client = b.get("/token?offline_token=true&client_id=docker%3Cb%3E").await.expect(200).json();
    let (mut browser, mut other, mut bobs) = (b.browser(), b.browser(), b.browser());
    browser.sign_in(ADMIN).await;
    other.sign_in(ADMIN).await;
    bobs.sign_in("bob").await;
    let page = browser.get("/account").await.expect(200).text();
    assert!(
        page.contains("<b>docker&#60;b&#62;</b><br>since ") && page.contains("<b>browser</b>, this one<br>"),
        "{page}"
    );
    let forms: Vec<&str> = page.split("action=\"/account/sessions\"").skip(1).collect();
    assert_eq!(forms.len(), 2, "its own is ended by signing out");
    let value = |form: &str, name: &str| {
        let (_, rest) = form.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let fields: Vec<_> =
        forms.iter().map(|form| format!("form={}&session={}", value(form, "form"), value(form, "session"))).collect();
    bobs.post("/account/sessions", &fields[0]).await.expect(403);
    browser.post("/account/sessions", fields[0].split_once('&').unwrap().1).await.expect(403);
    let page = bobs.get("/account").await.text();
    let stolen = format!("form={}&{}", value(&page, "form"), fields[0].split_once('&').unwrap().1);
    bobs.post("/account/sessions", &stolen).await.expect(303);
    let form = format!("grant_type=refresh_token&refresh_token={}", client["refresh_token"].as_str().unwrap());
    b.post("/token").anonymous().form(form.clone()).await.expect(200);
    assert_eq!(signed_in_as(&mut other).await.as_deref(), Some(ADMIN), "another's form ends nothing of theirs");
    for fields in fields.iter().chain(&fields) {
        assert_eq!(browser.post("/account/sessions", fields).await.expect(303).header("location"), "/account");
    }
    b.post("/token").anonymous().form(form).await.refused(401, "UNAUTHORIZED");
    assert_eq!(signed_in_as(&mut other).await, None);
    assert_eq!(signed_in_as(&mut browser).await.as_deref(), Some(ADMIN));
    assert!(!browser.get("/account").await.text().contains("/account/sessions"));
}

#[tokio::test]
async fn a_new_password_and_a_disabled_account_end_browsers() {
    let b = Boxed::new().await;
    let mut browser = b.browser();
    browser.sign_in(ADMIN).await;
    b.registry.reset_password(ADMIN, None).await.unwrap();
    assert_eq!(signed_in_as(&mut browser).await, None);
}

#[tokio::test]
async fn a_browsers_cookie_is_no_refresh_token_and_the_other_way_round() {
    let b = Boxed::new().await;
    let mut browser = b.browser();
    browser.sign_in(ADMIN).await;
    let cookie = browser.cookie().unwrap();
    let session = cookie.split_once('=').unwrap().1;
    let form = format!("grant_type=refresh_token&refresh_token={session}");
    b.post("/token").anonymous().form(form).await.refused(401, "UNAUTHORIZED");
    let answer = b.get("/token?offline_token=true&client_id=browser").await.expect(200).json();
    let refresh = answer["refresh_token"].as_str().unwrap();
    b.get("/account").anonymous().header("cookie", format!("wharf={refresh}")).await.expect(303);
}

#[tokio::test]
async fn who_comes_by_a_provider_gets_an_account_of_their_name() {
    let (b, issuer) = scene().await;
    issuer.person(json!({ "sub": "1", "preferred_username": "Jane.Doe", "email": "jane@example.com" }));
    let mut browser = b.browser();
    let page = browser.get("/sign-in").await.text();
    assert!(page.contains("href=\"/sign-in/corp\">Sign in with Company</a>"), "{page}");
    assert_eq!(by_provider(&mut browser, &issuer, "/sign-in/corp").await.expect(303).header("location"), "/account");
    assert_eq!(signed_in_as(&mut browser).await.as_deref(), Some("jane.doe"));
    let account = b.meta.account("jane.doe").await.unwrap().unwrap();
    assert_eq!(
        (account.email, account.is_admin, account.has_password),
        (None, false, false),
        "the address was not vouched for"
    );
    let mut again = b.browser();
    issuer.person(json!({ "sub": "1", "preferred_username": "renamed" }));
    by_provider(&mut again, &issuer, "/sign-in/corp").await.expect(303);
    assert_eq!(signed_in_as(&mut again).await.as_deref(), Some("jane.doe"));
    issuer.person(json!({ "sub": "2", "preferred_username": "jane.doe" }));
    let mut other = b.browser();
    by_provider(&mut other, &issuer, "/sign-in/corp").await.expect(303);
    assert_eq!(signed_in_as(&mut other).await.as_deref(), Some("jane.doe-2"));
}

#[tokio::test]
async fn an_address_links_only_where_the_provider_is_trusted_and_says_it_is_theirs() {
    let (b, issuer) = scene().await;
    let operator = Caller::operator();
    let user = |name: &str, email: &str| wharf_registry::manage::NewUser {
        name: name.into(),
        email: Some(email.into()),
        password: None,
        is_admin: false,
    };
    b.registry.create_user(&operator, user("jane", "jane@example.com")).await.unwrap();
    b.registry.create_user(&operator, user("boss", "boss@example.org")).await.unwrap();
    for (claims, expected) in [
        (json!({ "sub": "1", "preferred_username": "a", "email": "jane@example.com" }), "a"),
        (json!({ "sub": "2", "preferred_username": "b", "email": "jane@example.com", "email_verified": false }), "b"),
        (json!({ "sub": "3", "preferred_username": "c", "email": "boss@example.org", "email_verified": true }), "c"),
        (json!({ "sub": "4", "preferred_username": "d", "email": "JANE@example.com", "email_verified": true }), "jane"),
        (json!({ "sub": "5", "preferred_username": "e", "email": "jane@example.com", "email_verified": true }), "e"),
    ] {
        issuer.person(claims.clone());
        let mut browser = b.browser();
        by_provider(&mut browser, &issuer, "/sign-in/corp").await.expect(303);
        assert_eq!(signed_in_as(&mut browser).await.as_deref(), Some(expected), "{claims}");
    }
}

#[tokio::test]
async fn groups_of_the_provider_open_what_their_team_may() {
    let (b, issuer) = scene().await;
    let operator = Caller::operator();
    b.push_image("team/app", "v1").await;
    b.registry.create_team(&operator, "team", "devs", "").await.unwrap();
    let groups = Some(vec![GroupTeam { group: "/dev".into(), org: "team".into(), team: "devs".into() }]);
    let change = ProviderChange { groups, ..ProviderChange::default() };
    b.registry.update_provider(&operator, "corp", change, None).await.unwrap();
    let members = async || b.registry.team_members(&operator, "team", "devs", None, 10).await.unwrap().entries.len();
    for (groups, expected) in [(json!(["/dev", "/x"]), 1), (json!([]), 0), (json!("/dev"), 1), (json!(null), 0)] {
        issuer.person(json!({ "sub": "1", "preferred_username": "jane", "groups": groups }));
        by_provider(&mut b.browser(), &issuer, "/sign-in/corp").await.expect(303);
        assert_eq!(members().await, expected, "{groups}");
        // Whoever opens something in an org is listed there, and can be taken out.
        let listed = b.registry.members(&operator, "team", None, 10).await.unwrap().entries;
        assert!(listed.iter().any(|member| member.user == "jane"), "{groups}: {listed:?}");
    }
    b.registry.remove_member(&operator, "team", "jane").await.unwrap();
}

#[tokio::test]
async fn only_the_browser_that_began_ends_a_sign_in_and_once() {
    let (b, issuer) = scene().await;
    let (mut victim, mut attacker) = (b.browser(), b.browser());
    let there = attacker.get("/sign-in/corp").await.expect(303).header("location").to_owned();
    let back = issuer.authorize(&there);
    let path = back.strip_prefix("http://localhost").unwrap();
    // Sent to somebody else, it would sign them in as the attacker.
    victim.get("/sign-in").await;
    let refused = victim.get(path).await.expect(403).text();
    assert!(refused.contains("not begun with this browser"), "{refused}");
    assert_eq!(signed_in_as(&mut victim).await, None);
    attacker.get(path).await.expect(303);
    let cookie = attacker.cookie();
    attacker.get(path).await.expect(403);
    assert_eq!(attacker.cookie(), cookie);
    b.browser().get("/sign-in/corp/callback?state=x&code=y").await.expect(403);
    b.browser().get("/sign-in/other/callback?state=x&code=y").await.expect(404);
    b.browser().get("/sign-in/other").await.expect(404);
}

#[tokio::test]
async fn a_sign_in_takes_no_longer_than_a_quarter_of_an_hour() {
    let (b, issuer) = scene().await;
    let mut browser = b.browser();
    let there = browser.get("/sign-in/corp").await.expect(303).header("location").to_owned();
    let back = issuer.authorize(&there);
    b.clock.advance(Duration::from_mins(15));
    browser.get(back.strip_prefix("http://localhost").unwrap()).await.expect(403);
}

#[tokio::test]
async fn what_the_provider_refuses_or_spoils_signs_nobody_in() {
    for spoilt in [json!({ "nonce": "x" }), json!({ "aud": "x" }), json!({ "exp": 1 }), json!({ "sub": null })] {
        let b = Boxed::builder().asks_loopback().fails().open().await;
        let issuer = Issuer::start(&b.clock).await;
        b.registry.create_provider(&Caller::operator(), provider(&issuer)).await.unwrap();
        issuer.spoil_id_tokens(spoilt.clone());
        let mut browser = b.browser();
        by_provider(&mut browser, &issuer, "/sign-in/corp").await.expect(403);
        assert_eq!(signed_in_as(&mut browser).await, None, "{spoilt}");
    }
    let (b, _issuer) = scene().await;
    let mut browser = b.browser();
    let there = browser.get("/sign-in/corp").await.header("location").to_owned();
    let state = there.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let said = format!("/sign-in/corp/callback?state={state}&error=access_denied&error_description=%3Cscript%3E");
    let page = browser.get(&said).await.expect(403).text();
    assert!(page.contains("Company says: access_denied: &#60;script&#62;"), "{page}");
}

#[tokio::test]
async fn a_provider_that_is_down_or_disabled_leaves_the_password() {
    let b = Boxed::builder().asks_loopback().fails().open().await;
    let issuer = Issuer::start(&b.clock).await;
    let operator = Caller::operator();
    b.registry.create_provider(&operator, provider(&issuer)).await.unwrap();
    issuer.behave(Mood::Down);
    let refused = b.browser().get("/sign-in/corp").await.expect(403);
    let (page, number) = (refused.text(), refused.header("x-request-id"));
    let said = format!(
        "Company cannot be asked at the moment: tell an administrator the number of this request, {number}, by which"
    );
    assert!(page.contains(&said), "{page}");
    b.browser().sign_in(ADMIN).await;
    let change = ProviderChange { is_enabled: Some(false), ..ProviderChange::default() };
    b.registry.update_provider(&operator, "corp", change, None).await.unwrap();
    b.browser().get("/sign-in/corp").await.expect(404);
    assert!(!b.browser().get("/sign-in").await.text().contains("Company"));
}

/// It would be asked again and again: it is not for a moment.
#[tokio::test]
async fn a_provider_that_the_settings_rule_out_is_told_from_one_that_is_down() {
    let (b, issuer) = scene().await;
    let b = b.close().fails().open().await;
    let refused = b.browser().get("/sign-in/corp").await.expect(403);
    let (page, number) = (refused.text(), refused.header("x-request-id"));
    let said = format!(
        "settings do not let it ask Company: tell an administrator the number of this request, {number}, by which"
    );
    assert!(page.contains(&said) && !page.contains("127.0.0.1"), "{page}");
    assert_eq!(issuer.asked("/.well-known/openid-configuration"), 0);
}

#[tokio::test]
async fn who_has_no_account_is_told_where_none_are_made() {
    let (b, issuer) = scene().await;
    let change = ProviderChange { makes_users: Some(false), ..ProviderChange::default() };
    b.registry.update_provider(&Caller::operator(), "corp", change, None).await.unwrap();
    let mut browser = b.browser();
    let page = by_provider(&mut browser, &issuer, "/sign-in/corp").await;
    assert!(page.text().contains("ask an administrator"), "{}", page.text());
    assert_eq!(signed_in_as(&mut browser).await, None);
}

// Devices (RFC 8628)

const DEVICE: &str = "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=wharf&scope=registry:api:*";

async fn start(b: &Boxed) -> Value {
    b.post("/token/device").anonymous().form("client_id=wharf&scope=registry:api:*").await.expect(200).json()
}

async fn poll(b: &Boxed, started: &Value) -> Reply {
    let code = started["device_code"].as_str().unwrap();
    b.post("/token").anonymous().form(format!("{DEVICE}&device_code={code}")).await
}

async fn told(b: &Boxed, started: &Value) -> String {
    poll(b, started).await.expect(400).json()["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_device_signs_in_as_who_allows_it() {
    let (b, issuer) = scene().await;
    issuer.person(json!({ "sub": "1", "preferred_username": "jane" }));
    let started = start(&b).await;
    assert_eq!((&started["interval"], &started["expires_in"]), (&json!(5), &json!(900)));
    assert_eq!(started["verification_uri"], "http://localhost/device");
    assert_eq!(told(&b, &started).await, "authorization_pending");
    assert_eq!(told(&b, &started).await, "slow_down");
    let complete = started["verification_uri_complete"].as_str().unwrap();
    let mut browser = b.browser();
    let page = browser.get(complete.strip_prefix("http://localhost").unwrap()).await.expect(303);
    let sign_in = page.header("location").replace("/sign-in?", "/sign-in/corp?");
    let done = by_provider(&mut browser, &issuer, &sign_in).await.expect(303);
    let consent = browser.get(done.header("location")).await.expect(200);
    let text = consent.text();
    assert!(text.contains(started["user_code"].as_str().unwrap()) && text.contains("<strong>jane</strong>"), "{text}");
    browser.submit(&consent, &[("decision", "allow")]).await.expect(200);
    b.clock.advance(Duration::from_secs(5));
    let answer = poll(&b, &started).await.expect(200).json();
    assert_eq!((&answer["token_type"], &answer["scope"]), (&json!("Bearer"), &json!("registry:api:*")));
    assert!(answer["refresh_token"].is_string() && answer.get("issued_token_type").is_none());
    let refresh = answer["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={refresh}&scope=registry:api:*");
    b.post("/token").anonymous().form(form).await.expect(200);
    b.get("/api/v1/self").bearer(answer["access_token"].as_str().unwrap()).await.expect(200);
    assert_eq!(told(&b, &started).await, "expired_token", "it is told once");
    let listed = b.get("/api/v1/audit?target=jane").await.expect(200).json();
    let rows = listed["items"].as_array().unwrap().iter().rev();
    let of = |action: &str| rows.clone().filter(|row| row["action"] == action).cloned().collect::<Vec<_>>();
    let (sessions, allowed) = (of("session.create"), of("device.allow"));
    let clients: Vec<_> = sessions.iter().map(|row| row["details"]["after"]["client"].as_str().unwrap()).collect();
    assert_eq!(clients, ["browser", "wharf"], "{sessions:?}");
    assert!(sessions.iter().all(|row| row["actor"] == "jane"), "{sessions:?}");
    assert_eq!((allowed.len(), &allowed[0]["via"]), (1, &json!("session")), "{allowed:?}");
    assert_eq!(allowed[0]["details"]["after"]["client"], "wharf");
}

#[tokio::test]
async fn a_device_that_is_refused_or_forgotten_is_told_so() {
    let b = Boxed::new().await;
    let (refused, late) = (start(&b).await, start(&b).await);
    let mut browser = b.browser();
    browser.sign_in(ADMIN).await;
    let code = refused["user_code"].as_str().unwrap().replace('-', " ").to_lowercase().replace(' ', "%20");
    let consent = browser.get(&format!("/device?user_code={code}")).await.expect(200);
    // What is not clearly yes is no.
    browser.submit(&consent, &[("decision", "Allow!")]).await.expect(200);
    assert_eq!(told(&b, &refused).await, "access_denied");
    browser.submit(&consent, &[("decision", "allow")]).await.expect(404);
    b.clock.advance(Duration::from_mins(15));
    assert_eq!(told(&b, &late).await, "expired_token");
    let code = late["user_code"].as_str().unwrap();
    assert!(browser.get(&format!("/device?user_code={code}")).await.expect(404).text().contains("may have expired"));
    assert_eq!(told(&b, &json!({ "device_code": "made up" })).await, "expired_token");
    let answer = b.post("/token").anonymous().form(DEVICE).await.expect(400).json();
    assert_eq!(answer["error"], "invalid_request");
}

#[tokio::test]
async fn nobody_decides_for_a_device_without_being_there() {
    let b = Boxed::new().await;
    let started = start(&b).await;
    let code = started["user_code"].as_str().unwrap();
    // Not by a password alone, nor by a form from elsewhere.
    b.post("/device").form(format!("user_code={code}&decision=allow")).await.expect(403);
    let mut browser = b.browser();
    browser.sign_in(ADMIN).await;
    browser.post("/device", &format!("user_code={code}&decision=allow")).await.expect(403);
    assert_eq!(told(&b, &started).await, "authorization_pending");
}

#[tokio::test]
async fn what_a_device_calls_itself_is_only_text() {
    let b = Boxed::new().await;
    let form = "client_id=%3Cscript%3Ealert(1)%3C/script%3E%0d%0a";
    let started = b.post("/token/device").anonymous().form(form).await.expect(200).json();
    let mut browser = b.browser();
    browser.sign_in(ADMIN).await;
    let page = browser.get(&format!("/device?user_code={}", started["user_code"].as_str().unwrap())).await.text();
    assert!(page.contains("&#60;script&#62;alert(1)") && !page.contains("<script"), "{page}");
}

#[tokio::test]
async fn no_device_signs_in_where_there_are_no_tokens() {
    let b = Boxed::builder().options(|o| o.token_auth = false).settings(|s| s.visibility = Visibility::Private);
    let b = b.open().await;
    b.post("/token/device").anonymous().form("client_id=wharf").await.expect(404);
}
