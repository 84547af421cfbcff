//! The files of an image: its layers applied one after the other, as podman's overlay has them.
//!
//! A layer's whiteouts take away what the layers below it have, never its own. A path in a layer means the folders that it
//! names: where a lower layer has a link in such a place, the folder takes its place. In all that is written here, an
//! entry comes after the folder it is in and after the file whose other name it is.

use std::io::{Read, Write};

use wharf_oci::{Descriptor, MediaType};

use crate::Source;
use crate::compress::Unpacked;
use crate::error::{Error, Result};
use crate::tar::{Limits, Reader};

mod changes;
mod difference;
mod flatten;
mod import;
mod tree;

pub use changes::Changes;
pub use difference::{Difference, differences};
pub use import::{Wishes, import};
pub use tree::{File, Tree};

/// Writes all files of an image into one tar file. Its layers, lowest first, are read twice: for what is in them, then for
/// the content of what is left in the end.
pub fn flatten(source: &dyn Source, layers: &[Descriptor], out: impl Write) -> Result<()> {
    let mut tree = Tree::default();
    for layer in layers {
        tree.apply(&mut open(source, layer)?)?;
    }
    flatten::flatten(&tree, &mut |at| open(source, &layers[at]), out)
}

/// The trees of two images, with the digests of all content. Layers that both begin with are read once.
pub fn trees(before: (&dyn Source, &[Descriptor]), after: (&dyn Source, &[Descriptor])) -> Result<(Tree, Tree)> {
    let shared = before.1.iter().zip(after.1).take_while(|(one, other)| one.digest == other.digest).count();
    let apply = |mut tree: Tree, (source, layers): (&dyn Source, &[Descriptor])| {
        for layer in layers {
            tree.apply(&mut open(source, layer)?)?;
        }
        Ok::<_, Error>(tree)
    };
    let base = apply(Tree::with_digests(), (before.0, &before.1[..shared]))?;
    let first = apply(base.clone(), (before.0, &before.1[shared..]))?;
    Ok((first, apply(base, (after.0, &after.1[shared..]))?))
}

/// A layer's content, uncompressed. Errors for layers that lie elsewhere than their image.
pub fn open(source: &dyn Source, layer: &Descriptor) -> Result<Reader<impl Read + use<>>> {
    let place = format!("layer {}", layer.digest);
    let damaged = |reason: String| Error::Damaged { place: place.clone(), reason };
    if layer.has_urls || MediaType::is_foreign_layer(&layer.media_type) {
        return Err(damaged("it lies elsewhere, and is not fetched from there".to_owned()));
    }
    let limits = Limits::of(layer.size);
    let unpacked = Unpacked::new(source.blob(layer)?, limits.bytes);
    let unpacked = unpacked.map_err(|error| match Error::incoming(error) {
        Error::Incoming(error) => damaged(error.to_string()),
        ours => ours,
    })?;
    Ok(Reader::new(unpacked, place, limits))
}

#[cfg(test)]
mod tests;
