use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::*;

fn message<'m>(data: &'m [(&'m str, &'m str)], text: &'m str) -> String {
    let time = "2027-01-15T08:00:00.123Z";
    let message =
        Message { severity: Severity::Notice, time, host: "quay 1", process: 7, kind: "grant.create", data, text };
    message.render()
}

#[test]
fn targets_are_read_and_written_alike() {
    for text in ["udp://log.example.com:5140", "tcp://[2001:db8::1]:601", "unix:/dev/log", "tcp://10.0.0.1:514"] {
        assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
    }
    assert_eq!("udp://log".parse(), Ok(Target::Udp("log".into(), 514)));
    assert_eq!("tcp://[::1]".parse(), Ok(Target::Tcp("::1".into(), 514)));
    assert_eq!("unix:///run/log".parse(), Ok(Target::Unix("/run/log".into())));
    for text in [
        "",
        "log:514",
        "http://log",
        "udp://",
        "udp://:514",
        "tcp://log:0",
        "tcp://log:70000",
        "tcp://log:x",
        "unix:",
        "unix:dev/log",
        "tcp://a b",
        "tcp://user@log",
        "tcp://log/path",
        "tcp://[log]:1",
        "tcp://[::1]x",
        "tcp://::1",
    ] {
        let error = text.parse::<Target>().unwrap_err();
        assert!(error.contains("expected udp://host:514"), "{error}");
    }
}

#[test]
fn a_message_is_of_rfc_5424() {
    assert_eq!(
        message(&[("actor", "alice"), ("target", "team/app:v1")], "alice created a grant"),
        "<109>1 2027-01-15T08:00:00.123Z quay1 wharf 7 grant.create [audit@32473 actor=\"alice\" \
         target=\"team/app:v1\"] alice created a grant"
    );
}

#[test]
fn nothing_inside_a_message_ends_it() {
    let line = message(&[("target", "a\"] <0>1 b\\\n\0é")], "one\r\n<0>1 two");
    assert!(line.ends_with("target=\"a\\\"\\] <0>1 b\\\\\u{fffd}\u{fffd}é\"] one\u{fffd}\u{fffd}<0>1 two"), "{line}");
}

#[test]
fn a_message_is_cut_at_what_receivers_take() {
    let line = message(&[("target", &"]".repeat(100_000))], &"é".repeat(100_000));
    assert!(line.len() > LONGEST - 2 && line.len() <= LONGEST);
    assert_eq!(line.matches("\\]").count(), LONGEST_VALUE / 2);
    let kind = "x".repeat(40);
    let message =
        Message { severity: Severity::Warning, time: "-", host: "\n", process: 1, kind: &kind, data: &[], text: "" };
    assert_eq!(message.render(), format!("<108>1 - - wharf 1 {} [audit@32473] ", "x".repeat(32)));
}

#[tokio::test]
async fn datagrams_carry_one_message_each() {
    let receiver = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let target = Target::Udp("127.0.0.1".into(), receiver.local_addr().unwrap().port());
    Syslog::new(target).send(&["one".into(), "two".into()]).await.unwrap();
    let mut buffer = [0; 100];
    for wanted in [&b"one"[..], b"two"] {
        let length = receiver.recv(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], wanted);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut syslog = Syslog::new(Target::Unix(path.clone()));
    assert!(syslog.send(&["lost".into()]).await.is_err(), "nobody listens");
    let receiver = UnixDatagram::bind(&path).unwrap();
    syslog.send(&["three".into()]).await.unwrap();
    let length = receiver.recv(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..length], b"three");
}

#[tokio::test]
async fn a_stream_counts_octets_and_is_opened_anew_when_it_was_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut syslog = Syslog::new(Target::Tcp("127.0.0.1".into(), listener.local_addr().unwrap().port()));
    syslog.send(&["one".into(), "zwölf".into()]).await.unwrap();
    let (mut first, _) = listener.accept().await.unwrap();
    let mut buffer = [0; 13];
    first.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, "3 one6 zwölf".as_bytes());
    // Still the same connection.
    syslog.send(&["two".into()]).await.unwrap();
    first.read_exact(&mut buffer[..5]).await.unwrap();
    drop(first);
    // The end may take a moment to arrive; what is sent before is lost, which no sender can know.
    while syslog.connection.as_ref().is_some_and(is_open) {
        tokio::task::yield_now().await;
    }
    syslog.send(&["three".into()]).await.unwrap();
    let (mut second, _) = listener.accept().await.unwrap();
    second.read_exact(&mut buffer[..7]).await.unwrap();
    assert_eq!(&buffer[..7], b"5 three");
}

#[tokio::test]
async fn a_receiver_that_is_down_is_an_error_and_not_a_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut syslog = Syslog::new(Target::Tcp("127.0.0.1".into(), port));
    assert!(syslog.send(&["one".into()]).await.is_err());
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    syslog.send(&["two".into()]).await.unwrap();
    listener.accept().await.unwrap();
}
