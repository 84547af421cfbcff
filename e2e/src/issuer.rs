//! A CI system's issuer of tokens, for servers and clients that are other processes.

use std::time::SystemTime;

use serde_json::json;
use tokio::runtime::Runtime;
use wharf_testkit::clock::{Clock as _, ManualClock};
use wharf_testkit::issuer::Issuer;

/// An issuer on loopback whose time is this machine's at its start.
pub struct CiIssuer {
    issuer: Issuer,
    // Dropped after the issuer, whose task runs on it.
    _runtime: Runtime,
}

impl CiIssuer {
    /// What its tokens are for.
    pub const AUDIENCE: &'static str = "wharf.example";

    /// Starts it.
    pub fn start() -> Self {
        let (runtime, clock) = Self::runtime();
        let issuer = runtime.block_on(Issuer::start(&clock));
        Self { issuer, _runtime: runtime }
    }

    /// As [`CiIssuer::start`], with TLS; and the authority of its certificate, as PEM.
    pub fn start_tls() -> (Self, String) {
        let (runtime, clock) = Self::runtime();
        let (issuer, authority) = runtime.block_on(Issuer::start_tls(&clock));
        (Self { issuer, _runtime: runtime }, authority)
    }

    #[expect(clippy::disallowed_methods, reason = "the server it issues tokens for goes by the real time")]
    fn runtime() -> (Runtime, ManualClock) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let clock = ManualClock::default();
        clock.set(i64::try_from(now.as_millis()).unwrap());
        assert!(clock.now() > 0);
        (runtime, clock)
    }

    /// Its name.
    pub fn url(&self) -> String {
        self.issuer.url()
    }

    /// The token of a job of `repository` on `branch`, as GitHub Actions gives it.
    pub fn job(&self, repository: &str, branch: &str) -> String {
        self.issuer.github(repository, &format!("refs/heads/{branch}"), Self::AUDIENCE, json!({}))
    }

    /// As [`CiIssuer::job`], of a job that ended long ago.
    pub fn old_job(&self, repository: &str, branch: &str) -> String {
        let past = 3600;
        let now = self.issuer.now();
        let over = json!({ "iat": now - past, "nbf": now - past, "exp": now - past / 2 });
        self.issuer.github(repository, &format!("refs/heads/{branch}"), Self::AUDIENCE, over)
    }
}
