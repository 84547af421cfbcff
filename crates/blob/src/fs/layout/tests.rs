use wharf_oci::Algorithm;

use super::*;

const ID: &str = "0190b6a1-7c00-7a3b-8f00-00000000abcd";

fn blob(location: &str) -> Result<PathBuf> {
    Layout::new("/data".into()).blob(&Location::from_stored(location.into()))
}

#[test]
fn a_location_names_the_file_it_was_made_for() {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let digest = Digest::of(algorithm, b"goods");
        let location = Layout::location(&digest, ID.parse().unwrap());
        let hex = digest.hex();
        let expected = format!("/data/blobs/{algorithm}/{}/{hex}.{ID}", &hex[..2]);
        assert_eq!(blob(location.as_str()).unwrap(), Path::new(&expected));
    }
}

#[test]
fn a_location_leads_nowhere_else() {
    let hex = Digest::of(Algorithm::Sha256, b"goods").hex().to_owned();
    let (two, good) = (&hex[..2], format!("{hex}.{ID}"));
    let bad = [
        String::new(),
        "/etc/passwd".into(),
        "../uploads/x".into(),
        format!("sha256/{two}/../{two}/{good}"),
        format!("sha256/../{good}"),
        format!("sha256//{good}"),
        format!("/sha256/{two}/{good}"),
        format!("sha256/{two}/{good}/"),
        format!("sha256/{two}/{hex}"),
        format!("sha256/{two}/{hex}.{ID}.{ID}"),
        format!("sha512/{two}/{good}"),
        format!("sha256/zz/{good}"),
        format!("sha256/{two}/{good}\0"),
    ];
    for location in bad {
        assert!(matches!(blob(&location), Err(Error::Io { operation: "locate", .. })), "{location}");
    }
}
