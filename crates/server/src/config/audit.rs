//! `[audit]`

use std::time::Duration;

use wharf_client::syslog::Target;

use super::setting::section;
use super::value::{ByteSize, Item};

section! {
    /// The record of who did what: kept in the database, read with `wharf audit`.
    pub struct Audit in [audit] {
        /// How long it goes back; at least 1h.
        keep: Duration = Duration::from_hours(400 * 24);

        /// Room that it may take, about. When it is short, sign-ins, pushes and refusals go first, the oldest before the
        /// others; at least 1MiB.
        size: ByteSize = ByteSize::mib(1024);

        /// A syslog receiver that gets every record too (RFC 5424): `udp://host:514`, `tcp://host:514` or `unix:/dev/log`.
        /// It begins with what happens after the first start with this setting, and goes on where it stopped.
        syslog: Option<Target> = None;
    }
}

impl Item for Target {
    fn kind() -> String {
        "a syslog receiver, such as `udp://host:514`, `tcp://host:514` or `unix:/dev/log`".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}
