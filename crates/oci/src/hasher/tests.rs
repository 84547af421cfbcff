use super::*;

#[test]
fn a_saved_state_goes_on_to_the_same_digest() {
    let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        for cut in [0, 1, 63, 64, 65, 127, 128, 4096, bytes.len()] {
            let mut first = Hasher::new(algorithm);
            first.update(&bytes[..cut]);
            let mut second = Hasher::restore(algorithm, &first.save()).unwrap();
            second.update(&bytes[cut..]);
            assert_eq!(second.digest(), Digest::of(algorithm, &bytes), "cut at {cut}");
        }
    }
}

#[test]
fn a_foreign_state_is_refused() {
    let sha256 = Hasher::new(Algorithm::Sha256).save();
    assert!(Hasher::restore(Algorithm::Sha512, &sha256).is_err());
    assert!(Hasher::restore(Algorithm::Sha256, &sha256[1..]).is_err());
    assert!(Hasher::restore(Algorithm::Sha256, &[]).is_err());
}
