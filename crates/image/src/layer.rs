//! The files of an image: its layers applied one after the other, as podman's overlay has them.
//!
//! A layer's whiteouts take away what the layers below it have, never its own. A path in a layer means the folders that it
//! names: where a lower layer has a link in such a place, the folder takes its place. In all that is written here, an
//! entry comes after the folder it is in and after the file whose other name it is.

mod difference;
mod flatten;
mod tree;

pub use difference::{Difference, differences};
pub use flatten::flatten;
pub use tree::{File, Tree};

#[cfg(test)]
mod tests;
