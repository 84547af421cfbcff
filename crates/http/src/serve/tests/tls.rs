use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::client::TlsStream;

use super::*;

/// A server's configuration, and the certificate that clients are to trust.
pub(super) fn config() -> (Arc<rustls::ServerConfig>, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = versions.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (Arc::new(config), certificate)
}

async fn tls_server() -> (Server, CertificateDer<'static>) {
    let (config, certificate) = config();
    (start(ServeOptions { tls: Some(config), ..options() }).await, certificate)
}

async fn connect(addr: SocketAddr, trust: CertificateDer<'static>, alpn: &[u8]) -> TlsStream<tokio::net::TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trust).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = versions.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_speaks_http2_and_http1_as_the_client_chooses() {
    let (server, certificate) = tls_server().await;
    let stream = connect(server.addr, certificate.clone(), b"h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut send, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://localhost/peer").body(String::new()).unwrap();
    let answer = send.send_request(request).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    let body = answer.collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("tls: true"), "{body:?}");

    let stream = connect(server.addr, certificate, b"http/1.1").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let (mut send, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("/peer").header("host", "localhost").body(String::new()).unwrap();
    let answer = send.send_request(request).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, http::Version::HTTP_11));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_request_on_a_tls_port_is_told_so() {
    let (server, _) = tls_server().await;
    let answer = talk(server.addr, get_once("/peer")).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.ends_with("use https://"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tls_handshake_that_never_comes_is_cut() {
    let (server, _) = tls_server().await;
    for said in [&b""[..], b"\x16\x03\x01"] {
        let began = Instant::now();
        assert_eq!(talk(server.addr, said).await, "");
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_401_arrives_over_tls_too() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (server, certificate) = tls_server().await;
    let mut stream = connect(server.addr, certificate, b"http/1.1").await;
    let upload = vec![b'x'; 20 << 20];
    let head = format!("PUT /refuse HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", upload.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&upload).await.expect("the whole upload is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401") && answer.ends_with("who are you?"), "{answer}");
}
