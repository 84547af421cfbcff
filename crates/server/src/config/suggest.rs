//! The nearest right name.

/// The candidate that was probably meant, if there is one: a few slips, turned or missing or shortened words, or the right
/// name in the wrong section.
pub(super) fn nearest(name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let bare = comparable(name);
    let tolerated = (bare.len() / 3).max(3);
    let scored = candidates.map(|candidate| (distance(&bare, &comparable(&candidate)), candidate));
    scored.filter(|(distance, _)| *distance <= tolerated).min().map(|(_, candidate)| candidate)
}

/// `message`, and what was probably meant.
pub(super) fn with_hint(message: &str, nearest: Option<String>) -> String {
    match nearest {
        Some(nearest) => format!("{message}: did you mean {nearest}?"),
        None => format!("{message}: `wharf config show` lists all there are"),
    }
}

/// Without what every variable shares, which would make all of them near to each other.
fn comparable(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_prefix("wharf_").unwrap_or(&name).into()
}

fn distance(name: &str, candidate: &str) -> usize {
    let exact = strsim::damerau_levenshtein(name, candidate);
    let turned = 1 + strsim::damerau_levenshtein(&words(name).join(" "), &words(candidate).join(" "));
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    let elsewhere = 2 + strsim::damerau_levenshtein(&last(name), &last(candidate));
    [exact, turned, elsewhere].into_iter().chain(unmatched_words(name, candidate).map(|n| n + 2)).min().unwrap_or(exact)
}

/// How many words one name has more, if all words of the other stand in it, perhaps shortened.
fn unmatched_words(name: &str, candidate: &str) -> Option<usize> {
    let (mut few, mut many) = (words(name), words(candidate));
    if few.len() > many.len() {
        std::mem::swap(&mut few, &mut many);
    }
    let alike = |a: &str, b: &str| a == b || (a.len().min(b.len()) >= 3 && (a.starts_with(b) || b.starts_with(a)));
    few.iter().all(|word| many.iter().any(|other| alike(word, other))).then(|| many.len() - few.len())
}

fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<_> = text.split(['.', '_', '-']).collect();
    words.sort_unstable();
    words
}

#[cfg(test)]
mod tests;
