//! Files out of an image.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use wharf_oci::{Descriptor, Digest, Manifest};

use super::moving::{Moves, Staged};
use super::unfold::{FolderModes, unfold};
use super::{MODE, TAR_DIGEST, TITLE, UNPACK, USUAL_MODE, title};
use crate::disk;
use crate::error::{Error, Result};
use crate::tar::{Limits, TreePath};
use crate::temporary::TemporaryFolder;
use crate::verified::{self, Verified};

/// Files on their way into a folder. When this is dropped before [`Unpacking::finish`], nothing is left of them.
#[derive(Debug)]
pub struct Unpacking {
    folder: PathBuf,
    stage: TemporaryFolder,
    _made: Option<MadeFolder>,
    layers: Vec<Layer>,
    without_name: usize,
    /// Bytes that a folder may unpack to, if that was said.
    most: Option<u64>,
    folder_modes: Mutex<Vec<(usize, FolderModes)>>,
}

#[derive(Debug)]
struct Layer {
    descriptor: Descriptor,
    title: TreePath,
    what: What,
}

#[derive(Debug)]
enum What {
    File { mode: u32 },
    Folder { tar_digest: Option<Digest> },
}

/// A folder that was not there before. It goes if nothing has come into it.
#[derive(Debug)]
struct MadeFolder(PathBuf);

impl Drop for MadeFolder {
    fn drop(&mut self) {
        // It is not removed when something is in it.
        let _ = fs::remove_dir(&self.0);
    }
}

impl Unpacking {
    /// Looks at all names in `manifest` before anything is made. Errors when one leads out of `folder`, two are the same,
    /// or there is none.
    pub fn new(folder: &Path, manifest: &Manifest) -> Result<Self> {
        let layers = layers(manifest)?;
        let is_new = !folder.exists();
        disk::make_folder(folder)?;
        let made = is_new.then(|| MadeFolder(folder.to_owned()));
        let stage = TemporaryFolder::swept(folder)?;
        let without_name = manifest.layers.len() - layers.len();
        let folder_modes = Mutex::default();
        Ok(Self { folder: folder.to_owned(), stage, _made: made, layers, without_name, most: None, folder_modes })
    }

    /// Folders unpack to no more than so many bytes each, and may to as many.
    #[must_use]
    pub fn limited_to(self, bytes: u64) -> Self {
        Self { most: Some(bytes), ..self }
    }

    /// What is to be put, in order: name and content.
    pub fn layers(&self) -> impl Iterator<Item = (String, &Descriptor)> {
        self.layers.iter().map(|layer| (title::text(&layer.title), &layer.descriptor))
    }

    /// Layers that have no name and are left out.
    pub fn without_name(&self) -> usize {
        self.without_name
    }

    /// Takes the content of the layer at this place in [`Unpacking::layers`]; compares it with its descriptor.
    pub fn put(&self, at: usize, content: &mut dyn Read) -> Result<()> {
        let layer = &self.layers[at];
        let place = format!("layer {} ({})", layer.descriptor.digest, layer.title);
        let staged = self.staged(at);
        match &layer.what {
            What::File { mode } => {
                let mut file = File::create_new(&staged).map_err(Error::io("write", &staged))?;
                verified::copy_named(&layer.descriptor, content, &mut file, &staged)?;
                file.set_permissions(Permissions::from_mode(*mode)).map_err(Error::io("write", &staged))
            }
            What::Folder { tar_digest } => {
                fs::create_dir(&staged).map_err(Error::io("make folder", &staged))?;
                let mut content = Verified::new(content, &layer.descriptor, place.as_str());
                let usual = Limits::of(layer.descriptor.size);
                let limits = Limits { bytes: self.most.unwrap_or(usual.bytes), ..usual };
                let modes = unfold(&mut content, &place, limits, &layer.title, tar_digest.as_ref(), &staged)?;
                // Its last bytes come only if all of it is right.
                io::copy(&mut content, &mut io::sink()).map_err(Error::incoming)?;
                self.folder_modes.lock().unwrap_or_else(PoisonError::into_inner).push((at, modes));
                Ok(())
            }
        }
    }

