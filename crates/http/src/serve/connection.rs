//! One connection from its first byte: PROXY header, TLS, HTTP/1.1 or HTTP/2, and a close that lets the answer arrive.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Request, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::flow::{Flow, Running, Verdict, Watched};
use super::peer::Peer;
use super::proxy::{self, Origin};
use super::socket::{Socket, Stream};
use super::{ServeOptions, Shared};

pub(super) type Builder = auto::Builder<TokioExecutor>;

/// What a connection is let in for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Serve,
    /// To be told that the server is full.
    Refuse,
}

/// The first byte of a TLS connection: a handshake record (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;
const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 59\r\n\
    connection: close\r\n\r\nthis is a TLS port, and the request was plain: use https://";
const FULL: &str = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"the server has all the connections it may have: try again in a moment"}]}"#;
const RETRY_AFTER: &str = "2";

/// hyper counts the wait between two requests as part of the second's head. Go's clients keep a connection for 90 s and
/// cannot send an upload's body twice: closing sooner would break pushes that compress for a while between requests.
/// A connection's first head is held to the shorter limit by `Flow`.
const KEEP_ALIVE: Duration = Duration::from_secs(100);

/// Fields of a request head that hyper reads: more than any client sends, so that it is the application that refuses a
/// head that is too large, with a sentence.
const HEADERS: usize = 2048;

/// hyper's default; reading uploads and writing answers goes in pieces of up to this.
const BUFFER: usize = 408 << 10;

pub(super) fn builder(options: &ServeOptions) -> Builder {
    let head = options.header_size.saturating_mul(2).max(64 << 10);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // half_close stays off: a client that closes has gone, and its handler is dropped with what it holds. No client
    // of a registry ends its side before it has its answer.
    let between = options.header_timeout.max(KEEP_ALIVE);
    let http1 = &mut builder.http1();
    http1.timer(TokioTimer::new()).header_read_timeout(between).max_buf_size(head.max(BUFFER)).max_headers(HEADERS);
    // No keep-alive pings: what a dead peer can be waited for in is bounded by `Flow`, and pings would look like movement.
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .adaptive_window(true)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX));
    builder
}

/// Sees a connection through to its end.
pub(super) async fn run(
    stream: Stream,
    addr: Option<SocketAddr>,
    role: Role,
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
) {
    let flow = Arc::new(Flow::new());
    let tls = shared.options.tls.clone().filter(|_| addr.is_some());
    let mut peer = Peer::direct(addr, tls.is_some(), &shared.options.trusted);
    let mut socket = Socket::new(stream, Arc::clone(&flow));
    let opening = async {
        read_proxy_header(&mut socket, &mut peer, &shared.options).await?;
        match tls {
            Some(config) => greet(socket, config).await,
            None => Some(Opened::Plain(socket)),
        }
    };
    let opened = timeout(shared.options.header_timeout, opening).await;
    let http = Http { peer, role, flow, shared };
    match opened {
        Ok(Some(Opened::Plain(socket))) => http.drive(socket, stop).await,
        Ok(Some(Opened::Tls(socket))) => http.drive(*socket, stop).await,
        Ok(Some(Opened::NotTls(socket))) => http.ask_for_tls(socket).await,
        Ok(None) => {}
        Err(_) => tracing::debug!(peer = %http.peer, "connection cut: it did not open in time"),
    }
}

enum Opened {
    Plain(Socket),
    Tls(Box<tokio_rustls::server::TlsStream<Socket>>),
    NotTls(Socket),
}

/// `None` when the connection must be closed. A trusted peer must send the header: taking its absence for "none" would
/// let whoever reaches us through it speak as the proxy.
async fn read_proxy_header(socket: &mut Socket, peer: &mut Peer, options: &ServeOptions) -> Option<()> {
    if !(options.proxy_protocol && peer.trusted) {
        return Some(());
    }
    let (stream, ahead) = socket.split_ahead();
    match proxy::read(stream, ahead).await {
        Ok(Origin::Client(addr)) => peer.forwarded_for(addr, &options.trusted),
        Ok(Origin::Proxy) => {}
        Err(error) => {
            tracing::info!(%peer, %error, "connection closed");
            return None;
        }
    }
    Some(())
}

async fn greet(mut socket: Socket, config: Arc<rustls::ServerConfig>) -> Option<Opened> {
    let (stream, ahead) = socket.split_ahead();
    if ahead.is_empty() && stream.read_buf(ahead).await.ok()? == 0 {
        return None;
    }
    if ahead.first() != Some(&TLS_HANDSHAKE) {
        return Some(Opened::NotTls(socket));
    }
    match TlsAcceptor::from(config).accept(socket).await {
        Ok(stream) => Some(Opened::Tls(Box::new(stream))),
        Err(error) => {
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
    }
}

/// What the requests of one connection have in common.
#[derive(Clone)]
struct Http {
    peer: Peer,
    role: Role,
    flow: Arc<Flow>,
    shared: Arc<Shared>,
}

impl Http {
    async fn drive<I>(self, io: I, mut stop: watch::Receiver<bool>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (http, options) = (self.clone(), &self.shared.options);
        let service = hyper::service::service_fn(move |request| http.clone().answer(request));
        let connection = self.shared.builder.serve_connection(TokioIo::new(io), service);
        tokio::pin!(connection);
        let mut look = tokio::time::interval(look_every(options));
        let mut finishing = false;
        loop {
            let finish = tokio::select! {
                ended = connection.as_mut() => return self.log_end(ended),
                _ = stop.wait_for(|stop| *stop), if !self.flow.draining.load(Relaxed) => {
                    self.flow.draining.store(true, Relaxed);
                    true
                }
                _ = look.tick() => match self.flow.verdict(options.header_timeout, options.write_idle) {
                    Verdict::Cut(reason) => {
                        tracing::debug!(peer = %self.peer, reason, "connection cut");
                        return;
                    }
                    verdict => verdict == Verdict::Finish || (self.role == Role::Refuse && self.flow.has_begun()),
                },
            };
            if finish && !finishing {
                finishing = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }

    async fn answer(mut self, mut request: Request<Incoming>) -> Result<Response<Watched>, Infallible> {
        let running = Running::begin(self.flow, Arc::clone(&self.shared));
        let version = request.version();
        let response = match self.role {
            Role::Refuse => full(version),
            Role::Serve => {
                self.peer.read_forwarded(request.headers(), &self.shared.options.trusted);
                request.extensions_mut().insert(self.peer);
                let Ok(response) = self.shared.app.clone().oneshot(request.map(Body::new)).await;
                response
            }
        };
        Ok(response.map(|body| Watched::new(body, version, running)))
    }

    async fn ask_for_tls(&self, mut socket: Socket) {
        let answered = async {
            socket.write_all(SPEAK_TLS).await?;
            socket.shutdown().await
        };
        let _ = timeout(self.shared.options.header_timeout, answered).await;
        tracing::debug!(peer = %self.peer, "plain request on a TLS port");
    }

    /// Most ends are the client's choice and nobody's concern; what a request met is logged with the request.
    fn log_end(&self, ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
        if let Err(error) = ended {
            tracing::debug!(peer = %self.peer, error = &*error, "connection ended");
        }
    }
}

/// Often enough that no limit is overrun by more than a quarter of itself.
fn look_every(options: &ServeOptions) -> Duration {
    let shortest = options.header_timeout.min(options.write_idle);
    (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(5))
}

fn full(version: Version) -> Response {
    let mut response = Response::new(Body::from(FULL));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
    if version < Version::HTTP_2 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
