//! Pushes that are killed or interrupted go on where the registry says that they were. Bytes are counted between the two, in
//! a relay that holds an upload at a point while its client dies. `WHARF_E2E_PUSH_MIB` sets the size.

use wharf_e2e::{Daemon, Layout, Relay, Sandbox, Sent, Setup, Wharf, free_port, number, say};

use super::Goal;

const MIB: u64 = 1 << 20;
/// What the client sends in one request.
const CHUNK: u64 = 16 * MIB;
const KILLS: u64 = 10;
/// Manifests, configurations and the like, in all requests of one run.
const SMALL: u64 = 16 * 1024;

/// What one blob's uploads had come to.
struct Counted {
    size: u64,
    /// Where the bytes of the last run ended.
    reached: u64,
    total: u64,
    again: Vec<u64>,
}

impl Counted {
    fn new(size: u64) -> Self {
        Self { size, reached: 0, total: 0, again: vec![] }
    }

    /// Takes what passed in one run.
    fn run(&mut self, sent: &[Sent]) {
        // Not the small blobs and manifests.
        let is_chunk = |sent: &&Sent| match &*sent.method {
            "PATCH" => sent.passed > 0,
            "PUT" => sent.passed > if sent.first > 0 { 0 } else { SMALL },
            _ => false,
        };
        let chunks = || sent.iter().filter(is_chunk);
        let first = chunks().map(|sent| sent.first).min().unwrap_or(self.reached);
        assert!(first <= self.reached, "bytes {} to {first} were never sent", self.reached);
        self.again.push(self.reached - first);
        self.reached = chunks().map(Sent::end).max().unwrap_or(self.reached);
        self.total += sent.iter().map(|sent| sent.passed).sum::<u64>();
    }

    /// Fails unless each run sent less than a chunk again.
    fn judge(&self, what: &str) {
        let again: Vec<String> = self.again.iter().map(|again| (again / 1024).to_string()).collect();
        say(&format!("{what}: {} MiB; sent again each time, in KiB: {}", self.size / MIB, again.join(", ")));
        assert!(self.again.iter().all(|again| *again < CHUNK), "more than a chunk was sent again");
        let most = self.size + self.again.iter().sum::<u64>() + SMALL * self.again.len() as u64;
        assert!((self.size..=most).contains(&self.total), "{} bytes passed, of at most {most}", self.total);
        assert_eq!(self.reached, self.size);
    }
}

#[test]
fn a_push_that_is_killed_ten_times_sends_less_than_a_chunk_again_each_time() {
    // Those of small blobs are not gone on with, and stay until they expire.
    let wharf = Setup::new().keeps_uploads().start();
    let relay = Relay::to(&wharf.host());
    let goal = Goal::wharfinger(&wharf, relay.host());
    let mib = number("PUSH_MIB", 200);
    let layout = Layout::of_layers(&goal.sandbox.path("layout"), &[mib]);
    let (copy, mut counted) = (goal.copy_from(&goal.sandbox.at("layout")), Counted::new(mib * MIB));
    let mut random = fastrand::Rng::new();
    relay.drain();
    for kill in 0..KILLS {
        // Anywhere in a chunk, and further on each time.
        let tenth = mib * MIB / KILLS;
        relay.hold_at(kill * tenth + random.u64(tenth / 4..tenth));
        let running = goal.sandbox.start(&copy, "copy.log");
        relay.wait_until_it_holds();
        running.kill();
        counted.run(&relay.drain());
    }
    goal.sandbox.ok(&copy);
    counted.run(&relay.drain());
    counted.judge("killed");
    goal.assert_same(&layout.layers[0], &layout.file(&layout.layers[0])).ok();
    assert!(goal.notes().is_empty(), "notes stay: {:?}", goal.notes());
}

#[test]
fn a_push_that_is_interrupted_says_so_and_is_gone_on_with() {
    // Those of small blobs are not gone on with, and stay until they expire.
    let wharf = Setup::new().keeps_uploads().start();
    let relay = Relay::to(&wharf.host());
    let goal = Goal::wharfinger(&wharf, relay.host());
    let layout = Layout::of_layers(&goal.sandbox.path("layout"), &[64]);
    let (copy, mut counted) = (goal.copy_from(&goal.sandbox.at("layout")), Counted::new(64 * MIB));
    relay.drain();
    relay.hold_at(40 * MIB);
    let running = goal.sandbox.start(&copy, "copy.log");
    relay.wait_until_it_holds();
    assert_eq!(running.interrupt().code(), Some(130));
    counted.run(&relay.drain());
    assert!(!goal.notes().is_empty());
    goal.sandbox.ok(&copy);
    counted.run(&relay.drain());
    counted.judge("interrupted");
    goal.assert_same(&layout.layers[0], &layout.file(&layout.layers[0])).ok();
    assert!(goal.notes().is_empty(), "notes stay: {:?}", goal.notes());
}

