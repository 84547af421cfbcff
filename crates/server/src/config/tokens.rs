//! `[tokens]`

use std::time::Duration;

use super::setting::section;

section! {
    /// Tokens that clients get for their password at `/token`.
    pub struct Tokens in [tokens] {
        /// How long a token is good for; at least 60s, because clients take shorter ones for 60 seconds long.
        lifetime: Duration = Duration::from_mins(5);

        /// How long a refresh token is good for; no shorter than `tokens.lifetime`.
        refresh_lifetime: Duration = Duration::from_hours(90 * 24);
    }
}
