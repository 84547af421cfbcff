use super::*;

#[test]
fn tags_keep_their_case_and_their_limits() {
    for tag in ["v1", "Latest", "_x", "1.0.0-rc.1_build", "A.B-C_d", &"t".repeat(128)] {
        assert_eq!(tag.parse::<Tag>().unwrap().as_str(), tag);
    }
    for bad in ["", ".INVALID_MANIFEST_NAME", "-a", "a b", "a/b", "a+b", "a:b", "\u{e9}", "a\n", &"t".repeat(129)] {
        assert!(bad.parse::<Tag>().is_err(), "{bad:?}");
    }
}

#[test]
fn a_tag_of_the_referrers_schema_is_a_tag() {
    let text = format!("sha256-{}", "a".repeat(64));
    assert_eq!(text.parse::<Reference>(), Ok(Reference::Tag(text.parse().unwrap())));
}

#[test]
fn a_colon_makes_it_a_digest_or_nothing() {
    let text = format!("sha256:{}", "a".repeat(64));
    assert_eq!(text.parse::<Reference>(), Ok(Reference::Digest(text.parse().unwrap())));
    assert!(matches!("sha256:totallywrong".parse::<Reference>(), Err(ReferenceError::Digest(_))));
}
