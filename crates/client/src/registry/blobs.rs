//! Blobs: read whole or not at all, gone on with where the connection was cut.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Response;
use tokio::io::AsyncRead;
use url::Url;
use wharf_oci::{Descriptor, Digest, Hasher, RepoName};

use super::ask::{Ask, Heard};
use super::auth::Needs;
use super::error::blob as what;
use super::manifests::named;
use super::setbacks::Setbacks;
use super::{Error, Repository, Result, Shared};

impl Repository {
    async fn blob_url(&self, digest: &Digest) -> Result<Url> {
        self.shared.url(&format!("/v2/{}/blobs/{digest}", self.name.asked())).await
    }

    /// The size of a blob, in bytes; `None` when the repository has no such blob, or does not say how large it is.
    pub async fn has_blob(&self, digest: &Digest) -> Result<Option<u64>> {
        self.size_of(digest, &Needs::of(&self.name, "pull")).await
    }

    /// As [`Repository::has_blob`], for whoever pushes it otherwise: by the token that pushing needs, since some
    /// registries make a repository when that is asked for. Who is turned away is told why when it is pushed.
    pub async fn already_has(&self, digest: &Digest) -> Result<Option<u64>> {
        match self.size_of(digest, &Needs::of(&self.name, "pull,push")).await {
            Err(Error::SignInNeeded { .. } | Error::Denied { .. }) => Ok(None),
            found => found,
        }
    }

    async fn size_of(&self, digest: &Digest, needs: &Needs) -> Result<Option<u64>> {
        let ask = Ask::new(Method::HEAD, self.blob_url(digest).await?, needs);
        let heard = self.shared.reply(&ask, Some(&self.name)).await?;
        match heard.reply.status {
            StatusCode::OK if is_page(&heard) => {
                Err(self.shared.not_understood(Some(&self.name), "it gives a page of HTML as a blob"))
            }
            StatusCode::OK => {
                let is_it = named(&heard.reply).is_none_or(|named| named == *digest);
                Ok(length(&heard.reply.headers).filter(|_| is_it))
            }
            StatusCode::NOT_FOUND => Ok(None),
            // Storage that a redirect leads to may not know HEAD (moby/moby#50065).
            _ if !self.shared.is_own(&heard.url) => self.size_by_get(digest, needs).await,
            _ => Err(self.shared.missing(&what(digest), &self.name, &heard)),
        }
    }

    async fn size_by_get(&self, digest: &Digest, needs: &Needs) -> Result<Option<u64>> {
        let ask = Ask::new(Method::GET, self.blob_url(digest).await?, needs);
        match self.shared.open(&ask, Some(&self.name)).await? {
            Ok(response) => Ok(length(response.headers())),
            Err(heard) if heard.reply.status == StatusCode::NOT_FOUND => Ok(None),
            Err(heard) => Err(self.shared.missing(&what(digest), &self.name, &heard)),
        }
    }

    /// A blob, while it comes. Its end is only given when everything before had the digest and size of `descriptor`.
    pub async fn blob(&self, descriptor: &Descriptor) -> Result<Blob> {
        self.read_blob(descriptor, 0, Some(Hasher::new(descriptor.digest.algorithm()))).await
    }

    /// A blob from `offset` on, in bytes, whose size alone is compared: for whoever hands it to somebody who compares its
    /// digest.
    pub async fn blob_unchecked(&self, descriptor: &Descriptor, offset: u64) -> Result<Blob> {
        self.read_blob(descriptor, offset, None).await
    }

    async fn read_blob(&self, descriptor: &Descriptor, at: u64, hasher: Option<Hasher>) -> Result<Blob> {
        let mut blob = Blob {
            repository: self.clone(),
            digest: descriptor.digest.clone(),
            size: descriptor.size,
            hasher,
            at,
            response: None,
            left: Bytes::new(),
            skip: 0,
            setbacks: Setbacks::new(u64::MAX),
        };
        if at == 0 || at < blob.size {
            blob.connect().await?;
        }
        Ok(blob)
    }

    /// Makes a blob of another repository of the registry known here, without moving its bytes. Says whether it did.
    pub async fn mount(&self, digest: &Digest, from: &RepoName) -> Result<bool> {
        let mut url = self.uploads_url().await?;
        url.query_pairs_mut().append_pair("mount", digest.as_str()).append_pair("from", from.asked());
        let needs = Needs::of(&self.name, "pull,push").and(&format!("repository:{}:pull", from.asked()));
        // Whoever may not read the source, or asks a registry that does not mount: pushing says what is wrong, if
        // anything is.
        let heard = match self.shared.reply(&Ask::new(Method::POST, url, &needs), Some(&self.name)).await {
            Err(Error::SignInNeeded { .. } | Error::Denied { .. }) => return Ok(false),
            heard => heard?,
        };
        match heard.reply.status {
            StatusCode::CREATED => Ok(named(&heard.reply).is_none_or(|named| named == *digest)),
            StatusCode::ACCEPTED => {
                // It began an upload instead, which nobody will end.
                if let Ok(location) = self.shared.located(&heard.url, &heard.reply, Some(&self.name)) {
                    self.cancel(location).await;
                }
                Ok(false)
            }
            status if status.is_client_error() => Ok(false),
            _ => Err(self.shared.refused(&format!("cannot mount {}", what(digest)), Some(&self.name), &heard)),
        }
    }
}

