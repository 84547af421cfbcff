//! A server that says what the test tells it to, one answer a connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

/// One request.
pub(super) struct Heard {
    /// Method and target.
    pub(super) line: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Heard {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered, and how often.
pub(super) struct Answer(String, usize);

impl Answer {
    pub(super) fn repeated(self, times: usize) -> Self {
        Self(self.0, times)
    }
}

/// `HOST` in the headers is the fake's own.
pub(super) fn answer(status: u16, headers: &str, body: &str) -> Answer {
    let length = body.len();
    Answer(format!("HTTP/1.1 {status} \r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"), 1)
}

pub(super) fn json(body: &serde_json::Value) -> Answer {
    answer(200, "content-type: application/json\r\n", &body.to_string())
}

/// These bytes and no more.
pub(super) fn cut(bytes: &str) -> Answer {
    Answer(bytes.into(), 1)
}

pub(super) struct Fake {
    pub(super) address: String,
    heard: Receiver<Heard>,
}

impl Fake {
    pub(super) fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (tell, heard) = channel();
        let host = address.clone();
        std::thread::spawn(move || {
            let answers = answers.into_iter().flat_map(|Answer(text, times)| std::iter::repeat_n(text, times));
            for text in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = tell.send(hear(&stream));
                stream.write_all(text.replace("HOST", &host).as_bytes()).unwrap();
                let _ = stream.shutdown(Shutdown::Write);
            }
        });
        Self { address, heard }
    }

    /// Everything that was asked so far.
    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.try_iter().collect()
    }
}

fn hear(stream: &TcpStream) -> Heard {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let first = line();
    let headers: Vec<(String, String)> = std::iter::from_fn(|| {
        let line = line();
        line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
    })
    .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Heard { line: first.trim_end_matches(" HTTP/1.1").into(), headers, body: String::from_utf8(body).unwrap() }
}
