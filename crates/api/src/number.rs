//! Numbers of requests, each of a type that says how small and how large it may be.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// A number outside of what is allowed, or no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a whole number from {least} to {most} is expected")]
pub struct NumberError {
    /// The smallest that is allowed,
    pub least: u64,
    /// and the largest.
    pub most: u64,
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident $inner:ident $min:tt..=$max:tt;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
            #[serde(transparent)]
            #[schema(minimum = $min, maximum = $max)]
            pub struct $name($inner);

            impl $name {
                /// The number.
                pub fn get(self) -> $inner {
                    self.0
                }
            }

            impl TryFrom<$inner> for $name {
                type Error = NumberError;

                fn try_from(number: $inner) -> Result<Self, NumberError> {
                    let legal = ($min..=$max).contains(&number);
                    if legal { Ok(Self(number)) } else { Err(NumberError { least: $min, most: $max }) }
                }
            }

            impl FromStr for $name {
                type Err = NumberError;

                fn from_str(text: &str) -> Result<Self, NumberError> {
                    let number: $inner = text.parse().map_err(|_| NumberError { least: $min, most: $max })?;
                    number.try_into()
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $inner::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

numbers! {
    /// Entries on a page, at most.
    PageSize u32 1..=1000;
    /// Seconds until a token ends: a minute to ten years.
    TokenLifetime u32 60..=315_360_000;
    /// Seconds for which a trust rule gives what it gives: a minute to a day.
    RuleLifetime u32 60..=86_400;
    /// Requests.
    Requests u32 1..=1_000_000_000;
    /// The seconds in which they are counted: at most 31 days.
    Seconds u32 1..=2_678_400;
    /// Bytes, or things, that there may be: what JSON keeps exactly.
    Amount u64 0_u64..=9_007_199_254_740_991_u64;
}
