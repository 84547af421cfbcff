use super::*;

pub(super) fn behind_proxy(nets: &[&str]) -> ServeOptions {
    let nets = nets.iter().map(|net| net.parse().unwrap()).collect();
    ServeOptions { proxy_protocol: true, trusted: TrustedProxies { nets, unix: false }, ..options() }
}

fn v2(command: u8, body: &[u8]) -> Vec<u8> {
    let mut header = ppp::v2::PROTOCOL_PREFIX.to_vec();
    header.extend([0x20 | command, 0x11]);
    header.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    header.extend(body);
    header
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_peer_names_the_client_by_proxy_header() {
    let server = start(behind_proxy(&["127.0.0.0/8"])).await;
    let client = [203, 0, 113, 9, 127, 0, 0, 1, 0x10, 0x00, 0x13, 0x88];
    let headers = [
        (b"PROXY TCP4 203.0.113.9 127.0.0.1 4096 5000\r\n".to_vec(), "addr: Some(203.0.113.9:4096)", "trusted: false"),
        (b"PROXY TCP6 2001:db8::9 ::1 4096 5000\r\n".to_vec(), "addr: Some([2001:db8::9]:4096)", "trusted: false"),
        (b"PROXY UNKNOWN\r\n".to_vec(), "addr: Some(127.0.0.1:", "trusted: true"),
        (v2(1, &client), "addr: Some(203.0.113.9:4096)", "trusted: false"),
        (v2(1, &[&client[..], &[0; 300]].concat()), "addr: Some(203.0.113.9:4096)", "trusted: false"),
        (v2(0, &client), "addr: Some(127.0.0.1:", "trusted: true"),
    ];
    for (mut request, addr, trusted) in headers {
        request.extend(get_once("/peer").bytes());
        let answer = talk(server.addr, request).await;
        assert!(answer.contains(addr) && answer.contains(trusted), "{answer}");
        assert!(answer.contains("socket_addr: Some(127.0.0.1:"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_header_in_pieces_is_one_header() {
    let server = start(behind_proxy(&["127.0.0.1/32"])).await;
    let pieces = move || {
        let mut stream = TcpStream::connect(server.addr).unwrap();
        stream.set_nodelay(true).unwrap();
        for piece in ["PRO", "XY TCP4 203.0", ".113.9 127.0.0.1 4", "096 5000\r", "\n", &get_once("/peer")] {
            stream.write_all(piece.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        read_all(stream)
    };
    let answer = tokio::task::spawn_blocking(pieces).await.unwrap();
    assert!(answer.contains("addr: Some(203.0.113.9:4096)"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_peer_without_a_whole_proxy_header_is_closed() {
    let server = start(behind_proxy(&["127.0.0.0/8"])).await;
    let long = format!("PROXY TCP4 {}\r\n", "1".repeat(200)).into_bytes();
    let bad = [
        get_once("/peer").into_bytes(),
        b"PROXY TCP4 x y 1 2\r\n".to_vec(),
        long,
        v2(1, &[0; 5000]),
        b"PROXY ".to_vec(),
    ];
    for request in bad {
        let began = Instant::now();
        assert_eq!(talk(server.addr, request).await, "");
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_asked_for_a_proxy_header_or_believed() {
    let server = start(behind_proxy(&["192.0.2.0/24"])).await;
    let answer = talk(server.addr, get_once("/peer")).await;
    assert!(answer.contains("addr: Some(127.0.0.1:") && answer.contains("trusted: false"), "{answer}");
    let forged = format!("PROXY TCP4 203.0.113.9 127.0.0.1 4096 5000\r\n{}", get_once("/peer"));
    assert!(talk(server.addr, forged).await.starts_with("HTTP/1.1 400"));
}

#[test]
fn an_ipv4_client_of_a_dual_stack_listener_is_an_ipv4_client() {
    let trusted = TrustedProxies { nets: vec!["10.0.0.0/8".parse().unwrap()], unix: false };
    let peer = Peer::direct(Some("[::ffff:10.1.2.3]:99".parse().unwrap()), false, &trusted);
    assert_eq!((peer.addr, peer.trusted), (Some("10.1.2.3:99".parse().unwrap()), true));
}
