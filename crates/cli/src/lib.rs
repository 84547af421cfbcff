//! The user's commands: what a person does with their servers from their own machine.
//!
//! A command reads its words, makes calls by [`wharf_client::server`], and prints what came back: for people as a table,
//! with `--json` as the API has it. Secrets come from a terminal, standard input or a file of mode 0600, never from the
//! command line, where every user of the machine could read them.

mod acts;
mod ask;
mod at_hand;
mod budget;
mod certificates;
mod command;
mod comparison;
mod completing;
mod contexts;
mod copy;
mod environment;
mod error;
mod habits;
mod helper;
mod inspection;
mod keyring;
mod listing;
mod local;
mod nouns;
mod opened;
mod origin;
mod output;
mod packing;
mod papers;
mod parse;
mod place;
mod progress;
mod reach;
mod registries;
mod session;
mod sides;
mod sign_ins;
mod stream;
mod sync;
mod target;
mod verb;

pub use command::Command;
use error::{Error, Result};
pub use habits::Habits;
pub use helper::helped;
pub use papers::{EXIT_CODES, FILES};
