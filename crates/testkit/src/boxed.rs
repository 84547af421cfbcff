//! A registry in a box: everything but the socket, in a folder of its own.

#![allow(clippy::missing_panics_doc, clippy::return_self_not_must_use, reason = "a test calls it for its assertion")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails the test it is in")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use futures_util::FutureExt as _;
use tempfile::TempDir;
use wharf_blob::BlobStore;
use wharf_blob::fs::{Disk, FsStore, RealDisk};
use wharf_http::serve::TrustedProxies;
use wharf_http::{App, Metrics, Options};
use wharf_meta::{Durability, Meta};
use wharf_oci::Digest;
use wharf_registry::{Anonymous, Registry, Settings};

use crate::clock::ManualClock;
use crate::disk::LossyDisk;
use crate::failing::FailingStore;
use crate::image::{Content, Image};

mod ask;
mod browser;
mod logs;
mod robots;
mod served;

pub use ask::{Ask, Reply};
pub use browser::Browser;
pub use robots::trust_rule;
pub use served::Served;
pub use wharf_blob::Error as StoreError;

/// The administrator's name.
pub const ADMIN: &str = "admin";
/// The password of everybody in the box.
pub const PASSWORD: &str = "secret";
/// Of [`PASSWORD`], and cheap: m=8, t=1.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$FAt/+icuDSAGWvT0zRgoHg$vU3SnxoTsUcL0I7gpOACwsdd1+Ec0h3DzTEWqdHUXN0";

type Wrap = Box<dyn FnOnce(Arc<dyn BlobStore>) -> Arc<dyn BlobStore>>;

/// How the box is to be.
#[must_use]
pub struct Builder {
    settings: Settings,
    options: Options,
    wrap: Wrap,
    disk: Option<LossyDisk>,
    folder: Arc<TempDir>,
    clock: ManualClock,
    fails: bool,
}

/// The box. When it is dropped, a test fails that left something lying about: uploads, or warnings in the log.
pub struct Boxed {
    /// The decisions.
    pub registry: Arc<Registry>,
    /// The facts.
    pub meta: Meta,
    /// What time it is.
    pub clock: ManualClock,
    app: Arc<App>,
    router: Router,
    folder: Arc<TempDir>,
    store: PathBuf,
    fails: bool,
    leaves_uploads: bool,
}

impl Builder {
    /// What time it will be in it.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Changes the registry's settings.
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Strangers may pull what is public.
    pub fn public(self) -> Self {
        self.settings(|settings| settings.anonymous = Anonymous::Pull)
    }

    /// Changes the wire's options.
    pub fn options(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// Puts another store in front of the files.
    pub fn store(mut self, wrap: impl FnOnce(Arc<dyn BlobStore>) -> Arc<dyn BlobStore> + 'static) -> Self {
        self.wrap = Box::new(wrap);
        self
    }

    /// Keeps the blobs on that disk.
    pub fn disk(mut self, disk: &LossyDisk) -> Self {
        self.disk = Some(disk.clone());
        self
    }

    /// Warnings, errors and left-over uploads are what the test is about.
    pub fn fails(mut self) -> Self {
        self.fails = true;
        self
    }

    /// Opens it.
    pub async fn open(self) -> Boxed {
        logs::capture();
        let (disk, root): (Arc<dyn Disk>, &Path) = match &self.disk {
            Some(disk) => (Arc::new(disk.clone()), disk.path()),
            None => (Arc::new(RealDisk), self.folder.path()),
        };
        let store = root.join("store");
        let files = (self.wrap)(Arc::new(FsStore::on(disk, &store).expect("a store")));
        let meta = Meta::open(&self.folder.path().join("wharf.db"), Durability::Buffered).expect("a database");
        meta.make_admin(ADMIN, PASSWORD_HASH, 0).await.expect("an account");
        let clock = Arc::new(self.clock.clone());
        let registry = Registry::open(meta.clone(), files, clock, self.settings).await.expect("a registry");
        let registry = Arc::new(registry);
        let app = App::new(Arc::clone(&registry), self.options, Metrics::new(Arc::default()));
        let (router, fails) = (app.router(), self.fails);
        let (folder, clock) = (self.folder, self.clock);
        Boxed { registry, meta, clock, app, router, folder, store, fails, leaves_uploads: false }
    }
}

impl Builder {
    /// Opens it with a store that fails where the test says.
    pub async fn open_failing(self) -> (Boxed, FailingStore) {
        let (give, take) = std::sync::mpsc::channel();
        let wrap = move |files| {
            let failing = FailingStore::over(files);
            give.send(failing.clone()).expect("it is waited for");
            Arc::new(failing) as Arc<dyn BlobStore>
        };
        let boxed = self.fails().store(wrap).open().await;
        (boxed, take.recv().expect("it was opened"))
    }
}

impl Boxed {
    /// A box as it comes.
    pub async fn new() -> Self {
        Self::builder().open().await
    }

