//! Secrets go where they are shown once, and nowhere else: not into the audit, a log line, an answer or a number.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use wharf_registry::{AuditFilter, Caller, Order};

use super::*;

/// What `api_everybody::every` sends for every field that is a password.
const OF_THE_DOCUMENT: &str = "correct horse";

/// Everything that is logged on this thread, on every level, with the fields of its spans.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut Line(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Line(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut all = self.0.lock().unwrap();
        let _ = write!(all, "\n{}:", event.metadata().target());
        event.record(&mut Line(&mut all));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Answers that were given, and the secrets that were in use.
#[derive(Default)]
struct Said {
    answers: String,
    secrets: Vec<String>,
}

impl Said {
    fn heard(&mut self, reply: &Reply) {
        let _ = writeln!(self.answers, "{} {:?} {}", reply.asked, reply.headers, String::from_utf8_lossy(&reply.body));
    }

    /// Of an answer that shows a secret this once: the rest.
    fn shown_once(&mut self, reply: &Reply, members: &[&str]) -> Vec<String> {
        let mut json = reply.json();
        let taken: Vec<String> =
            members.iter().map(|member| json[*member].take().as_str().unwrap().to_owned()).collect();
        let _ = writeln!(self.answers, "{} {:?} {json}", reply.asked, reply.headers);
        self.secrets.extend(taken.iter().cloned());
        taken
    }

    fn secret(&mut self, text: &str) -> String {
        self.secrets.push(text.into());
        text.into()
    }
}

async fn all_operations(b: &Boxed, said: &mut Said) {
    said.secret(OF_THE_DOCUMENT);
    let document = b.get("/api/v1/openapi.json").await.expect(200).json();
    for (method, path, body) in super::api_everybody::every(&document) {
        let ask = b.ask(&method, &path);
        let reply = if let Some(body) = &body { ask.json(body).await } else { ask.await };
        assert!(reply.status.as_u16() < 500, "{reply:?}");
        let shows_once = reply.status == 201 && path.ends_with("/tokens");
        if shows_once {
            said.shown_once(&reply, &["secret"]);
        } else {
            said.heard(&reply);
        }
    }
}

async fn people(b: &Boxed, said: &mut Said) {
    let (first, second) = (said.secret("marked first password"), said.secret("marked second password"));
    let (third, wrong) = (said.secret("marked third password"), said.secret("marked wrong password"));
    let carol = json!({ "name": "carol", "password": first });
    said.heard(&b.post("/api/v1/users").json(&carol).await.expect(201));
    let differs = json!({ "name": "carol", "email": "c@example.org", "password": second });
    said.heard(&b.post("/api/v1/users").json(&differs).await.expect(409));
    said.heard(&b.put("/api/v1/users/carol/password").json(&json!({ "password": second })).await.expect(204));
    for (current, new) in [(&wrong, &third), (&second, &third), (&third, &"x".to_owned())] {
        let change = json!({ "current": current, "new": new });
        said.heard(&b.put("/api/v1/self/password").basic("carol", &second).json(&change).await);
    }
    said.heard(&b.get("/api/v1/self").basic("carol", &third).await.expect(200));
    // Into the wrong field, the wrong place, the wrong form.
    for (user, password) in [("carol", &*wrong), (&*third, "carol"), (&*third, &*third)] {
        said.heard(&b.get("/v2/").basic(user, password).await);
    }
    said.heard(
        &b.get(format!("/token?account=carol&password={}", third.replace(' ', "%20"))).basic("carol", &wrong).await,
    );
    for form in [
        format!("grant_type=password&username={third}&password={third}"),
        format!("grant_type={third}"),
        format!("grant_type=refresh_token&refresh_token={third}"),
        format!("password={third}"),
    ] {
        said.heard(&b.post("/token").anonymous().form(form).await);
    }
    for body in [format!("{{\"password\":\"{third}\"}}"), format!("{{\"name\":\"dave\",\"password\":[\"{third}\"]}}")] {
        let ask = b.post("/api/v1/users").header("content-type", "application/json");
        said.heard(&ask.body(body).await);
    }
    said.heard(&b.get("/v2/").header("authorization", format!("Nonsense {third}")).await);
}

