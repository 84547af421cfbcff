//! Pushes images until the server is gone, and writes down what it was told.

use std::io;
use std::ops::ControlFlow::{self, Break, Continue};

use wharf_e2e::{Api, Image, digest_of};

use super::ledger::{Ledger, Upload};

/// Pushes to `repo` until there is no answer. Any answer but a success fails the test.
pub(super) fn push(api: &Api, repo: String, random: fastrand::Rng) -> Ledger {
    let mut pusher = Pusher { api, random, ledger: Ledger::new(repo) };
    while pusher.image().is_continue() {}
    pusher.ledger
}

struct Pusher<'a> {
    api: &'a Api,
    random: fastrand::Rng,
    ledger: Ledger,
}

/// The server did not answer: it was killed.
struct Killed;

type Step = ControlFlow<Killed>;

fn acknowledged<T>(outcome: io::Result<T>) -> ControlFlow<Killed, T> {
    match outcome {
        Ok(answer) => Continue(answer),
        // Made by the client from an answer of another status.
        Err(error) if error.kind() == io::ErrorKind::Other => panic!("refused: {error}"),
        Err(_) => Break(Killed),
    }
}

impl Pusher<'_> {
    fn image(&mut self) -> Step {
        let size = [0, 10, 3_000, 60_000, 400_000, 3_000_000][self.random.usize(..6)];
        let image = Image::new(&mut self.random, "amd64", size);
        for bytes in [&image.config, &image.layer] {
            self.ledger.try_blob(bytes);
            match self.random.u8(..3) {
                0 => self.monolithic(bytes)?,
                1 => self.in_two(bytes)?,
                _ => self.chunked(bytes)?,
            }
            self.ledger.blob_is_acknowledged(bytes);
        }
        self.manifest(&image)
    }

    fn manifest(&mut self, image: &Image) -> Step {
        let digest = digest_of(&image.manifest);
        // Few tags, so that they move.
        let tag = (self.random.u8(..3) > 0).then(|| format!("t{}", self.random.u8(..3)));
        self.ledger.try_manifest(image, tag.as_deref());
        let reference = tag.as_deref().unwrap_or(&digest);
        acknowledged(self.api.push_manifest(&self.ledger.repo, reference, Image::MEDIA_TYPE, &image.manifest))?;
        self.ledger.manifest_is_acknowledged(&digest, tag.as_deref());
        Continue(())
    }

    fn monolithic(&mut self, bytes: &[u8]) -> Step {
        acknowledged(self.api.push_blob(&self.ledger.repo, bytes))?;
        Continue(())
    }

    fn in_two(&mut self, bytes: &[u8]) -> Step {
        let location = acknowledged(self.api.upload(&self.ledger.repo))?;
        self.close(&location, bytes, bytes)
    }

    fn chunked(&mut self, bytes: &[u8]) -> Step {
        let location = acknowledged(self.api.upload(&self.ledger.repo))?;
        self.ledger.upload = Some(Upload { location: location.clone(), bytes: bytes.to_vec(), acknowledged: 0 });
        let chunk = self.random.usize(1..=bytes.len().max(4) / 2);
        let mut sent = 0;
        for part in bytes.chunks(chunk.max(bytes.len() / 8)) {
            let range = format!("{sent}-{}", sent + part.len() - 1);
            let answer = self.api.send("PATCH", &location, &[("Content-Range", &range)], part);
            let status = acknowledged(answer)?.status;
            assert_eq!(status, 202, "PATCH");
            sent += part.len();
            self.ledger.upload.as_mut().expect("an open upload").acknowledged = sent;
        }
        self.close(&location, b"", bytes)?;
        self.ledger.upload = None;
        Continue(())
    }

    fn close(&mut self, location: &str, body: &[u8], bytes: &[u8]) -> Step {
        let path = format!("{location}?digest={}", digest_of(bytes));
        let answer = acknowledged(self.api.send("PUT", &path, &[], body))?;
        assert_eq!(answer.status, 201, "PUT: {}", answer.text());
        Continue(())
    }
}