    /// Moves all into the folder. Every layer has been put. Errors, before anything is moved, where something of another
    /// kind has the name of what is to be written.
    pub fn finish(self) -> Result<()> {
        let stage = File::open(self.stage.path()).map_err(Error::io("open", self.stage.path()))?;
        rustix::fs::syncfs(&stage).map_err(|error| Error::io("sync", &self.folder)(error.into()))?;
        let staged = |(at, layer): (usize, &Layer)| Staged { staged: self.staged(at), title: layer.title.clone() };
        let staged: Vec<Staged> = self.layers.iter().enumerate().map(staged).collect();
        let modes = self.folder_modes.lock().unwrap_or_else(PoisonError::into_inner);
        let placed = modes.iter().flat_map(|(at, modes)| {
            let title = &self.layers[*at].title;
            modes.iter().map(move |(path, mode)| (title.join(path), *mode))
        });
        // The folder that was named is the person's own.
        let placed = placed.filter(|(path, _)| !path.is_root());
        let mut placed: Vec<(PathBuf, u32)> =
            placed.map(|(path, mode)| (self.folder.join(path.as_path()), mode)).collect();
        placed.sort();
        Moves::plan(&self.folder, &staged)?.carry_out(&placed)
    }

    fn staged(&self, at: usize) -> PathBuf {
        self.stage.path().join(at.to_string())
    }
}

/// The only file of an image, for who wants its bytes and no name. Errors when there are several, or it is a folder.
pub fn lone_file(manifest: &Manifest) -> Result<Descriptor> {
    let layers = layers(manifest)?;
    let refuse = |reason: &str| Error::Unsupported { path: "standard output".into(), reason: reason.to_owned() };
    match layers.as_slice() {
        [Layer { descriptor, what: What::File { .. }, .. }] => Ok(descriptor.clone()),
        [_] => Err(refuse("it is a folder: name one to unpack it into")),
        _ => Err(refuse("there are several files: name a folder to unpack them into")),
    }
}

/// Those that have names.
fn layers(manifest: &Manifest) -> Result<Vec<Layer>> {
    let mut layers: Vec<Layer> = Vec::new();
    for descriptor in &manifest.layers {
        let Some(text) = descriptor.annotations.get(TITLE).filter(|text| !text.is_empty()) else { continue };
        let layer = layer(descriptor, text).map_err(|reason| refuse(descriptor, reason))?;
        if layers.iter().any(|known| known.title == layer.title) {
            return Err(refuse(descriptor, format!("another layer has the name {text:?} too")));
        }
        layers.push(layer);
    }
    if layers.is_empty() {
        let reason = "no layer of it has a name, so that it holds no files: it may be an image for containers";
        return Err(Error::Unsupported { path: "a folder".into(), reason: reason.to_owned() });
    }
    Ok(layers)
}

fn layer(descriptor: &Descriptor, text: &str) -> std::result::Result<Layer, String> {
    let title = title::parse(text)?;
    let annotation = |name| descriptor.annotations.get(name).map(String::as_str);
    let what = if annotation(UNPACK) == Some("true") {
        What::Folder { tar_digest: annotation(TAR_DIGEST).and_then(|text| text.parse().ok()) }
    } else if title.is_root() {
        return Err(format!("{text:?} is no name of a file"));
    } else {
        let said = annotation(MODE).map(|text| u32::from_str_radix(text, 8).map_err(|_| format!("{MODE} is {text:?}")));
        What::File { mode: said.transpose()?.unwrap_or(USUAL_MODE) & 0o777 }
    };
    Ok(Layer { descriptor: descriptor.clone(), title, what })
}

fn refuse(descriptor: &Descriptor, reason: String) -> Error {
    Error::Damaged { place: format!("layer {}", descriptor.digest), reason }
}
