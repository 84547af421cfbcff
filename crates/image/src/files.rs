//! Any files as an image: an artifact manifest with a layer for each file and each folder, as `oras` has them.
//!
//! The same files give the same manifest, to the byte: no times, no owners, sorted. What is unpacked has the bytes, names
//! and permissions that were packed, and lies below the folder that was named, whatever the manifest says: it is written
//! beside its place first, and moved there once all of it is known to be right.

mod guess;
mod moving;
mod pack;
mod title;
mod unfold;
mod unpack;

pub use pack::{Input, Packing, pack};
pub use unpack::{Unpacking, lone_file};

/// The name of a layer's file or folder (image-spec, annotations.md).
const TITLE: &str = "org.opencontainers.image.title";
/// oras: the layer is a folder.
const UNPACK: &str = "io.deis.oras.content.unpack";
/// oras: digest of the folder's tar file, uncompressed.
const TAR_DIGEST: &str = "io.deis.oras.content.digest";
/// Our own: permissions of a lone file, in octal, where they are others than [`USUAL_MODE`].
const MODE: &str = "io.wharfinger.file.mode";
const USUAL_MODE: u32 = 0o644;
/// What oras calls files of which nobody said what they are.
const UNKNOWN_ARTIFACT: &str = "application/vnd.unknown.artifact.v1";
const FOLDER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

#[cfg(test)]
mod tests;
