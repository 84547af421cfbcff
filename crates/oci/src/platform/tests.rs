use super::*;

fn platform(text: &str) -> Platform {
    text.parse().unwrap()
}

fn chosen<'a>(wanted: &str, offers: &[&'a str]) -> Option<&'a str> {
    let parsed: Vec<Platform> = offers.iter().map(|text| platform(text)).collect();
    platform(wanted).choose(offers.iter().copied().zip(&parsed))
}

#[test]
fn a_platform_is_written_as_it_is_read() {
    for text in ["linux/amd64", "linux/arm/v7", "windows/amd64", "linux/riscv64", "freebsd/arm64"] {
        assert_eq!(platform(text).to_string(), text);
    }
}

#[test]
fn other_spellings_of_a_processor_mean_the_same() {
    for (text, same) in [
        ("linux/x86_64", "linux/amd64"),
        ("Linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/arm/7", "linux/arm/v7"),
        ("linux/i686", "linux/386"),
    ] {
        assert_eq!(platform(text), platform(same), "{text}");
    }
}

#[test]
fn what_is_no_platform_is_refused() {
    for text in ["", "linux", "linux/", "/amd64", "linux//v7", "linux/arm/v7/x", "linux/arm v7", "linux/\u{e4}"] {
        assert!(text.parse::<Platform>().is_err(), "{text}");
    }
}

#[test]
fn the_best_fit_is_taken_and_never_a_newer_processor() {
    assert_eq!(chosen("linux/arm/v7", &["linux/arm/v5", "linux/arm/v6", "linux/arm64"]), Some("linux/arm/v6"));
    assert_eq!(chosen("linux/arm/v6", &["linux/arm/v7", "linux/arm/v5"]), Some("linux/arm/v5"));
    assert_eq!(chosen("linux/arm/v6", &["linux/arm/v7"]), None);
    assert_eq!(chosen("linux/amd64/v3", &["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"]), Some("linux/amd64/v2"));
    assert_eq!(chosen("linux/amd64", &["linux/arm64", "windows/amd64", "linux/amd64"]), Some("linux/amd64"));
    assert_eq!(chosen("linux/arm64", &["linux/arm64/v9", "linux/arm64/v8"]), Some("linux/arm64/v8"));
    assert_eq!(chosen("linux/arm", &["linux/arm/v7", "linux/arm/v5"]), Some("linux/arm/v5"));
    assert_eq!(chosen("linux/s390x", &["linux/amd64"]), None);
}

#[test]
fn the_first_of_equals_is_taken() {
    let offers = [platform("linux/amd64"), platform("linux/amd64")];
    assert_eq!(platform("linux/amd64").choose(offers.iter().enumerate()), Some(0));
}

#[test]
fn windows_is_matched_by_its_build_where_one_is_wanted() {
    let build = |version: &str| Platform { os_version: Some(version.to_owned()), ..platform("windows/amd64") };
    assert!(build("10.0.20348.1").takes(&build("10.0.20348.1006")));
    assert!(!build("10.0.20348.1").takes(&build("10.0.17763.1")));
    assert!(platform("windows/amd64").takes(&build("10.0.17763.1")));
}

#[test]
fn this_machine_takes_its_own_images() {
    let machine = Platform::of_this_machine();
    assert!(machine.takes(&machine.to_string().parse().unwrap()));
}

#[test]
fn an_index_child_keeps_what_it_says() {
    let json = r#"{"architecture":"arm","os":"linux","variant":"v7","os.version":"1","os.features":["x"]}"#;
    let read: Platform = serde_json::from_str(json).unwrap();
    assert_eq!((read.variant.as_deref(), read.os_version.as_deref()), (Some("v7"), Some("1")));
    assert_eq!(serde_json::to_value(&read).unwrap()["os.version"], "1");
}
