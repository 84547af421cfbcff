//! `[uploads]`

use std::time::Duration;

use super::setting::section;
use super::value::ByteSize;

section! {
    /// Uploads that are begun and not yet complete.
    pub struct Uploads in [uploads] {
        /// Time without a byte after which an upload is forgotten and its space returned; at least 1m.
        expire: Duration = Duration::from_hours(24);

        /// A long upload saves how far it is every so many bytes: what is lost at most when the server dies. From
        /// 1MiB to 64MiB.
        checkpoint: ByteSize = ByteSize::mib(16);
    }
}
