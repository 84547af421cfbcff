//! Secrets as settings.

pub use wharf_registry::Secret;

use super::value::Item;

impl Item for Secret {
    const SECRET: bool = true;

    fn kind() -> String {
        "a secret".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("is empty".into()) } else { Ok(Self::new(text)) }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}
