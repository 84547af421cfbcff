//! Docker's engine: images out of it and into it, as the archives of `docker save`.
//!
//! It says "200 OK" before it knows whether it can, and reports failures of loading in the middle of its answer: only an
//! answer that was read to its end, without an error in it, counts.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use http::StatusCode;
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use crate::wire::causes;

mod context;

/// Until there is a connection.
const CONNECT: Duration = Duration::from_secs(15);
/// How often a silent engine of another machine is looked after. Silence has no limit while it saves and loads: it may
/// unpack for long.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Until it says whether it has an image: that is no work.
const ANSWER: Duration = Duration::from_secs(20);
/// Longest answer that is not an archive, in bytes, and longest line of one.
const LONGEST: usize = 1 << 20;

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A socket of this machine.
    Unix(PathBuf),
    /// `host:port`.
    Tcp {
        /// `host:port`.
        address: String,
        /// With TLS, by the files `ca.pem`, `cert.pem` and `key.pem` of this folder.
        certificates: Option<PathBuf>,
    },
}

impl Host {
    /// Where an engine listens when nothing is said.
    pub const DEFAULT: &'static str = "unix:///var/run/docker.sock";

    /// Reads the value of `DOCKER_HOST`. `certificates` is the folder of `DOCKER_CERT_PATH` where `DOCKER_TLS_VERIFY` is set.
    pub fn parse(text: &str, certificates: Option<PathBuf>) -> Result<Self> {
        match text.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("tcp" | "http" | "https", address)) if !address.is_empty() => {
                Ok(Self::Tcp { address: address.trim_end_matches('/').to_owned(), certificates })
            }
            _ => Err(Error::Host(text.to_owned())),
        }
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { address, .. } => write!(f, "tcp://{address}"),
        }
    }
}

