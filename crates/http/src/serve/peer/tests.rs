use super::*;

fn client(socket: &str, forwarded: &[&str]) -> String {
    let trusted = TrustedProxies { nets: vec!["10.0.0.0/8".parse().unwrap()], unix: false };
    let mut peer = Peer::direct(Some(socket.parse().unwrap()), false, &trusted);
    let mut headers = HeaderMap::new();
    for line in forwarded {
        headers.append("x-forwarded-for", line.parse().unwrap());
    }
    peer.read_forwarded(&headers, &trusted);
    peer.to_string()
}

#[test]
fn a_trusted_proxy_names_its_client() {
    assert_eq!(client("10.0.0.1:1", &["192.0.2.7"]), "192.0.2.7");
    assert_eq!(client("10.0.0.1:1", &["192.0.2.7:4711"]), "192.0.2.7");
    assert_eq!(client("10.0.0.1:1", &["[2001:db8::1]:4711"]), "2001:db8::1");
    assert_eq!(client("10.0.0.1:1", &[]), "10.0.0.1:1");
}

#[test]
fn of_several_hops_the_last_that_is_not_ours_is_the_client() {
    assert_eq!(client("10.0.0.1:1", &["203.0.113.9, 192.0.2.7, 10.0.0.2"]), "192.0.2.7");
    assert_eq!(client("10.0.0.1:1", &["203.0.113.9", "192.0.2.7", "10.0.0.2"]), "192.0.2.7");
    assert_eq!(client("10.0.0.1:1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
}

#[test]
fn what_anybody_else_says_is_not_believed() {
    assert_eq!(client("192.0.2.1:1", &["203.0.113.9"]), "192.0.2.1:1");
    assert_eq!(client("10.0.0.1:1", &["203.0.113.9, unknown"]), "10.0.0.1:1");
}
