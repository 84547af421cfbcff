//! Pushing a blob: in chunks that a registry acknowledges, gone on with from where it says.
//!
//! What failed is asked about before anything is sent again: the registry's offset decides, never our own count. A
//! registry that takes no chunks is given the blob in one request. Nothing is a blob there before the last request,
//! which names the digest.

mod feed;
mod held;
mod resume;
mod session;

use std::io;
use std::time::Duration;

use http::StatusCode;
use wharf_oci::{Algorithm, Digest};

use super::auth::Needs;
use super::setbacks::Setbacks;
use super::{Content, Error, Repository, Result};
use crate::wire::{Failed, Reply, is_passing, retry_after};
use feed::{Feed, Moving};
use session::{Offset, Session};

pub use resume::ResumeStore;

/// Bytes of a chunk, unless the registry wants larger ones.
const CHUNK: u64 = 16 * 1024 * 1024;
/// The same for a registry that keeps what came of a chunk that was cut; what stands before registries often takes no more
/// than 100 MB in one request.
const KEPT: u64 = 64 * 1024 * 1024;
/// Bytes of a chunk that is held in memory, because nobody knows how much there will be.
const HELD: u64 = 4 * 1024 * 1024;
/// Times that an upload is begun, at most.
const MOST_SESSIONS: u32 = 4;

/// What is known of content before it is pushed, and how to push it.
#[derive(Clone, Copy, Default)]
pub struct Push<'a> {
    /// Its digest; found while it is read, by SHA-256, if it is not known.
    pub digest: Option<&'a Digest>,
    /// Its size in bytes, if it is known.
    pub size: Option<u64>,
    /// Bytes of a chunk; [`Default`] is 16 MiB, and more for a registry that keeps what came of one that was cut.
    pub chunk: Option<u64>,
    /// Where to keep what a later process needs to go on, and under which key: the same key means the same bytes.
    pub resume: Option<(&'a ResumeStore, &'a str)>,
    /// Told how many bytes are there so far. It may go back when a connection was cut.
    pub progress: Option<&'a (dyn Fn(u64) + Send + Sync)>,
}

/// A blob that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl Repository {
    /// Pushes content, going on by itself where a connection is cut or the registry is busy.
    pub async fn push_blob(&self, content: &dyn Content, push: Push<'_>) -> Result<Landed> {
        let mut upload = Upload::new(self, content, push);
        let outcome = upload.run().await;
        match (&outcome, upload.kept.take()) {
            (Ok(_), Some(kept)) => kept.remove(),
            // What it has is not what was promised: nobody goes on with that.
            (Err(error), Some(kept)) if error.is_wrong_content() => {
                upload.abandon().await;
                kept.remove();
            }
            (Err(_), None) => upload.abandon().await,
            // What can be gone on with later stays.
            (Ok(_), None) | (Err(_), Some(_)) => {}
        }
        outcome
    }
}

impl Repository {
    /// Forgets an upload that needs not be gone on with, because its blob is there.
    pub fn forget_upload(&self, store: &ResumeStore, key: &str) {
        store.forget(&self.place(), key);
    }
}

/// One push.
struct Upload<'a> {
    repository: &'a Repository,
    content: &'a dyn Content,
    push: Push<'a>,
    needs: Needs,
    kept: Option<resume::Kept>,
    session: Option<Session>,
    /// Bytes that the registry has.
    at: u64,
    feed: Option<Feed>,
    /// Whether this registry takes no chunks.
    in_one: bool,
    /// Whether the session is of an earlier process.
    is_resumed: bool,
    sessions: u32,
    setbacks: Setbacks,
    /// What the last request that was to end an upload named.
    ended_as: Option<Landed>,
}

/// Why a request of an upload did not do what it should, and what to do about it.
enum Trouble {
    /// Ask how far it came, after a pause.
    Passing { problem: String, pause: Option<Duration> },
    /// The session is gone.
    Lost(Error),
    /// The registry does not take chunks.
    NoChunks,
    /// Nothing helps.
    Final(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        if error.is_passing() {
            return Self::Passing { problem: error.to_string(), pause: error.pause() };
        }
        Self::Final(error)
    }
}

