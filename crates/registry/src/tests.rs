//! The decisions without a wire: nothing outside this crate can forget to ask who calls.

use std::sync::atomic::{AtomicI64, Ordering};

use wharf_blob::fs::FsStore;
use wharf_meta::Durability;
use wharf_oci::{Algorithm, Digest, Reference, RepoName};
use wharf_testkit::disk::LossyDisk;

use super::*;

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Millis {
        self.0.load(Ordering::Relaxed)
    }
}

async fn registry(disk: &LossyDisk) -> Registry {
    let meta = Meta::open(&disk.path().join("wharf.db"), Durability::Buffered).unwrap();
    let store = Arc::new(FsStore::on(Arc::new(disk.clone()), &disk.path().join("store")).unwrap());
    let clock = Arc::new(Hands(AtomicI64::new(1_800_000_000_000)));
    Registry::open(meta, store, clock, Settings::default()).await.unwrap()
}

fn name() -> RepoName {
    "team/app".parse().unwrap()
}

fn digest() -> Digest {
    Digest::of(Algorithm::Sha256, b"goods")
}

fn chunk() -> Chunk {
    Chunk { at: None, length: None, body: None }
}

#[tokio::test]
async fn every_method_asks_who_calls() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    let (nobody, name, digest) = (Caller::anonymous(), name(), digest());
    let reference = Reference::Digest(digest.clone());
    let id = "00000000-0000-7000-8000-000000000000";
    let push = ManifestPush { content_type: None, bytes: vec![], tags: vec![], digest: None, condition: None };
    let outcomes = [
        r.ping(&nobody).err(),
        r.may_push(&nobody, &name).await.err(),
        r.blob(&nobody, &name, &digest).await.err(),
        r.delete_blob(&nobody, &name, &digest).await.err(),
        r.mount_blob(&nobody, &name, &digest, None).await.err(),
        r.push_blob(&nobody, &name, chunk(), &digest).await.err(),
        r.start_upload(&nobody, &name, Algorithm::Sha256).await.err(),
        r.upload(&nobody, &name, id).await.err(),
        r.append(&nobody, &name, id, chunk()).await.err(),
        r.finish_upload(&nobody, &name, id, chunk(), &digest).await.err(),
        r.cancel_upload(&nobody, &name, id).await.err(),
        r.manifest(&nobody, &name, &reference).await.err(),
        r.push_manifest(&nobody, &name, &reference, push).await.err(),
        r.delete_manifest(&nobody, &name, &reference).await.err(),
        r.tags(&nobody, &name, "", 1).await.err(),
        r.referrers(&nobody, &name, &digest, None, "").await.err(),
        r.catalog(&nobody, "", 1).await.err(),
        r.search(&nobody, "x", 1).await.err(),
    ];
    for (n, outcome) in outcomes.into_iter().enumerate() {
        assert!(matches!(outcome, Some(Error::SignInNeeded { .. })), "{n}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    let made_up = r.ensure_admin(None).await.unwrap().unwrap();
    assert!(r.ensure_admin(None).await.unwrap().is_none());
    assert!(r.ensure_admin(Some(Secret::new("mine"))).await.unwrap().is_none());
    let by = |password: Secret| Credentials::Basic { user: "admin".into(), password };
    assert_eq!(r.authenticate(by(made_up.clone())).await.unwrap().name(), "admin");
    assert!(matches!(r.authenticate(by(Secret::new("mine"))).await, Err(Error::BadCredentials)));
    let reset = r.reset_password("admin", None).await.unwrap().unwrap();
    assert!(matches!(r.authenticate(by(made_up)).await, Err(Error::BadCredentials)));
    assert_eq!(r.authenticate(by(reset)).await.unwrap().name(), "admin");
    assert!(r.reset_password("nobody", None).await.unwrap().is_none());
}

#[tokio::test]
async fn a_push_that_a_crash_cut_is_swept_before_the_next_start() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    let stray = wharf_blob::UploadId::from_uuid(uuid::Uuid::now_v7());
    r.store.start(stray).await.unwrap();
    assert_eq!(r.sweep_strays().await.unwrap(), 1);
    assert_eq!(r.sweep_strays().await.unwrap(), 0);
}

#[tokio::test]
async fn secrets_cannot_be_printed() {
    let secret = Secret::new("hidden");
    assert!(!format!("{secret} {secret:?} {:?}", Credentials::Bearer(secret.clone())).contains("hidden"));
}
