use std::time::Duration;

use wharf_meta::Millis;

/// What time it is: asked here only, so that tests can say.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970 UTC.
    fn now(&self) -> Millis;

    /// Time since some moment of this process's: it never steps, whatever is done to the machine's clock.
    fn elapsed(&self) -> Duration;
}
