//! How command lines may go on: with the names of contexts, and of the kinds of places that images are at.
//!
//! What cannot be read is no candidate: a shell that completes is no place for errors.

use std::ffi::OsStr;

use clap_complete::CompletionCandidate;
use clap_complete::engine::{ArgValueCompleter, PathCompleter, ValueCompleter as _};

use crate::contexts::Store;

/// Transports, and what each is.
const PLACES: [(&str, &str); 7] = [
    ("containers-storage:", "podman's"),
    ("dir:", "a folder with a manifest and its parts"),
    ("docker-archive:", "a file as docker save writes it"),
    ("docker-daemon:", "docker's"),
    ("docker://", "a registry's, without a host Docker Hub's"),
    ("oci:", "a folder with an OCI layout"),
    ("oci-archive:", "a file with an OCI layout"),
];

/// Names of contexts.
pub(crate) fn contexts() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| {
        let known = Store::usual().and_then(|store| store.contexts());
        let names = known.map(|known| known.known.into_keys().collect::<Vec<_>>()).unwrap_or_default();
        beginning(begun, names.into_iter().map(CompletionCandidate::new))
    })
}

/// Places of images: the kind, then the path for those that have one.
pub(crate) fn places() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| {
        let text = begun.to_string_lossy();
        if let Some((kind, path)) = text.split_once(':').filter(|(_, path)| !path.starts_with("//")) {
            let found = PathCompleter::any().complete(OsStr::new(path));
            return found.into_iter().map(|path| path.add_prefix(format!("{kind}:"))).collect();
        }
        beginning(
            begun,
            PLACES.into_iter().map(|(place, what)| CompletionCandidate::new(place).help(Some(what.into()))),
        )
    })
}

fn beginning(begun: &OsStr, all: impl Iterator<Item = CompletionCandidate>) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    all.filter(|candidate| candidate.get_value().to_string_lossy().starts_with(&*begun)).collect()
}
