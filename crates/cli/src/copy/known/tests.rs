use wharf_image::compress::Compression;
use wharf_oci::{Algorithm, Descriptor, Digest};

use super::Known;

#[test]
fn what_a_layer_became_is_known_by_its_content_and_its_compression() {
    let folder = tempfile::tempdir().unwrap();
    let known = Known::new(Some(folder.path().join("cache")));
    let digest = |text: &str| Digest::of(Algorithm::Sha256, text.as_bytes());
    let (content, became) = (digest("content"), Descriptor::new("a/b", digest("compressed"), 7));
    assert_eq!(known.get(&content, Compression::GZIP, "a/b"), None);
    known.keep(&content, Compression::GZIP, &became);
    assert_eq!(known.get(&content, Compression::GZIP, "a/b"), Some(became));
    for (other, compression) in [(digest("other"), Compression::GZIP), (content.clone(), Compression::ZSTD)] {
        assert_eq!(known.get(&other, compression, "a/b"), None);
    }
    let file = std::fs::read_dir(folder.path().join("cache/layers")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(file, "{\"digest\":\"sha").unwrap();
    assert_eq!(known.get(&content, Compression::GZIP, "a/b"), None);
}
