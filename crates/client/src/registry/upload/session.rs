//! The requests of an upload.

use std::pin::pin;

use http::header::{AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue, RANGE};
use http::{Method, StatusCode};
use url::Url;
use wharf_oci::{Algorithm, Digest, KEEPS_CUT_CHUNKS};

use super::feed::{Feed, Moving};
use crate::registry::ask::Ask;
use crate::registry::auth::Needs;
use crate::registry::{Error, Repository, Result};
use crate::wire::{Failed, Reply, is_passing};

const LEAST_CHUNK: &str = "oci-chunk-min-length";
/// A registry that wants larger chunks than this gets smaller ones.
const LARGEST_LEAST: u64 = 256 * 1024 * 1024;

/// An upload that a registry knows.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Session {
    /// Where the next request goes.
    pub(super) location: Url,
    /// Bytes that each chunk but the last must have.
    pub(super) least_chunk: u64,
    /// What came of a chunk stays there when its request is cut: a large one costs no more than a small one.
    pub(super) keeps_cut: bool,
}

/// One request of a session, without its body.
pub(super) struct Request {
    method: Method,
    url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// How far an upload came.
pub(super) enum Offset {
    /// So many bytes; it goes on there.
    At(u64, Url),
    /// Nobody knows it any more.
    Gone,
}

impl Session {
    /// Bytes `first` to `last`, both included.
    pub(super) fn patch(&self, first: u64, last: u64) -> Request {
        let headers = [octets()].into_iter().chain(range(first, last)).collect();
        Request { method: Method::PATCH, url: self.location.clone(), headers }
    }

