mod fake;

use serde_json::{Value, json};

use super::{Address, Call, Credential, Door, Error, Server, Trust, WireError};
use crate::Secret;
use fake::{Fake, Heard, answer, cut, json as ok};

impl Fake {
    fn server(&self) -> Server {
        let mut server = Server::new(Address::parse(&self.address, false).unwrap(), &Trust::default()).unwrap();
        server.transport.patience.first_pause = std::time::Duration::from_millis(1);
        server
    }

    fn door(&self) -> Door {
        Door::Token { realm: format!("http://{}/token", self.address), service: "wharf".into() }
    }

    fn alice(&self) -> Server {
        let password = Secret::new("pass&word");
        self.server().signed_in(Credential::Password { user: "alice".into(), password })
    }
}

async fn get(server: &Server) -> Result<Value, Error> {
    server.call(Call::get("/api/v1/self")).await.map(|answer| answer.value)
}

fn paths(heard: &[Heard]) -> Vec<&str> {
    heard.iter().map(|heard| heard.line.as_str()).collect()
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let fake = Fake::start(vec![answer(429, "retry-after: 0\r\n", ""), answer(503, "", ""), ok(&json!({"name": "a"}))]);
    assert_eq!(get(&fake.server()).await.unwrap()["name"], "a");
    assert_eq!(fake.heard().len(), 3);
}

#[tokio::test]
async fn a_server_that_wants_a_long_pause_is_not_waited_for() {
    let fake = Fake::start(vec![answer(429, "retry-after: 3600\r\n", "")]);
    let error = get(&fake.server()).await.unwrap_err();
    assert!(matches!(&error, Error::Wire(WireError::Busy { after, .. }) if after.as_secs() == 3600), "{error}");
    assert!(error.to_string().contains("try again in 60 minutes"), "{error}");
}

