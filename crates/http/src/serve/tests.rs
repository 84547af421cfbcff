//! Real sockets on loopback: what a client sees.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::routing::{any, get};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;

mod http2;
mod proxy;
mod tls;

/// A server to try things on.
struct Server {
    addr: SocketAddr,
    gauges: Arc<ConnectionGauges>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Served>,
}

fn options() -> ServeOptions {
    ServeOptions {
        header_timeout: Duration::from_millis(300),
        header_size: 16 << 10,
        connections: 100,
        drain: Duration::from_secs(5),
        write_idle: Duration::from_millis(300),
        proxy_protocol: false,
        trusted: TrustedProxies::default(),
        tls: None,
        gauges: Arc::default(),
    }
}

/// Frames far larger than what a socket holds.
static LARGE: [&[u8]; 2] = [&[1; 24 << 20], &[2; 24 << 20]];

fn app() -> axum::Router {
    let large = || async {
        let frames = LARGE.map(|frame| Ok::<_, std::io::Error>(Bytes::from_static(frame)));
        Body::from_stream(futures_util::stream::iter(frames))
    };
    let endless = || async {
        Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![7; 64 << 10]))))
    };
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        "slow but sure"
    };
    axum::Router::new()
        .route("/peer", get(|Extension(peer): Extension<Peer>| async move { format!("{peer:?}") }))
        .route("/refuse", any(|| async { (StatusCode::UNAUTHORIZED, "who are you?") }))
        .route("/stuck", get(std::future::pending::<&'static str>))
        .route("/endless", get(endless))
        .route("/large", get(large))
        .route("/slow", any(slow))
}

async fn start(options: ServeOptions) -> Server {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    start_on(Listener::Tcp(listener), addr, options)
}

fn start_on(listener: Listener, addr: SocketAddr, options: ServeOptions) -> Server {
    let (stop, stopped) = oneshot::channel();
    let gauges = Arc::clone(&options.gauges);
    let shutdown = async move { drop(stopped.await) };
    Server { addr, gauges, stop, served: tokio::spawn(serve(vec![listener], app(), options, shutdown)) }
}

/// Sends bytes from a thread of its own and reads to the end, as a simple blocking client does.
async fn talk(addr: SocketAddr, request: impl AsRef<[u8]> + Send + 'static) -> String {
    let talk = move || {
        let mut stream = TcpStream::connect(addr).unwrap();
        let _ = stream.write_all(request.as_ref());
        read_all(stream)
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}

fn read_all(mut stream: impl std::io::Read) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get_once(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_401_reaches_a_client_that_writes_its_whole_upload_first() {
    let server = start(options()).await;
    for _ in 0..3 {
        let upload = 50 << 20;
        let mut request = format!("PUT /refuse HTTP/1.1\r\nhost: x\r\ncontent-length: {upload}\r\n\r\n").into_bytes();
        request.resize(request.len() + upload, b'x');
        let write_then_read = move || {
            let mut stream = TcpStream::connect(server.addr).unwrap();
            stream.write_all(&request).expect("the whole upload is taken");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("the answer is not hidden by a reset");
            answer
        };
        let answer = tokio::task::spawn_blocking(write_then_read).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 401") && answer.ends_with("who are you?"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_trickles_in_is_cut() {
    let server = start(options()).await;
    let began = Instant::now();
    let trickle = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(server.addr).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        while stream.write_all(b"x: y\r\n").is_ok() && began.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(50));
        }
        began.elapsed()
    });
    assert!(trickle.await.unwrap() < Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_or_half_a_preface_is_cut() {
    let server = start(options()).await;
    for said in ["", "PRI * HTT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let began = Instant::now();
        talk(server.addr, said).await;
        assert!(began.elapsed() < Duration::from_secs(3), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_its_answer_is_cut_and_one_that_reads_is_not() {
    let server = start(options()).await;
    let mut stream = TcpStream::connect(server.addr).unwrap();
    stream.write_all(get_once("/endless").as_bytes()).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let read = move || {
        let began = Instant::now();
        let mut piece = vec![0; 256 << 10];
        while began.elapsed() < Duration::from_secs(1) {
            reader.read_exact(&mut piece).expect("still being answered");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    tokio::task::spawn_blocking(read).await.unwrap();
    assert_eq!(server.gauges.open.load(Ordering::Relaxed), 1);
    wait_until("it is cut", || server.gauges.open.load(Ordering::Relaxed) == 0).await;
}

async fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_a_large_frame_slowly_is_not_cut() {
    let server = start(options()).await;
    let slowly = move || {
        let mut stream = TcpStream::connect(server.addr).unwrap();
        stream.write_all(get_once("/large").as_bytes()).unwrap();
        let (began, mut length) = (Instant::now(), 0);
        let mut piece = vec![0; 256 << 10];
        loop {
            match stream.read(&mut piece).expect("still being answered") {
                0 => return (length, began.elapsed()),
                more => length += more,
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let (length, took) = tokio::task::spawn_blocking(slowly).await.unwrap();
    assert!(length > LARGE.concat().len(), "cut after {length} bytes");
    assert!(took > 2 * options().write_idle, "too fast to show anything: {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_and_the_first_head_share_one_limit() {
    let limit = Duration::from_secs(2);
    let server = start(ServeOptions { header_timeout: limit, ..proxy::behind_proxy(&["127.0.0.0/8"]) }).await;
    let began = Instant::now();
    let late = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(server.addr).unwrap();
        std::thread::sleep(limit / 2);
        stream.write_all(b"PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n").unwrap();
        read_all(stream)
    });
    late.await.unwrap();
    assert!(began.elapsed() < limit * 3 / 2, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn drain_finishes_what_runs_closes_what_idles_and_takes_nothing_new() {
    let server = start(options()).await;
    let mut idle = TcpStream::connect(server.addr).unwrap();
    idle.write_all(b"GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert!(idle.read(&mut [0; 1024]).unwrap() > 0);
    let running = tokio::spawn(talk(server.addr, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(TcpStream::connect(server.addr).is_err());
    let answer = running.await.unwrap();
    assert!(answer.contains("connection: close") && answer.ends_with("slow but sure"), "{answer}");
    assert_eq!(server.served.await.unwrap(), Served { aborted: 0 });
    assert_eq!(idle.read(&mut [0; 1024]).unwrap(), 0);
    assert_eq!(server.gauges.open.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn drain_lets_an_http2_upload_finish() {
    let server = start(options()).await;
    let stream = tokio::net::TcpStream::connect(server.addr).await.unwrap();
    let (mut send, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::put("http://x/slow").body("x".repeat(1 << 20)).unwrap();
    let answer = tokio::spawn(send.send_request(request));
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.send(()).unwrap();
    let body = answer.await.unwrap().unwrap().collect().await.unwrap().to_bytes();
    assert_eq!(body, "slow but sure");
    assert_eq!(server.served.await.unwrap(), Served { aborted: 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outlasts_the_drain_is_cut_and_counted() {
    let server = start(ServeOptions { drain: Duration::from_millis(200), ..options() }).await;
    let stuck = tokio::spawn(talk(server.addr, get_once("/stuck")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.send(()).unwrap();
    assert_eq!(server.served.await.unwrap(), Served { aborted: 1 });
    assert_eq!(stuck.await.unwrap(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_says_so_and_serves_again_when_there_is_room() {
    let server = start(ServeOptions { connections: 1, ..options() }).await;
    let first = TcpStream::connect(server.addr).unwrap();
    wait_until("it is open", || server.gauges.open.load(Ordering::Relaxed) == 1).await;
    let answer = talk(server.addr, "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 2"), "{answer}");
    assert!(answer.contains("TOOMANYREQUESTS"), "{answer}");
    assert_eq!(server.gauges.refused.load(Ordering::Relaxed), 1);
    drop(first);
    wait_until("there is room", || server.gauges.open.load(Ordering::Relaxed) == 0).await;
    assert!(talk(server.addr, get_once("/peer")).await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.gauges.accepted.load(Ordering::Relaxed), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_is_served_plain_and_trusted_when_told() {
    for trusted in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = Listener::Unix(tokio::net::UnixListener::bind(&path).unwrap());
        let trusted_unix = TrustedProxies { nets: vec![], unix: trusted };
        let options = ServeOptions { trusted: trusted_unix, tls: Some(tls::config().0), ..options() };
        let _server = start_on(listener, "127.0.0.1:1".parse().unwrap(), options);
        let ask = move || {
            let mut stream = UnixStream::connect(path).unwrap();
            stream.write_all(get_once("/peer").as_bytes()).unwrap();
            read_all(stream)
        };
        let answer = tokio::task::spawn_blocking(ask).await.unwrap();
        let expected = format!("Peer {{ addr: None, socket_addr: None, tls: false, unix: true, trusted: {trusted} }}");
        assert!(answer.ends_with(&expected), "{answer}");
    }
}
