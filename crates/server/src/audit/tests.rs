use std::os::unix::net::UnixDatagram;

use wharf_registry::{Actor, Caller, Credentials, Secret, Source};
use wharf_testkit::Boxed;

use super::*;

/// Makes a repository: a change with its row.
async fn change(b: &Boxed, name: &str) {
    b.meta.ensure_repository(&name.parse().unwrap(), &Actor::operator(), 1_800_000_000_123).await.unwrap();
}

fn forwarder(b: &Boxed, target: &Target) -> Forwarder {
    let (registry, host) = (Arc::clone(&b.registry), "quay".into());
    Forwarder { registry, syslog: Syslog::new(target.clone()), host, cursor: None, is_down: false }
}

/// What the receiver has got, without waiting.
fn received(socket: &UnixDatagram) -> Vec<String> {
    socket.set_nonblocking(true).unwrap();
    let (mut buffer, mut all) = ([0; 10_000], vec![]);
    while let Ok(length) = socket.recv(&mut buffer) {
        all.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
    }
    all
}

fn targets(messages: &[String]) -> Vec<&str> {
    let target = |message| str::split_once(message, " target=\"").unwrap().1;
    messages.iter().map(|message| target(message).split_once('"').unwrap().0).collect()
}

#[tokio::test]
async fn every_row_is_passed_on_once_it_is_written_and_across_restarts() {
    let b = Boxed::builder().fails().open().await;
    change(&b, "team/before").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let target = Target::Unix(path.clone());
    let mut first = forwarder(&b, &target);
    assert!(first.catch_up().await, "there is nothing to pass on yet, and nobody is asked");
    change(&b, "team/one").await;
    assert!(!first.catch_up().await, "nobody listens");
    let receiver = UnixDatagram::bind(&path).unwrap();
    change(&b, "team/two").await;
    assert!(first.catch_up().await);
    let messages = received(&receiver);
    assert_eq!(targets(&messages), ["team/one", "team/two"]);
    assert_eq!(
        messages[0],
        format!(
            "<109>1 2027-01-15T08:00:00.123Z quay wharf {} repository.create [audit@32473 id=\"3\" \
             actor=\"operator\" via=\"operator\" action=\"repository.create\" outcome=\"done\" org=\"team\" \
             target=\"team/one\" times=\"1\"] {{\"reason\":\"by a push\"}}",
            std::process::id()
        )
    );
    change(&b, "team/three").await;
    // As after a restart.
    assert!(forwarder(&b, &target).catch_up().await);
    assert_eq!(targets(&received(&receiver)), ["team/three"]);
    assert!(forwarder(&b, &target).catch_up().await);
    assert!(received(&receiver).is_empty());
}

#[tokio::test]
async fn what_could_not_be_remembered_as_passed_on_is_passed_on_again() {
    let b = Boxed::builder().fails().open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (target, receiver) = (Target::Unix(path.clone()), UnixDatagram::bind(&path).unwrap());
    let start = b.registry.audit_cursor(READER).await.unwrap();
    change(&b, "team/one").await;
    assert!(forwarder(&b, &target).catch_up().await);
    b.registry.keep_audit_cursor(READER, start).await.unwrap();
    assert!(forwarder(&b, &target).catch_up().await);
    assert_eq!(targets(&received(&receiver)), ["team", "team/one", "team", "team/one"]);
}

#[tokio::test]
async fn more_than_a_batch_is_passed_on_in_order() {
    let b = Boxed::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (target, receiver) = (Target::Unix(path.clone()), UnixDatagram::bind(&path).unwrap());
    b.registry.audit_cursor(READER).await.unwrap();
    let names: Vec<String> = (0..2 * BATCH + 5).map(|n| format!("team/app{n}")).collect();
    // A datagram socket holds few at a time.
    let draining = std::thread::spawn(move || {
        let (mut buffer, mut all) = (vec![0; 10_000], vec![]);
        while all.len() < 2 * BATCH + 6 {
            let length = receiver.recv(&mut buffer).unwrap();
            all.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
        all
    });
    for name in &names {
        change(&b, name).await;
    }
    assert!(forwarder(&b, &target).catch_up().await);
    assert_eq!(targets(&draining.join().unwrap())[1..], names);
}

#[tokio::test(start_paused = true)]
async fn what_requests_noted_is_written_within_a_second_and_swept() {
    let b = Boxed::builder().settings(|settings| settings.audit_keep = Duration::from_hours(1)).open().await;
    let (stop, stopped) = watch::channel(false);
    let tending = tokio::spawn(tend(Arc::clone(&b.registry), stopped));
    let credentials = Credentials::Basic { user: "admin".into(), password: Secret::new("secret") };
    let caller: Caller = b.registry.authenticate(credentials, Source::here()).await.unwrap();
    assert_eq!(caller.name(), "admin");
    while b.meta.newest_audit().await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    b.clock.advance(Duration::from_hours(2));
    while !b.registry.audit_feed(0, 10).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.send_replace(true);
    tending.await.unwrap();
}
