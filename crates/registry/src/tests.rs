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

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now().unsigned_abs())
    }
}

pub(crate) async fn registry(disk: &LossyDisk) -> Registry {
    registry_with(disk, Settings::default()).await
}

pub(crate) async fn registry_with(disk: &LossyDisk, settings: Settings) -> Registry {
    let meta = Meta::open(&disk.path().join("wharf.db"), Durability::Buffered).unwrap();
    let store = Arc::new(FsStore::on(Arc::new(disk.clone()), &disk.path().join("store")).unwrap());
    let clock = Arc::new(Hands(AtomicI64::new(1_800_000_000_000)));
    Registry::open(meta, store, clock, settings).await.unwrap()
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
    let (nobody, name, digest) = (Caller::anonymous(Source::here()), name(), digest());
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
    assert_eq!(r.authenticate(by(made_up.clone()), Source::here()).await.unwrap().name(), "admin");
    assert!(matches!(r.authenticate(by(Secret::new("mine")), Source::here()).await, Err(Error::BadCredentials)));
    let reset = r.reset_password("admin", None).await.unwrap().unwrap();
    assert!(matches!(r.authenticate(by(made_up), Source::here()).await, Err(Error::BadCredentials)));
    assert_eq!(r.authenticate(by(reset), Source::here()).await.unwrap().name(), "admin");
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
async fn a_row_whose_bytes_a_crash_took_is_swept_too() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    let admin = Caller::user(1, "admin", true);
    let upload = r.start_upload(&admin, &name(), Algorithm::Sha256).await.unwrap();
    r.store.abort(upload.id).await.unwrap();
    assert_eq!(r.sweep_strays().await.unwrap(), 1);
    let gone = r.upload(&admin, &name(), &upload.id.to_string()).await;
    assert!(matches!(gone, Err(Error::UploadUnknown(_))), "{gone:?}");
}

#[tokio::test]
async fn an_upload_continued_after_the_sweep_looked_is_kept() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    let admin = Caller::user(1, "admin", true);
    let upload = r.start_upload(&admin, &name(), Algorithm::Sha256).await.unwrap();
    let id = upload.id.to_string();
    assert!(!r.meta.delete_expired_upload(&id, r.now()).await.unwrap());
    assert!(r.meta.delete_expired_upload(&id, r.after(r.settings.upload_expiry)).await.unwrap());
    r.store.abort(upload.id).await.unwrap();
}

#[tokio::test]
async fn a_caller_has_so_many_uploads_open_and_others_are_not_held_up_by_them() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    let (greedy, other) = (Caller::user(1, "admin", true), Caller::user(2, "other", true));
    let first = r.start_upload(&greedy, &name(), Algorithm::Sha256).await.unwrap();
    let row = r.meta.upload(&first.id.to_string()).await.unwrap().unwrap();
    for n in 1..wharf_meta::MOST_UPLOADS {
        assert!(r.meta.start_upload(wharf_meta::Upload { id: n.to_string(), ..row.clone() }).await.unwrap());
    }
    let refused = r.start_upload(&greedy, &name(), Algorithm::Sha256).await.unwrap_err();
    assert!(matches!(refused, Error::TooManyUploads { .. }), "{refused}");
    assert_eq!(r.store.uploads().await.unwrap(), [first.id], "what was refused leaves nothing");
    r.start_upload(&other, &name(), Algorithm::Sha256).await.unwrap();
    r.cancel_upload(&greedy, &name(), &first.id.to_string()).await.unwrap();
    r.start_upload(&greedy, &name(), Algorithm::Sha256).await.unwrap();
}

#[tokio::test]
async fn an_upload_is_known_to_its_repository_and_its_caller_only() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    let (owner, other) = (Caller::user(1, "admin", true), Caller::user(2, "other", true));
    let upload = r.start_upload(&owner, &name(), Algorithm::Sha256).await.unwrap();
    let id = upload.id.to_string();
    assert!(r.upload(&owner, &name(), &id).await.is_ok());
    let elsewhere: RepoName = "team/other".parse().unwrap();
    r.start_upload(&owner, &elsewhere, Algorithm::Sha256).await.unwrap();
    for outcome in [
        r.upload(&other, &name(), &id).await.err(),
        r.append(&other, &name(), &id, chunk()).await.err(),
        r.cancel_upload(&other, &name(), &id).await.err(),
        r.finish_upload(&other, &name(), &id, chunk(), &digest()).await.err(),
        r.upload(&owner, &elsewhere, &id).await.err(),
        r.append(&owner, &elsewhere, &id, chunk()).await.err(),
    ] {
        assert!(matches!(outcome, Some(Error::UploadUnknown(_))), "{outcome:?}");
    }
}

fn goods() -> Chunk {
    let body = futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"goods"))]);
    Chunk { body: Some(Box::pin(body)), ..chunk() }
}

