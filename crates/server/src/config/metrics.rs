//! `[metrics]`

use super::setting::section;
use super::value::Listen;

section! {
    /// Numbers for Prometheus, in the OpenMetrics format.
    pub struct Metrics in [metrics] {
        /// An address of its own for `/metrics`. Without it, `/metrics` is on the main listeners.
        listen: Option<Listen> = None;
    }
}
