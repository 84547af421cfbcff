//! A box on a real socket, for what only a connection can show.

#![allow(clippy::missing_panics_doc, clippy::expect_used, reason = "what fails here fails the test it is in")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use wharf_http::serve::{Listener, ServeOptions, TrustedProxies, serve};

/// A server on a loopback port; dropping it cuts everything.
pub struct Served {
    /// Where it listens.
    pub addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Served {
    pub(super) async fn start(router: Router, trusted: TrustedProxies) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("its address");
        let options = ServeOptions {
            header_timeout: Duration::from_secs(5),
            header_size: 32 << 10,
            connections: 100,
            drain: Duration::from_secs(5),
            write_idle: Duration::from_secs(5),
            proxy_protocol: false,
            trusted,
            tls: None,
            gauges: Arc::default(),
        };
        let serving = async move {
            let _ = serve(vec![Listener::Tcp(listener)], router, options, std::future::pending()).await;
        };
        Self { addr, task: tokio::spawn(serving) }
    }

    /// Sends `bytes` and cuts the connection.
    pub async fn cut_after(&self, bytes: &[u8]) {
        let mut stream = TcpStream::connect(self.addr).await.expect("a connection");
        stream.write_all(bytes).await.expect("sent");
        stream.flush().await.expect("sent");
        stream.shutdown().await.expect("closed");
        let mut rest = vec![];
        drop(tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await);
    }

    /// Sends `bytes`, and reads until the server closes: ask it to.
    pub async fn talk(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.addr).await.expect("a connection");
        stream.write_all(bytes).await.expect("sent");
        let mut answer = vec![];
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        drop(read.expect("an answer in time"));
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}