#[test]
fn a_registry_that_is_killed_and_started_anew_during_a_push_is_waited_for() {
    let mut wharf = Setup::new().keeps_uploads().start();
    let relay = Relay::to(&wharf.host());
    let goal = Goal::wharfinger(&wharf, relay.host());
    let layout = Layout::of_layers(&goal.sandbox.path("layout"), &[64]);
    relay.drain();
    relay.hold_at(40 * MIB);
    let running = goal.sandbox.start(&goal.copy_from(&goal.sandbox.at("layout")), "copy.log");
    relay.wait_until_it_holds();
    wharf.kill();
    // Cuts what is held, and lets through who finds nobody there.
    relay.drain();
    wharf.restart();
    running.peak_mib();
    let again: u64 = relay.drain().iter().map(|sent| sent.passed).sum();
    assert!(again < 64 * MIB, "{again} bytes were sent after the registry was back");
    goal.assert_same(&layout.layers[0], &layout.file(&layout.layers[0])).ok();
    assert!(goal.notes().is_empty(), "notes stay: {:?}", goal.notes());
}

#[test]
fn a_push_to_docker_registry_is_gone_on_with_after_a_kill_between_chunks() {
    let (goal, relay, _registry) = docker_registry();
    let layout = Layout::of_layers(&goal.sandbox.path("layout"), &[64]);
    let (copy, mut counted) = (goal.copy_from(&goal.sandbox.at("layout")), Counted::new(64 * MIB));
    for point in [CHUNK, 3 * CHUNK] {
        relay.hold_before(point);
        let running = goal.sandbox.start(&copy, "copy.log");
        relay.wait_until_it_holds();
        running.kill();
        counted.run(&relay.drain());
    }
    goal.sandbox.ok(&copy);
    counted.run(&relay.drain());
    counted.judge("killed before Debian's docker-registry");
    goal.assert_same(&layout.layers[0], &layout.file(&layout.layers[0])).ok();
    assert!(goal.notes().is_empty(), "notes stay: {:?}", goal.notes());
}

/// The address of an upload holds, signed by the registry, the offset of its last answer. It keeps what came of the chunk
/// that was cut, and then refuses that address, the question how far the upload came too, because its file is longer
/// (distribution 2.8, `blobUploadDispatcher`; 3.0 answers the question). So all is sent again, and no more than that.
#[test]
fn a_push_to_docker_registry_begins_anew_after_a_kill_within_a_chunk() {
    let (goal, relay, _registry) = docker_registry();
    let layout = Layout::of_layers(&goal.sandbox.path("layout"), &[40]);
    let (copy, mut counted) = (goal.copy_from(&goal.sandbox.at("layout")), Counted::new(40 * MIB));
    let killed_at = 20 * MIB;
    relay.hold_at(killed_at);
    let running = goal.sandbox.start(&copy, "copy.log");
    relay.wait_until_it_holds();
    running.kill();
    counted.run(&relay.drain());
    goal.sandbox.ok(&copy);
    counted.run(&relay.drain());
    say(&format!("killed within a chunk, before docker-registry: {} KiB sent again", counted.again[1] / 1024));
    assert!(counted.total <= counted.size + counted.again[1] + 2 * SMALL, "{} bytes passed", counted.total);
    assert!(counted.again[1] <= killed_at + MIB, "more than all of it");
    goal.assert_same(&layout.layers[0], &layout.file(&layout.layers[0])).ok();
    assert!(goal.notes().is_empty(), "notes stay: {:?}", goal.notes());
}

/// Debian's, and the way there.
fn docker_registry() -> (Goal, Relay, Daemon) {
    let (mut sandbox, port) = (Sandbox::of(&Wharf::start()), free_port());
    // Which the registry would take for a setting of its own.
    sandbox.unset("REGISTRY_AUTH_FILE");
    let folder = sandbox.at("registry");
    let config = format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nhttp: {{addr: '127.0.0.1:{port}', secret: s}}\n\
         storage: {{filesystem: {{rootdirectory: {folder}}}}}\n"
    );
    sandbox.write("registry.yml", &config);
    let peer = format!("127.0.0.1:{port}");
    let ready = || std::net::TcpStream::connect(&peer).is_ok();
    let line = format!("docker-registry serve {}", sandbox.at("registry.yml"));
    let registry = sandbox.daemon(&line, "registry.log", ready);
    let relay = Relay::to(&peer);
    (Goal { sandbox, host: relay.host(), curl: "curl -sSf".into() }, relay, registry)
}
