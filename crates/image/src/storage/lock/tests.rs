use std::fs::File;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::shared;

/// Another process holds it, as podman does: record locks do not keep a process from itself.
#[test]
fn who_writes_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("images.lock");
    File::create(&lock).unwrap();
    // flock(1) takes locks of another kind; python3 is not everywhere. So this test is its own other process.
    let this = std::env::current_exe().unwrap();
    let mut other = Command::new(this);
    other
        .args(["storage::lock::tests::other_process", "--exact", "--ignored", "--nocapture"])
        .env("WHARF_TEST_LOCK", &lock);
    let mut other = other.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = std::io::BufReader::new(other.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("locked") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut output, &mut line).unwrap() > 0, "the other process ended");
    }
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        shared(&lock, || {
            sender.send(()).unwrap();
            Ok(())
        })
    });
    assert!(receiver.recv_timeout(Duration::from_millis(200)).is_err(), "read while another writes");
    drop(other.stdin.take());
    receiver.recv_timeout(Duration::from_secs(20)).unwrap();
    reader.join().unwrap().unwrap();
    assert!(other.wait().unwrap().success());
}

#[test]
#[ignore = "the other process of who_writes_is_waited_for"]
#[expect(clippy::disallowed_methods, reason = "what its parent tells it")]
fn other_process() {
    let lock = File::options().write(true).open(std::env::var("WHARF_TEST_LOCK").unwrap()).unwrap();
    rustix::fs::fcntl_lock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    std::io::Write::write_all(&mut std::io::stdout(), b"locked\n").unwrap();
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
}

#[test]
fn a_storage_without_locks_is_read() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(shared(&folder.path().join("images.lock"), || Ok(7)).unwrap(), 7);
}
