//! The issuer's endpoints.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Extract};
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{CLIENT, Code, Mood, SLOW, State, lay_over};

type Shared = Arc<Mutex<State>>;

pub(super) fn router(state: Shared) -> Router {
    Router::new().fallback(handle).with_state(state)
}

async fn handle(Extract(state): Extract<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let mood = {
        let mut state = state.lock().expect("a state");
        state.asked.push(path.clone());
        state.mood
    };
    match mood {
        Mood::Slow => tokio::time::sleep(SLOW).await,
        Mood::Huge => return endless(),
        Mood::Redirecting => return sent_to("http://127.0.0.1:1/elsewhere"),
        Mood::Down => return answer(StatusCode::SERVICE_UNAVAILABLE, &json!({})),
        Mood::Garbled => return Response::new(Body::from("<html>hello</html>")),
        _ => {}
    }
    let mut state = state.lock().expect("a state");
    let query = parts.uri.query().unwrap_or_default();
    let mut response = match path.as_str() {
        "/.well-known/openid-configuration" => answer(StatusCode::OK, &state.discovery()),
        "/keys" => answer(StatusCode::OK, &state.key_set()),
        "/authorize" => match state.authorize(query) {
            Ok(back) => sent_to(&back),
            Err(reason) => answer(StatusCode::BAD_REQUEST, &json!({ "error": reason })),
        },
        "/token" => match state.redeem(&parts.headers, &body) {
            Ok(tokens) => answer(StatusCode::OK, &tokens),
            Err(error) => {
                answer(StatusCode::BAD_REQUEST, &json!({ "error": error, "error_description": "no\u{7}t so" }))
            }
        },
        "/userinfo" => match parts.headers.get(AUTHORIZATION).map(http::HeaderValue::as_bytes) {
            Some(b"Bearer at-the-issuer") => answer(StatusCode::OK, &state.userinfo),
            _ => answer(StatusCode::UNAUTHORIZED, &json!({})),
        },
        _ => answer(StatusCode::NOT_FOUND, &json!({})),
    };
    if let Some(value) = &state.cache_control {
        response.headers_mut().insert(CACHE_CONTROL, value.parse().expect("a header"));
    }
    response
}

impl State {
    fn discovery(&self) -> Value {
        let url = &self.url;
        let proof = if self.posts_secret { "client_secret_post" } else { "client_secret_basic" };
        json!({
            "issuer": if self.mood == Mood::OtherIssuer { "https://other.example" } else { url },
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "userinfo_endpoint": format!("{url}/userinfo"),
            "jwks_uri": format!("{url}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "token_endpoint_auth_methods_supported": [proof],
        })
    }

    fn key_set(&self) -> Value {
        let mut keys: Vec<Value> = self.keys.iter().map(super::Pair::published).collect();
        if self.mood == Mood::StrangeKeys {
            for key in &mut keys {
                key["use"] = json!("enc");
            }
            let id = &self.keys[0].id;
            keys.push(json!({ "kty": "oct", "k": "c2VjcmV0", "kid": id, "alg": "HS256" }));
            keys.push(json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": id }));
            keys.push(json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": self.keys[2].id }));
            keys.push(json!("no key"));
        }
        json!({ "keys": keys })
    }

    /// The person is signed in already and consents to everything.
    pub(super) fn authorize(&mut self, query: &str) -> Result<String, String> {
        let query = fields(query.as_bytes());
        let field = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let needs = |name: &str, wanted: &str| match field(name) {
            Some(found) if found == wanted => Ok(()),
            other => Err(format!("{name} is {other:?}, not {wanted}")),
        };
        needs("response_type", "code")?;
        needs("client_id", CLIENT)?;
        needs("code_challenge_method", "S256")?;
        let scope = field("scope").unwrap_or_default();
        if !scope.split(' ').any(|one| one == "openid") {
            return Err(format!("scope is {scope}"));
        }
        let redirect = field("redirect_uri").ok_or("no redirect_uri")?;
        let code = format!("code-{}", self.codes.len() + 1);
        let state = field("state").ok_or("no state")?;
        let back = format!("{redirect}?{}", encode(&[("code", &code), ("state", &state)]));
        let challenge = field("code_challenge").ok_or("no code_challenge")?;
        let nonce = field("nonce").map_or(Value::Null, Value::String);
        self.codes.insert(code, Code { redirect, nonce, challenge, person: self.person.clone() });
        Ok(back)
    }

    fn redeem(&mut self, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
        let form = fields(body);
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        if !self.proves_client(headers, field("client_id"), field("client_secret")) {
            return Err("invalid_client");
        }
        if field("grant_type") != "authorization_code" {
            return Err("unsupported_grant_type");
        }
        let code = self.codes.remove(field("code")).ok_or("invalid_grant")?;
        let proof = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier").as_bytes()));
        if code.redirect != field("redirect_uri") || code.challenge != proof {
            return Err("invalid_grant");
        }
        let mut claims = code.person;
        lay_over(&mut claims, json!({ "aud": CLIENT, "nonce": code.nonce }));
        lay_over(&mut claims, self.id_token.clone());
        let id_token = self.mint(Algorithm::RS256, claims);
        Ok(json!({ "access_token": "at-the-issuer", "token_type": "Bearer", "expires_in": 300, "id_token": id_token }))
    }

    fn proves_client(&self, headers: &HeaderMap, id: &str, secret: &str) -> bool {
        if self.posts_secret {
            return headers.get(AUTHORIZATION).is_none() && id == CLIENT && secret == self.secret;
        }
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let both = BASE64_STANDARD.encode(format!("{}:{}", encode(CLIENT), encode(&self.secret)));
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        secret.is_empty() && sent == Some(&format!("Basic {both}"))
    }
}

fn fields(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

fn encode(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    response.body(Body::from(body.to_string())).expect("a response")
}

fn sent_to(url: &str) -> Response {
    let response = Response::builder().status(StatusCode::FOUND).header(LOCATION, url);
    response.body(Body::empty()).expect("a response")
}

fn endless() -> Response {
    let piece = || bytes::Bytes::from_static(&[b' '; 16 * 1024]);
    Response::new(Body::from_stream(futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(piece()))))
}
