//! A certificate that can be swapped while connections come in.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::Signal;

use super::{SelfSigned, TlsError, load};

/// How often the files are looked at. SIGHUP is for those who cannot wait.
const POLL: Duration = Duration::from_secs(10);

/// Hands out the certificate that was last loaded well.
#[derive(Debug)]
pub struct Reloader {
    certificate: PathBuf,
    key: PathBuf,
    own: Option<SelfSigned>,
    current: RwLock<Arc<CertifiedKey>>,
    seen: Mutex<Seen>,
}

/// What the files looked like.
#[derive(Debug, Default)]
struct Seen {
    /// Loaded, or complained of.
    settled: Option<Stamp>,
    /// Failed to load once: perhaps one of the two files was not replaced yet.
    suspect: Option<Stamp>,
}

/// Changes whenever either file is replaced or written.
type Stamp = [(i64, i64, u64, u64); 2];

impl Reloader {
    /// Loads both files; they are the operator's to renew.
    pub fn open(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        Self::new(certificate, key, None)
    }

    /// Loads a certificate made here; [`Reloader::watch`] renews it too.
    pub fn own(own: SelfSigned) -> Result<Arc<Self>, TlsError> {
        let server = own.server_file();
        Self::new(&server, &server, Some(own))
    }

    fn new(certificate: &Path, key: &Path, own: Option<SelfSigned>) -> Result<Arc<Self>, TlsError> {
        // Before reading: what changes meanwhile is seen as changed.
        let settled = stamp(certificate, key).ok();
        Ok(Arc::new(Self {
            current: RwLock::new(load(certificate, key)?),
            certificate: certificate.into(),
            key: key.into(),
            own,
            seen: Mutex::new(Seen { settled, suspect: None }),
        }))
    }

    /// Loads the files again. On an error the certificate in use stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let stamp = stamp(&self.certificate, &self.key).ok();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.settled = stamp;
        self.swap()
    }

    /// Loads the files again if they have changed; `Ok(true)` when there is a new certificate. Files that do not load
    /// are an error when they are still the same at the next call: two files are not replaced at once.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let stamp = stamp(&self.certificate, &self.key).ok();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if stamp == seen.settled {
            return Ok(false);
        }
        let swapped = self.swap();
        if swapped.is_err() && seen.suspect != stamp {
            seen.suspect = stamp;
            return Ok(false);
        }
        seen.settled = stamp;
        swapped.map(|()| true)
    }

    fn swap(&self) -> Result<(), TlsError> {
        let new = load(&self.certificate, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Follows the files until dropped: every 10 s, and at once on SIGHUP, of which `hangups` tells.
    pub async fn watch(self: Arc<Self>, mut hangups: Signal) {
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let reloaded = tokio::select! {
                _ = hangups.recv() => self.renew().and_then(|()| self.reload()).map(|()| true),
                _ = ticks.tick() => self.renew().and_then(|()| self.reload_if_changed()),
            };
            match reloaded {
                Ok(true) => tracing::info!(certificate = %self.certificate.display(), "certificate loaded"),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "certificate not reloaded: the one in use stays"),
            }
        }
    }

    /// The certificate in use.
    pub(super) fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn renew(&self) -> Result<(), TlsError> {
        self.own.as_ref().map_or(Ok(()), SelfSigned::renew)
    }
}

impl ResolvesServerCert for Reloader {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn stamp(certificate: &Path, key: &Path) -> io::Result<Stamp> {
    let stamp = |path: &Path| {
        let data = std::fs::metadata(path)?;
        Ok::<_, io::Error>((data.mtime(), data.mtime_nsec(), data.size(), data.ino()))
    };
    Ok([stamp(certificate)?, stamp(key)?])
}
