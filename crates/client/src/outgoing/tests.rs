use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const LIMIT: usize = 1024;

fn allowing(networks: &[&str]) -> Settings {
    let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
    Settings { allow: Allowed::new(networks), ..Settings::default() }
}

/// Names resolve to each of these in turn, and then to the last.
fn answering(settings: Settings, answers: &[&[&str]]) -> Outgoing {
    let parse = |list: &&[&str]| list.iter().map(|address| address.parse().unwrap()).collect();
    let answers: Mutex<VecDeque<Vec<IpAddr>>> = Mutex::new(answers.iter().map(parse).collect());
    Outgoing::resolving(
        settings,
        Arc::new(move |_| {
            let mut answers = answers.lock().unwrap();
            let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            async move { Ok(next.unwrap()) }.boxed()
        }),
    )
}

/// A server that says `answer` to whatever it hears; counts connections.
async fn saying(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            seen.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                // Held open when it has not said everything.
                let _ = stream.read(&mut buffer).await;
            });
        }
    });
    (port, count)
}

async fn get(outgoing: &Outgoing, url: &str) -> Result<Answer, Error> {
    outgoing.ask(&url.parse().unwrap(), Ask::Get(HeaderMap::new()), LIMIT).await
}

#[tokio::test]
async fn an_allowed_network_is_reached_in_clear() {
    let (port, _) = saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
    let outgoing = answering(allowing(&["127.0.0.0/8"]), &[&["127.0.0.1"]]);
    let answer = get(&outgoing, &format!("http://issuer.example:{port}/")).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"hi"[..]));
}

#[tokio::test]
async fn no_spelling_of_a_local_address_is_connected_to() {
    let (port, count) = saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let outgoing = Outgoing::new(Settings::default());
    let hosts = ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1.", "0", "[::1]", "[::]"];
    let more = ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "localhost"];
    for scheme in ["http", "https"] {
        for host in hosts.iter().chain(&more) {
            let refused = get(&outgoing, &format!("{scheme}://{host}:{port}/")).await.unwrap_err();
            assert!(matches!(refused, Error::Refused { .. }), "{host}: {refused}");
            assert!(refused.to_string().contains("outgoing.allow"), "{refused}");
        }
    }
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused() {
    let outgoing = answering(Settings::default(), &[&["10.0.0.1", "169.254.169.254"]]);
    let refused = get(&outgoing, "https://issuer.example/").await.unwrap_err();
    let Error::Refused { host, what, .. } = refused else { panic!("{refused}") };
    assert_eq!((host.as_str(), what), ("issuer.example", "a cloud's metadata service"));
}

/// DNS rebinding: what is checked and what is connected to is one and the same answer of the resolver.
#[tokio::test]
async fn a_name_that_changes_its_mind_is_refused() {
    let (port, count) = saying("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
    let outgoing = answering(allowing(&["127.0.0.1/32"]), &[&["127.0.0.1"], &["127.0.0.2"]]);
    let url = format!("http://issuer.example:{port}/");
    get(&outgoing, &url).await.unwrap();
    assert!(matches!(get(&outgoing, &url).await, Err(Error::Refused { .. })));
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_are_tried() {
    let (port, _) = saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let outgoing = answering(allowing(&["127.0.0.1/32"]), &[&["10.0.0.1", "127.0.0.1"]]);
    get(&outgoing, &format!("http://issuer.example:{port}/")).await.unwrap();
}

#[tokio::test]
async fn the_public_internet_is_not_asked_in_clear() {
    let outgoing = answering(Settings::default(), &[&["1.1.1.1"]]);
    for url in ["http://issuer.example/", "http://1.1.1.1/"] {
        let refused = get(&outgoing, url).await.unwrap_err();
        assert!(matches!(refused, Error::InClear { .. }), "{url}: {refused}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (port, count) = saying("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/x\r\ncontent-length: 0\r\n\r\n").await;
    let outgoing = Outgoing::new(allowing(&["127.0.0.0/8"]));
    let refused = get(&outgoing, &format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(matches!(refused, Error::Redirected { .. }), "{refused}");
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    const ENDLESS: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n400\r\n";
    const DECLARED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    let long: &'static str = format!("{ENDLESS}{}\r\n400\r\n{}\r\n", "x".repeat(0x400), "x".repeat(0x400)).leak();
    let outgoing = Outgoing::new(allowing(&["127.0.0.0/8"]));
    for answer in [long, DECLARED] {
        let (port, _) = saying(answer).await;
        let refused = get(&outgoing, &format!("http://127.0.0.1:{port}/")).await.unwrap_err();
        assert!(matches!(refused, Error::TooLarge { limit: LIMIT, .. }), "{refused}");
    }
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for() {
    let (port, _) = saying("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await;
    let patience = Patience { connect: Duration::from_secs(1), total: Duration::from_millis(100) };
    let outgoing = Outgoing::new(Settings { patience, ..allowing(&["127.0.0.0/8"]) });
    let refused = get(&outgoing, &format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(matches!(refused, Error::TimedOut { .. }), "{refused}");
}

#[tokio::test]
async fn urls_that_are_no_place_to_go_are_refused() {
    let outgoing = Outgoing::new(Settings::default());
    for url in ["ftp://issuer.example/", "file:///etc/passwd", "https://user:hunter2@issuer.example/", "data:,x"] {
        let refused = get(&outgoing, url).await.unwrap_err();
        assert!(matches!(refused, Error::Url { .. }), "{url}: {refused}");
        assert!(!refused.to_string().contains("hunter2"), "{refused}");
    }
}
