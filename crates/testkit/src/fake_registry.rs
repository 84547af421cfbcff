//! A registry that answers wrongly on demand.
//!
//! Left alone it does what the distribution specification says, as shortly as possible. A test spoils what it wants
//! spoilt: [`FakeRegistry::spoil`] changes answers on their way out, [`FakeRegistry::cut_requests`] ends connections while
//! a request still comes, [`FakeRegistry::answer_early`] does not wait for it, [`FakeRegistry::leave_for`] is not there.
//! Every request is remembered.

#![allow(clippy::missing_panics_doc, clippy::return_self_not_must_use, reason = "a test calls it for its assertion")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails the test it is in")]

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::image::Content;

mod behaviour;
mod tls;
mod wire;

use behaviour::State;
pub use tls::Certificates;
use tokio_rustls::TlsAcceptor;
pub use wire::{Answer, Request};

/// The only name and password that it knows.
pub const USER: &str = "jane";
/// See [`USER`].
pub const USER_PASSWORD: &str = "pass:word&";

/// How it lets in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// Anybody.
    #[default]
    Open,
    /// By the password at each request.
    Basic,
    /// By tokens of its own `/token`, one for each set of scopes.
    Tokens,
}

/// One of them, on a loopback port, until it is dropped.
pub struct FakeRegistry {
    host: String,
    shared: Arc<Shared>,
    acceptor: Option<TlsAcceptor>,
    task: Mutex<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    rules: Mutex<Vec<Rule>>,
}

struct Rule {
    pattern: String,
    times: usize,
    what: What,
}

type Spoiling = Arc<dyn Fn(&Request, Answer) -> Answer + Send + Sync>;

#[derive(Clone)]
enum What {
    Answer(Spoiling),
    /// After so many bytes of the request's body.
    Cut(usize),
    /// Before the request's body, of which nothing is read.
    Early(Answer),
}

impl FakeRegistry {
    /// Starts one that has nothing and lets anybody in.
    pub async fn start() -> Self {
        Self::start_by(None).await
    }

    /// One that is spoken to by TLS alone, and only by who shows the certificate that comes with it.
    pub async fn start_over_tls() -> (Self, Certificates) {
        let (acceptor, certificates) = tls::acceptor(true);
        (Self::start_by(Some(acceptor)).await, certificates)
    }

    /// One that is spoken to by TLS alone, with a certificate that nobody vouches for, for `127.0.0.1` and `localhost`.
    pub async fn start_over_doubtful_tls() -> Self {
        Self::start_by(Some(tls::acceptor(false).0)).await
    }

    async fn start_by(acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let host = listener.local_addr().expect("its address").to_string();
        let shared = Arc::new(Shared { state: Mutex::new(State::new(&host)), rules: Mutex::default() });
        let task = tokio::spawn(accept(listener, acceptor.clone(), Arc::clone(&shared)));
        Self { host, shared, acceptor, task: Mutex::new(task) }
    }