    /// The end, with the last `length` bytes, which begin at `first`.
    pub(super) fn put(&self, digest: &Digest, first: u64, length: u64) -> Request {
        let mut url = self.location.clone();
        url.query_pairs_mut().append_pair("digest", digest.as_str());
        // All of it, or nothing more: not all know the header there.
        let range = if first == 0 || length == 0 { None } else { range(first, first + length - 1) };
        Request { method: Method::PUT, url, headers: [octets()].into_iter().chain(range).collect() }
    }
}

fn range(first: u64, last: u64) -> Option<(HeaderName, HeaderValue)> {
    Some((CONTENT_RANGE, HeaderValue::from_str(&format!("{first}-{last}")).ok()?))
}

fn octets() -> (HeaderName, HeaderValue) {
    (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
}

impl Repository {
    pub(in crate::registry) async fn uploads_url(&self) -> Result<Url> {
        self.shared.url(&format!("/v2/{}/blobs/uploads/", self.name.asked())).await
    }

    pub(in crate::registry) fn not_understood(&self, problem: &str) -> Error {
        self.shared.not_understood(Some(&self.name), problem)
    }

    /// Begins.
    pub(super) async fn start_upload(&self, digest: Option<&Digest>, needs: &Needs) -> Result<Session> {
        let mut url = self.uploads_url().await?;
        if let Some(digest) = digest.filter(|digest| digest.algorithm() != Algorithm::Sha256) {
            url.query_pairs_mut().append_pair("digest-algorithm", digest.algorithm().as_str());
        }
        let heard = self.shared.reply(&Ask::new(Method::POST, url, needs), Some(&self.name)).await?;
        if heard.reply.status != StatusCode::ACCEPTED {
            return Err(self.shared.refused("cannot push a blob", Some(&self.name), &heard));
        }
        let location = self.shared.located(&heard.url, &heard.reply, Some(&self.name))?;
        let least = heard.reply.header(LEAST_CHUNK).and_then(|text| text.trim().parse().ok());
        let keeps_cut = heard.reply.header(KEEPS_CUT_CHUNKS).is_some_and(|text| text.trim() == "true");
        Ok(Session { location, least_chunk: least.unwrap_or(0).min(LARGEST_LEAST), keeps_cut })
    }

    /// An upload of an earlier process, if the registry still knows it.
    pub(super) async fn resumed(&self, session: Session, needs: &Needs) -> Result<Option<(Session, u64)>> {
        // Before the first request nothing says which address is the registry's own.
        self.shared.base().await?;
        match self.offset(&session, needs).await {
            Ok(Offset::At(offset, location)) => Ok(Some((Session { location, ..session }, offset))),
            Err(error) if error.is_passing() => Err(error),
            Ok(Offset::Gone) | Err(_) => Ok(None),
        }
    }

    /// Asks how far an upload came.
    pub(super) async fn offset(&self, session: &Session, needs: &Needs) -> Result<Offset> {
        let ask = Ask::new(Method::GET, session.location.clone(), needs);
        let heard = self.shared.reply(&ask, Some(&self.name)).await?;
        let range = heard.reply.header(RANGE).and_then(offset_of);
        match (heard.reply.status, range) {
            (StatusCode::NO_CONTENT | StatusCode::ACCEPTED | StatusCode::OK, Some(offset)) => {
                let location = self.shared.located(&heard.url, &heard.reply, Some(&self.name));
                Ok(Offset::At(offset, location.unwrap_or(heard.url)))
            }
            // Who is in trouble has not said that it is gone.
            (status, _) if status == StatusCode::FORBIDDEN || is_passing(status) => {
                Err(self.shared.refused("cannot push a blob", Some(&self.name), &heard))
            }
            // Gone, or of a registry that does not say.
            _ => Ok(Offset::Gone),
        }
    }

    /// Ends an upload without a blob. Whether that worked matters to nobody: registries forget uploads by themselves.
    pub(in crate::registry) async fn cancel(&self, location: Url) {
        let needs = Needs::of(&self.name, "pull,push");
        let ask = Ask::new(Method::DELETE, location, &needs).once();
        if let Err(error) = self.shared.reply(&ask, Some(&self.name)).await {
            tracing::debug!(%error, "an upload was not cancelled");
        }
    }

    /// Sends one request with its bytes, once. The feed comes back if it can be gone on with.
    pub(super) async fn send(
        &self,
        request: Request,
        moving: Moving,
        needs: &Needs,
        at: u64,
        progress: Option<&(dyn Fn(u64) + Send + Sync)>,
    ) -> Result<(std::result::Result<Reply, Failed>, Option<Feed>)> {
        let turn = self.shared.turn(needs, Some(&self.name)).await?;
        let length = moving.len();
        let (body, mut pump) = moving.split();
        let idle = pump.take_idle();
        let mut built = self.shared.transport.http.request(request.method, request.url.clone());
        for (name, value) in request.headers {
            built = built.header(name, value);
        }
        if let Some(authorization) = turn.authorization().filter(|_| self.shared.is_own(&request.url)) {
            built = built.header(AUTHORIZATION, authorization);
        }
        // Also when it is none: some servers wait for it otherwise.
        let built = built.header("content-length", length).body(body);
        let moved = std::sync::Arc::clone(&pump.moved);
        let transport = &self.shared.transport;
        let mut answer = pin!(async {
            let response = transport.once(built, Some(&moved)).await?;
            transport.whole(response, 1 << 20).await
        });
        let tell = |position: u64| {
            if let Some(progress) = progress {
                progress(position.max(at));
            }
        };
        let (feed, answer) = tokio::select! {
            biased;
            pumped = pump.run(tell) => {
                (pumped.map_err(|source| Error::Source { place: self.place(), source })?, answer.await)
            }
            // It wants no more of it: nobody takes the rest, and what reads may never end.
            answer = &mut answer => (None, answer),
        };
        let is_good = answer.as_ref().is_ok_and(|reply| reply.status.is_success());
        // What was streamed is gone; only what is in memory can be sent again.
        Ok((answer, idle.or(feed.filter(|_| is_good))))
    }
}

/// `0-99` is 100 bytes. `0-0` is what an empty upload says (distribution-spec leaves it that), and `0--1` and
/// `bytes=0-99` are what some say (zot PR3983, distribution/distribution#3496).
fn offset_of(range: &str) -> Option<u64> {
    let range = range.trim();
    let range = range.strip_prefix("bytes").map_or(range, |rest| rest.trim_start_matches(['=', ' ']));
    let (first, last) = range.split_once('-')?;
    if first.trim() != "0" {
        return None;
    }
    match last.trim() {
        "0" | "-1" => Some(0),
        last => last.parse::<u64>().ok()?.checked_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::offset_of;

    #[test]
    fn an_offset_is_read_as_registries_write_it() {
        for (range, offset) in [
            ("0-99", Some(100)),
            ("bytes=0-99", Some(100)),
            ("0-0", Some(0)),
            ("0--1", Some(0)),
            ("5-9", None),
            ("0-18446744073709551615", None),
            ("99", None),
            ("", None),
        ] {
            assert_eq!(offset_of(range), offset, "{range}");
        }
    }
}
