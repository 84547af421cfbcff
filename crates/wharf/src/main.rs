//! `wharf`: the registry and, in time, its client.

use std::process::ExitCode;

use clap::Parser;

/// A container registry that keeps what it is given.
#[derive(Debug, Parser)]
#[command(name = "wharf", version, propagate_version = true, arg_required_else_help = true)]
struct Wharf {
    #[command(subcommand)]
    command: wharf_server::Command,
}

fn main() -> ExitCode {
    Wharf::parse().command.run()
}
