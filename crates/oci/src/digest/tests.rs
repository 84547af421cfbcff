use super::*;

const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn the_digest_of_nothing_is_the_known_one() {
    assert_eq!(Digest::of(Algorithm::Sha256, b"").as_str(), EMPTY);
    assert!(Digest::of(Algorithm::Sha512, b"").as_str().starts_with("sha512:cf83e1357eefb8bd"));
}

#[test]
fn a_digest_round_trips_through_its_text() {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let digest = Digest::of(algorithm, b"goods");
        assert_eq!(digest.as_str().parse::<Digest>(), Ok(digest.clone()));
        assert_eq!(format!("{}:{}", digest.algorithm(), digest.hex()), digest.to_string());
    }
}

#[test]
fn malformed_digests_are_refused() {
    let upper = EMPTY.to_uppercase().replace("SHA256", "sha256");
    let long = format!("{EMPTY}0");
    for bad in [
        "",
        ":",
        "sha256",
        "sha256:",
        "sha256:totallywrong",
        &EMPTY[..70],
        &long,
        &upper,
        "SHA256:00",
        "sha+:00",
        "sha256:\u{e9}",
    ] {
        assert!(matches!(bad.parse::<Digest>(), Err(DigestError::Malformed(_))), "{bad}");
    }
}

#[test]
fn unknown_algorithms_are_named() {
    assert_eq!("md5:d41d8cd9".parse::<Digest>(), Err(DigestError::UnsupportedAlgorithm("md5".into())));
    assert_eq!("blake3:00".parse::<Digest>(), Err(DigestError::UnsupportedAlgorithm("blake3".into())));
}

#[test]
fn an_error_quotes_only_the_beginning_of_long_input() {
    let error = "x".repeat(10_000).parse::<Digest>().unwrap_err();
    assert!(error.to_string().len() < 250);
}
