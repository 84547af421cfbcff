//! What a 401 asks for (RFC 9110 §11.6.1, RFC 6750 §3, distribution spec/auth/token).

/// One challenge of a `WWW-Authenticate` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// In lower case: `bearer`, `basic`.
    pub scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Reads every challenge of one header's value, in order. What cannot be read ends the list: a server that writes
    /// nonsense has still said what stands before it.
    pub fn parse_all(header: &str) -> Vec<Self> {
        let mut challenges: Vec<Self> = vec![];
        let mut rest = header;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            let Some((word, after)) = token(rest) else { return challenges };
            let value =
                after.trim_start_matches([' ', '\t']).strip_prefix('=').map(|v| v.trim_start_matches([' ', '\t']));
            if let (Some((value, after)), Some(challenge)) = (value.and_then(parameter_value), challenges.last_mut()) {
                challenge.parameters.push((word.to_ascii_lowercase(), value));
                rest = after;
            } else {
                challenges.push(Self { scheme: word.to_ascii_lowercase(), parameters: vec![] });
                rest = without_token68(after);
            }
        }
    }

    /// A parameter's value, its name in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A token (RFC 9110 §5.6.2) and what follows it.
fn token(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A token or a quoted string, unescaped, and what follows it. `None` for the `=` that ends a token68.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(value, rest)| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

/// Skips the one opaque word that some schemes have instead of parameters (`Negotiate a87421000492aa==`).
fn without_token68(text: &str) -> &str {
    let Some(word) = text.strip_prefix(' ') else { return text };
    let word = word.trim_start_matches(' ');
    let end = word.find([' ', ',']).unwrap_or(word.len());
    let (opaque, rest) = word.split_at(end);
    let is_parameter = opaque.trim_end_matches('=').contains('=') || rest.trim_start().starts_with('=');
    let is_opaque = !opaque.is_empty()
        && !is_parameter
        && opaque.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/=".contains(c));
    if is_opaque { rest } else { text }
}

#[cfg(test)]
mod tests;
