//! What goes out, against servers that behave and servers that do not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod issuers;
mod registry;
mod signing_in;
mod tokens;

use std::time::Duration;

use wharf_client::oidc::Issuers;
use wharf_client::outgoing::{Allowed, Outgoing, Patience, Settings};
use wharf_testkit::clock::Clock as _;
use wharf_testkit::clock::ManualClock;
use wharf_testkit::issuer::Issuer;

/// An issuer, whoever verifies its tokens, and the time for both.
struct Scene {
    issuer: Issuer,
    issuers: Issuers,
    clock: ManualClock,
}

impl Scene {
    async fn new() -> Self {
        let clock = ManualClock::default();
        let issuer = Issuer::start(&clock).await;
        let patience = Patience { connect: Duration::from_secs(2), total: Duration::from_millis(500) };
        let allow = Allowed::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let outgoing = Outgoing::new(Settings { allow, patience, ..Settings::default() });
        Self { issuer, issuers: Issuers::new(outgoing), clock }
    }

    fn now(&self) -> i64 {
        self.clock.now()
    }
}
