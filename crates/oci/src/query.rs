//! Query strings and forms, decoded exactly once; nothing in them is an error, as clients add parameters of their own.

use percent_encoding::percent_decode_str;

/// The pairs of a query string (or of an `application/x-www-form-urlencoded` body), in order, repeats kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Takes the raw text after `?`. `+` is a space; what does not decode to UTF-8 stays as it was written.
    pub fn parse(raw: Option<&str>) -> Self {
        let parts = raw.unwrap_or_default().split('&').filter(|part| !part.is_empty());
        let pairs = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
        Self { pairs: pairs.map(|(key, value)| (decode(key), decode(value))).collect() }
    }

    /// The first value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.all(key).next()
    }

    /// Every value of `key`, in order.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |pair| pair.0 == key).map(|pair| pair.1.as_str())
    }
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests;
