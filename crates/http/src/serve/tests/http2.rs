//! HTTP/2, where a client says itself how much it takes, and answers share a socket.

use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};

use super::*;

struct Client {
    send: SendRequest<String>,
    connection: JoinHandle<hyper::Result<()>>,
}

impl Client {
    /// It pings often, and lets the server send `window` bytes of each answer that it does not read.
    async fn connect(server: &Server, window: u32) -> Self {
        let stream = tokio::net::TcpStream::connect(server.addr).await.unwrap();
        let mut client = Builder::new(TokioExecutor::new());
        client.timer(TokioTimer::new()).keep_alive_interval(Duration::from_millis(50)).keep_alive_while_idle(true);
        client.initial_stream_window_size(window);
        let (send, connection) = client.handshake(TokioIo::new(stream)).await.unwrap();
        Self { send, connection: tokio::spawn(connection) }
    }

    async fn get(&mut self, path: &str) -> Incoming {
        let request = Request::get(format!("http://x{path}")).body(String::new()).unwrap();
        let answer = self.send.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body()
    }

    async fn ends(self) {
        let ended = tokio::time::timeout(Duration::from_secs(3), self.connection).await;
        let _ = ended.expect("the connection is cut").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_no_window_is_cut_however_often_it_pings() {
    let server = start(options()).await;
    let mut client = Client::connect(&server, 1 << 16).await;
    let _unread = client.get("/endless").await;
    client.ends().await;
}

/// The whole answer is in HTTP/2's own buffer then, and nothing runs any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_the_end_of_a_small_answer_is_cut_however_often_it_pings() {
    for window in [0, 1] {
        let server = start(options()).await;
        let mut client = Client::connect(&server, window).await;
        let _unread = client.get("/peer").await;
        client.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_moves_does_not_hide_one_that_does_not() {
    let server = start(options()).await;
    let mut client = Client::connect(&server, 1 << 16).await;
    let mut read = client.get("/endless").await;
    let _unread = client.get("/endless").await;
    let reading = tokio::spawn(async move { while let Some(Ok(_)) = read.frame().await {} });
    client.ends().await;
    reading.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_is_not_cut_while_it_reads_or_rests() {
    let server = start(options()).await;
    let mut client = Client::connect(&server, 1 << 16).await;
    let mut large = client.get("/large").await;
    let (began, mut whole) = (Instant::now(), vec![]);
    while let Some(frame) = large.frame().await {
        whole.extend_from_slice(&frame.expect("still being answered").into_data().unwrap());
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    assert!(whole == LARGE.concat(), "{} bytes", whole.len());
    assert!(began.elapsed() > 2 * options().write_idle, "too fast to show anything: {:?}", began.elapsed());
    tokio::time::sleep(2 * options().write_idle).await;
    assert!(!client.get("/peer").await.collect().await.unwrap().to_bytes().is_empty());
}