impl<'a> Upload<'a> {
    fn new(repository: &'a Repository, content: &'a dyn Content, push: Push<'a>) -> Self {
        // What goes in one request is sent again whole.
        let is_long = push.size.is_none_or(|size| size > push.chunk.unwrap_or(CHUNK));
        let resume = push.resume.filter(|_| is_long);
        let kept = resume.and_then(|(store, key)| store.take(&repository.place(), key));
        Self {
            repository,
            content,
            push,
            needs: Needs::of(&repository.name, "pull,push"),
            kept,
            session: None,
            at: 0,
            feed: None,
            in_one: false,
            is_resumed: false,
            sessions: 0,
            setbacks: Setbacks::new(push.chunk.unwrap_or(CHUNK)),
            ended_as: None,
        }
    }

    async fn run(&mut self) -> Result<Landed> {
        let mut outcome = Ok(None);
        loop {
            outcome = match outcome {
                Ok(Some(landed)) => return Ok(landed),
                Ok(None) => self.step().await,
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::NoChunks) => {
                    self.in_one = true;
                    self.abandon().await;
                    Ok(None)
                }
                Err(Trouble::Lost(error)) => match self.landed_after_all().await {
                    Some(landed) => Ok(Some(landed)),
                    None if self.sessions >= MOST_SESSIONS => return Err(error),
                    None => {
                        self.abandon().await;
                        Ok(None)
                    }
                },
                Err(Trouble::Passing { problem, pause }) => {
                    let transport = &self.repository.shared.transport;
                    if !self.setbacks.wait(transport, self.at, &problem, pause).await {
                        return Err(self.cut(problem));
                    }
                    self.ask_how_far(problem).await
                }
            }
        }
    }

    /// Sends the next chunk, or ends the upload.
    async fn step(&mut self) -> std::result::Result<Option<Landed>, Trouble> {
        if self.session.is_none() {
            self.begin().await?;
        }
        if self.in_one {
            return self.send_in_one().await.map(Some);
        }
        let chunk = self.chunk();
        let moving = self.next(chunk).await?;
        let is_named = self.push.digest.is_some() || moving.digest().is_some();
        if moving.len() == 0 || (moving.is_all() && is_named && (self.at == 0 || self.keeps_cut())) {
            // The bytes of a small blob, and where that is no risk the last ones, come with the request that ends it.
            let digest = self.digest(&moving);
            return self.put(&digest, moving).await.map(Some);
        }
        self.patch(moving).await.map(|()| None)
    }

    async fn begin(&mut self) -> Result<()> {
        if let Some(session) = self.kept.as_ref().and_then(resume::Kept::session)
            && let Some((session, offset)) = self.repository.resumed(session, &self.needs).await?
            && self.push.size.is_none_or(|size| offset <= size)
        {
            (self.at, self.is_resumed) = (offset, true);
            self.session = Some(session);
            self.tell();
            return Ok(());
        }
        self.sessions += 1;
        (self.at, self.feed, self.is_resumed) = (0, None, false);
        self.session = Some(self.repository.start_upload(self.push.digest, &self.needs).await?);
        self.keep();
        Ok(())
    }

    /// Notes where the upload is, for a later process. What cannot be noted is only not resumed.
    fn keep(&mut self) {
        if let (Some(kept), Some(session)) = (self.kept.as_mut(), self.session.as_ref()) {
            kept.note(session);
        }
    }

    fn tell(&self) {
        if let Some(progress) = self.push.progress {
            progress(self.at);
        }
    }

    fn session(&self) -> Result<&Session> {
        self.session.as_ref().ok_or_else(|| self.repository.not_understood("no upload was begun"))
    }

    fn chunk(&self) -> u64 {
        let least = self.session.as_ref().map_or(0, |session| session.least_chunk);
        let usual = match self.push.size {
            Some(_) if self.keeps_cut() => KEPT,
            Some(_) => CHUNK,
            None => HELD,
        };
        self.push.chunk.unwrap_or(usual).max(least).max(1)
    }

    fn keeps_cut(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.keeps_cut)
    }

    /// The bytes from the registry's offset on, at most `chunk`.
    async fn next(&mut self, chunk: u64) -> std::result::Result<Moving, Trouble> {
        let feed = match self.feed.take() {
            Some(mut feed) if feed.can_go_on_at(self.at) => {
                feed.acknowledge(self.at);
                feed
            }
            _ => {
                let opened = Feed::open(self.content, self.at, self.push.digest.is_none()).await;
                opened.map_err(|source| self.unreadable(source))?
            }
        };
        match self.push.size {
            Some(size) if self.push.digest.is_some() || size > chunk => {
                Ok(feed.stream(chunk.min(size - self.at), size))
            }
            known => feed.hold(chunk, known).await.map_err(|source| self.unreadable(source)),
        }
    }

    fn unreadable(&self, source: io::Error) -> Trouble {
        // Less than the registry has: what an earlier process compressed was longer.
        let is_shorter = self.is_resumed && source.kind() == io::ErrorKind::UnexpectedEof;
        let error = Error::Source { place: self.repository.place(), source };
        if is_shorter { Trouble::Lost(error) } else { Trouble::Final(error) }
    }

    fn digest(&self, moving: &Moving) -> Digest {
        let known = self.push.digest.cloned();
        known.or_else(|| moving.digest()).unwrap_or_else(|| Digest::of(Algorithm::Sha256, &[]))
    }

    async fn patch(&mut self, moving: Moving) -> std::result::Result<(), Trouble> {
        let session = self.session()?;
        let end = self.at + moving.len();
        let request = session.patch(self.at, end - 1);
        let progress = self.push.progress;
        let (sent, feed) = self.repository.send(request, moving, &self.needs, self.at, progress).await?;
        self.feed = feed;
        let reply = self.answered(sent)?;
        if !reply.status.is_success() {
            return Err(self.trouble(&reply));
        }
        // What the registry says here is not what counts: some stop counting (aws/containers-roadmap#2831). The next
        // chunk's 416, or the digest at the end, says more reliably that something is missing.
        self.at = end;
        self.repository.shared.transport.done.add();
        self.moved_to(&reply)?;
        self.keep();
        self.tell();
        Ok(())
    }

    fn moved_to(&mut self, reply: &Reply) -> Result<()> {
        let Some(session) = self.session.as_mut() else { return Ok(()) };
        if reply.header(http::header::LOCATION).is_some() {
            session.location = self.repository.shared.located(&session.location, reply, Some(&self.repository.name))?;
        }
        Ok(())
    }

    /// Ends the upload: the registry compares the digest with what it has.
    async fn put(&mut self, digest: &Digest, moving: Moving) -> std::result::Result<Landed, Trouble> {
        let landed = Landed { digest: digest.clone(), size: self.at + moving.len() };
        let request = self.session()?.put(digest, self.at, moving.len());
        self.ended_as = Some(landed.clone());
        let progress = self.push.progress;
        let (sent, feed) = self.repository.send(request, moving, &self.needs, self.at, progress).await?;
        self.feed = feed;
        let reply = self.answered(sent)?;
        let named = super::manifests::named(&reply);
        match reply.status {
            StatusCode::CREATED => {}
            StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT if named.is_some() => {}
            status if status.is_success() => {
                let problem = format!("{status} at the end of an upload");
                return Err(Trouble::Final(self.repository.not_understood(&problem)));
            }
            _ => return Err(self.trouble(&reply)),
        }
        if let Some(named) = named.filter(|named| named.algorithm() == digest.algorithm() && named != digest) {
            let (place, what) = (self.repository.place(), format!("blob {digest} was pushed and"));
            return Err(Trouble::Final(Error::WrongDigest { place, what, found: named.to_string() }));
        }
        self.at = landed.size;
        self.repository.shared.transport.done.add();
        self.tell();
        Ok(landed)
    }

    /// For a registry that takes no chunks: everything, in the request that ends the upload.
    async fn send_in_one(&mut self) -> std::result::Result<Landed, Trouble> {
        let wrong = |source| Error::Source { place: self.repository.place(), source };
        let (digest, size) = match (self.push.digest, self.push.size, &self.ended_as) {
            (Some(digest), Some(size), _) => (digest.clone(), size),
            (_, _, Some(ended)) => (ended.digest.clone(), ended.size),
            // Both have to be said before it begins: it is read twice.
            _ => Feed::measure(self.content).await.map_err(wrong)?,
        };
        let feed = Feed::open(self.content, 0, false).await.map_err(wrong)?;
        self.at = 0;
        let outcome = self.put(&digest, feed.stream(size, size)).await;
        if matches!(outcome, Err(Trouble::Passing { .. })) {
            // Where it was cut, nothing can be gone on with.
            self.abandon().await;
        }
        outcome.map_err(|trouble| match trouble {
            Trouble::NoChunks => {
                Trouble::Final(self.repository.not_understood("it takes neither chunks nor whole blobs"))
            }
            trouble => trouble,
        })
    }

    fn answered(&self, sent: std::result::Result<Reply, Failed>) -> std::result::Result<Reply, Trouble> {
        sent.map_err(|failed| {
            let problem = self.repository.shared.transport.failed(&failed).to_string();
            Trouble::Passing { problem, pause: None }
        })
    }

    fn trouble(&mut self, reply: &Reply) -> Trouble {
        let repository = self.repository;
        let refused = || repository.shared.refused_reply("cannot push a blob", Some(&repository.name), reply);
        let pause = retry_after(&reply.headers);
        let keeps_cut = self.keeps_cut();
        match reply.status {
            // Not to what stands before it: that gets smaller ones.
            StatusCode::PAYLOAD_TOO_LARGE if keeps_cut && self.push.chunk.is_none() => {
                if let Some(session) = self.session.as_mut() {
                    session.keeps_cut = false;
                }
                Trouble::Passing { problem: refused().to_string(), pause }
            }
            // Its token may have ended meanwhile: asking for the offset brings a new one.
            StatusCode::UNAUTHORIZED | StatusCode::REQUEST_TIMEOUT => {
                Trouble::Passing { problem: refused().to_string(), pause }
            }
            StatusCode::RANGE_NOT_SATISFIABLE if self.at > 0 => {
                Trouble::Passing { problem: refused().to_string(), pause }
            }
            status if is_passing(status) => Trouble::Passing { problem: refused().to_string(), pause },
            StatusCode::FORBIDDEN => Trouble::Final(refused()),
            // What an upload of one byte says of itself reads as if it were empty: another one is.
            StatusCode::RANGE_NOT_SATISFIABLE if self.sessions < 2 => Trouble::Lost(refused()),
            status if self.may_be_in_one(status) => Trouble::NoChunks,
            StatusCode::NOT_FOUND => Trouble::Lost(refused()),
            // The bytes of an earlier process were others.
            _ if self.is_resumed => Trouble::Lost(refused()),
            _ => Trouble::Final(refused()),
        }
    }

    /// Whether a refused first chunk may mean that there should be no chunks.
    fn may_be_in_one(&self, status: StatusCode) -> bool {
        let is_first = self.at == 0 && self.push.size.is_none_or(|size| size > self.chunk());
        is_first && !self.in_one && (status.is_client_error() || status == StatusCode::NOT_IMPLEMENTED)
    }

    fn cut(&self, problem: String) -> Error {
        let what = self.push.digest.map_or_else(|| "a blob".into(), super::error::blob);
        Error::Cut { place: self.repository.place(), what, at: self.at, problem }
    }

    /// Asks how far the upload came, after `problem`. It may have come to its end, and only the answer was lost.
    async fn ask_how_far(&mut self, problem: String) -> std::result::Result<Option<Landed>, Trouble> {
        let Some(session) = &self.session else {
            // None was begun yet, or it was all in one request.
            return Ok(if self.in_one { self.landed_after_all().await } else { None });
        };
        match self.repository.offset(session, &self.needs).await? {
            Offset::At(offset, location) => {
                let sent = self.feed.as_ref().map_or(self.at + self.chunk(), Feed::position);
                if offset > self.push.size.unwrap_or(sent) {
                    let problem = format!("it says that it has {offset} bytes of an upload, more than were sent");
                    return Err(Trouble::Final(self.repository.not_understood(&problem)));
                }
                self.at = offset;
                self.session = Some(Session { location, ..session.clone() });
                self.keep();
                self.tell();
                Ok(None)
            }
            Offset::Gone => Err(Trouble::Lost(self.cut(problem))),
        }
    }

    /// The answer that was lost may have been that it is done.
    async fn landed_after_all(&self) -> Option<Landed> {
        let digest = self.push.digest.or(self.ended_as.as_ref().map(|ended| &ended.digest))?;
        let expected = self.push.size.or(self.ended_as.as_ref().map(|ended| ended.size));
        let size = self.repository.already_has(digest).await.ok()??;
        expected.is_none_or(|expected| expected == size).then(|| Landed { digest: digest.clone(), size })
    }

    /// Ends the upload without a blob; another one is begun next time.
    async fn abandon(&mut self) {
        if let Some(session) = self.session.take() {
            self.repository.cancel(session.location).await;
        }
        if let Some(kept) = self.kept.as_mut() {
            kept.forget();
        }
        (self.feed, self.at) = (None, 0);
    }
}
