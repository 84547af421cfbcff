//! `[limits]`

use std::time::Duration;

use super::setting::section;
use super::value::ByteSize;

section! {
    /// What callers may ask of the server. What goes beyond is refused with a sentence that names the limit.
    pub struct Limits in [limits] {
        /// Largest manifest that is accepted; at most 64MiB.
        manifest_size: ByteSize = ByteSize::mib(4);

        /// Largest header of a request, all fields together; at least 8KiB.
        header_size: ByteSize = ByteSize::kib(32);

        /// Longest path and query of a request; between 1KiB and 64KiB.
        url_size: ByteSize = ByteSize::kib(16);

        /// Time in which the header of a request must have arrived.
        header_timeout: Duration = Duration::from_secs(15);

        /// Longest silence within a request's body. The connection is cut then, and an upload can be resumed.
        body_idle: Duration = Duration::from_mins(1);

        /// Requests that may send bytes of an upload at the same time.
        uploads: u32 = 256;

        /// Open connections, over all listeners.
        connections: u32 = 4096;

        /// Time that running requests get to end after SIGTERM; `0s` gives none.
        drain: Duration = Duration::from_mins(1);

        /// Largest page of a tag list or of the catalog; whoever asks for more gets this many and a link to the next page.
        tags_page: u32 = 10_000;
    }
}
