//! Blobs as files.
//!
//! What holds here:
//! - Bytes are synced, then renamed to a name no other upload can have, then the folder is synced, and only then named.
//! - No file operation runs on an async worker, and all of them go through one [`Disk`].
//! - One job at a time touches an upload, and only for the newest caller that asked for it (`turns`).
//! - A failed fsync ends the upload: the kernel drops the dirty pages, so a second fsync would lie.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::task::spawn_blocking;
use wharf_oci::{Algorithm, Digest, Hasher};

use crate::{Appender, BlobStore, Checkpoint, Error, Location, Result, Space, UploadId};

mod appender;
mod commit;
mod disk;
mod folders;
mod layout;
mod turns;

use appender::FileAppender;
use commit::Commits;
pub use disk::{Disk, DiskFile, RealDisk};
use folders::Folders;
use layout::Layout;
use turns::Turns;

/// How much is read, hashed or written by one blocking job's step, in bytes.
const BLOCK: usize = 1 << 20;

/// Uploads and blobs below one folder of one file system.
pub struct FsStore {
    disk: Arc<dyn Disk>,
    layout: Layout,
    turns: Turns,
    commits: Arc<Commits>,
}

impl FsStore {
    /// Opens the store below `root`, making it when it is not there. Blocks; meant for start-up.
    pub fn open(root: &Path) -> Result<Self> {
        Self::on(Arc::new(RealDisk), root)
    }

    /// [`FsStore::open`] on another disk than the machine's own.
    pub fn on(disk: Arc<dyn Disk>, root: &Path) -> Result<Self> {
        let root = std::path::absolute(root).map_err(|error| Error::io("find", root, error))?;
        let layout = Layout::new(root);
        let folders = Folders::open(Arc::clone(&disk), layout.root())?;
        folders.make(layout.root(), &[layout.uploads(), layout.blobs()])?;
        let commits = Arc::new(Commits::new(Arc::clone(&disk), folders));
        Ok(Self { disk, layout, turns: Turns::default(), commits })
    }

    /// Runs `work` where blocking is allowed; it goes on when the caller stops waiting.
    async fn blocking<T: Send + 'static>(
        &self,
        path: PathBuf,
        work: impl FnOnce(&dyn Disk, &Path) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let disk = Arc::clone(&self.disk);
        let at = path.clone();
        spawn_blocking(move || work(&*disk, &path)).await.unwrap_or_else(|error| Err(ended(&at, error)))
    }
}

/// A blocking job that panicked, or that the runtime no longer ran.
fn ended(path: &Path, error: tokio::task::JoinError) -> Error {
    Error::io("run a job on", path, io::Error::other(error))
}

#[async_trait]
impl BlobStore for FsStore {
    async fn start(&self, id: UploadId) -> Result<()> {
        self.blocking(self.layout.upload(id), |disk, path| {
            disk.create_new(path).map(drop).map_err(|error| Error::io("create", path, error))
        })
        .await
    }

    async fn append(&self, id: UploadId, from: Checkpoint) -> Result<Box<dyn Appender>> {
        let turn = self.turns.take(id).await;
        let path = self.layout.upload(id);
        let appender = self
            .blocking(path, move |disk, path| {
                let file = open_at(disk, path, from.offset)?;
                Ok(FileAppender::new(file, path.to_owned(), turn.ticket(), from))
            })
            .await?;
        Ok(Box::new(appender))
    }

    async fn rehash(&self, id: UploadId, algorithm: Algorithm, limit: u64) -> Result<Checkpoint> {
        let turn = self.turns.take(id).await;
        self.blocking(self.layout.upload(id), move |disk, path| {
            let _turn = turn;
            let file = disk.open_read(path).map_err(|error| Error::io_or_missing("open", path, error))?;
            hash(file.take(limit), algorithm).map_err(|error| Error::io("read", path, error))
        })
        .await
    }

