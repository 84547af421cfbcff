//! HTTP/1.1 by hand, so that it can be wrong.

use std::fmt::Write as _;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// What was asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As far as it came.
    pub body: Vec<u8>,
}

impl Request {
    /// Method and target.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    /// Whether it begins so.
    pub fn is(&self, pattern: &str) -> bool {
        self.line().starts_with(pattern)
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first parameter of that name, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered. The right length is announced, unless it is spoilt.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    length: Option<usize>,
    cut: Option<usize>,
    is_silent: bool,
}

impl Answer {
    /// With nothing in it.
    pub fn new(status: u16) -> Self {
        Self { status, headers: vec![], body: vec![], length: Some(0), cut: None, is_silent: false }
    }

    /// A page of HTML, as a proxy gives it.
    pub fn html() -> Self {
        Self::new(200).set("content-type", "text/html").body("<html>Please sign in to the hotel's network</html>")
    }

    /// With that body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.length = Some(self.body.len());
        self
    }

    /// With JSON.
    pub fn json(self, body: &serde_json::Value) -> Self {
        self.set("content-type", "application/json").body(body.to_string())
    }

    /// With a header in the place of those of its name.
    pub fn set(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self = self.without(name);
        self.headers.push((name.into(), value.to_string()));
        self
    }

    /// Without a header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// With another status.
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Without saying how long it is: it ends with the connection.
    pub fn without_length(self) -> Self {
        Self { length: None, ..self }
    }

    /// Saying that it is so long.
    pub fn with_length(self, length: usize) -> Self {
        Self { length: Some(length), ..self }
    }

    /// Ends the connection after so many bytes of the body.
    pub fn cut(self, bytes: usize) -> Self {
        Self { cut: Some(bytes), ..self }
    }

    /// Ends the connection without a word.
    pub fn silent(self) -> Self {
        Self { is_silent: true, ..self }
    }

    /// The body so far.
    pub fn content(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn bytes(&self, is_head: bool) -> Vec<u8> {
        if self.is_silent {
            return vec![];
        }
        let mut head = format!("HTTP/1.1 {} \r\nconnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if let Some(length) = self.length.filter(|_| self.status != 204) {
            let _ = write!(head, "content-length: {length}\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if !is_head {
            bytes.extend_from_slice(&self.body[..self.cut.unwrap_or(usize::MAX).min(self.body.len())]);
        }
        bytes
    }
}

/// A request whose body still comes.
pub(super) struct Coming {
    pub(super) request: Request,
    /// What came with the head already.
    rest: Vec<u8>,
}

pub(super) async fn head(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Option<Coming> {
    let mut bytes = vec![];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        // Somebody begins TLS: nginx answers so.
        if bytes.first() == Some(&0x16) {
            let _ = stream.write_all(b"HTTP/1.1 400 \r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
            return None;
        }
    };
    let text = String::from_utf8(bytes[..end].to_vec()).expect("a head is text");
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let (method, target) = (first.next()?, first.next()?);
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Some(Coming { request: Request { method, target, headers, body: vec![] }, rest: bytes.split_off(end + 4) })
}

impl Coming {
    /// Reads the body, `most` bytes of it if that is said. Says whether it was all.
    pub(super) async fn body(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        most: Option<usize>,
    ) -> bool {
        if self.request.header("expect").is_some() {
            let _ = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        assert!(self.request.header("transfer-encoding").is_none(), "a client that knows a length says it");
        let length = self.request.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        let wanted = most.unwrap_or(usize::MAX).min(length);
        let mut body = std::mem::take(&mut self.rest);
        while body.len() < wanted {
            match stream.read_buf(&mut body).await {
                Ok(count) if count > 0 => {}
                _ => {
                    self.request.body = body;
                    return false;
                }
            }
        }
        body.truncate(wanted);
        self.request.body = body;
        most.is_none()
    }
}
