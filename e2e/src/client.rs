//! The tests' own client: what a server says to somebody who trusts no client. It asks over the server's unix socket,
//! where even a server with TLS speaks plainly.

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;

use crate::http::{Answer, read_answer};
use crate::image::{Image, digest_of};

/// Asks one server, as one caller. A connection per request.
#[derive(Clone)]
pub struct Api {
    socket: PathBuf,
    host: String,
    authorization: Option<String>,
}

impl Api {
    pub(crate) fn new(socket: PathBuf, host: String) -> Self {
        Self { socket, host, authorization: None }
    }

    /// The same with Basic credentials.
    pub fn basic(mut self, user: &str, password: &str) -> Self {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        self.authorization = Some(format!("Basic {pair}"));
        self
    }

    /// The same with a token for `scope`, bought with the credentials it has.
    pub fn token(&self, scope: &str) -> Self {
        let service = self.challenge("service");
        let path = format!("{}?service={service}&scope={scope}", self.realm_path());
        let token = self.get(&path).expect(200).json()["token"].as_str().expect("a token").to_owned();
        Self { authorization: Some(format!("Bearer {token}")), ..self.clone() }
    }

    fn realm_path(&self) -> String {
        let realm = self.challenge("realm");
        let rest = realm.split_once("://").expect("an absolute realm").1;
        rest[rest.find('/').expect("a realm with a path")..].to_owned()
    }

    /// A parameter of the challenge that a caller without credentials gets.
    pub fn challenge(&self, parameter: &str) -> String {
        let nobody = Self { authorization: None, ..self.clone() };
        let answer = nobody.get("/v2/").expect(401);
        let challenge = answer.header("www-authenticate").expect("a challenge").to_owned();
        let after = challenge.split_once(&format!("{parameter}=\"")).unwrap_or_else(|| panic!("{challenge}")).1;
        after.split('"').next().unwrap_or_default().to_owned()
    }

    /// GET; fails if there is no whole answer.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// HEAD; fails if there is no whole answer.
    pub fn head(&self, path: &str) -> Answer {
        self.send("HEAD", path, &[], b"").unwrap_or_else(|error| panic!("HEAD {path}: {error}"))
    }

    /// Sends a request with its whole body and reads the whole answer.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        let mut stream = self.start(method, path, headers, body.len())?;
        // A server that refuses may answer and close before it has read it all: the answer counts.
        let sent = stream.write_all(body);
        match read_answer(&stream, method == "HEAD") {
            Err(error) if sent.is_ok() => Err(error),
            Err(_) => Err(sent.unwrap_err()),
            answer => answer,
        }
    }

    /// Sends only the head of a request whose body has `length` bytes.
    pub fn start(&self, method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> io::Result<UnixStream> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        stream.set_write_timeout(Some(Duration::from_mins(1)))?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.host);
        if let Some(authorization) = &self.authorization {
            head += &format!("Authorization: {authorization}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        Ok(stream)
    }

    /// Sends JSON and reads the whole answer.
    pub fn json(&self, method: &str, path: &str, body: &serde_json::Value) -> Answer {
        let headers = [("Content-Type", "application/json")];
        let answer = self.send(method, path, &headers, body.to_string().as_bytes());
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// DELETE; fails if there is no whole answer.
    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], b"").unwrap_or_else(|error| panic!("DELETE {path}: {error}"))
    }

    /// The same with a token as it is.
    pub fn bearer(&self, token: &str) -> Self {
        Self { authorization: Some(format!("Bearer {token}")), ..self.clone() }
    }

    /// Opens an upload; its path.
    pub fn upload(&self, repo: &str) -> io::Result<String> {
        let answer = self.send("POST", &format!("/v2/{repo}/blobs/uploads/"), &[], b"")?;
        let location = expect(answer, 202)?.header("location").unwrap_or_default().to_owned();
        // Absolute or relative, both are allowed.
        Ok(location.find("/v2/").map_or(location.clone(), |at| location[at..].to_owned()))
    }

    /// Pushes a blob in one request; its digest.
    pub fn push_blob(&self, repo: &str, bytes: &[u8]) -> io::Result<String> {
        let digest = digest_of(bytes);
        let path = format!("/v2/{repo}/blobs/uploads/?digest={digest}");
        expect(self.send("POST", &path, &[("Content-Type", "application/octet-stream")], bytes)?, 201)?;
        Ok(digest)
    }

    /// Pushes a manifest under a tag or its digest.
    pub fn push_manifest(&self, repo: &str, reference: &str, kind: &str, manifest: &[u8]) -> io::Result<()> {
        let path = format!("/v2/{repo}/manifests/{reference}");
        expect(self.send("PUT", &path, &[("Content-Type", kind)], manifest)?, 201).map(drop)
    }

    /// Pushes an image with its blobs.
    pub fn push_image(&self, repo: &str, tag: &str, image: &Image) {
        for blob in [&image.config, &image.layer] {
            self.push_blob(repo, blob).expect("a pushed blob");
        }
        self.push_manifest(repo, tag, Image::MEDIA_TYPE, &image.manifest).expect("a pushed manifest");
    }

    /// The digest that a tag stands for, as the server says.
    pub fn digest(&self, repo: &str, tag: &str) -> String {
        let answer = self.head(&format!("/v2/{repo}/manifests/{tag}")).expect(200);
        answer.header("docker-content-digest").expect("a digest").to_owned()
    }

    /// The tags of a repository.
    pub fn tags(&self, repo: &str) -> Vec<String> {
        let list = self.get(&format!("/v2/{repo}/tags/list")).expect(200).json();
        let tags = list["tags"].as_array().expect("tags").iter();
        tags.map(|tag| tag.as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// Another status than hoped for, as an error: whoever pushes while the server is killed decides what it means.
fn expect(answer: Answer, status: u16) -> io::Result<Answer> {
    if answer.status == status {
        Ok(answer)
    } else {
        Err(io::Error::other(format!("{}: {}", answer.status, answer.text())))
    }
}