/// Why an engine did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `DOCKER_HOST` is of a kind that is not known.
    #[error("DOCKER_HOST is '{0}': {expected}", expected = Self::EXPECTED)]
    Host(String),
    /// A context of docker's cannot be used.
    #[error("docker's context {name}: {problem}; docker context ls lists those that there are")]
    Context {
        /// What it is called.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The certificates to show it, or to know it by, cannot be used.
    #[error("cannot use the certificates of {}: {problem}", folder.display())]
    Certificates {
        /// The folder they were to be in.
        folder: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// No connection, or one that ended in the middle.
    #[error("cannot reach docker at {host}: {problem}{next}")]
    Unreachable {
        /// Where it was to be.
        host: Host,
        /// Every cause.
        problem: String,
        /// What to do, begun by a separator; may be empty.
        next: &'static str,
    },
    /// In its words.
    #[error("docker at {host} answers: {said}")]
    Refused {
        /// Which.
        host: Host,
        /// In its words.
        said: String,
    },
    /// Its answer ended before it said that all is well.
    #[error("docker at {host} stopped in the middle of its answer: {problem}")]
    Cut {
        /// Which.
        host: Host,
        /// What was missing.
        problem: String,
    },
}

impl Error {
    /// What says where an engine is.
    const EXPECTED: &'static str = "expected unix:///path/of/socket or tcp://host:port";
}

/// [`Error`] by default.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An engine.
#[derive(Clone, Debug)]
pub struct Engine {
    http: reqwest::Client,
    host: Host,
    /// See [`ANSWER`].
    answer: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
}

/// A line of what it says while it loads.
#[derive(Deserialize)]
struct Line {
    stream: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    message: String,
}

impl Engine {
    /// Connects to nothing yet.
    pub fn new(host: Host) -> Result<Self> {
        let builder =
            reqwest::Client::builder().no_proxy().http1_only().connect_timeout(CONNECT).tcp_keepalive(KEEP_ALIVE);
        let builder = match &host {
            Host::Unix(path) => builder.unix_socket(path.clone()),
            Host::Tcp { certificates: Some(folder), .. } => trusting(builder, folder)?,
            Host::Tcp { .. } => builder,
        };
        match builder.build() {
            Ok(http) => Ok(Self { http, host, answer: ANSWER }),
            Err(error) => Err(Error::Unreachable { host, problem: causes(&error), next: "" }),
        }
    }

    /// The id of the image that it knows by this name, if it does.
    pub async fn find(&self, name: &str) -> Result<Option<String>> {
        let request = self.http.get(self.url(&format!("images/{name}/json"))).timeout(self.answer);
        let answer = self.send(request).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let body = self.whole(self.good(answer).await?).await?;
        let inspected: Inspected = serde_json::from_slice(&body).map_err(|error| self.cut(&error))?;
        Ok(Some(inspected.id))
    }

    /// The archive of an image, as `docker save` writes it.
    pub async fn save(&self, name: &str) -> Result<impl AsyncRead + Send + Unpin + use<>> {
        let answer = self.good(self.send(self.http.get(self.url(&format!("images/{name}/get")))).await?).await?;
        let host = self.host.clone();
        let cut = move |error| std::io::Error::other(Error::Cut { host: host.clone(), problem: causes(&error) });
        Ok(StreamReader::new(Box::pin(answer.bytes_stream().map_err(cut))))
    }

    /// Takes the images of an archive in; what the engine says to it, such as `Loaded image: team/app:v1`.
    pub async fn load(&self, archive: impl AsyncRead + Send + 'static) -> Result<Vec<String>> {
        let body = reqwest::Body::wrap_stream(ReaderStream::with_capacity(archive, 256 * 1024));
        let request = self.http.post(self.url("images/load?quiet=1"));
        let request = request.header(http::header::CONTENT_TYPE, "application/x-tar").body(body);
        let answer = self.good(self.send(request).await?).await?;
        self.said(answer.bytes_stream()).await
    }

    /// Reads its lines to the end.
    async fn said(&self, body: impl Stream<Item = reqwest::Result<Bytes>>) -> Result<Vec<String>> {
        let mut said = Vec::new();
        let mut rest: Vec<u8> = Vec::new();
        let mut body = std::pin::pin!(body);
        while let Some(bytes) = body.try_next().await.map_err(|error| self.cut(&error))? {
            rest.extend_from_slice(&bytes);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                self.line(&line, &mut said)?;
            }
            if rest.len() > LONGEST || said.len() > LONGEST {
                return Err(self.endless());
            }
        }
        self.line(&rest, &mut said)?;
        Ok(said)
    }

    fn line(&self, line: &[u8], said: &mut Vec<String>) -> Result<()> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let line: Line = serde_json::from_slice(line).map_err(|error| self.cut(&error))?;
        if let Some(error) = line.error {
            return Err(Error::Refused { host: self.host.clone(), said: error });
        }
        said.extend(line.stream.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()));
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        match &self.host {
            Host::Unix(_) => format!("http://docker/{path}"),
            Host::Tcp { address, certificates: None } => format!("http://{address}/{path}"),
            Host::Tcp { address, .. } => format!("https://{address}/{path}"),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        request.send().await.map_err(|error| {
            let problem = causes(&error);
            let is_denied = problem.contains("ermission denied");
            let next = match () {
                () if is_denied => "; it is open to root and to the group docker",
                () if error.is_timeout() => "; nothing came in time: see whether it runs, or name where the image is",
                () => "",
            };
            Error::Unreachable { host: self.host.clone(), problem, next }
        })
    }

    /// A success, or its words.
    async fn good(&self, answer: Response) -> Result<Response> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = self.whole(answer).await?;
        let said = serde_json::from_slice(&body).map(|problem: Problem| problem.message);
        Err(Error::Refused { host: self.host.clone(), said: said.unwrap_or_else(|_| status.to_string()) })
    }

    async fn whole(&self, answer: Response) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut body = answer.bytes_stream();
        while let Some(more) = body.try_next().await.map_err(|error| self.cut(&error))? {
            bytes.extend_from_slice(&more);
            if bytes.len() > LONGEST {
                return Err(self.endless());
            }
        }
        Ok(bytes)
    }

    fn endless(&self) -> Error {
        Error::Cut { host: self.host.clone(), problem: "it says more than can be read".into() }
    }

    fn cut(&self, error: &(dyn std::error::Error + 'static)) -> Error {
        Error::Cut { host: self.host.clone(), problem: causes(error) }
    }
}

fn trusting(builder: reqwest::ClientBuilder, folder: &std::path::Path) -> Result<reqwest::ClientBuilder> {
    let failed = |problem: String| Error::Certificates { folder: folder.to_owned(), problem };
    let read = |name: &str| std::fs::read(folder.join(name)).map_err(|error| failed(format!("{name}: {error}")));
    let mut builder = builder;
    for certificate in
        reqwest::Certificate::from_pem_bundle(&read("ca.pem")?).map_err(|error| failed(causes(&error)))?
    {
        builder = builder.tls_certs_merge([certificate]);
    }
    let pair = [read("cert.pem")?, read("key.pem")?].concat();
    let identity = reqwest::Identity::from_pem(&pair).map_err(|error| failed(causes(&error)))?;
    Ok(builder.identity(identity))
}

#[cfg(test)]
mod tests;