fn is_page(heard: &Heard) -> bool {
    heard.reply.header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"))
}

/// How long the body of an answer is, when it says so.
fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// A blob that is being read. It goes on by itself where a connection ends too early.
pub struct Blob {
    repository: Repository,
    digest: Digest,
    size: u64,
    /// Of what was given, if it is compared.
    hasher: Option<Hasher>,
    /// Where in it what comes next begins.
    at: u64,
    response: Option<Response>,
    /// What [`Blob::next_of`] has not given yet.
    left: Bytes,
    /// Bytes of the response that were given before: it began at the beginning although it was not asked to.
    skip: u64,
    setbacks: Setbacks,
}

impl Blob {
    /// In bytes, as the descriptor says.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The next part; the last one, and `None` at the end, only when digest, where it is compared, and size are right.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.at == self.size && self.response.is_none() {
                return self.compare().map(|()| None);
            }
            let Some(response) = self.response.as_mut() else {
                match self.connect().await {
                    Err(error) if error.is_passing() => self.failed(error.to_string(), error.pause()).await?,
                    connected => connected?,
                }
                continue;
            };
            match self.repository.shared.transport.part(response).await {
                Ok(Some(part)) => {
                    if let Some(part) = self.took(part)? {
                        return Ok(Some(part));
                    }
                }
                Ok(None) if self.at == self.size => self.response = None,
                Ok(None) => self.failed("it ended too early".into(), None).await?,
                Err(failed) => {
                    let error = self.shared().transport.failed(&failed).to_string();
                    self.failed(error, None).await?;
                }
            }
        }
    }

    /// As [`Blob::next`], at most `most` bytes.
    pub(super) async fn next_of(&mut self, most: usize) -> Result<Option<Bytes>> {
        if self.left.is_empty() {
            let Some(part) = self.next().await? else { return Ok(None) };
            self.left = part;
        }
        Ok(Some(self.left.split_to(most.min(self.left.len()))))
    }

    /// For what reads: fails instead of giving the last part, when digest or size are wrong.
    pub fn into_read(self) -> impl AsyncRead + Send + Unpin + 'static {
        let parts = futures_util::stream::try_unfold(self, |mut blob| async move {
            let part = blob.next().await.map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(part.map(|part| (part, blob)))
        });
        tokio_util::io::StreamReader::new(Box::pin(parts))
    }

    fn shared(&self) -> &Shared {
        &self.repository.shared
    }

    fn took(&mut self, mut part: Bytes) -> Result<Option<Bytes>> {
        let known = self.skip.min(part.len() as u64);
        self.skip -= known;
        let _ = part.split_to(usize::try_from(known).unwrap_or(usize::MAX));
        if part.is_empty() {
            return Ok(None);
        }
        self.at += part.len() as u64;
        if self.at > self.size {
            return Err(self.wrong_size(self.at));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&part);
        }
        if self.at == self.size {
            // Whoever passes it on at once must not get to its end otherwise.
            self.compare()?;
            self.shared().transport.done.add();
        }
        Ok(Some(part))
    }

    fn compare(&self) -> Result<()> {
        let found = self.hasher.as_ref().map(Hasher::digest);
        let Some(found) = found.filter(|found| *found != self.digest) else { return Ok(()) };
        Err(Error::WrongDigest { place: self.repository.place(), what: what(&self.digest), found: found.to_string() })
    }

    fn wrong_size(&self, found: u64) -> Error {
        Error::WrongSize { place: self.repository.place(), what: what(&self.digest), expected: self.size, found }
    }

    /// Waits before the next connection, unless there have been too many that brought nothing.
    async fn failed(&mut self, problem: String, pause: Option<Duration>) -> Result<()> {
        self.response = None;
        if self.setbacks.wait(&self.repository.shared.transport, self.at, &problem, pause).await {
            return Ok(());
        }
        Err(Error::Cut { place: self.repository.place(), what: what(&self.digest), at: self.at, problem })
    }

    /// Asks for what is left.
    async fn connect(&mut self) -> Result<()> {
        let repository = self.repository.clone();
        let needs = Needs::of(&repository.name, "pull");
        let mut ask = Ask::new(Method::GET, repository.blob_url(&self.digest).await?, &needs);
        if self.at > 0 {
            ask = ask.header(RANGE, &format!("bytes={}-", self.at));
        }
        let response = match repository.shared.open(&ask, Some(&repository.name)).await? {
            Ok(response) => response,
            Err(heard) => return Err(repository.shared.missing(&what(&self.digest), &repository.name, &heard)),
        };
        self.skip = match response.status() {
            StatusCode::PARTIAL_CONTENT if begins_at(response.headers(), self.at) => 0,
            StatusCode::OK => self.at,
            status => {
                let problem = format!("{status} to bytes {}- of {}", self.at, what(&self.digest));
                return Err(repository.shared.not_understood(Some(&repository.name), problem));
            }
        };
        if let Some(left) = length(response.headers())
            && left != self.size - self.at + self.skip
        {
            return Err(self.wrong_size(left + self.at - self.skip));
        }
        self.response = Some(response);
        Ok(())
    }
}

/// Whether a 206 is what was asked for (RFC 9110 §14.4).
fn begins_at(headers: &HeaderMap, offset: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let range = range.and_then(|value| wharf_oci::parse_content_range(value).ok());
    range.is_some_and(|range| range.start == offset)
}