    /// Closes its port for that time, as one that is started anew: who connects is refused.
    pub fn leave_for(&self, time: Duration) {
        let (host, acceptor, shared) = (self.host.clone(), self.acceptor.clone(), Arc::clone(&self.shared));
        let mut task = self.task.lock().expect("a task");
        task.abort();
        *task = tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let listener = TcpListener::bind(&host).await.expect("its port again");
            accept(listener, acceptor, shared).await;
        });
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> &str {
        &self.host
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("a state")
    }

    /// Lets in by that door from now on.
    pub fn door(&self, door: Door) {
        self.state().door = door;
    }

    /// Lists so many entries a page.
    pub fn page_size(&self, entries: usize) {
        self.state().page_size = entries;
    }

    /// Knows nothing of referrers, as registries before the API.
    pub fn without_referrers(&self) {
        self.state().has_referrers = false;
    }

    /// Has a blob.
    pub fn hold_blob(&self, name: &str, blob: &Content) {
        self.state().blobs.insert((name.into(), blob.digest.to_string()), blob.bytes.to_vec());
    }

    /// Has a manifest, by its digest and as `tag`.
    pub fn hold_manifest(&self, name: &str, tag: &str, manifest: &Content) {
        self.state().keep_manifest(name, tag, &manifest.media_type, &manifest.bytes);
    }

    /// What a blob's bytes are, if it has it.
    pub fn blob(&self, name: &str, digest: &str) -> Option<Vec<u8>> {
        self.state().blobs.get(&(name.into(), digest.into())).cloned()
    }

    /// The bytes of a manifest, by tag or digest.
    pub fn manifest(&self, name: &str, reference: &str) -> Option<Vec<u8>> {
        self.state().manifests.get(&(name.into(), reference.into())).map(|(_, bytes)| bytes.clone())
    }

    /// Uploads that were begun and not ended.
    pub fn open_uploads(&self) -> usize {
        self.state().uploads.len()
    }

    /// Forgets all uploads, as a registry that was started anew.
    pub fn forget_uploads(&self) {
        self.state().uploads.clear();
    }

    /// Ends all tokens.
    pub fn end_tokens(&self) {
        self.state().tokens.clear();
    }

    /// Changes the next `times` answers to requests that begin with `pattern`, such as `GET /v2/team/app/blobs/`.
    pub fn spoil(
        &self,
        pattern: &str,
        times: usize,
        spoil: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static,
    ) {
        self.rule(pattern, times, What::Answer(Arc::new(spoil)));
    }

    fn rule(&self, pattern: &str, times: usize, what: What) {
        self.shared.rules.lock().expect("rules").push(Rule { pattern: pattern.into(), times, what });
    }

    /// Answers requests that begin with `pattern` before it reads their bodies, and neither reads nor closes then.
    pub fn answer_early(&self, pattern: &str, times: usize, answer: Answer) {
        self.rule(pattern, times, What::Early(answer));
    }

    /// Ends the next `times` connections whose request begins with `pattern` after `bytes` of its body: what came is
    /// treated as if it were all of it, and not answered.
    pub fn cut_requests(&self, pattern: &str, times: usize, bytes: usize) {
        self.rule(pattern, times, What::Cut(bytes));
    }

    /// Takes back what was spoilt.
    pub fn behave(&self) {
        self.shared.rules.lock().expect("rules").clear();
    }

    /// Every request so far, oldest first.
    pub fn asked(&self) -> Vec<Request> {
        self.state().asked.clone()
    }

    /// How many requests began so.
    pub fn count(&self, pattern: &str) -> usize {
        self.asked().iter().filter(|request| request.is(pattern)).count()
    }
}

impl Drop for FakeRegistry {
    fn drop(&mut self) {
        self.task.lock().expect("a task").abort();
    }
}

impl Shared {
    fn rule(&self, line: &str) -> Option<What> {
        let mut rules = self.rules.lock().expect("rules");
        let rule = rules.iter_mut().find(|rule| rule.times > 0 && line.starts_with(&rule.pattern))?;
        rule.times -= 1;
        Some(rule.what.clone())
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            match acceptor {
                None => serve(stream, shared).await,
                // Who does not shake hands goes away.
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, shared).await;
                    }
                }
            }
        });
    }
}

/// One request a connection.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let Some(mut coming) = wire::head(&mut stream).await else { return };
    let rule = shared.rule(&coming.request.line());
    let most = match &rule {
        Some(What::Cut(bytes)) => Some(*bytes),
        Some(What::Early(answer)) => {
            shared.state.lock().expect("a state").asked.push(coming.request);
            let _ = stream.write_all(&answer.bytes(false)).await;
            return std::future::pending().await;
        }
        _ => None,
    };
    let is_whole = coming.body(&mut stream, most).await;
    let request = coming.request;
    let answer = {
        let mut state = shared.state.lock().expect("a state");
        let answer = state.answer(&request);
        state.asked.push(request.clone());
        answer
    };
    if !is_whole {
        return;
    }
    let answer = match rule {
        Some(What::Answer(spoil)) => spoil(&request, answer),
        _ => answer,
    };
    // Who goes away while it is answered is who the test is about.
    let _ = stream.write_all(&answer.bytes(request.method == "HEAD")).await;
    let _ = stream.shutdown().await;
}
