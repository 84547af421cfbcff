//! One file for each command of one word: what it takes, and what it says.

use clap::Args;
use wharf_oci::{Platform, Tag};

use crate::copy::{Options, Which};

pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod digest;
pub(crate) mod inspect;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod search;
pub(crate) mod storage_layer;
pub(crate) mod verify;

/// Which image of an index.
#[derive(Clone, Debug, Args)]
pub(crate) struct Choice {
    /// Which of several images, as os/architecture[/variant] [default: this machine's]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
}

impl Choice {
    fn platform(&self) -> Platform {
        self.platform.clone().unwrap_or_else(Platform::of_this_machine)
    }
}

/// What is carried, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct Carrying {
    /// All platforms, with their index
    #[arg(long, short, conflicts_with = "platform")]
    all: bool,
    #[command(flatten)]
    choice: Choice,
}

impl Carrying {
    fn options(&self) -> Options {
        let which = if self.all { Which::All } else { Which::For(self.choice.platform()) };
        Options { which, referrers: false }
    }
}

/// Names beside the one that is written out.
#[derive(Clone, Debug, Args)]
pub(crate) struct MoreTags {
    /// Another tag to give it; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<Tag>,
}
