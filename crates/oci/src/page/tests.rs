use super::*;

#[test]
fn absent_is_none_and_zero_is_zero() {
    assert_eq!(parse_n(None), Ok(None));
    assert_eq!(parse_n(Some("0")), Ok(Some(0)));
    assert_eq!(parse_n(Some("0100")), Ok(Some(100)));
}

/// pulp/pulp_container#220
#[test]
fn negative_and_junk_sizes_are_refused() {
    for bad in ["", "-1", "+1", "1.0", "1e3", " 1", "0x1", "ten", "\u{661}"] {
        assert!(parse_n(Some(bad)).is_err(), "{bad:?}");
    }
}

#[test]
fn numbers_beyond_u64_are_its_largest() {
    assert_eq!(parse_n(Some("18446744073709551615")), Ok(Some(u64::MAX)));
    assert_eq!(parse_n(Some(&"9".repeat(1000))), Ok(Some(u64::MAX)));
}