    /// A box to be.
    pub fn builder() -> Builder {
        Builder {
            settings: Settings::default(),
            options: Options::default(),
            wrap: Box::new(|store| store),
            disk: None,
            folder: Arc::new(tempfile::tempdir().expect("a folder")),
            clock: ManualClock::default(),
            fails: false,
        }
    }

    /// Closes it; the builder opens another over the same folder and clock.
    pub fn close(self) -> Builder {
        let folder = Arc::clone(&self.folder);
        Builder { folder, clock: self.clock.clone(), fails: self.fails, ..Self::builder() }
    }

    /// Uploads are open at the end, as they should be.
    #[must_use]
    pub fn leaving_uploads(mut self) -> Self {
        self.leaves_uploads = true;
        self
    }

    /// Tells the app that the server is going down.
    pub fn drain(&self) {
        self.app.drain();
    }

    /// Serves it on a loopback port until the returned value is dropped.
    pub async fn serve(&self) -> Served {
        Served::start(self.router.clone(), TrustedProxies::default()).await
    }

    /// As [`Boxed::serve`], where whoever connects is a trusted proxy.
    pub async fn serve_behind_a_proxy(&self) -> Served {
        let trusted = TrustedProxies { nets: vec!["127.0.0.0/8".parse().expect("a net")], unix: false };
        Served::start(self.router.clone(), trusted).await
    }

    /// Makes an account that is no administrator's, with [`PASSWORD`] and an org of its own.
    pub fn make_user(&self, name: &str) {
        let user = "INSERT INTO users (name, password_hash, is_admin, created_at) VALUES (?1, ?2, 0, 0)";
        let org = "INSERT INTO orgs (name, personal_of, created_at) SELECT name, id, 0 FROM users WHERE name = ?1";
        let owner = "INSERT INTO members (org_id, user_id, role, since)
            SELECT id, personal_of, 'owner', 0 FROM orgs WHERE name = ?1";
        let database = self.database();
        database.execute(user, (name, PASSWORD_HASH)).expect("a user");
        database.execute(org, [name]).expect("an org");
        database.execute(owner, [name]).expect("an owner");
    }

    /// Sets who may read a repository, or with a name of one component an org's.
    pub fn set_visibility(&self, canonical: &str, visibility: &str) {
        let table = if canonical.contains('/') { "repositories" } else { "orgs" };
        let sql = format!("UPDATE {table} SET visibility = ?1 WHERE name = ?2");
        assert_eq!(self.database().execute(&sql, (visibility, canonical)).expect("an update"), 1);
    }

    /// Makes a user `reader`, `writer`, `maintainer` in an org or a repository, or `owner` of an org.
    pub fn grant(&self, user: &str, canonical: &str, role: &str) {
        let org = canonical.split('/').next().expect("an org");
        let sql = if role == "owner" {
            "INSERT INTO members (org_id, user_id, role, since)
             SELECT o.id, u.id, 'owner', 0 FROM orgs o, users u WHERE o.name = ?1 AND u.name = ?3 AND ?2 = ?1 AND ?4 = 0"
        } else {
            "INSERT INTO grants (org_id, repo_id, user_id, role, granted_by, granted_at)
             SELECT o.id, (SELECT id FROM repositories WHERE name = ?2), u.id, ?4, 'test', 0
             FROM orgs o, users u WHERE o.name = ?1 AND u.name = ?3"
        };
        let rank = match role {
            "owner" => 0,
            "reader" => 1,
            "writer" => 2,
            "maintainer" => 3,
            other => panic!("{other} is no role"),
        };
        assert_eq!(self.database().execute(sql, (org, canonical, user, rank)).expect("an insert"), 1);
    }