#[tokio::test]
async fn what_a_caller_may_not_read_is_not_mounted_for_them() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    let (admin, reader) = (Caller::user(1, "admin", true), Caller::user(2, "reader", false));
    r.push_blob(&admin, &name(), goods(), &digest()).await.unwrap();
    let target: RepoName = "team/target".parse().unwrap();
    assert!(!r.mount_from(&reader, &target, &digest(), &name()).await.unwrap());
    assert!(!r.mount_from(&Caller::anonymous(Source::here()), &target, &digest(), &name()).await.unwrap());
    assert!(r.mount_from(&admin, &target, &digest(), &name()).await.unwrap());
}

#[tokio::test]
async fn a_request_whose_client_has_fallen_silent_gives_way_to_the_next() {
    let disk = LossyDisk::new().unwrap();
    let r = Arc::new(registry(&disk).await);
    let admin = Caller::user(1, "admin", true);
    let id = r.start_upload(&admin, &name(), Algorithm::Sha256).await.unwrap().id.to_string();
    let first = futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"goo"))]);
    let silent = futures_util::StreamExt::chain(first, futures_util::stream::pending());
    let silent = Chunk { body: Some(Box::pin(silent)), ..chunk() };
    let (again, id_of_first, caller) = (Arc::clone(&r), id.clone(), admin.clone());
    let first = tokio::spawn(async move { again.append(&caller, &name(), &id_of_first, silent).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let next = r.append(&admin, &name(), &id, chunk()).await.unwrap();
    assert_eq!(next.size, 3, "what the first had taken is there");
    assert!(matches!(first.await.unwrap(), Err(Error::Body(BodyError::Cut))));
}

#[tokio::test]
async fn a_flood_of_wrong_passwords_is_turned_away_and_not_queued_for_ever() {
    let disk = LossyDisk::new().unwrap();
    let r = Arc::new(registry(&disk).await);
    // Each for another name from another address: no limit on wrong passwords is reached.
    let attempts = (0..120).map(|n: u8| {
        let (r, password) = (Arc::clone(&r), Secret::new(format!("wrong{n}")));
        let source = Source { address: Some([192, 0, 2, n].into()), ..Source::here() };
        tokio::spawn(
            async move { r.authenticate(Credentials::Basic { user: format!("user{n}"), password }, source).await },
        )
    });
    let attempts: Vec<_> = attempts.collect();
    let (mut wrong, mut busy) = (0, 0);
    for attempt in attempts {
        match attempt.await.unwrap() {
            Err(Error::BadCredentials) => wrong += 1,
            Err(Error::Busy) => busy += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(wrong > 0 && busy >= 50, "{wrong} {busy}");
}

#[tokio::test]
async fn secrets_cannot_be_printed() {
    let secret = Secret::new("hidden");
    assert!(!format!("{secret} {secret:?} {:?}", Credentials::Bearer(secret.clone())).contains("hidden"));
}

/// Whoever proved the old password while it was replaced gets nothing that outlives it.
#[tokio::test]
async fn what_an_old_password_began_ends_with_it() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    r.ensure_admin(Some(Secret::new("old password"))).await.unwrap();
    let old = Credentials::Basic { user: "admin".into(), password: Secret::new("old password") };
    let caller = r.token_caller(Grant::Credentials(old), &[], Source::here()).await.unwrap();
    let request = |offline| TokenRequest { scopes: vec![], offline, client_id: "docker".into(), lasting: false };
    let refresh = r.issue_token(&caller, request(true)).await.unwrap().refresh_token.unwrap();
    let refreshed = r.token_caller(Grant::Refresh(refresh.clone()), &[], Source::here()).await.unwrap();

    r.reset_password("admin", Some(Secret::new("new password"))).await.unwrap();
    for caller in [caller, refreshed] {
        assert!(matches!(r.issue_token(&caller, request(true)).await, Err(Error::BadCredentials)));
        let access = r.issue_token(&caller, request(false)).await.unwrap().token;
        let used = r.authenticate(Credentials::Bearer(access), Source::here()).await;
        assert!(matches!(used, Err(Error::BadToken)), "{used:?}");
        let new = crate::manage::NewToken { name: "later".into(), scope: Role::Reader, on: None, lifetime: None };
        assert!(matches!(r.create_own_token(&caller, new).await, Err(Error::BadCredentials)));
    }
    let used = r.token_caller(Grant::Refresh(refresh), &[], Source::here()).await;
    assert!(matches!(used, Err(Error::BadRefreshToken)), "{used:?}");
}

#[tokio::test]
async fn a_password_that_would_be_taken_for_a_token_is_refused() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    for password in ["short", "whf_anything-at-all", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln"] {
        let refused = r.reset_password("admin", Some(Secret::new(password))).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "password", .. })), "{password}: {refused:?}");
    }
}

/// Hashing is bounded for those who are signed in, too.
#[tokio::test]
async fn a_flood_of_new_passwords_is_turned_away() {
    let disk = LossyDisk::new().unwrap();
    let r = Arc::new(registry(&disk).await);
    let resets = (0..120).map(|n| {
        let r = Arc::clone(&r);
        tokio::spawn(async move { r.reset_password("nobody", Some(Secret::new(format!("password {n}")))).await })
    });
    let mut busy = 0;
    for reset in resets.collect::<Vec<_>>() {
        busy += usize::from(matches!(reset.await.unwrap(), Err(Error::Busy)));
    }
    assert!(busy >= 50, "{busy}");
}
