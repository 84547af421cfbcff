//! Where somebody wanted to go before they had to sign in. Only places of ours can be said at all.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wharf_oci::Query;

/// Letters of a device's code, however typed.
const CODE: usize = 20;

/// Where to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Their account.
    Account,
    /// A device that waits, by the code that was typed so far.
    Device(String),
}

impl Next {
    /// From a query or form; what says nothing known is the account.
    pub(super) fn of(query: &Query) -> Self {
        match query.get("to") {
            Some("device") => Self::device(query.get("user_code").unwrap_or_default()),
            _ => Self::Account,
        }
    }

    pub(super) fn device(code: &str) -> Self {
        Self::Device(code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(CODE).collect())
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Device(_) => "device",
        }
    }

    pub(super) fn code(&self) -> &str {
        match self {
            Self::Account => "",
            Self::Device(code) => code,
        }
    }

    /// What [`Next::of`] reads back.
    pub(super) fn query(&self) -> String {
        match self {
            Self::Account => String::new(),
            Self::Device(code) => format!("?to=device&user_code={}", utf8_percent_encode(code, NON_ALPHANUMERIC)),
        }
    }

    pub(super) fn path(&self) -> String {
        match self {
            Self::Account => "/account".into(),
            Self::Device(code) if code.is_empty() => "/device".into(),
            Self::Device(code) => format!("/device?user_code={}", utf8_percent_encode(code, NON_ALPHANUMERIC)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_ours_can_be_said() {
        let next = |raw: &str| Next::of(&Query::parse(Some(raw)));
        assert_eq!(next("to=device&user_code=BCDF-GHJK").path(), "/device?user_code=BCDF%2DGHJK");
        assert_eq!(next("to=device").path(), "/device");
        for raw in ["to=https://evil.example", "to=//evil.example", "to=/x", "", "to=device%0d%0a", "next=/x"] {
            assert_eq!(next(raw), Next::Account, "{raw}");
        }
        assert_eq!(next("to=device&user_code=%0d%0aSet-Cookie:%20x%2f%2fevil").code(), "Set-Cookiexevil");
        for next in [Next::Account, Next::device(""), Next::device("BCDF-GHJK")] {
            assert_eq!(Next::of(&Query::parse(Some(next.query().trim_start_matches('?')))), next);
        }
    }
}
