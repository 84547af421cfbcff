//! An upload that the kill may have cut.

use wharf_e2e::{Api, digest_of};

use super::ledger::Ledger;

pub(super) struct Upload {
    /// Its repository, which need not be the pusher's own.
    pub(super) repo: String,
    pub(super) location: String,
    pub(super) bytes: Vec<u8>,
    /// Bytes.
    pub(super) acknowledged: usize,
    /// Its last request was sent.
    pub(super) closing: bool,
}

impl Upload {
    /// Goes on where the server says, and that is not before the last acknowledged byte.
    pub(super) fn finish(&self, api: &Api, ledger: &Ledger) {
        let (digest, repo) = (digest_of(&self.bytes), &self.repo);
        let status = api.get(&self.location);
        if status.status == 404 {
            status.expect_error(404, "BLOB_UPLOAD_UNKNOWN");
            assert!(self.closing, "{repo}: upload {} is lost at {} bytes", self.location, self.acknowledged);
            if !ledger.is_whole(api, "blobs", &digest) {
                // Cut between the bytes and the row: nothing was acknowledged, and the client starts over.
                api.push_blob(repo, &self.bytes).unwrap();
            }
        } else {
            let have = received(status.expect(204).header("range").expect("a range"));
            let rest = self.bytes.get(have..).expect("not more than was sent");
            assert!(have >= self.acknowledged, "{repo}: {have} bytes left of {}", self.acknowledged);
            let range = format!("{have}-{}", self.bytes.len().saturating_sub(1));
            let headers = [("Content-Range", range.as_str())];
            let headers = if rest.is_empty() { &[][..] } else { &headers };
            api.send("PUT", &format!("{}?digest={digest}", self.location), headers, rest).unwrap().expect(201);
        }
        assert!(ledger.is_whole(api, "blobs", &digest), "{repo}: {digest} was pushed just now");
    }
}

/// `0-0` stands for nothing as well as for one byte. No pusher begins with a chunk of one byte.
fn received(range: &str) -> usize {
    let last: usize = range.strip_prefix("0-").and_then(|last| last.parse().ok()).expect("0-<last>");
    if last == 0 { 0 } else { last + 1 }
}
