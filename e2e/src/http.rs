//! Just enough HTTP/1.1 to ask a registry and to hang up on it at any byte.

use std::io::{self, Read};

/// What the server answered, whole.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, unchunked.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of that name, written in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Itself, if it has this status.
    pub fn expect(self, status: u16) -> Self {
        assert!(self.status == status, "expected {status}, got {}: {}", self.status, self.text());
        self
    }

    /// Fails unless it is an OCI error with that code and a message.
    pub fn expect_error(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        let error = &answer.json()["errors"][0];
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().is_some_and(|message| message.len() > 5), "{error}");
        answer
    }
}

/// Reads one answer up to its end; the connection must close after it. Cut short is an error.
pub fn read_answer(mut stream: impl Read, to_head: bool) -> io::Result<Answer> {
    let mut bytes = vec![];
    stream.read_to_end(&mut bytes)?;
    parse(&bytes, to_head)
}

fn cut(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the answer ended within its {what}"))
}

fn parse(bytes: &[u8], to_head: bool) -> io::Result<Answer> {
    let end = find(bytes, b"\r\n\r\n").ok_or_else(|| cut("head"))?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let rest = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(|| cut("status"))?;
    if status == 100 {
        return parse(rest, to_head);
    }
    let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let mut answer = Answer { status, headers: lines.filter_map(header).collect(), body: vec![] };
    if !to_head && !matches!(status, 204 | 304) {
        answer.body = body(&answer, rest)?;
    }
    Ok(answer)
}

fn body(answer: &Answer, rest: &[u8]) -> io::Result<Vec<u8>> {
    if answer.header("transfer-encoding") == Some("chunked") {
        return unchunk(rest);
    }
    match answer.header("content-length").map(|length| length.parse::<usize>().unwrap_or(usize::MAX)) {
        Some(length) if length != rest.len() => Err(cut("body")),
        _ => Ok(rest.to_vec()),
    }
}

fn unchunk(mut rest: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = vec![];
    loop {
        let line = find(rest, b"\r\n").ok_or_else(|| cut("chunks"))?;
        let size = String::from_utf8_lossy(&rest[..line]);
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| cut("chunks"))?;
        rest = &rest[line + 2..];
        if size == 0 {
            return Ok(body);
        }
        body.extend(rest.get(..size).ok_or_else(|| cut("chunks"))?);
        rest = rest.get(size + 2..).ok_or_else(|| cut("chunks"))?;
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
