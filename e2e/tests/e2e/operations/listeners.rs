//! Where a server answers, and how it says that it is well.

use wharf_e2e::{Sandbox, Setup, Wharf, free_port, run_wharf, wait_for};

#[test]
fn health_and_metrics_are_served_without_credentials() {
    let wharf = Wharf::start();
    let api = wharf.anonymous();
    api.get("/livez").expect(200);
    assert_eq!(api.get("/readyz").expect(200).json()["status"], "ready");
    let metrics = api.get("/metrics").expect(200);
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(metrics.text().ends_with("# EOF\n"), "{}", metrics.text());
}

#[test]
fn metrics_may_have_a_listener_of_their_own() {
    let port = free_port();
    let wharf = Setup::new().flags(&format!("--set metrics.listen=127.0.0.1:{port}")).start();
    let sandbox = Sandbox::of(&wharf);
    let metrics = sandbox.ok(&format!("curl -sSf http://127.0.0.1:{port}/metrics"));
    assert!(metrics.ends_with("# EOF"), "{metrics}");
    sandbox.run(&format!("curl -sSf {}/metrics", wharf.url())).fails_with("404");
    sandbox.run(&format!("curl -sSf http://127.0.0.1:{port}/v2/")).fails_with("404");
}

#[test]
fn a_unix_socket_speaks_plainly_and_may_be_the_only_listener() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let wharf = Setup::new().tls().start();
    let curl = format!("curl -sSf --unix-socket {} http://x/livez", wharf.socket().display());
    Sandbox::of(&wharf).ok(&curl);
    // A folder in which no socket can be made is an error that names it.
    run_wharf(&format!("serve --listen unix:{at}/no/such/s --data {at}/data"), "").fails_with("/no/such");
    // Nor is a file in the way removed.
    std::fs::write(folder.path().join("file"), "precious").unwrap();
    for command in ["serve", "config check"] {
        run_wharf(&format!("{command} --listen unix:{at}/file --data {at}/data"), "").fails_with("is not a socket");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "precious");
}

#[test]
fn a_socket_from_systemd_is_served() {
    let wharf = Wharf::start(); // builds the binary, and gives clients their sandbox
    let (sandbox, port) = (Sandbox::of(&wharf), free_port());
    // Perl, which every Debian has, stands in for systemd: descriptor 3 listens, and exec keeps the process's id.
    let listen = "use IO::Socket::INET; use POSIX (); $^F = 9; my $port = shift;\n\
                  my $s = IO::Socket::INET->new(Listen => 9, LocalAddr => \"127.0.0.1:$port\") or die;\n\
                  POSIX::dup2(fileno($s), 3); @ENV{'LISTEN_FDS', 'LISTEN_PID'} = (1, $$); exec @ARGV;\n";
    sandbox.write("activate.pl", listen);
    let (script, data) = (sandbox.at("activate.pl"), sandbox.at("data"));
    let line = format!("perl {script} {port} {} serve --data {data}", wharf_e2e::binary().display());
    let url = format!("curl -sSf http://127.0.0.1:{port}/livez");
    let server = sandbox.daemon(&line, "activated.log", || sandbox.run(&url).status.success());
    assert!(server.printed().contains(&format!("127.0.0.1:{port}")), "{}", server.printed());
}

#[test]
fn systemd_is_told_when_the_server_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut wharf = Setup::new().env("NOTIFY_SOCKET", &path.display().to_string()).start();
    let said = |words: &str| {
        wait_for(words, 10, || {
            let mut bytes = [0; 4096];
            let length = socket.recv(&mut bytes).ok()?;
            String::from_utf8_lossy(&bytes[..length]).contains(words).then_some(())
        });
    };
    said("READY=1");
    wharf.stop();
    said("STOPPING=1");
}
