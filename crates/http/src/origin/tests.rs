use http::Request;

use super::*;

fn origin_of(options: &Options, request: http::request::Builder, peer: Peer) -> String {
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    parts.extensions.insert(peer);
    origin(options, &parts)
}

fn forwarded() -> http::request::Builder {
    let request = Request::builder().header("host", "inner:5000");
    request.header("x-forwarded-proto", "https").header("x-forwarded-host", "registry.example, inner")
}

#[test]
fn the_request_tells_when_nothing_is_configured() {
    let request = || Request::builder().header("host", "localhost:5000");
    let plain = Peer::default();
    assert_eq!(origin_of(&Options::default(), request(), plain.clone()), "http://localhost:5000");
    assert_eq!(origin_of(&Options::default(), request(), Peer { tls: true, ..plain }), "https://localhost:5000");
}

#[test]
fn forwarded_headers_count_only_from_a_trusted_proxy() {
    let trusted = Peer { trusted: true, ..Peer::default() };
    assert_eq!(origin_of(&Options::default(), forwarded(), trusted), "https://registry.example");
    assert_eq!(origin_of(&Options::default(), forwarded(), Peer::default()), "http://inner:5000");
}

#[test]
fn the_public_url_wins() {
    let options = Options { public_url: Some("https://r.example/".into()), ..Options::default() };
    assert_eq!(origin_of(&options, forwarded(), Peer { trusted: true, ..Peer::default() }), "https://r.example");
}

#[test]
fn a_host_that_is_none_does_not_reach_the_challenge() {
    for host in ["a\"b", "a b", "a,b", "a/b", "", "a;b", "a@b"] {
        let request = Request::builder().header("host", host);
        assert_eq!(origin_of(&Options::default(), request, Peer::default()), "http://localhost", "{host:?}");
    }
}
