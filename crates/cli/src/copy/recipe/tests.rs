use super::*;
use crate::copy::Which;
use crate::origin::Wanted;

const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
const TAR: &str = "application/vnd.docker.image.rootfs.diff.tar";

fn accepts(formats: Formats, layers: Layers) -> Accepts {
    Accepts { indexes: true, formats, layers, beside: true }
}

fn options(format: Option<Format>, compress: Wish) -> Options {
    let which = Which::For(Wanted::new(None));
    Options { which, referrers: false, format, compress, preserve_digests: false }
}

fn layer(media_type: &str) -> Descriptor {
    Descriptor::new(media_type, wharf_oci::Digest::of(wharf_oci::Algorithm::Sha256, b""), 1)
}

const REGISTRY: Ends = Ends { unpacks: false, packs: true };

#[test]
fn what_nobody_asked_to_change_stays() {
    let recipe = Recipe::new(accepts(Formats::Both, Layers::AsTheyAre), REGISTRY, &options(None, Wish::Usual)).unwrap();
    assert_eq!(recipe.format, None);
    for kept in [GZIP, ZSTD, TAR, "application/vnd.oci.image.layer.v1.tar+unheard", "text/plain"] {
        assert_eq!(recipe.pack(&layer(kept)), None, "{kept}");
    }
}

#[test]
fn what_an_archive_unpacked_is_packed_for_a_registry() {
    let ends = Ends { unpacks: true, packs: true };
    let recipe = Recipe::new(accepts(Formats::Both, Layers::AsTheyAre), ends, &options(None, Wish::Usual)).unwrap();
    assert_eq!(recipe.pack(&layer(TAR)), Some(Compression::GZIP));
    assert_eq!(recipe.pack(&layer(ZSTD)), None);
}

#[test]
fn what_is_kept_unpacked_is_packed_as_a_person_says() {
    let accepts = accepts(Formats::Both, Layers::AsTheyAre);
    let bare = |wish| Recipe::new(accepts, REGISTRY, &options(None, wish)).unwrap().pack_bare();
    assert_eq!(bare(Wish::Usual), Compression::GZIP);
    for said in [Compression::None, Compression::Gzip { level: 9 }, Compression::ZSTD] {
        assert_eq!(bare(Wish::As(said)), said);
    }
    let uncompressed = Accepts { layers: Layers::Uncompressed, ..accepts };
    let recipe = Recipe::new(uncompressed, REGISTRY, &options(None, Wish::Usual)).unwrap();
    assert_eq!(recipe.pack_bare(), Compression::None);
}

#[test]
fn an_archive_of_dockers_gets_tars_and_dockers_manifests() {
    let accepts = accepts(Formats::Docker, Layers::Uncompressed);
    let recipe = Recipe::new(accepts, REGISTRY, &options(None, Wish::Usual)).unwrap();
    assert_eq!(recipe.format, Some(Format::Docker));
    assert_eq!((recipe.pack(&layer(GZIP)), recipe.pack(&layer(TAR))), (Some(Compression::None), None));
    assert!(Recipe::new(accepts, REGISTRY, &options(Some(Format::Oci), Wish::Usual)).is_err());
    assert!(Recipe::new(accepts, REGISTRY, &options(None, Wish::As(Compression::ZSTD))).is_err());
}

#[test]
fn a_layout_gets_manifests_of_its_own_kind_unless_digests_are_kept() {
    let accepts = accepts(Formats::Oci, Layers::AsTheyAre);
    let usual = options(None, Wish::Usual);
    assert_eq!(Recipe::new(accepts, REGISTRY, &usual).unwrap().format, Some(Format::Oci));
    let kept = Options { preserve_digests: true, ..usual };
    assert_eq!(Recipe::new(accepts, REGISTRY, &kept).unwrap().format, None);
}

#[test]
fn zstd_needs_a_format_that_knows_it() {
    let accepts = accepts(Formats::Both, Layers::AsTheyAre);
    let zstd = Wish::As(Compression::ZSTD);
    let recipe = Recipe::new(accepts, REGISTRY, &options(None, zstd)).unwrap();
    assert_eq!((recipe.format, recipe.pack(&layer(GZIP))), (Some(Format::Oci), Some(Compression::ZSTD)));
    assert!(Recipe::new(accepts, REGISTRY, &options(Some(Format::Docker), zstd)).is_err());
    let docker = Recipe::new(accepts, REGISTRY, &options(Some(Format::Docker), Wish::Usual)).unwrap();
    assert_eq!((docker.pack(&layer(ZSTD)), docker.pack(&layer(GZIP))), (Some(Compression::GZIP), None));
}
