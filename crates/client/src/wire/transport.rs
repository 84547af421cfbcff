//! Requests and their repetition.
//!
//! What may be sent twice is sent again when the connection ends or the server is busy; what may not is sent again only
//! when the server certainly did nothing: it said 429.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, RequestBuilder, Response};
use tokio::sync::OnceCell;
use tokio::time::timeout;
use url::Url;

use super::failures::{Done, Failures};
use super::reply::{Reply, is_busy, is_passing, retry_after};
use super::trust::{Trust, Words};
use super::unreachable::unreachable;
use super::{Address, Error, refusal};

const CONNECT: Duration = Duration::from_secs(15);
/// More tries of what a server refuses that was there: it is starting anew, which takes longer than to be busy.
const WHILE_STARTING: u32 = 2;

/// How long a server is waited for, and how often it is asked again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long an answer, or the taking of what is sent, may stand still.
    pub idle: Duration,
    /// Times that a request is sent, at most.
    pub tries: u32,
    /// Before the second try; twice as long before each further one.
    pub first_pause: Duration,
    /// A server that wants a longer pause is not waited for.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            idle: Duration::from_mins(1),
            tries: 5,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// A request that did no good, before it is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Whom it is for, as `host` or `host:port`.
    pub server: String,
    /// What came of it, in the server's words where it said anything.
    pub problem: String,
    /// Until it is sent again.
    pub wait: Duration,
}

type Watch = Arc<dyn Fn(&Waiting) + Send + Sync>;

/// Whether a request may be carried out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    Yes,
    No,
}

/// An answer as it was asked for.
pub(crate) enum Got {
    Whole(Reply),
    /// A success whose body still comes.
    Coming(Response),
}

/// How an answer is wanted.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// With so many bytes at most.
    Whole(usize),
    /// A success while it still comes, anything else whole.
    Coming,
}

/// The connections to one server, and to those that it names.
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    /// For other hosts than its own. What was said of the server says nothing of them: nobody is believed without a
    /// certificate, and nobody is shown ours.
    elsewhere: OnceCell<reqwest::Client>,
    http1: bool,
    /// `http` knows no authorities, because on this machine and in clear it needs none, and no proxy: to read all
    /// of the system's takes longer than many a command.
    is_plain: bool,
    pub(crate) patience: Patience,
    address: Address,
    words: Words,
    /// Whether anybody is there.
    has_answered: AtomicBool,
    pub(crate) done: Done,
    /// Is told of every wait.
    watch: Mutex<Option<Watch>>,
}

impl Transport {
    /// Connects to nothing yet. `http1` gives each request under way a connection of its own.
    pub(crate) fn new(address: Address, trust: &Trust, patience: Patience, http1: bool) -> Result<Self, Error> {
        let authorities = trust.certificates()?;
        let is_special = trust.insecure || trust.identity.is_some();
        let is_plain = address.is_clear() && address.is_loopback() && !is_special && authorities.is_empty();
        let builder = || usual(http1).tls_certs_merge(authorities.clone());
        let mut own = if is_plain {
            usual(http1).tls_certs_only([]).no_proxy()
        } else {
            builder().tls_danger_accept_invalid_certs(trust.insecure)
        };
        if let Some(identity) = &trust.identity {
            own = own.identity(identity.read()?);
        }
        let built =
            |builder: ClientBuilder| builder.build().map_err(|error| unreachable(&address, trust.words, false, &error));
        let http = built(own)?;
        let elsewhere = match () {
            () if is_special => OnceCell::new_with(Some(built(builder())?)),
            () if is_plain => OnceCell::new(),
            () => OnceCell::new_with(Some(http.clone())),
        };
        let words = trust.words;
        Ok(Self {
            http,
            elsewhere,
            http1,
            is_plain,
            patience,
            address,
            words,
            has_answered: AtomicBool::new(false),
            done: Done::default(),
            watch: Mutex::default(),
        })
    }

