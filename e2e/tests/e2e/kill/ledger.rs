//! What one pusher tried in one repository, what was acknowledged, and whether the server still agrees.

use std::collections::{BTreeMap, BTreeSet};

use wharf_e2e::{Api, Image, digest_of};

#[derive(Default)]
pub(super) struct Ledger {
    pub(super) repo: String,
    /// Whether it was acknowledged.
    blobs: BTreeMap<String, bool>,
    manifests: BTreeMap<String, Manifest>,
    tags: BTreeMap<String, Tag>,
    /// The one that was open when the server was killed.
    pub(super) upload: Option<Upload>,
}

struct Manifest {
    acknowledged: bool,
    blobs: [String; 2],
}

/// Where a tag may point: where it was last acknowledged to, or to what was tried since.
#[derive(Default)]
struct Tag {
    acknowledged: Option<String>,
    since: BTreeSet<String>,
}

pub(super) struct Upload {
    pub(super) location: String,
    pub(super) bytes: Vec<u8>,
    pub(super) acknowledged: usize,
}

impl Ledger {
    pub(super) fn new(repo: String) -> Self {
        Self { repo, ..Self::default() }
    }

    pub(super) fn try_blob(&mut self, bytes: &[u8]) {
        self.blobs.entry(digest_of(bytes)).or_default();
    }

    pub(super) fn blob_is_acknowledged(&mut self, bytes: &[u8]) {
        self.blobs.insert(digest_of(bytes), true);
    }

    pub(super) fn try_manifest(&mut self, image: &Image, tag: Option<&str>) {
        let (digest, blobs) = (digest_of(&image.manifest), [digest_of(&image.config), digest_of(&image.layer)]);
        self.manifests.entry(digest.clone()).or_insert(Manifest { acknowledged: false, blobs });
        if let Some(tag) = tag {
            self.tags.entry(tag.into()).or_default().since.insert(digest);
        }
    }

    pub(super) fn manifest_is_acknowledged(&mut self, digest: &str, tag: Option<&str>) {
        self.manifests.get_mut(digest).expect("it was tried").acknowledged = true;
        if let Some(tag) = tag {
            self.tags.insert(tag.into(), Tag { acknowledged: Some(digest.into()), since: BTreeSet::new() });
        }
    }

    pub(super) fn acknowledged_blobs(&self) -> usize {
        self.blobs.values().filter(|acknowledged| **acknowledged).count()
    }

    pub(super) fn acknowledged_manifests(&self) -> usize {
        self.manifests.values().filter(|manifest| manifest.acknowledged).count()
    }

    /// Asks the server for everything.
    pub(super) fn check(&self, api: &Api) {
        let repo = &self.repo;
        for (digest, acknowledged) in &self.blobs {
            let there = self.is_whole(api, "blobs", digest);
            assert!(there || !acknowledged, "{repo}: the acknowledged blob {digest} is lost");
        }
        for (digest, manifest) in &self.manifests {
            let there = self.is_whole(api, "manifests", digest);
            assert!(there || !manifest.acknowledged, "{repo}: the acknowledged manifest {digest} is lost");
            for blob in manifest.blobs.iter().filter(|_| there) {
                assert!(self.is_whole(api, "blobs", blob), "{repo}: manifest {digest} is there without {blob}");
            }
        }
        self.check_tags(api);
    }

    fn check_tags(&self, api: &Api) {
        let repo = &self.repo;
        let known = api.get(&format!("/v2/{repo}/tags/list")).status != 404;
        let listed = if known { api.tags(repo) } else { vec![] };
        for (name, tag) in &self.tags {
            let there = listed.contains(name);
            assert!(there || tag.acknowledged.is_none(), "{repo}: the acknowledged tag {name} is lost");
        }
        for name in listed {
            let tag = self.tags.get(&name).unwrap_or_else(|| panic!("{repo}: tag {name} was never pushed"));
            let digest = api.digest(repo, &name);
            let may = tag.since.contains(&digest) || tag.acknowledged.as_ref() == Some(&digest);
            assert!(may, "{repo}: tag {name} points at {digest}, where it should not");
            assert!(self.is_whole(api, "manifests", &digest), "{repo}: tag {name} has no manifest {digest}");
        }
    }

    /// Whether it is there; if so, it must be whole, and HEAD must agree.
    fn is_whole(&self, api: &Api, what: &str, digest: &str) -> bool {
        let path = format!("/v2/{}/{what}/{digest}", self.repo);
        let (answer, head) = (api.get(&path), api.head(&path).status);
        assert_eq!(answer.status, head, "GET and HEAD {path}");
        match answer.status {
            200 => assert_eq!(digest_of(&answer.body), digest, "{path} is not whole"),
            404 => return false,
            status => panic!("{path}: {status}: {}", answer.text()),
        }
        true
    }

    /// An upload that was cut goes on where the server says, and not before the last acknowledged byte.
    pub(super) fn finish_upload(&mut self, api: &Api) {
        let Some(upload) = self.upload.take() else { return };
        let status = api.get(&upload.location);
        let digest = digest_of(&upload.bytes);
        if status.status == 404 {
            // The answer to its last request was cut, not the upload.
            return assert!(self.is_whole(api, "blobs", &digest), "{}: upload {} is lost", self.repo, upload.location);
        }
        let range = status.expect(204).header("range").expect("a range").to_owned();
        let last: usize = range.strip_prefix("0-").and_then(|last| last.parse().ok()).expect("0-<last>");
        // `0-0` stands for nothing as well as for one byte.
        let have = if last == 0 { upload.acknowledged.min(1) } else { last + 1 };
        assert!(have >= upload.acknowledged, "{}: {have} bytes left of {}", self.repo, upload.acknowledged);
        let path = format!("{}?digest={digest}", upload.location);
        let rest = upload.bytes.get(have..).expect("not more than was sent");
        let range = format!("{have}-{}", upload.bytes.len().saturating_sub(1));
        let headers = [("Content-Range", range.as_str())];
        let headers = if rest.is_empty() { &[][..] } else { &headers };
        let answer = api.send("PUT", &path, headers, rest).unwrap();
        if answer.status == 404 && rest.is_empty() {
            // Its last request was cut between the bytes and the row: nothing was acknowledged, and the client starts over.
            answer.expect_error(404, "BLOB_UPLOAD_UNKNOWN");
            api.get(&upload.location).expect_error(404, "BLOB_UPLOAD_UNKNOWN");
            api.push_blob(&self.repo, &upload.bytes).unwrap();
        } else {
            answer.expect(201);
        }
        assert!(self.is_whole(api, "blobs", &digest));
    }
}
