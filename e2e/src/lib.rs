//! The harness of the end-to-end tests: real processes, each in a folder of its own, each ended by its own id.
//!
//! What it keeps true for every test: no client sees this machine's environment or another test's files, and no server
//! passes that logged an unexpected WARN or ERROR, left an upload behind, or did not end on SIGTERM.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    clippy::must_use_candidate,
    clippy::format_push_string,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is test code: it says bluntly what it expects, and its output is read by people"
)]

mod client;
mod daemon;
mod http;
mod image;
mod issuer;
mod layout;
mod machine;
mod program;
mod relay;
mod running;
mod sandbox;
mod terminal;
mod wharf;

pub use client::Api;
pub use daemon::Daemon;
pub use http::{Answer, read_answer};
pub use image::{Hasher, Image, blob, digest_of, index_of};
pub use issuer::CiIssuer;
pub use layout::Layout;
pub use machine::{free_port, number, run_id, say, since_start, variable, wait_for};
pub use program::{Ran, split, tool};
pub use relay::{Relay, Sent};
pub use running::Running;
pub use sandbox::Sandbox;
pub use terminal::Terminal;
pub use wharf::{Setup, Wharf, binary, run_wharf};