    /// Sends what `build` makes until there is an answer that another try would not change. An answer of more than
    /// `limit` bytes is none.
    pub(crate) async fn send(
        &self,
        again: Again,
        limit: usize,
        build: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Reply, Error> {
        match self.tries(again, Form::Whole(limit), build).await? {
            Got::Whole(reply) => Ok(reply),
            Got::Coming(response) => self.whole(response, limit).await.map_err(|failed| self.failed(&failed)),
        }
    }

    /// As [`Transport::send`], with the answer as it is wanted.
    pub(crate) async fn tries(
        &self,
        again: Again,
        form: Form,
        build: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Got, Error> {
        let mut failures = Failures::default();
        loop {
            let outcome = self.attempt(form, build(&self.http)).await;
            failures.add(&self.done, asked(&outcome));
            let attempt = failures.count();
            let wait = self.wait(&outcome, again, attempt);
            let most = self.patience.tries + if is_refused(&outcome) { WHILE_STARTING } else { 0 };
            match wait {
                Some(wait) if attempt < most && wait <= self.patience.longest_pause => {
                    self.rest(&self.problem(&outcome), wait + jitter(self.pause(attempt))).await;
                }
                _ => return self.judged(outcome, wait),
            }
        }
    }

    pub(crate) fn watched_by(&self, watch: impl Fn(&Waiting) + Send + Sync + 'static) {
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(watch));
    }

    /// Waits before a request is sent again, and says why.
    pub(crate) async fn rest(&self, problem: &str, wait: Duration) {
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(watch) = watch {
            watch(&Waiting { server: self.address.host(), problem: problem.into(), wait });
        }
        tokio::time::sleep(wait).await;
    }

    fn problem(&self, outcome: &Result<Got, Failed>) -> String {
        match outcome {
            Ok(Got::Whole(reply)) => refusal::read(reply).said,
            Ok(Got::Coming(_)) => String::new(),
            Err(failed) => match self.failed(failed) {
                Error::Unreachable { problem, .. } => problem,
                error => error.to_string(),
            },
        }
    }

    async fn attempt(&self, form: Form, request: RequestBuilder) -> Result<Got, Failed> {
        let response = self.once(request, None).await?;
        match form {
            Form::Coming if response.status().is_success() => Ok(Got::Coming(response)),
            Form::Coming => self.whole(response, SMALL).await.map(Got::Whole),
            Form::Whole(limit) => self.whole(response, limit).await.map(Got::Whole),
        }
    }

    /// How long to wait before the next try; `None` when there should be none.
    fn wait(&self, outcome: &Result<Got, Failed>, again: Again, attempt: u32) -> Option<Duration> {
        let pause = self.pause(attempt);
        match outcome {
            Ok(Got::Coming(_)) | Err(Failed::TooLarge(_)) => None,
            Ok(Got::Whole(reply)) => {
                is_worth_another(reply.status, again).then(|| retry_after(&reply.headers).unwrap_or(pause))
            }
            // An address where nobody is does not get better by asking; a server that was there may be starting anew.
            Err(Failed::Wire(error)) if error.is_connect() => {
                (attempt > 1 || self.has_answered.load(Ordering::Relaxed)).then_some(pause)
            }
            Err(Failed::Wire(_)) => (again == Again::Yes).then_some(pause),
            // That took long already.
            Err(Failed::Idle) => (again == Again::Yes && attempt == 1).then_some(pause),
        }
    }

    /// Before try number `attempt + 1`, when the server does not say.
    pub(crate) fn pause(&self, attempt: u32) -> Duration {
        self.patience.first_pause * 2_u32.saturating_pow(attempt.saturating_sub(1).min(10))
    }

    /// Sends once, and gives the answer while it still comes. `moved` counts what was taken of the request's body: as
    /// long as that goes on, the answer may wait.
    pub(crate) async fn once(&self, request: RequestBuilder, moved: Option<&AtomicU64>) -> Result<Response, Failed> {
        let count = || moved.map_or(0, |moved| moved.load(Ordering::Relaxed));
        let (_, request) = request.build_split();
        let request = request.map_err(Failed::Wire)?;
        let mut answer = pin!(self.connections(request.url()).await.map_err(Failed::Wire)?.execute(request));
        loop {
            let before = count();
            match timeout(self.patience.idle, &mut answer).await {
                Ok(answer) => {
                    self.has_answered.fetch_or(answer.is_ok(), Ordering::Relaxed);
                    return answer.map_err(Failed::Wire);
                }
                Err(_) if count() != before => {}
                Err(_) => return Err(Failed::Idle),
            }
        }
    }

    async fn connections(&self, to: &Url) -> reqwest::Result<&reqwest::Client> {
        if self.address.is_host_of(to) && (!self.is_plain || to.scheme() == "http") {
            return Ok(&self.http);
        }
        self.elsewhere.get_or_try_init(|| async { usual(self.http1).build() }).await
    }

    /// The next part of an answer.
    pub(crate) async fn part(&self, response: &mut Response) -> Result<Option<Bytes>, Failed> {
        match timeout(self.patience.idle, response.chunk()).await {
            Ok(part) => part.map_err(Failed::Wire),
            Err(_) => Err(Failed::Idle),
        }
    }

    /// The rest of an answer.
    pub(crate) async fn whole(&self, mut response: Response, limit: usize) -> Result<Reply, Failed> {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = BytesMut::new();
        while let Some(part) = self.part(&mut response).await? {
            if body.len() + part.len() > limit {
                return Err(Failed::TooLarge(limit));
            }
            body.extend_from_slice(&part);
        }
        Ok(Reply { status, headers, body: body.freeze() })
    }

    fn judged(&self, outcome: Result<Got, Failed>, wait: Option<Duration>) -> Result<Got, Error> {
        match outcome {
            Ok(Got::Whole(reply)) if is_busy(reply.status) => {
                let after = wait.or(retry_after(&reply.headers)).unwrap_or(self.patience.longest_pause);
                Err(Error::Busy { server: self.address.to_string(), said: refusal::read(&reply).said, after })
            }
            Ok(got) => Ok(got),
            Err(failed) => Err(self.failed(&failed)),
        }
    }

    /// What a redirect is where none is followed.
    pub(crate) fn moved(&self, reply: Reply) -> Result<Reply, Error> {
        if !reply.status.is_redirection() || reply.status == StatusCode::NOT_MODIFIED {
            return Ok(reply);
        }
        let to = reply.header(LOCATION).map_or_else(|| "another address".into(), refusal::printable);
        Err(Error::Moved { server: self.address.to_string(), to })
    }

    /// Why there is no answer, for people.
    pub(crate) fn failed(&self, failed: &Failed) -> Error {
        let server = self.address.to_string();
        match failed {
            Failed::Wire(error) => {
                unreachable(&self.address, self.words, self.has_answered.load(Ordering::Relaxed), error)
            }
            Failed::Idle => {
                let problem = format!("nothing came for {} s", self.patience.idle.as_secs());
                let next = "; check address and network, and try again".into();
                Error::Unreachable { server, problem, next, is_distrusted: false }
            }
            Failed::TooLarge(limit) => Error::Endless { server, limit: *limit },
        }
    }
}

/// Bytes of an answer that is only read for what it says.
const SMALL: usize = 1024 * 1024;

/// No answer, or not all of one.
#[derive(Debug)]
pub(crate) enum Failed {
    Wire(reqwest::Error),
    Idle,
    TooLarge(usize),
}

/// What all connections have in common.
fn usual(http1: bool) -> ClientBuilder {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("wharf/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(CONNECT);
    if http1 { builder.http1_only() } else { builder }
}

/// How long the server wants to be left alone, if that is its answer.
fn asked(outcome: &Result<Got, Failed>) -> Option<Duration> {
    match outcome {
        Ok(Got::Whole(reply)) if is_busy(reply.status) => retry_after(&reply.headers),
        _ => None,
    }
}

fn is_refused(outcome: &Result<Got, Failed>) -> bool {
    matches!(outcome, Err(Failed::Wire(error)) if error.is_connect() && !error.is_timeout())
}

fn is_worth_another(status: StatusCode, again: Again) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || (again == Again::Yes && is_passing(status))
}

/// Up to half the pause, so that machines that were refused together do not come back together.
pub(crate) fn jitter(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness there is none, which is no reason to fail.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    pause * u32::from(byte[0]) / 512
}