    /// Takes every grant and membership in other orgs than their own from a user.
    pub fn revoke(&self, user: &str) {
        let of = "user_id = (SELECT id FROM users WHERE name = ?1)";
        let database = self.database();
        database.execute(&format!("DELETE FROM grants WHERE {of}"), [user]).expect("a delete");
        let elsewhere = "AND org_id NOT IN (SELECT id FROM orgs WHERE name = ?1)";
        database.execute(&format!("DELETE FROM members WHERE {of} {elsewhere}"), [user]).expect("a delete");
    }

    /// From now on the audit takes no row, as on a disk that fails; or it does again.
    pub fn break_audit(&self, is_broken: bool) {
        let sql = if is_broken {
            "CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'broken by a test'); END"
        } else {
            "DROP TRIGGER broken"
        };
        self.database().execute_batch(sql).expect("a trigger");
    }

    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("wharf.db")).expect("the database")
    }

    /// Files below the store's folder `of`, such as `uploads` or `blobs`.
    pub fn files(&self, of: &str) -> Vec<PathBuf> {
        fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() { walk(&path, into) } else { into.push(path) }
            }
        }
        let mut files = vec![];
        walk(&self.store.join(of), &mut files);
        files
    }

    /// Ids of the uploads that have a row.
    pub fn upload_rows(&self) -> Vec<String> {
        let ids = self.meta.expired_uploads(i64::MAX, usize::from(u16::MAX)).now_or_never();
        ids.expect("answers inline").expect("a list")
    }

    /// Pushes a blob in one request.
    pub async fn push_blob(&self, name: &str, blob: &Content) -> Reply {
        self.push_blob_as(name, blob, &blob.digest).await
    }

    /// Pushes a blob in one request, under a digest of your choice.
    pub async fn push_blob_as(&self, name: &str, blob: &Content, digest: &Digest) -> Reply {
        self.post(format!("/v2/{name}/blobs/uploads/?digest={digest}")).body(blob.bytes.clone()).await.expect(201)
    }

    /// Puts a manifest; says what came back.
    pub async fn put_manifest(&self, name: &str, reference: impl std::fmt::Display, manifest: &Content) -> Reply {
        let put = self.put(format!("/v2/{name}/manifests/{reference}"));
        put.header("content-type", &manifest.media_type).body(manifest.bytes.clone()).await
    }

    /// Pushes an image that no other repository has.
    pub async fn push_image(&self, name: &str, tag: &str) -> Image {
        let image = Image::random();
        self.push(name, tag, &image).await;
        image
    }

    /// Pushes that image.
    pub async fn push(&self, name: &str, tag: &str, image: &Image) {
        for blob in image.blobs() {
            self.push_blob(name, blob).await;
        }
        self.put_manifest(name, tag, &image.manifest).await.expect(201);
    }

    /// An access token of the administrator's for these scopes.
    pub async fn token(&self, scopes: &[&str]) -> String {
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("&scope={scope}")).collect();
        let reply = self.get(format!("/token?service=wharf{}", scopes.concat())).await.expect(200);
        reply.json()["token"].as_str().expect("a token").to_owned()
    }

    fn left_over(&self) -> Vec<String> {
        let rows = self.upload_rows();
        let files = self.files("uploads");
        let names: Vec<String> = files.iter().map(|file| file.file_name().unwrap().to_string_lossy().into()).collect();
        let strays = names.iter().filter(|name| !rows.contains(name)).map(|name| format!("file without row: {name}"));
        let lost = rows.iter().filter(|row| !names.contains(row)).map(|row| format!("row without file: {row}"));
        let open = rows.iter().filter(|_| !self.leaves_uploads).map(|row| format!("open: {row}"));
        strays.chain(lost).chain(open).collect()
    }
}

impl Drop for Boxed {
    fn drop(&mut self) {
        let logged = logs::take();
        if self.fails || std::thread::panicking() {
            return;
        }
        assert!(logged.is_empty(), "unexpected in the log: {logged:#?}");
        let left_over = self.left_over();
        assert!(left_over.is_empty(), "left-over uploads: {left_over:#?}");
    }
}
