//! Pushes, mounts and deletes until the server is gone, and writes down what it was told.

use std::io;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

use wharf_e2e::{Answer, Api, Image, digest_of};

use super::history::Change;
use super::ledger::Ledger;
use super::upload::Upload;

pub(super) struct Pusher<'r> {
    api: &'r Api,
    own: &'r Ledger,
    /// The one of all pushers.
    shared: &'r Ledger,
    all: &'r [Ledger],
    pool: &'r [Arc<Image>],
    random: fastrand::Rng,
    /// What it pushed before, to be pushed again elsewhere.
    before: Option<Arc<Image>>,
    pushed: Pushed,
}

/// What is left of a pusher.
#[derive(Default)]
pub(super) struct Pushed {
    /// Blobs that were mounted.
    pub(super) mounts: usize,
    /// The one that was open at the kill.
    upload: Option<Upload>,
}

impl Pushed {
    pub(super) fn finish_upload(&self, api: &Api, ledgers: &[Ledger]) {
        let Some(upload) = &self.upload else { return };
        let ledger = ledgers.iter().find(|ledger| ledger.repo == upload.repo).expect("one of the round's");
        upload.finish(api, ledger);
    }
}

/// The server did not answer: it was killed.
struct Killed;

type Step<T = ()> = ControlFlow<Killed, T>;

fn answered<T>(outcome: io::Result<T>) -> Step<T> {
    match outcome {
        Ok(answer) => Continue(answer),
        // Made by the client from an answer of another status.
        Err(error) if error.kind() == io::ErrorKind::Other => panic!("refused: {error}"),
        Err(_) => Break(Killed),
    }
}

impl<'r> Pusher<'r> {
    /// One of those who have `ledgers` among them: the one at `own` is its own, the last is everybody's.
    pub(super) fn new(
        api: &'r Api,
        ledgers: &'r [Ledger],
        own: usize,
        pool: &'r [Arc<Image>],
        random: fastrand::Rng,
    ) -> Self {
        let shared = ledgers.last().expect("one for all");
        let (own, pushed) = (&ledgers[own], Pushed::default());
        Self { api, own, shared, all: ledgers, pool, random, before: None, pushed }
    }

    /// Goes on until there is no answer. An answer that should not be fails the test.
    pub(super) fn push_until_killed(mut self) -> Pushed {
        while self.step().is_continue() {}
        self.pushed
    }

    fn step(&mut self) -> Step {
        let ledger = if self.random.u8(..3) == 0 { self.own } else { self.shared };
        if self.random.u8(..3) == 0 {
            return self.delete(ledger);
        }
        let image = self.image();
        for bytes in [&image.config, &image.layer] {
            // As clients do that ask first; the others push what is there once more.
            if self.random.u8(..3) > 0 && ledger.must_have(&digest_of(bytes)) {
                continue;
            }
            ledger.try_blob(bytes);
            match self.random.u8(..4) {
                0 => answered(self.api.push_blob(&ledger.repo, bytes)).map_continue(drop)?,
                1 => self.in_two(ledger, bytes)?,
                2 => self.chunked(ledger, bytes)?,
                _ => self.mount(ledger, bytes)?,
            }
            ledger.blob_is_acknowledged(bytes);
        }
        self.manifest(ledger, &image)?;
        self.before = Some(image);
        Continue(())
    }

    /// One that all push, one that this pusher pushed before, or a new one.
    fn image(&mut self) -> Arc<Image> {
        let choice = self.random.u8(..4);
        match &self.before {
            _ if choice < 2 => Arc::clone(self.random.choice(self.pool).expect("a pool")),
            Some(before) if choice == 2 => Arc::clone(before),
            _ => {
                let size = [0, 10, 3_000, 60_000, 400_000, 3_000_000][self.random.usize(..6)];
                Arc::new(Image::new(&mut self.random, "amd64", size))
            }
        }
    }

    fn manifest(&mut self, ledger: &Ledger, image: &Image) -> Step {
        // Few tags, so that they move; one where all push.
        let tags = if std::ptr::eq(ledger, self.shared) { 1 } else { 3 };
        let tag = (self.random.u8(..3) > 0).then(|| format!("t{}", self.random.u8(..tags)));
        let reference = tag.clone().unwrap_or_else(|| digest_of(&image.manifest));
        let change = ledger.try_push(image, tag);
        answered(self.api.push_manifest(&ledger.repo, &reference, Image::MEDIA_TYPE, &image.manifest))?;
        ledger.is_acknowledged(change);
        Continue(())
    }

