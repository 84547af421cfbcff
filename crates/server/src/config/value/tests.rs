use std::time::Duration;

use super::*;

fn taken<T: Item>(text: &str) -> T {
    T::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn refused<T: Item>(texts: &[&str]) {
    for text in texts {
        assert!(T::parse(text).is_err(), "{text:?} is taken");
    }
}

#[test]
fn sizes_have_units_of_1024_and_print_in_the_largest_that_fits() {
    for (text, bytes, shown) in [
        ("4194304", 4 << 20, "4MiB"),
        ("4MiB", 4 << 20, "4MiB"),
        ("1GiB", 1 << 30, "1GiB"),
        ("1 gib", 1 << 30, "1GiB"),
        ("1536KiB", 1536 << 10, "1536KiB"),
        ("0", 0, "0B"),
        ("1000B", 1000, "1000B"),
    ] {
        let size: ByteSize = taken(text);
        assert_eq!((size.bytes(), size.show().as_str()), (bytes, shown));
    }
    refused::<ByteSize>(&["", "MiB", "4MB", "4M", "-1", "1.5GiB", "4 MiB x", "99999999999999999999", "8388608TiB"]);
}

#[test]
fn durations_need_a_unit_and_print_in_the_largest_that_fits() {
    for (text, millis, shown) in [
        ("30s", 30_000, "30s"),
        ("24h", 86_400_000, "1d"),
        ("7d", 604_800_000, "7d"),
        ("500ms", 500, "500ms"),
        ("90s", 90_000, "90s"),
        ("0s", 0, "0s"),
        ("60m", 3_600_000, "1h"),
    ] {
        let duration: Duration = taken(text);
        assert_eq!((duration, duration.show().as_str()), (Duration::from_millis(millis), shown));
    }
    refused::<Duration>(&["", "30", "s", "-1s", "1.5h", "1h30m", "1y", "36501d", "18446744073709551615d"]);
}

#[test]
fn addresses_to_listen_on_are_taken_and_printed_back() {
    for text in
        ["127.0.0.1:5000", "[::1]:5000", ":5000", "unix:/run/wharf.sock", "localhost:5000", "0.0.0.0:0", "[::]:1"]
    {
        assert_eq!(taken::<Listen>(text).show(), text);
    }
    assert_eq!(taken::<Listen>(":5000"), Listen::Any(5000));
    assert_eq!(taken::<Listen>("LocalHost:1"), Listen::Name("localhost".into(), 1));
    refused::<Listen>(&[
        "",
        "5000",
        "localhost",
        "localhost:",
        "localhost:65536",
        "localhost:+1",
        "::1:5000",
        "[::1]",
        "[::1:5000",
        "[x]:1",
        "http://a:1",
        "a/b:1",
        "256.0.0.1:1",
        "1.2.3:80",
        "unix:",
        "unix:run/w.sock",
        "unix:/\0",
        "-a:1",
    ]);
    refused::<Listen>(&[&format!("unix:/{}", "a".repeat(107))]);
}

#[test]
fn trusted_peers_are_networks_single_addresses_and_unix_sockets() {
    for text in ["10.0.0.0/8", "fd00::/8", "192.0.2.1", "::1", "unix", "0.0.0.0/0"] {
        assert_eq!(taken::<Peer>(text).show(), text);
    }
    refused::<Peer>(&["", "10.0.0.0/33", "10.0.0.1/8", "localhost", "10.0.0", "UNIX"]);
    let net: Peer = taken("10.0.0.0/8");
    assert!(net.covers(Some("10.1.2.3".parse().unwrap())));
    assert!(net.covers(Some("::ffff:10.1.2.3".parse().unwrap())));
    assert!(!net.covers(Some("11.1.2.3".parse().unwrap())) && !net.covers(None));
    let unix: Peer = taken("unix");
    assert!(unix.covers(None) && !unix.covers(Some("10.1.2.3".parse().unwrap())));
    assert!(!taken::<Peer>("0.0.0.0/0").covers(Some("::1".parse().unwrap())));
}

#[test]
fn a_public_url_is_a_scheme_and_a_host() {
    for (text, shown, authority, host) in [
        (
            "https://registry.example.com",
            "https://registry.example.com",
            "registry.example.com",
            "registry.example.com",
        ),
        ("HTTP://Localhost:5000/", "http://localhost:5000", "localhost:5000", "localhost"),
        ("https://a.example:443", "https://a.example", "a.example", "a.example"),
        ("http://a.example:443", "http://a.example:443", "a.example:443", "a.example"),
        ("http://[::1]:5000", "http://[::1]:5000", "[::1]:5000", "::1"),
        ("https://10.0.0.1", "https://10.0.0.1", "10.0.0.1", "10.0.0.1"),
    ] {
        let url: PublicUrl = taken(text);
        assert_eq!((url.show().as_str(), url.authority(), url.host()), (shown, authority, host));
    }
    refused::<PublicUrl>(&[
        "",
        "registry.example.com",
        "ftp://a",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://a#b",
        "https://a:0",
        "https://a:99999",
        "https://a b",
        "https://a\r\nX: y",
        "https://::1",
        "https://[::1",
        "https://a//",
        "https://:80",
    ]);
}

#[test]
fn a_password_in_a_public_url_is_refused_and_not_repeated() {
    let error = PublicUrl::parse("https://me:hunter2@a.example").unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn names_for_a_certificate_are_hosts_and_addresses() {
    for text in ["registry.local", "*.example.com", "10.0.0.1", "::1", "my_registry"] {
        assert_eq!(taken::<HostName>(text).show(), text);
    }
    refused::<HostName>(&["", "https://a", "a:1", "*", "*.*.a", "a..b", "1.2.3", "caf\u{e9}"]);
}

#[test]
fn words_are_refused_with_those_that_exist() {
    let error = crate::config::Strict::parse("layer").unwrap_err();
    assert_eq!(error, "\"layer\" is unknown: expected layers, all or none");
}

#[test]
fn a_log_level_that_would_silence_everything_by_accident_is_refused() {
    use crate::config::LogFilter;
    for text in ["info", "INFO", "off", "info,wharf_http=debug", "wharf_http[request]=trace"] {
        assert_eq!(taken::<LogFilter>(text).as_str(), text);
    }
    refused::<LogFilter>(&["", "inof", "verbose", "info=loud", "3x"]);
}
