//! The environment belongs to the whole process, and sockets are inherited over exec: this test runs itself again.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use super::*;

const CHILD: &str = "systemd::tests::child";

/// Does nothing unless run by the test below.
#[test]
#[ignore = "run by the other test"]
fn child() {
    let mut found = Vec::new();
    for socket in inherited().unwrap() {
        found.push(match socket {
            Inherited::Tcp(socket) => format!("tcp {}", socket.local_addr().unwrap()),
            Inherited::Unix(socket) => format!("unix {:?}", socket.local_addr().unwrap().as_pathname().unwrap()),
        });
    }
    ready(&found.join(", "));
    reloading();
    stopping();
}

#[test]
fn sockets_are_inherited_in_order_and_states_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("listen");
    let told = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    told.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (tcp, unix) = (TcpListener::bind("127.0.0.1:0").unwrap(), UnixListener::bind(&path).unwrap());
    // As systemd does it: the sockets become 3 and 4, LISTEN_PID the process that is about to be executed.
    let script =
        "exec 3<&0 4<&2 0</dev/null 2>/dev/null; LISTEN_PID=$$ LISTEN_FDS=2 exec \"$0\" --ignored --exact \"$1\"";
    let status = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(CHILD)
        .env("NOTIFY_SOCKET", folder.path().join("notify"))
        .stdin(Stdio::from(tcp.as_fd().try_clone_to_owned().unwrap()))
        .stderr(Stdio::from(unix.as_fd().try_clone_to_owned().unwrap()))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let next = || {
        let mut buffer = [0; 4096];
        let length = told.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert_eq!(next(), format!("READY=1\nSTATUS=tcp {}, unix {path:?}\n", tcp.local_addr().unwrap()));
    assert!(next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(next(), "STOPPING=1\n");
}
