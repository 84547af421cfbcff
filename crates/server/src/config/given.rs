//! What a source says about one setting.

use super::{Origin, Raw, Setting};

/// A value for a setting that exists.
pub(super) struct Given {
    pub(super) setting: &'static Setting,
    /// An error when it is of a kind that the setting cannot have at all.
    pub(super) raw: Result<Raw, String>,
    pub(super) origin: Origin,
}