    /// A tag or a manifest that is there, or was.
    fn delete(&mut self, ledger: &Ledger) -> Step {
        let change = if self.random.bool() {
            ledger.any_tag(&mut self.random).map(Change::DeleteTag)
        } else {
            ledger.any_manifest(&mut self.random).map(Change::DeleteManifest)
        };
        let Some(change) = change else { return Continue(()) };
        let (Change::DeleteTag(reference) | Change::DeleteManifest(reference)) = &change else { unreachable!() };
        let path = format!("/v2/{}/manifests/{reference}", ledger.repo);
        // Where nobody else deletes, the answer is known before.
        let may = [true, false].map(|there| !std::ptr::eq(ledger, self.own) || ledger.may_be(&change, there));
        let change = ledger.try_delete(change);
        let answer = answered(self.api.send("DELETE", &path, &[], b""))?;
        match (answer.status, may) {
            (202, [true, _]) => ledger.is_acknowledged(change),
            (404, [_, true]) => ledger.nothing_was_there(change),
            (status, _) => panic!("DELETE {path}: {status}: {}", answer.text()),
        }
        Continue(())
    }

    /// From a repository that has the blob, if any.
    fn mount(&mut self, ledger: &Ledger, bytes: &[u8]) -> Step {
        let digest = digest_of(bytes);
        let others = || self.all.iter().filter(|other| other.repo != ledger.repo);
        let sources: Vec<_> = others().filter(|other| other.must_have(&digest)).collect();
        let must = !sources.is_empty();
        let sources = if must { sources } else { others().collect() };
        let from = self.random.choice(sources).expect("other repositories");
        let path = format!("/v2/{}/blobs/uploads/?mount={digest}&from={}", ledger.repo, from.repo);
        let answer = answered(self.api.send("POST", &path, &[], b""))?;
        if answer.status == 201 {
            self.pushed.mounts += 1;
            return Continue(());
        }
        assert!(!must && answer.status == 202, "{}: {path}: {}", answer.status, answer.text());
        self.open(ledger, location(&answer), bytes);
        self.close(bytes, bytes)
    }

    fn in_two(&mut self, ledger: &Ledger, bytes: &[u8]) -> Step {
        let location = answered(self.api.upload(&ledger.repo))?;
        self.open(ledger, location, bytes);
        self.close(bytes, bytes)
    }

    fn chunked(&mut self, ledger: &Ledger, bytes: &[u8]) -> Step {
        let location = answered(self.api.upload(&ledger.repo))?;
        self.open(ledger, location.clone(), bytes);
        let chunk = self.random.usize(2..=bytes.len().max(4) / 2);
        let mut sent = 0;
        for part in bytes.chunks(chunk.max(bytes.len() / 8)) {
            let range = format!("{sent}-{}", sent + part.len() - 1);
            let answer = answered(self.api.send("PATCH", &location, &[("Content-Range", &range)], part))?;
            assert_eq!(answer.status, 202, "PATCH: {}", answer.text());
            sent += part.len();
            self.upload().acknowledged = sent;
        }
        self.close(b"", bytes)
    }

    fn open(&mut self, ledger: &Ledger, location: String, bytes: &[u8]) {
        let (repo, bytes) = (ledger.repo.clone(), bytes.to_vec());
        self.pushed.upload = Some(Upload { repo, location, bytes, acknowledged: 0, closing: false });
    }

    fn upload(&mut self) -> &mut Upload {
        self.pushed.upload.as_mut().expect("an open upload")
    }

    fn close(&mut self, body: &[u8], bytes: &[u8]) -> Step {
        let upload = self.upload();
        upload.closing = true;
        let path = format!("{}?digest={}", upload.location, digest_of(bytes));
        let answer = answered(self.api.send("PUT", &path, &[], body))?;
        assert_eq!(answer.status, 201, "PUT: {}", answer.text());
        self.pushed.upload = None;
        Continue(())
    }
}

/// Absolute or relative, both are allowed.
fn location(answer: &Answer) -> String {
    let location = answer.header("location").expect("a location");
    location.find("/v2/").map_or(location, |at| &location[at..]).to_owned()
}
