//! Texts of requests, each of a type that says how long it may be and of what.
//!
//! A value that exists is within the bounds that the OpenAPI document gives for it, on either side of the wire.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mod grammar;

/// A text that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is expected to be {expected}")]
pub struct TextError {
    what: &'static str,
    expected: &'static str,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident $what:tt, $min:tt..=$max:tt, $check:path, $pattern:tt,
       $expected:tt, $example:tt;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
            #[serde(transparent)]
            #[schema(min_length = $min, max_length = $max, pattern = $pattern, examples($example))]
            pub struct $name(String);

            impl $name {
                /// The text.
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl FromStr for $name {
                type Err = TextError;

                fn from_str(text: &str) -> Result<Self, TextError> {
                    let length = text.chars().take($max + 1).count();
                    if ($min..=$max).contains(&length) && $check(text) {
                        return Ok(Self(text.into()));
                    }
                    Err(TextError { what: $what, expected: $expected })
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }

            impl AsRef<str> for $name {
                fn as_ref(&self) -> &str {
                    &self.0
                }
            }

            impl From<$name> for String {
                fn from(text: $name) -> Self {
                    text.0
                }
            }
        )*

        #[cfg(test)]
        const ALL: &[(&str, &str, &str, fn(&str) -> bool)] =
            &[$((stringify!($name), $pattern, $example, |text| text.parse::<$name>().is_ok())),*];
    };
}

texts! {
    /// A user, an org, a team, a robot within its org, a provider or a trust rule: one component of a repository's name,
    /// and as long as the first of several can be there.
    Name "a name", 1..=253, grammar::is_component, r"^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$",
        "1 to 253 lower-case letters and digits, with single '.', '_', '__' or dashes between them", "team";
    /// A robot with its org.
    RobotName "a robot's name", 3..=507, grammar::is_robot,
        r"^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*\+[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$",
        "org+robot, such as team+ci", "team+ci";
    /// A user or a robot, or `anonymous`.
    PrincipalName "a caller's name", 1..=507, grammar::is_principal,
        r"^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\+[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)?$",
        "a user's name, a robot's such as team+ci, or anonymous", "alice";
    /// A repository.
    RepositoryName "a repository's name", 1..=255, grammar::is_repository,
        r"^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$",
        "components of lower-case letters and digits, with single '.', '_', '__' or dashes between them, separated by '/'; at most 255 characters, counting the library/ of a single component",
        "team/app";
    /// Where a role is given: an org (one component) or a repository (several).
    Target "a target", 1..=255, grammar::is_target,
        r"^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$",
        "an org such as team, or a repository with its org such as team/app", "team/app";
    /// What somebody calls a token.
    TokenName "a token's name", 1..=64, grammar::is_token_name, r"^[A-Za-z0-9](?:[A-Za-z0-9 ._@:/+-]*[A-Za-z0-9])?$",
        "1 to 64 letters, digits and any of \" ._@:/+-\", starting and ending with a letter or a digit", "laptop";
    /// A line for people to read.
    Description "a description", 0..=500, grammar::is_line, r"^[^\u0000-\u001f\u007f-\u009f]*$",
        "at most 500 characters without line breaks or control characters", "Builds the nightly images";
    /// A short line for people to read.
    Label "a title", 1..=64, grammar::is_line, r"^[^\u0000-\u001f\u007f-\u009f]*$",
        "1 to 64 characters without line breaks or control characters", "Company sign-in";
    /// A mail address. Its case does not matter.
    Email "a mail address", 3..=254, grammar::is_email,
        r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$",
        "like somebody@example.org", "alice@example.org";
    /// A mail domain.
    Domain "a domain", 1..=253, grammar::is_domain,
        r"^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$",
        "like example.org", "example.org";
    /// An issuer of tokens, as its tokens name it.
    Issuer "an issuer", 9..=512, grammar::is_issuer, r"^https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~/-]*)?$",
        "an https URL without user, query or fragment", "https://id.example.org";
    /// What an outside token must be for.
    Audience "an audience", 1..=512, grammar::is_graphic, r"^[!-~]+$",
        "1 to 512 printable ASCII characters without spaces", "https://registry.example.org";
    /// What a provider calls this registry.
    ClientId "a client id", 1..=255, grammar::is_graphic, r"^[!-~]+$",
        "1 to 255 printable ASCII characters without spaces", "wharf";
    /// A scope to ask a provider for (RFC 6749 §3.3).
    OAuthScope "a scope", 1..=64, grammar::is_oauth_scope, r"^[!#-\[\]-~]+$",
        "1 to 64 printable ASCII characters without spaces, quotes or backslashes", "openid";
    /// The name of a claim.
    ClaimName "a claim's name", 1..=128, grammar::is_graphic, r"^[!-~]+$",
        "1 to 128 printable ASCII characters without spaces", "repository";
    /// What a claim must be; `*` stands for any characters.
    ClaimPattern "a claim's pattern", 1..=512, grammar::is_line, r"^[^\u0000-\u001f\u007f-\u009f]*$",
        "1 to 512 characters without control characters", "company/app";
    /// A group, as a provider names it.
    GroupName "a group's name", 1..=255, grammar::is_line, r"^[^\u0000-\u001f\u007f-\u009f]*$",
        "1 to 255 characters without control characters", "developers";
    /// What a token, a session or a grant is known by.
    Id "an id", 1..=64, grammar::is_id, r"^[A-Za-z0-9_-]+$", "1 to 64 letters, digits, '_' and '-'",
        "0199e2d1-6a1c-7000-8000-000000000000";
    /// Where to go on, from the answer before.
    Cursor "a cursor", 1..=512, grammar::is_graphic, r"^[!-~]+$",
        "the next of the page before, unchanged", "team";
    /// What to look for in names.
    Search "a search", 1..=255, grammar::is_line, r"^[^\u0000-\u001f\u007f-\u009f]*$",
        "1 to 255 characters without control characters", "app";
}

#[cfg(test)]
mod tests;
