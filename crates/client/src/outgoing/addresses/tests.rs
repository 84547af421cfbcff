use super::*;

fn refused(address: &str) -> Option<&'static str> {
    Allowed::default().refuses(address.parse().unwrap())
}

#[test]
fn addresses_of_the_public_internet_may_be_gone_to() {
    for address in ["1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.0.1.1"] {
        assert_eq!(refused(address), None, "{address}");
    }
    for address in ["2606:4700::1111", "2a00:1450:4001::200e", "64:ff9b::1.1.1.1", "2002:101:101::1", "::ffff:1.1.1.1"]
    {
        assert_eq!(refused(address), None, "{address}");
    }
}

#[test]
fn what_only_the_machine_itself_reaches_is_refused() {
    let expected = [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.0.1", "private"),
        ("100.64.0.1", "carrier"),
        ("100.127.255.255", "carrier"),
        ("169.254.0.1", "link-local"),
        ("169.254.169.254", "metadata"),
        ("168.63.129.16", "metadata"),
        ("100.100.100.200", "metadata"),
        ("192.0.0.192", "metadata"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("198.19.0.1", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("fe80::1", "link-local"),
        ("fd12::1", "private"),
        ("fec0::1", "private"),
        ("fd00:ec2::254", "metadata"),
        ("ff02::1", "multicast"),
        ("2001:db8::1", "documentation"),
        ("2001::1", "reserved"),
        ("100::1", "reserved"),
        ("4000::1", "reserved"),
    ];
    for (address, what) in expected {
        let found = refused(address);
        assert!(found.is_some_and(|found| found.contains(what)), "{address}: {found:?}");
    }
}

#[test]
fn ipv4_inside_of_ipv6_is_what_it_is() {
    for address in ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::ffff:0:127.0.0.1"] {
        assert!(refused(address).is_some(), "{address}");
    }
    for address in
        ["64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1.1.1.1", "2002:7f00:1::", "2002:a00:1::1"]
    {
        assert!(refused(address).is_some(), "{address}");
    }
}

#[test]
fn what_the_operator_allows_may_be_gone_to_in_either_form() {
    let allowed = Allowed::new(vec!["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap()]);
    for address in ["10.1.2.3", "::ffff:10.1.2.3", "fd12::1"] {
        assert_eq!(allowed.refuses(address.parse().unwrap()), None, "{address}");
    }
    for address in ["10.2.0.1", "127.0.0.1", "fd13::1", "64:ff9b::10.1.2.3"] {
        assert!(allowed.refuses(address.parse().unwrap()).is_some(), "{address}");
    }
}
