use super::*;
use crate::Algorithm;

#[test]
fn a_digest_matches_quoted_unquoted_weak_and_in_lists() {
    let digest = Digest::of(Algorithm::Sha256, b"goods");
    let lists = [format!("\"x\", \"{digest}\""), format!("W/\"y\",{digest}"), format!(" {digest} , \"x\"")];
    for header in
        [format!("\"{digest}\""), digest.to_string(), format!("W/\"{digest}\""), "*".into()].iter().chain(&lists)
    {
        assert!(if_none_match(header, &digest), "{header}");
    }
}

#[test]
fn another_digest_does_not_match() {
    let digest = Digest::of(Algorithm::Sha256, b"goods");
    let other = Digest::of(Algorithm::Sha256, b"other");
    for header in ["", ",", "\"", "\"\"", "W/", "**", "\"*\"", other.as_str(), digest.hex(), &digest.as_str()[..70]] {
        assert!(!if_none_match(header, &digest), "{header}");
    }
}