#[tokio::test]
async fn a_cut_connection_is_made_anew_for_what_may_be_done_twice() {
    let fake = Fake::start(vec![cut("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"na"), ok(&json!({"name": "a"}))]);
    assert_eq!(get(&fake.server()).await.unwrap()["name"], "a");

    let fake = Fake::start(vec![cut(""), ok(&json!({}))]);
    let error = fake.server().call::<Value>(Call::post("/api/v1/self/tokens").body(&json!({}))).await.unwrap_err();
    assert!(matches!(error, Error::Wire(WireError::Unreachable { .. })), "{error}");
    assert_eq!(fake.heard().len(), 1);
}

#[tokio::test]
async fn what_may_not_be_done_twice_is_not_repeated_for_503_but_for_429() {
    let fake = Fake::start(vec![answer(429, "retry-after: 0\r\n", ""), answer(503, "retry-after: 0\r\n", "")]);
    let error = fake.server().call::<Value>(Call::post("/api/v1/self/tokens").body(&json!({}))).await.unwrap_err();
    assert!(matches!(error, Error::Wire(WireError::Busy { .. })), "{error}");
    assert_eq!(fake.heard().len(), 2);
}

#[tokio::test]
async fn a_password_becomes_a_token_that_is_used_until_it_ends() {
    let challenge = "www-authenticate: Bearer realm=\"http://HOST/token\",service=\"wharf\"\r\n";
    let token = || ok(&json!({"token": "t1", "expires_in": 300}));
    let fake = Fake::start(vec![answer(401, challenge, ""), token(), ok(&json!({})), ok(&json!({}))]);
    let server = fake.alice();
    get(&server).await.unwrap();
    get(&server).await.unwrap();
    let heard = fake.heard();
    assert_eq!(paths(&heard), ["GET /v2/", "POST /token", "GET /api/v1/self", "GET /api/v1/self"]);
    assert!(heard[1].body.contains("username=alice&password=pass%26word"), "{}", heard[1].body);
    assert!(heard[1].body.contains("scope=registry%3Aapi%3A*"), "{}", heard[1].body);
    assert_eq!(heard[3].header("authorization"), Some("Bearer t1"));
    assert_eq!(heard[0].header("authorization"), None);
    assert!(heard[3].header("user-agent").unwrap().starts_with("wharf/"));
}

#[tokio::test]
async fn a_token_that_ends_before_its_time_is_replaced_once() {
    let token = |name| ok(&json!({"token": name, "expires_in": 300}));
    let fake = Fake::start(vec![token("t1"), answer(401, "", ""), token("t2"), ok(&json!({}))]);
    get(&fake.alice().behind(fake.door())).await.unwrap();
    assert_eq!(fake.heard()[3].header("authorization"), Some("Bearer t2"));
}

#[tokio::test]
async fn an_api_token_goes_as_it_is_and_is_exchanged_by_basic() {
    let fake = Fake::start(vec![ok(&json!({})), ok(&json!({"access_token": "t1", "expires_in": 300}))]);
    let server = fake.server().signed_in(Credential::ApiToken(Secret::new("whf_x")));
    get(&server).await.unwrap();
    let token = server.access_token(&fake.door(), &["repository:a/b:pull"], false).await.unwrap();
    assert_eq!(token.token.expose(), "t1");
    let heard = fake.heard();
    assert_eq!(heard[0].header("authorization"), Some("Bearer whf_x"));
    assert!(heard[1].header("authorization").unwrap().starts_with("Basic "));
    assert!(heard[1].line.contains("scope=repository%3Aa%2Fb%3Apull"), "{}", heard[1].line);
    assert!(!heard[1].line.contains("whf_"), "no secret in a URL");
}

#[tokio::test]
async fn a_server_without_tokens_is_given_the_password() {
    let fake = Fake::start(vec![answer(401, "www-authenticate: Basic realm=\"wharf\"\r\n", ""), ok(&json!({}))]);
    get(&fake.alice()).await.unwrap();
    assert!(fake.heard()[1].header("authorization").unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn a_token_endpoint_that_moved_is_asked_for_again() {
    let challenge = "www-authenticate: Bearer realm=\"http://HOST/token\",service=\"wharf\"\r\n";
    let fake = Fake::start(vec![
        answer(308, "location: https://new.example/\r\n", ""),
        answer(401, challenge, ""),
        ok(&json!({"token": "t1"})),
        ok(&json!({})),
    ]);
    let old = Door::Token { realm: format!("http://{}/old", fake.address), service: "wharf".into() };
    get(&fake.alice().behind(old)).await.unwrap();
    assert_eq!(paths(&fake.heard())[..3], ["POST /old", "GET /v2/", "POST /token"]);
}

#[tokio::test]
async fn a_refusal_says_what_the_server_said() {
    let problem = json!({"title": "Bad Request", "status": 400, "field": "role", "detail": "must be reader\u{1b}[2J"});
    let json = "content-type: application/problem+json\r\nx-request-id: r1\r\n";
    let registry = json!({"errors": [{"code": "DENIED", "message": "alice may not"}]});
    let fake = Fake::start(vec![
        answer(400, json, &problem.to_string()),
        answer(403, "content-type: application/json\r\n", &registry.to_string()),
        answer(500, json, "{}").repeated(5),
        answer(502, "content-type: text/html\r\n", "<html>").repeated(5),
        answer(401, json, &json!({"detail": "your sign-in has ended"}).to_string()),
    ]);
    let server = fake.server();
    let mut said = vec![];
    for _ in 0..5 {
        said.push(get(&server).await.unwrap_err().to_string());
    }
    assert_eq!(said[0], "must be reader[2J");
    assert_eq!(said[1], "alice may not");
    assert_eq!(said[2], "the server answered 500 Internal Server Error and said nothing more (request r1)");
    assert_eq!(said[3], "the server answered 502 Bad Gateway and said nothing more");
    assert!(
        said[4].ends_with(&format!("your sign-in has ended; sign in: wharf auth login {}", fake.address)),
        "{}",
        said[4]
    );
}

#[tokio::test]
async fn somebody_elses_answers_are_not_taken_for_ours() {
    let fake = Fake::start(vec![
        answer(200, "content-type: text/html\r\n", "<html>Welcome to nginx!</html>"),
        answer(301, "location: https://elsewhere.example/\r\n", ""),
    ]);
    let server = fake.server();
    let error = get(&server).await.unwrap_err().to_string();
    assert!(error.contains("no JSON") && error.contains("check the address"), "{error}");
    assert!(get(&server).await.unwrap_err().to_string().contains("https://elsewhere.example/"));
}

#[tokio::test]
async fn lists_are_followed_to_their_end_and_not_in_circles() {
    let page = |items: Value, next: Value| ok(&json!({"items": items, "next": next}));
    let fake = Fake::start(vec![page(json!([1, 2]), json!("a b")), page(json!([3]), Value::Null)]);
    let server = fake.server();
    let all: Vec<u8> = server.list(Call::get("/api/v1/orgs").query("q", Some("x"))).all().await.unwrap();
    assert_eq!(all, [1, 2, 3]);
    assert_eq!(paths(&fake.heard()), ["GET /api/v1/orgs?q=x", "GET /api/v1/orgs?q=x&after=a+b"]);

    let fake = Fake::start(vec![page(json!([1]), json!("same")), page(json!([1]), json!("same"))]);
    assert!(fake.server().list::<u8>(Call::get("/api/v1/orgs")).all().await.is_err());
}

#[tokio::test]
async fn streams_give_whole_lines_only() {
    let fake = Fake::start(vec![cut("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"a\":1}\n\n{\"a\":2}\n{\"a\"")]);
    let server = fake.server();
    let mut lines = server.lines(Call::get("/api/v1/audit")).await.unwrap();
    assert_eq!(lines.next().await.unwrap().as_deref(), Some("{\"a\":1}"));
    assert_eq!(lines.next().await.unwrap().as_deref(), Some("{\"a\":2}"));
    assert!(lines.next().await.is_err());
}

#[tokio::test]
async fn a_device_waits_for_the_person() {
    let started = json!({"device_code": "d", "user_code": "ABCD-EFGH", "verification_uri": "http://x/device",
        "expires_in": 600, "interval": 0});
    let not_yet = |code: &str| answer(400, "content-type: application/json\r\n", &json!({ "error": code }).to_string());
    let allowed = ok(&json!({"access_token": "t1", "refresh_token": "r1", "expires_in": 300}));
    let fake = Fake::start(vec![ok(&started), not_yet("authorization_pending"), allowed]);
    let server = fake.server();
    let device = server.start_device().await.unwrap();
    assert_eq!(device.user_code, "ABCD-EFGH");
    let token = server.await_device(&fake.door(), device).await.unwrap();
    assert_eq!(token.refresh_token.unwrap().expose(), "r1");
    assert!(fake.heard()[2].body.contains("device_code=d"));

    let fake = Fake::start(vec![ok(&started), not_yet("access_denied")]);
    let server = fake.server();
    let device = server.start_device().await.unwrap();
    let error = server.await_device(&fake.door(), device).await.unwrap_err();
    assert_eq!(error.to_string(), "not signed in: it was refused there");
}

#[tokio::test]
async fn nobody_there_says_so_at_once() {
    let server = Server::new(Address::parse("127.0.0.1:1", false).unwrap(), &Trust::default()).unwrap();
    let error = get(&server).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot reach http://127.0.0.1:1: ") && error.contains("refused"), "{error}");
    assert!(error.ends_with("check the address, and that it runs"), "{error}");
}

#[test]
fn certificates_that_are_none_are_refused() {
    let file = std::env::temp_dir().join("wharf-client-no-such-file.pem");
    let trust = Trust { authorities: vec![file], ..Trust::default() };
    assert!(matches!(
        Server::new(Address::parse("r.example", false).unwrap(), &trust),
        Err(Error::Wire(WireError::Certificates { .. }))
    ));
}
