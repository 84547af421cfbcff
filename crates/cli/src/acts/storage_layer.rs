//! `wharf storage-layer`, which nobody types: what `wharf` runs by `podman unshare` to read what only podman may.

use std::path::PathBuf;

use clap::Args;
use wharf_image::storage::{Places, Storage};

use crate::session::Session;
use crate::stream::blocking;
use crate::verb::Act;
use crate::{Result, environment};

#[derive(Debug, Args)]
pub(crate) struct StorageLayer {
    /// How the storage keeps layers
    driver: String,
    /// Which layer to write to standard output, as a tar file
    layer: String,
    /// The storage's folders
    #[arg(required = true)]
    roots: Vec<PathBuf>,
}

impl Act for StorageLayer {
    async fn run(self, _session: &Session) -> Result<()> {
        let storage = Storage::new(Places { driver: self.driver, roots: self.roots }, environment::podman());
        blocking(move || Ok(storage.write_layer(&self.layer, &mut std::io::stdout().lock())?)).await
    }
}
