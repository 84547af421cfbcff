//! An OpenID Connect issuer on loopback, with real keys: a provider that people sign in by, and what CI systems and
//! clusters are to a registry. It does everything a good one does, and misbehaves when a test says so.

#![allow(clippy::missing_panics_doc, clippy::return_self_not_must_use, reason = "a test calls it for its assertion")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails the test it is in")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use wharf_registry::Clock as _;

use crate::clock::ManualClock;

mod claims;
mod keys;
mod serve;
mod tls;

use keys::Pair;

/// The client that the issuer knows.
pub const CLIENT: &str = "wharf";
/// What that client proves itself with. Its signs need encoding.
pub const CLIENT_SECRET: &str = "s3cret &+=:/ü";

/// How the issuer behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    #[default]
    Well,
    /// Its discovery document names another issuer.
    OtherIssuer,
    /// It answers nothing in a while.
    Slow,
    /// Its documents have no end.
    Huge,
    /// It sends everybody elsewhere.
    Redirecting,
    /// It answers 503.
    Down,
    /// It answers, but no JSON.
    Garbled,
    /// Its key set has keys of every kind that must not be used.
    StrangeKeys,
}

/// Ways to sign that must not be taken for a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// `alg: none`, and no signature.
    Unsigned,
    /// HS256, with the public key as the secret.
    PublicKeyAsSecret,
    /// Signed by a key that is not the issuer's, under the name of one that is.
    OtherKey,
    /// Another payload under a good signature.
    OtherPayload,
    /// The header demands an extension.
    Critical,
    /// The header brings its own key.
    OwnKey,
}

/// The issuer; dropping it ends it.
pub struct Issuer {
    state: Arc<Mutex<State>>,
    addr: SocketAddr,
    task: JoinHandle<()>,
}

struct State {
    url: String,
    clock: ManualClock,
    keys: Vec<Pair>,
    generation: u32,
    mood: Mood,
    cache_control: Option<String>,
    secret: String,
    posts_secret: bool,
    person: Value,
    userinfo: Value,
    id_token: Value,
    codes: HashMap<String, Code>,
    asked: Vec<String>,
}

/// What an authorization code stands for.
struct Code {
    redirect: String,
    nonce: Value,
    challenge: String,
    person: Value,
}

impl Issuer {
    /// An issuer whose time is that of `clock`.
    pub async fn start(clock: &ManualClock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::on(listener, "http", clock)
    }

