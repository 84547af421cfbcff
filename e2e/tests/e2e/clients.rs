//! The clients people have, unmodified: each signs in, pushes, pulls, lists and deletes, over HTTP and over TLS.

mod anonymous;
mod buildah;
pub(crate) mod containerd;
mod cosign;
mod crane;
mod curl;
pub(crate) mod docker;
mod helm;
mod limits;
mod oras;
mod oras_py;
pub(crate) mod podman;
mod regctl;
mod skopeo;
mod trust_guide;

use wharf_e2e::{Image, Sandbox, Setup, Wharf, index_of};

/// A server that speaks plain HTTP, and clients for it.
fn over_http() -> (Wharf, Sandbox) {
    with(Setup::new())
}

/// A server that speaks TLS with an authority of its own, and clients that trust it.
fn over_tls() -> (Wharf, Sandbox) {
    with(Setup::new().tls())
}

fn with(setup: Setup) -> (Wharf, Sandbox) {
    let wharf = setup.start();
    let sandbox = Sandbox::of(&wharf);
    (wharf, sandbox)
}

/// A wrong password is refused with `words`, the right one is accepted. `line` reads it from stdin.
fn sign_in(wharf: &Wharf, sandbox: &Sandbox, line: &str, words: &str) {
    sandbox.feed("wrong", line).fails_with(words);
    sandbox.feed(wharf.password(), line).ok();
}

/// An index of two platforms in `repo`, made without any client; its digest.
pub(crate) fn push_index(wharf: &Wharf, repo: &str, tag: &str) -> String {
    let (api, mut random) = (wharf.api(), fastrand::Rng::new());
    let images = [Image::new(&mut random, "amd64", 1000), Image::new(&mut random, "arm64", 1000)];
    for (image, tag) in images.iter().zip(["amd64", "arm64"]) {
        api.push_image(repo, tag, image);
    }
    let index = index_of(&[(&images[0], "amd64"), (&images[1], "arm64")]);
    api.push_manifest(repo, tag, "application/vnd.oci.image.index.v1+json", &index).unwrap();
    api.digest(repo, tag)
}

/// Fails unless the server has no such manifest any more.
fn assert_gone(wharf: &Wharf, repo: &str, reference: &str) {
    wharf.api().get(&format!("/v2/{repo}/manifests/{reference}")).expect_error(404, "MANIFEST_UNKNOWN");
}

/// Fails unless these are the repository's tags.
fn assert_tags(wharf: &Wharf, repo: &str, tags: &[&str]) {
    assert_eq!(wharf.api().tags(repo), tags, "tags of {repo}");
}
