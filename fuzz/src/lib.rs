//! One function per target: it reads any bytes and panics when something that must always hold does not.
//!
//! libFuzzer drives them (`targets/`), and so does `tests/seeded.rs` where there is no nightly toolchain.

mod archive;
mod request;

pub use archive::{archive, archive_seeds};
pub use request::request;

use wharf_oci::{
    Algorithm, Descriptor, Digest, Kind, Manifest, MediaType, Query, RangeOutcome, Route, Scope, if_none_match,
    parse_content_range, parse_n, parse_range,
};

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target; `tests/seeded.rs` runs these.
pub const TARGETS: [Target; 5] =
    [("manifest", manifest), ("route", route), ("headers", headers), ("request", request), ("archive", archive)];

/// What a target begins with beside its files in `seeds/`.
pub fn made_seeds(target: &str) -> Vec<Vec<u8>> {
    if target == "archive" { archive_seeds() } else { vec![] }
}

/// A manifest's bytes under each kind of `Content-Type`.
pub fn manifest(data: &[u8]) {
    let types = [MediaType::OCI_MANIFEST, MediaType::OCI_INDEX, MediaType::OCI_ARTIFACT_LEGACY, "application/x-other"];
    for content_type in std::iter::once(None).chain(types.into_iter().map(Some)) {
        let Ok(manifest) = Manifest::parse(content_type, data) else { continue };
        check_manifest(&manifest, data);
        let again = Manifest::parse(Some(manifest.media_type.as_str()), data);
        assert_eq!(again.as_ref(), Ok(&manifest), "a resolved type reads the same document");
    }
}

fn check_manifest(manifest: &Manifest, data: &[u8]) {
    if manifest.kind != Kind::Opaque {
        assert!(serde_json::from_slice::<serde_json::Value>(data).is_ok(), "what is read is JSON");
    }
    if manifest.kind == Kind::Image {
        assert!(manifest.config.is_some() && manifest.children.is_empty());
    }
    if manifest.kind == Kind::Index {
        assert!(manifest.config.is_none() && manifest.layers.is_empty());
    }
    assert!(manifest.referrer_type().is_none_or(|text| !text.is_empty()));
    let lists = manifest.layers.iter().chain(&manifest.children);
    lists.chain(&manifest.config).chain(&manifest.subject).for_each(check_descriptor);
}

fn check_descriptor(descriptor: &Descriptor) {
    assert!(i64::try_from(descriptor.size).is_ok());
    assert_eq!(descriptor.digest.as_str().parse(), Ok(descriptor.digest.clone()));
    assert!(!(descriptor.has_urls && descriptor.is_required()));
}

/// A request's path; what it leads to leads back to it.
pub fn route(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for path in [text.to_owned(), format!("/v2/{text}")] {
        if let Ok(route) = Route::parse(&path) {
            assert_eq!(Route::parse(&canonical_path(&route)), Ok(route));
        }
    }
}

fn canonical_path(route: &Route) -> String {
    match route {
        Route::Ping => "/v2/".to_owned(),
        Route::Catalog => "/v2/_catalog".to_owned(),
        Route::Extensions(None) => "/v2/_oci/ext/discover".to_owned(),
        Route::Extensions(Some(name)) => format!("/v2/{name}/_oci/ext/discover"),
        Route::Blob(name, digest) => format!("/v2/{name}/blobs/{digest}"),
        Route::Uploads(name) => format!("/v2/{name}/blobs/uploads/"),
        Route::Upload(name, id) => format!("/v2/{name}/blobs/uploads/{id}"),
        Route::Manifest(name, reference) => format!("/v2/{name}/manifests/{reference}"),
        Route::Tags(name) => format!("/v2/{name}/tags/list"),
        Route::Referrers(name, digest) => format!("/v2/{name}/referrers/{digest}"),
    }
}

/// One text as each header and query that is parsed.
pub fn headers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    ranges(&text);
    scopes(&text);
    let query = Query::parse(Some(&text));
    let n = query.get("n").map(str::to_owned);
    let _ = (parse_n(n.as_deref()), parse_n(Some(&text)));
    assert_eq!(query.get("scope"), query.all("scope").next());
    let digest = Digest::of(Algorithm::Sha256, b"");
    assert!(!if_none_match(&text, &digest) || text.contains('*') || text.contains(digest.as_str()));
    if let Ok(media_type) = MediaType::parse(&text) {
        assert!(media_type.as_str().len() <= 255);
        assert_eq!(MediaType::parse(media_type.as_str()), Ok(media_type));
    }
}

fn ranges(text: &str) {
    for size in [0, 1, 10, u64::MAX] {
        if let RangeOutcome::Part(part) = parse_range(text, size) {
            assert!(part.start < part.end && part.end <= size);
        }
    }
    if let Ok(range) = parse_content_range(text) {
        assert_eq!(range.start + range.len() - 1, range.end_inclusive);
        let plain = format!("{}-{}", range.start, range.end_inclusive);
        assert_eq!(parse_content_range(&plain), Ok(range));
    }
}

fn scopes(text: &str) {
    let scopes = Scope::parse_all(std::iter::once(text));
    let printed: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    let again = Scope::parse_all(printed.iter().map(String::as_str));
    assert_eq!(again.len(), scopes.len(), "no two scopes for one resource");
    assert!(again.iter().zip(&scopes).all(|(a, b)| a.resource == b.resource && a.actions.contains(b.actions)));
}
