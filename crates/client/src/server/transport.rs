//! Requests and their repetition.
//!
//! What may be sent twice is sent again when the connection ends or the server is busy; what may not is sent again only
//! when the server certainly did nothing: it said 429.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Certificate, RequestBuilder, Response};

use super::error::{causes, chain};
use super::{Address, Error, refusal};

const CONNECT: Duration = Duration::from_secs(15);
/// How long an answer may stand still.
const IDLE: Duration = Duration::from_mins(1);
/// Bytes of an answer, at most: a page of the admin API has some hundred thousand.
const LARGEST: usize = 64 * 1024 * 1024;
/// Times that a request is sent, at most.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A server that wants a longer pause is not waited for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Whose certificates are believed.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// PEM file with authorities, beside those of the system.
    pub ca: Option<std::path::PathBuf>,
    /// Believe anybody.
    pub insecure: bool,
}

/// Whether a request may be carried out twice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Yes,
    No,
}

/// An answer, whole.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The connections to one server.
pub(super) struct Transport {
    pub(super) http: reqwest::Client,
    address: Address,
}

impl Transport {
    pub(super) fn new(address: Address, trust: &Trust) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("wharf/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(IDLE)
            .tls_danger_accept_invalid_certs(trust.insecure);
        if let Some(file) = &trust.ca {
            let wrong = |problem: String| Error::Authority { file: file.display().to_string(), problem };
            let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
            let authorities = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(causes(&error)))?;
            if authorities.is_empty() {
                return Err(wrong("there is no PEM certificate in it".into()));
            }
            builder = builder.tls_certs_merge(authorities);
        }
        let http = builder.build().map_err(|error| unreachable(&address, &error))?;
        Ok(Self { http, address })
    }

    /// Sends what `build` makes until there is an answer that another try would not change.
    pub(super) async fn send(
        &self,
        again: Again,
        build: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Reply, Error> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let outcome = match build(&self.http).send().await {
                Ok(response) => self.whole(response).await,
                Err(error) => Err(error.into()),
            };
            let wait = match &outcome {
                Ok(reply) => is_worth_another(reply.status, again).then(|| retry_after(reply).unwrap_or(pause)),
                // An address where nobody is does not get better by asking; a server that was there may be starting anew.
                Err(Failed::Wire(error)) if error.is_connect() => (attempt > 1).then_some(pause),
                Err(Failed::Wire(_)) => (again == Again::Yes).then_some(pause),
                Err(Failed::TooLarge) => None,
            };
            match wait {
                Some(wait) if attempt < TRIES && wait <= LONGEST_PAUSE => {
                    tokio::time::sleep(wait + jitter(pause)).await;
                }
                _ => return self.judged(outcome, wait),
            }
            pause *= 2;
        }
        Err(Error::NotUnderstood { server: self.address.to_string(), problem: "no answer".into() })
    }

    /// Sends once, and gives the answer while it still comes.
    pub(super) async fn stream(&self, request: RequestBuilder) -> Result<Response, Error> {
        request.send().await.map_err(|error| unreachable(&self.address, &error))
    }

    pub(super) async fn whole(&self, mut response: Response) -> Result<Reply, Failed> {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = BytesMut::new();
        while let Some(part) = response.chunk().await? {
            if body.len() + part.len() > LARGEST {
                return Err(Failed::TooLarge);
            }
            body.extend_from_slice(&part);
        }
        Ok(Reply { status, headers, body: body.freeze() })
    }

    fn judged(&self, outcome: Result<Reply, Failed>, wait: Option<Duration>) -> Result<Reply, Error> {
        let server = self.address.to_string();
        match outcome {
            Ok(reply) if reply.status.is_redirection() && reply.status != StatusCode::NOT_MODIFIED => {
                Err(Error::Moved { server, to: reply.header(LOCATION.as_str()).unwrap_or("another address").into() })
            }
            Ok(reply) if is_busy(reply.status) => {
                let after = wait.or(retry_after(&reply)).unwrap_or(LONGEST_PAUSE);
                Err(Error::Busy { server, said: refusal::read(&reply).said, after })
            }
            Ok(reply) => Ok(reply),
            Err(Failed::Wire(error)) => Err(unreachable(&self.address, &error)),
            Err(Failed::TooLarge) => Err(self.not_understood("its answer does not end")),
        }
    }

    pub(super) fn not_understood(&self, problem: impl Into<String>) -> Error {
        Error::NotUnderstood { server: self.address.to_string(), problem: problem.into() }
    }
}

/// No answer.
pub(super) enum Failed {
    Wire(reqwest::Error),
    TooLarge,
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        Self::Wire(error)
    }
}

fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

fn is_worth_another(status: StatusCode, again: Again) -> bool {
    let passing = matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) || is_busy(status);
    status == StatusCode::TOO_MANY_REQUESTS || (again == Again::Yes && passing)
}

/// In seconds; nobody's clock is trusted enough for the header's other form, a date.
fn retry_after(reply: &Reply) -> Option<Duration> {
    reply.header(RETRY_AFTER.as_str())?.trim().parse().ok().map(Duration::from_secs)
}

/// Up to half the pause, so that machines that were refused together do not come back together.
fn jitter(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness there is none, which is no reason to fail.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    pause * u32::from(byte[0]) / 512
}

pub(super) fn unreachable(address: &Address, error: &reqwest::Error) -> Error {
    let tls = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
    let next = match tls {
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)) => {
            "; if its authority is your own, name its certificate by --ca FILE"
        }
        Some(rustls::Error::InvalidCertificate(_)) => "; --insecure would believe it anyway, as it would anybody",
        Some(rustls::Error::InvalidMessage(_)) => "; if it has no TLS, say http:// and --insecure",
        _ if error.is_timeout() => "; nothing came in time: check address and network, and try again",
        _ if error.is_connect() => "; check the address, and that it runs",
        _ => "; try again",
    };
    Error::Unreachable { server: address.to_string(), problem: causes(error), next }
}
