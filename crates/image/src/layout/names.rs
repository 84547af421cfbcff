//! Names in a layout: an image is called by a tag (`v1`) or by its whole name (`team/app:v1`).
//!
//! What programs name after an image's digest (`sha256-….sig`, as cosign does) has the image's repository before it, if
//! the image's name has one: repositories that have signatures of one image do not take each other's.

use wharf_oci::Digest;

/// The repository in the name of an image: `team/app` of `team/app:v1` and of `team/app@sha256:…`; none of a tag alone.
pub fn repository_of(name: &str) -> Option<&str> {
    let (bare, digest) = name.split_once('@').map_or((name, None), |(bare, digest)| (bare, Some(digest)));
    match bare.rsplit_once(':') {
        // A colon before the last slash is a port's.
        Some((repository, tag)) if !tag.contains('/') => Some(repository),
        _ => (digest.is_some() || bare.contains('/')).then_some(bare),
    }
}

/// What is called `tag` beside the image of that name.
pub(crate) fn beside(image: Option<&str>, tag: &str) -> String {
    image.and_then(repository_of).map_or_else(|| tag.to_owned(), |repository| format!("{repository}:{tag}"))
}

/// `sha256-<hex>.sig` and the like, with or without a repository.
pub(super) fn is_of_digest(name: &str) -> bool {
    let tag = name.rsplit_once(':').map_or(name, |(_, tag)| tag);
    let digest = tag.split_once('.').map_or(tag, |(digest, _)| digest);
    digest.split_once('-').is_some_and(|(algorithm, hex)| format!("{algorithm}:{hex}").parse::<Digest>().is_ok())
}