async fn tokens(b: &Boxed, said: &mut Said) {
    b.make_user("erin");
    let made = b.post("/api/v1/self/tokens").user("erin").json(&json!({ "name": "laptop", "scope": "read" })).await;
    let secret = said.shown_once(&made.expect(201), &["secret"]).remove(0);
    for ask in [
        b.get("/v2/").bearer(&secret),
        b.get("/v2/").basic("erin", &secret),
        b.get("/v2/").basic(&secret, "x"),
        b.get("/v2/").basic("admin", &secret),
        b.post("/v2/team/app/blobs/uploads/").bearer(&secret),
        b.get("/api/v1/self/tokens").user("erin"),
        b.get(format!("/v2/_catalog?token={secret}")).anonymous(),
        b.post("/api/v1/self/tokens").user("erin").json(&json!({ "name": "laptop", "scope": "admin" })),
        b.post("/token").anonymous().form(format!("grant_type=refresh_token&refresh_token={secret}")),
    ] {
        said.heard(&ask.await);
    }
    let offline = b.get("/token?offline_token=true&client_id=docker&scope=repository:erin/app:pull,push");
    let issued = offline.user("erin").await.expect(200);
    let access = said.shown_once(&issued, &["token", "access_token", "refresh_token"]);
    let renewed = format!("grant_type=refresh_token&client_id=docker&refresh_token={}", access[2]);
    let renewed = b.post("/token").anonymous().form(renewed).await.expect(200);
    said.shown_once(&renewed, &["token", "access_token", "refresh_token"]);
    for ask in [
        b.get("/v2/").bearer(&access[0]),
        b.get("/v2/").basic("erin", &access[0]),
        b.get("/v2/").basic(&access[0], "x"),
        b.get("/v2/").bearer(&access[2]),
        b.post("/v2/erin/app/blobs/uploads/?digest=x").bearer(&access[0]),
        b.get("/api/v1/self/sessions").user("erin"),
    ] {
        said.heard(&ask.await);
    }
    b.clock.advance(Duration::from_mins(10));
    said.heard(&b.get("/v2/").bearer(&access[0]).await.expect(401));
}

#[tokio::test]
async fn no_secret_is_in_the_audit_a_log_an_answer_or_a_number() {
    let logged = Everything::default();
    let _guard = tracing::subscriber::set_default(logged.clone());
    let b = Boxed::builder().fails().open().await;
    b.push_image("team/app", "latest").await;
    let mut said = Said::default();
    tokens(&b, &mut said).await;
    people(&b, &mut said).await;
    all_operations(&b, &mut said).await;
    let metrics = b.get("/metrics").await.expect(200);
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    b.clock.advance(Duration::from_mins(2));
    let all = AuditFilter::default();
    let page = b.registry.audit(&Caller::operator(), all, Order::OldestFirst, None, 100_000).await.unwrap();
    let audit: Vec<String> = page.rows.iter().map(|row| format!("{row:?} {}", row.details)).collect();
    let audit = audit.join("\n");
    let logged = logged.0.lock().unwrap().clone();
    // That there was something to look through.
    for (action, text) in [("token.create", &audit), ("user.password", &audit), ("sign-in.failure", &audit)] {
        assert!(text.contains(action), "no {action}");
    }
    assert!(logged.contains("wharf_http") && logged.contains("sign-in failed") && said.answers.len() > 10_000);
    assert!(said.secrets.len() > 12, "{}", said.secrets.len());
    let hashes = ["$argon2", "BEGIN PRIVATE"];
    let secrets = said.secrets.iter().map(String::as_str).chain(hashes);
    for secret in secrets {
        let in_url = secret.replace(' ', "%20");
        for (place, text) in [("audit", &audit), ("log", &logged), ("answers", &said.answers), ("metrics", &metrics)] {
            for form in [secret, &in_url] {
                // What a test asked for is in what it notes of the answer.
                let text = if place == "answers" { &without_questions(text) } else { text };
                let found =
                    text.find(form).map(|at| text[at.saturating_sub(200)..].chars().take(300).collect::<String>());
                assert_eq!(found, None, "{form:?} in {place}");
            }
        }
    }
}

/// The first two words of each line are method and URL.
fn without_questions(answers: &str) -> String {
    answers.lines().map(|line| line.splitn(3, ' ').last().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}
