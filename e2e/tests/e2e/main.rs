//! Wharfinger from outside: real processes, real clients, real signals.
//!
//! `WHARF_E2E_WHARF` tests another binary than this workspace's; `_KILLS` and `_SEED` set the rounds of `kill` and repeat
//! them; `_LARGE_MIB` sets the size of `large`, `_PUSH_MIB` of `carrying::resuming`; `_ORAS`, `_CONFORMANCE_V111` and `_CONFORMANCE` say where the programs are that no package registry has;
//! `_NO_PTRACE=1` does without the test that needs strace.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is test code: it says bluntly what it expects, and its output is read by people"
)]

mod access;
mod api_properties;
mod carrying;
mod cli;
mod clients;
mod conformance;
mod disk_full;
mod file_order;
mod images;
mod kill;
mod large;
mod operations;