    async fn seal(&self, id: UploadId, digest: &Digest, size: u64) -> Result<Location> {
        let turn = self.turns.take(id).await;
        let upload = self.layout.upload(id);
        let location = Layout::location(digest, id);
        let target = self.layout.blob(&location)?;
        let turn = self
            .blocking(upload.clone(), move |disk, path| {
                sync_upload(disk, path, size)?;
                Ok(turn)
            })
            .await?;
        self.commits.commit(upload, target, turn).await?;
        Ok(location)
    }

    async fn abort(&self, id: UploadId) -> Result<()> {
        let turn = self.turns.take(id).await;
        self.blocking(self.layout.upload(id), move |disk, path| {
            let _turn = turn;
            remove(disk, path)
        })
        .await
    }

    async fn uploads(&self) -> Result<Vec<UploadId>> {
        self.blocking(self.layout.uploads(), |disk, path| {
            let names = disk.list_dir(path).map_err(|error| Error::io("list", path, error))?;
            Ok(names.iter().filter_map(|name| layout::upload_of(name)).collect())
        })
        .await
    }

    async fn open(&self, location: &Location, size: u64) -> Result<std::fs::File> {
        self.blocking(self.layout.blob(location)?, move |disk, path| {
            let file = disk.open_read(path).map_err(|error| Error::io_or_missing("open", path, error))?;
            let found = file.metadata().map_err(|error| Error::io("stat", path, error))?.len();
            if found == size { Ok(file) } else { Err(Error::Corrupt { expected: size, found }) }
        })
        .await
    }

    async fn remove(&self, location: &Location) -> Result<()> {
        self.blocking(self.layout.blob(location)?, remove).await
    }

    async fn space(&self) -> Result<Space> {
        self.blocking(self.layout.root().to_owned(), |disk, path| {
            disk.statvfs(path).map_err(|error| Error::io("statvfs", path, error))
        })
        .await
    }
}

/// Opens an upload to go on at `offset`; what lies beyond was never acknowledged.
fn open_at(disk: &dyn Disk, path: &Path, offset: u64) -> Result<Box<dyn DiskFile>> {
    let file = disk.open_write(path).map_err(|error| Error::io_or_missing("open", path, error))?;
    let stored = file.len().map_err(|error| Error::io("stat", path, error))?;
    if stored < offset {
        return Err(Error::Lost { stored });
    }
    if stored > offset {
        file.set_len(offset).map_err(|error| Error::io("truncate", path, error))?;
    }
    Ok(file)
}

/// Makes the first `size` bytes of an upload durable; what a cut request left beyond them was never acknowledged.
fn sync_upload(disk: &dyn Disk, path: &Path, size: u64) -> Result<()> {
    let file = disk.open_write(path).map_err(|error| Error::io_or_missing("open", path, error))?;
    let stored = file.len().map_err(|error| Error::io("stat", path, error))?;
    if stored < size {
        return Err(Error::Lost { stored });
    }
    if stored > size {
        file.set_len(size).map_err(|error| Error::io("truncate", path, error))?;
    }
    file.fsync().map_err(|error| {
        // Nobody may find these bytes again and fsync them successfully (Linux forgets a reported error).
        if let Err(error) = disk.remove_file(path) {
            tracing::debug!(path = %path.display(), %error, "an upload that could not be synced stays until it is aborted");
        }
        Error::io("fsync", path, error)
    })
}

/// Not followed by a folder sync: a file that is back after a power cut costs space, and is found by listing.
fn remove(disk: &dyn Disk, path: &Path) -> Result<()> {
    match disk.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}

fn hash(mut from: impl Read, algorithm: Algorithm) -> io::Result<Checkpoint> {
    let mut block = vec![0; BLOCK];
    let mut at = Checkpoint { offset: 0, hasher: Hasher::new(algorithm) };
    loop {
        match from.read(&mut block) {
            Ok(0) => return Ok(at),
            Ok(read) => {
                at.hasher.update(&block[..read]);
                at.offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
