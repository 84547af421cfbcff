//! Passwords and tokens in requests and answers.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident, $min:tt, $max:tt;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
            #[serde(transparent)]
            #[schema(min_length = $min, max_length = $max, format = "password")]
            pub struct $name(String);

            impl $name {
                /// Wraps it. The server refuses one that is too short or too long.
                pub fn new(text: impl Into<String>) -> Self {
                    Self(text.into())
                }

                /// The text, where it has to leave.
                pub fn expose(&self) -> &str {
                    &self.0
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("…")
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    // serde's own message would repeat a value of another type.
                    let text = String::deserialize(deserializer);
                    let text = text.map_err(|_| serde::de::Error::custom("a string is expected"))?;
                    let length = text.chars().count();
                    if ($min..=$max).contains(&length) {
                        return Ok(Self(text));
                    }
                    let message = format!("{} to {} characters are expected, not {length}", $min, $max);
                    Err(serde::de::Error::custom(message))
                }
            }
        )*
    };
}

secrets! {
    /// A password, token or client secret as it is. It cannot be printed.
    Secret, 1, 1024;
    /// A password to be. It cannot be printed.
    NewPassword, 8, 256;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed_not_even_by_an_error() {
        assert_eq!(format!("{:?}", NewPassword::new("correct horse")), "…");
        for body in ["\"short\"", "12345678901", "[\"hunter2hunter2\"]"] {
            let error = serde_json::from_str::<NewPassword>(body).unwrap_err().to_string();
            assert!(!error.contains("short\"") && !error.contains("123456") && !error.contains("hunter"), "{error}");
        }
    }
}
