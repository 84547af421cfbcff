use super::*;

#[test]
fn spans_have_units() {
    for (text, seconds) in [("30s", 30), ("15m", 900), ("6h", 21_600), ("90d", 7_776_000), ("2w", 1_209_600)] {
        assert_eq!(text.parse(), Ok(Span(seconds)), "{text}");
    }
    for text in ["", "90", "d", "-1d", "1y", "99999999999999999999d", "18446744073709551615d"] {
        assert!(text.parse::<Span>().is_err(), "{text}");
    }
    for text in ["59s", "3651d", "99999d"] {
        let said = seconds::<wharf_api::TokenLifetime>(text).unwrap_err();
        assert_eq!(said, "expected a time from 1m to 3650d", "{text}");
    }
    assert_eq!(seconds::<wharf_api::RuleLifetime>("2d").unwrap_err(), "expected a time from 1m to 1d");
}

#[test]
fn limits_are_numbers_or_none() {
    assert_eq!(most_bytes("10GiB").unwrap().0.unwrap().get(), 10 << 30);
    assert_eq!(most_bytes("512").unwrap().0.unwrap().get(), 512);
    assert_eq!(most_bytes("none"), Ok(Most(None)));
    assert!(most_bytes("10GB").is_err() && most_things("3x").is_err());
    assert_eq!(most_things("3").unwrap().0.unwrap().get(), 3);
}

#[test]
fn rates_are_said_as_people_say_them() {
    let read = |text: &str| text.parse::<Rate>().map(|rate| rate.0.map(|(n, s)| (n.get(), s.get())));
    assert_eq!(read("100/6h"), Ok(Some((100, 21_600))));
    assert_eq!(read("5/m"), Ok(Some((5, 60))));
    assert_eq!(read("none"), Ok(None));
    for text in ["100", "0/h", "/h", "100/", "100/6x", "100/h/h"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn names_within_an_org_are_parted() {
    let team: InOrg = "team/backend".parse().unwrap();
    assert_eq!((team.org.as_str(), team.name.as_str()), ("team", "backend"));
    assert_eq!("team+ci".parse::<Robot>().unwrap().to_string(), "team+ci");
    assert!("team".parse::<InOrg>().is_err() && "a/b/c".parse::<InOrg>().is_err() && "ci".parse::<Robot>().is_err());
}

#[test]
fn moments_are_absolute_or_ago() {
    assert_eq!(moment("2026-11-21T03:00:00Z").unwrap(), "2026-11-21T03:00:00Z".parse().unwrap());
    let ago = environment::now() - moment("1h").unwrap().millis();
    assert!((3_600_000..3_660_000).contains(&ago), "{ago}");
    assert!(moment("yesterday").is_err());
}

#[test]
fn sizes_are_rounded_down() {
    assert_eq!(human(0), "0 B");
    assert_eq!(human(1536), "1.5 KiB");
    assert_eq!(human((10 << 30) - 1), "9.9 GiB");
    assert_eq!(human_word(1 << 40), "1TiB");
}

#[test]
fn ages_are_told_in_their_largest_unit() {
    let before = |seconds: i64| ago(&Timestamp::from_millis(environment::now() - seconds * 1000).to_string());
    assert_eq!((before(90).as_str(), before(3 * 3600 + 1).as_str(), before(15 * 86_400).as_str()), ("1m", "3h", "2w"));
    assert_eq!((ago("yesterday"), before(-100)), ("yesterday".into(), "0s".into()));
}
