//! `wharf`: the registry and its client.

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

mod help;
mod papers;

/// A container registry that keeps what it is given.
#[derive(Debug, Parser)]
#[command(name = "wharf", version, propagate_version = true, arg_required_else_help = true)]
struct Wharf {
    #[command(flatten)]
    habits: wharf_cli::Habits,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    User(wharf_cli::Command),
    #[command(flatten)]
    Server(Box<wharf_server::Command>),
    #[command(flatten)]
    Papers(papers::Papers),
}

fn main() -> ExitCode {
    if let Some(ended) = wharf_cli::helped(std::env::args_os()) {
        return ended;
    }
    papers::complete(|| help::grouped(Wharf::command()));
    let matches = help::grouped(Wharf::command()).get_matches();
    match Wharf::from_arg_matches(&matches) {
        Ok(Wharf { command: Command::Server(command), .. }) => command.run(),
        Ok(Wharf { command: Command::User(command), .. }) => command.run(),
        Ok(Wharf { command: Command::Papers(papers), .. }) => papers.run(help::grouped(Wharf::command())),
        Err(error) => error.exit(),
    }
}
