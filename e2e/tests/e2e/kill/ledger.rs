//! What was tried in one repository, what was acknowledged, and whether the server still agrees.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use wharf_e2e::{Api, Image, digest_of};

use super::history::{Change, History};

/// Written to by all who push there. It is locked to write something down, never while a server is asked.
pub(super) struct Ledger {
    pub(super) repo: String,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    blobs: BTreeMap<String, Blob>,
    /// Config and layer of each.
    manifests: BTreeMap<String, [String; 2]>,
    history: History,
}

#[derive(Default)]
struct Blob {
    acknowledged: bool,
    under_way: usize,
    /// Pushes that began while another was under way.
    contended: usize,
}

/// What a repository holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    manifests: BTreeSet<String>,
    tags: BTreeMap<String, String>,
}

impl Ledger {
    pub(super) fn new(repo: String) -> Self {
        Self { repo, book: Mutex::default() }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("no pusher failed")
    }

    pub(super) fn try_blob(&self, bytes: &[u8]) {
        let mut book = self.book();
        let blob = book.blobs.entry(digest_of(bytes)).or_default();
        blob.contended += usize::from(blob.under_way > 0);
        blob.under_way += 1;
    }

    pub(super) fn blob_is_acknowledged(&self, bytes: &[u8]) {
        let mut book = self.book();
        let blob = book.blobs.get_mut(&digest_of(bytes)).expect("it was tried");
        blob.acknowledged = true;
        blob.under_way -= 1;
    }

    /// Whether somebody's push or mount of it was acknowledged.
    pub(super) fn must_have(&self, digest: &str) -> bool {
        self.book().blobs.get(digest).is_some_and(|blob| blob.acknowledged)
    }

    pub(super) fn try_push(&self, image: &Image, tag: Option<String>) -> usize {
        let digest = digest_of(&image.manifest);
        let mut book = self.book();
        book.manifests.insert(digest.clone(), [digest_of(&image.config), digest_of(&image.layer)]);
        book.history.begin(Change::Push { digest, tag })
    }

    pub(super) fn try_delete(&self, change: Change) -> usize {
        self.book().history.begin(change)
    }

    pub(super) fn is_acknowledged(&self, change: usize) {
        self.book().history.acknowledge(change);
    }

    pub(super) fn nothing_was_there(&self, change: usize) {
        self.book().history.nothing_there(change);
    }

    /// Some manifest that was tried.
    pub(super) fn any_manifest(&self, random: &mut fastrand::Rng) -> Option<String> {
        random.choice(self.book().manifests.keys()).cloned()
    }

    /// Some tag that was tried.
    pub(super) fn any_tag(&self, random: &mut fastrand::Rng) -> Option<String> {
        let book = self.book();
        random.choice(book.history.tags().collect::<Vec<_>>()).cloned()
    }

    /// Whether what `change` deletes may be there now, or not be there.
    pub(super) fn may_be(&self, change: &Change, there: bool) -> bool {
        let history = &self.book().history;
        match change {
            Change::DeleteManifest(digest) | Change::Push { digest, .. } => history.manifest_may_be(digest, there),
            Change::DeleteTag(tag) if there => !history.tag_must_be_gone(tag),
            Change::DeleteTag(tag) => history.tag_may_be(tag, None),
        }
    }

    pub(super) fn blobs(&self) -> usize {
        self.book().blobs.values().filter(|blob| blob.acknowledged).count()
    }

    pub(super) fn manifests(&self) -> usize {
        self.book().history.acknowledged_pushes()
    }

    pub(super) fn deletes(&self) -> usize {
        self.book().history.acknowledged_deletes()
    }

    pub(super) fn contended_blobs(&self) -> usize {
        self.book().blobs.values().map(|blob| blob.contended).sum()
    }

    pub(super) fn contended_changes(&self) -> usize {
        self.book().history.contended()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.book().history.in_flight()
    }

    /// Asks the server for everything.
    pub(super) fn check(&self, api: &Api) -> Found {
        let (book, repo) = (self.book(), &self.repo);
        let whole = |(digest, _): &(&String, &Blob)| self.is_whole(api, "blobs", digest);
        let blobs: BTreeSet<_> = book.blobs.iter().filter(whole).map(|(digest, _)| digest).collect();
        for (digest, blob) in &book.blobs {
            assert!(!blob.acknowledged || blobs.contains(digest), "{repo}: the acknowledged blob {digest} is lost");
        }
        let mut manifests = BTreeSet::new();
        for (digest, parts) in &book.manifests {
            let there = self.is_whole(api, "manifests", digest);
            let may = book.history.manifest_may_be(digest, there);
            assert!(may, "{repo}: manifest {digest} is there: {there}, after {:#?}", book.history);
            if there {
                let missing = parts.iter().find(|part| !blobs.contains(part));
                assert_eq!(missing, None, "{repo}: manifest {digest} is there without it");
                manifests.insert(digest.clone());
            }
        }
        let tags = self.check_tags(api, &book.history, &manifests);
        Found { manifests, tags }
    }

    fn check_tags(&self, api: &Api, history: &History, manifests: &BTreeSet<String>) -> BTreeMap<String, String> {
        let repo = &self.repo;
        let known = api.get(&format!("/v2/{repo}/tags/list")).status != 404;
        let listed = if known { api.tags(repo) } else { vec![] };
        let tags: BTreeMap<_, _> = listed.into_iter().map(|tag| (tag.clone(), api.digest(repo, &tag))).collect();
        for tag in history.tags().chain(tags.keys()) {
            let target = tags.get(tag);
            let may = history.tag_may_be(tag, target.map(String::as_str));
            assert!(may, "{repo}: tag {tag} points at {target:?}, after {history:#?}");
        }
        for (tag, digest) in &tags {
            assert!(manifests.contains(digest), "{repo}: tag {tag} has no manifest {digest}");
        }
        tags
    }

    /// Whether it is there; if so, it must be whole, and HEAD must agree.
    pub(super) fn is_whole(&self, api: &Api, what: &str, digest: &str) -> bool {
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
}