    /// One that speaks TLS, and the authority of its certificate, as PEM: nobody else knows it.
    pub async fn start_tls(clock: &ManualClock) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (listener, authority) = tls::over(listener);
        (Self::on(listener, "https", clock), authority)
    }

    fn on<L: axum::serve::Listener<Addr = SocketAddr>>(listener: L, scheme: &str, clock: &ManualClock) -> Self {
        let addr = listener.local_addr().expect("its address");
        let state = State {
            url: format!("{scheme}://{addr}"),
            clock: clock.clone(),
            keys: State::keys(0),
            generation: 0,
            mood: Mood::Well,
            cache_control: None,
            secret: CLIENT_SECRET.into(),
            posts_secret: false,
            person: json!({ "sub": "248289761001", "preferred_username": "jane" }),
            userinfo: json!({}),
            id_token: json!({}),
            codes: HashMap::new(),
            asked: vec![],
        };
        let state = Arc::new(Mutex::new(state));
        let router = serve::router(Arc::clone(&state));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Self { state, addr, task }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test has failed inside")
    }

    /// What time it is there, in seconds since 1970 UTC.
    pub fn now(&self) -> i64 {
        self.state().clock.now() / 1000
    }

    /// Its name: the `iss` of its tokens.
    pub fn url(&self) -> String {
        self.state().url.clone()
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From now on it behaves like that.
    pub fn behave(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Takes its keys away and publishes new ones, under new names.
    pub fn rotate(&self) {
        let mut state = self.state();
        state.generation += 1;
        state.keys = State::keys(state.generation);
    }

    /// The `Cache-Control` of its documents.
    pub fn set_cache_control(&self, value: &str) {
        self.state().cache_control = Some(value.into());
    }

    /// Takes the client's secret in the form only; from a public client, none.
    pub fn take_secret_in_form(&self, secret: &str) {
        let mut state = self.state();
        state.posts_secret = true;
        state.secret = secret.into();
    }

    /// Who is signed in at the issuer: what its ID tokens say of them. `sub` must be there.
    pub fn person(&self, claims: Value) {
        self.state().person = claims;
    }

    /// What only the userinfo endpoint says of them.
    pub fn person_more(&self, claims: Value) {
        self.state().userinfo = claims;
    }

    /// Claims that its ID tokens have instead of the right ones; `null` takes one away.
    pub fn spoil_id_tokens(&self, claims: Value) {
        self.state().id_token = claims;
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.state().asked.iter().filter(|asked| *asked == path).count()
    }

    /// A token with these claims over the usual ones, good for ten minutes, signed by ES256.
    pub fn mint(&self, claims: Value) -> String {
        self.mint_by(Algorithm::ES256, claims)
    }

    /// As [`Issuer::mint`], by another algorithm.
    pub fn mint_by(&self, algorithm: Algorithm, claims: Value) -> String {
        self.state().mint(algorithm, claims)
    }

    /// A token that is not what it seems.
    pub fn forge(&self, forgery: Forgery, claims: Value) -> String {
        let state = self.state();
        let good = state.mint(Algorithm::ES256, claims.clone());
        let parts: Vec<&str> = good.split('.').collect();
        let json = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let pair = state.pair(Algorithm::ES256);
        match forgery {
            Forgery::Unsigned => format!("{}.{}.", json(&json!({ "alg": "none", "kid": pair.id })), parts[1]),
            Forgery::PublicKeyAsSecret => {
                let header = json(&json!({ "alg": "HS256", "kid": pair.id }));
                let key =
                    aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, pair.published().to_string().as_bytes());
                let tag = aws_lc_rs::hmac::sign(&key, format!("{header}.{}", parts[1]).as_bytes());
                format!("{header}.{}.{}", parts[1], BASE64_URL_SAFE_NO_PAD.encode(tag.as_ref()))
            }
            Forgery::OtherKey => Pair::new(pair.id.clone(), Algorithm::ES256).sign(&state.claims(claims)),
            Forgery::OtherPayload => {
                let mut other = state.claims(claims);
                other["sub"] = json!("somebody else");
                format!("{}.{}.{}", parts[0], json(&other), parts[2])
            }
            Forgery::Critical => {
                let header = json(&json!({ "alg": "ES256", "kid": pair.id, "crit": ["b64"], "b64": false }));
                format!("{header}.{}.{}", parts[1], parts[2])
            }
            Forgery::OwnKey => {
                let own = Pair::new("own".into(), Algorithm::ES256);
                let header = json(&json!({ "alg": "ES256", "jwk": own.published() }));
                let signed = own.sign(&state.claims(claims));
                format!("{header}.{}.{}", parts[1], signed.rsplit('.').next().unwrap())
            }
        }
    }

    /// Follows the person's browser from `url`, where the registry sent it, through the issuer; says where the
    /// issuer sends it back to.
    pub fn authorize(&self, url: &str) -> String {
        let query = url.split_once('?').expect("a query").1;
        self.state().authorize(query).expect("a sign-in that the issuer takes")
    }

    /// What the issuer has against a sign-in that begins at `url`.
    pub fn refuses(&self, url: &str) -> String {
        let query = url.split_once('?').expect("a query").1;
        self.state().authorize(query).expect_err("a sign-in that the issuer refuses")
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn keys(generation: u32) -> Vec<Pair> {
        let kinds = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256];
        kinds.into_iter().map(|kind| Pair::new(format!("{kind:?}-{generation}"), kind)).collect()
    }

    fn pair(&self, algorithm: Algorithm) -> &Pair {
        self.keys.iter().find(|pair| pair.algorithm == algorithm).expect("a key of that kind")
    }

    fn now(&self) -> i64 {
        self.clock.now() / 1000
    }

    fn mint(&self, algorithm: Algorithm, claims: Value) -> String {
        self.pair(algorithm).sign(&self.claims(claims))
    }

    /// The usual claims with those in their place; `null` takes one away.
    fn claims(&self, over: Value) -> Value {
        let now = self.now();
        let mut claims = json!({ "iss": self.url, "iat": now, "nbf": now, "exp": now + 600 });
        lay_over(&mut claims, over);
        claims
    }
}

fn lay_over(claims: &mut Value, over: Value) {
    let Value::Object(over) = over else { panic!("claims are an object") };
    let into = claims.as_object_mut().expect("claims are an object");
    for (name, value) in over {
        if value.is_null() {
            into.remove(&name)
        } else {
            into.insert(name, value)
        };
    }
}

/// Longer than any test's patience, shorter than anybody's.
const SLOW: Duration = Duration::from_mins(1);
