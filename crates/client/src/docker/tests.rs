use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};

use tokio::io::AsyncReadExt as _;

use super::{Engine, Error, Host};

/// An engine that gives one answer; what it was asked, up to a word that ends it.
fn engine(answer: &'static str, until: &'static str) -> (tempfile::TempDir, Engine, Receiver<String>) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let (tell, heard) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut asked, mut block) = (String::new(), [0; 4096]);
        while !asked.contains(until) {
            let length = stream.read(&mut block).unwrap();
            asked += &String::from_utf8_lossy(&block[..length]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        tell.send(asked).unwrap();
    });
    let engine = Engine::new(Host::Unix(socket)).unwrap();
    (folder, engine, heard)
}

const HEAD: &str = "\r\n\r\n";

#[tokio::test]
async fn an_image_is_found_by_its_name() {
    let (_folder, engine, heard) = engine("HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n{\"Id\":\"sha256:abc\"}", HEAD);
    assert_eq!(engine.find("localhost:5000/team/app:v1").await.unwrap().as_deref(), Some("sha256:abc"));
    assert!(heard.recv().unwrap().starts_with("GET /images/localhost:5000/team/app:v1/json HTTP/1.1\r\n"));
}

#[tokio::test]
async fn an_image_that_is_not_there_is_none() {
    let (_folder, engine, _heard) = engine("HTTP/1.1 404 \r\ncontent-length: 2\r\n\r\n{}", HEAD);
    assert_eq!(engine.find("team/app:v1").await.unwrap(), None);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_engines_words() {
    let answer = "HTTP/1.1 500 \r\ncontent-length: 27\r\n\r\n{\"message\":\"no space left\"}";
    let (_folder, engine, _heard) = engine(answer, HEAD);
    let error = engine.save("team/app:v1").await.err().expect("should be refused");
    assert!(matches!(&error, Error::Refused { said, .. } if said == "no space left"), "{error}");
}

#[tokio::test]
async fn an_archive_that_is_cut_is_no_archive() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let (_folder, engine, _heard) = engine(answer, HEAD);
        let mut bytes = vec![];
        let error = engine.save("team/app:v1").await.unwrap().read_to_end(&mut bytes).await.unwrap_err().to_string();
        assert!(error.contains("stopped in the middle of its answer"), "{error}");
    }
}

#[tokio::test]
async fn what_the_engine_loaded_is_told() {
    let answer =
        "HTTP/1.1 200 OK\r\ncontent-length: 45\r\n\r\n{\"stream\":\"Loaded image: team/app:v1\\n\"}\n{}\n\n\n\n";
    let (_folder, engine, heard) = engine(answer, "0\r\n\r\n");
    assert_eq!(engine.load(&b"an archive"[..]).await.unwrap(), ["Loaded image: team/app:v1"]);
    let asked = heard.recv().unwrap();
    assert!(asked.starts_with("POST /images/load?quiet=1 ") && asked.contains("an archive"), "{asked}");
}

/// The status was sent before the archive was read.
#[tokio::test]
async fn a_failure_in_the_middle_of_loading_counts() {
    let line = r#"{"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"}"#;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{line}", line.len());
    let (_folder, engine, _heard) = engine(answer.leak(), "0\r\n\r\n");
    let error = engine.load(&b"half"[..]).await.unwrap_err();
    assert!(matches!(&error, Error::Refused { said, .. } if said == "unexpected EOF"), "{error}");
}

#[tokio::test]
async fn no_engine_is_an_error_that_says_where_it_was_to_be() {
    let engine = Engine::new(Host::Unix("/nowhere/docker.sock".into())).unwrap();
    let error = engine.find("team/app:v1").await.unwrap_err().to_string();
    assert!(error.starts_with("cannot reach docker at unix:///nowhere/docker.sock: "), "{error}");
}

#[tokio::test]
async fn an_engine_that_says_nothing_is_not_waited_for_to_find_an_image() {
    let (_folder, mut engine, _heard) = engine("", "never said");
    engine.answer = std::time::Duration::from_millis(50);
    let error = engine.find("team/app:v1").await.unwrap_err().to_string();
    assert!(error.contains("nothing came in time"), "{error}");
}

#[test]
fn hosts_are_sockets_or_addresses() {
    let parse = |text| Host::parse(text, Some(PathBuf::from("/certs")));
    assert_eq!(parse(Host::DEFAULT).unwrap(), Host::Unix("/var/run/docker.sock".into()));
    let tcp = Host::Tcp { address: "10.0.0.1:2376".into(), certificates: Some("/certs".into()) };
    assert_eq!(parse("tcp://10.0.0.1:2376").unwrap(), tcp);
    for bad in ["", "docker", "ssh://me@there", "unix://relative", "tcp://", "npipe:////./pipe/docker"] {
        assert!(matches!(parse(bad), Err(Error::Host(_))), "{bad}");
    }
}
