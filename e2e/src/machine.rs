//! The machine around the tests: the one place that reads its environment, its clock and its ports.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A variable of the tests, `WHARF_E2E_<name>`.
#[expect(clippy::disallowed_methods, reason = "the tests are set by their own variables, not by server::config")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(format!("WHARF_E2E_{name}")).ok().filter(|value| !value.is_empty())
}

/// As [`variable`], a number.
pub fn number(name: &str, default: u64) -> u64 {
    variable(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("WHARF_E2E_{name}: not a number")))
}

/// Says something that whoever runs the tests must see: `println!` in a test that passes is swallowed.
pub fn say(text: &str) {
    let _ = std::io::stdout().write_all(format!("e2e: {text}\n").as_bytes());
}

/// How long this process runs. Tests measure real programs, in real time.
#[expect(clippy::disallowed_methods, reason = "real programs take real time")]
pub fn since_start() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Another number in every run.
#[expect(clippy::disallowed_methods, reason = "the wall clock is what differs from run to run")]
pub fn run_id() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos() & u128::from(u64::MAX)).unwrap_or_default()
}

/// Asks again every 10 ms until there is an answer; fails after `seconds`.
pub fn wait_for<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = since_start() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(since_start() < end, "waited {seconds} s in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A port that nobody has. Below the range from which the kernel takes ports for outgoing connections, and never the same
/// twice in a process: between looking and listening nobody else takes it.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    let offset = u16::try_from(std::process::id() % 120).unwrap_or_default() * 100;
    loop {
        let port = FIRST + (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
