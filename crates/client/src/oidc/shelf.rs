//! The issuers that are remembered: so many at most, and none is forgotten because somebody else names many.
//!
//! Anybody may name issuers in rules of their own and send tokens of theirs. An issuer none of whose tokens was of use
//! pushes out only others like it. One that was counts as a place of somebody who uses it, of several of whoever has
//! fewer places, and when there are too many, whoever has most loses one.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::Issuer;

/// Issuers remembered whose tokens were of use.
const USED: usize = 256;
/// And others.
const NEW: usize = 64;

#[derive(Default)]
pub(super) struct Shelf {
    places: HashMap<String, Place>,
    turn: u64,
}

struct Place {
    issuer: Arc<Issuer>,
    /// Whose place it is; nobody's while no token was of use.
    user: Option<String>,
    /// The turn of its last use, or in which it came.
    turn: u64,
}

impl Shelf {
    /// What is kept of that issuer.
    pub(super) fn get(&mut self, url: &str) -> Arc<Issuer> {
        if let Some(place) = self.places.get(url) {
            return Arc::clone(&place.issuer);
        }
        let new = || self.places.iter().filter(|(_, place)| place.user.is_none());
        if new().count() >= NEW {
            let oldest = new().min_by_key(|(_, place)| place.turn).map(|(url, _)| url.clone());
            oldest.map(|url| self.places.remove(&url));
        }
        let (issuer, turn) = (Arc::default(), self.next_turn());
        self.places.insert(url.to_owned(), Place { issuer: Arc::clone(&issuer), user: None, turn });
        issuer
    }

    /// A token of that issuer's was of use to `user`.
    pub(super) fn used(&mut self, url: &str, user: &str) {
        let turn = self.next_turn();
        let places = self.places_by_user();
        let places = |user: &str| places.get(user).copied().unwrap_or(0);
        let takes_over = match self.places.get(url).map(|place| place.user.as_deref()) {
            Some(Some(before)) => places(user) + 1 < places(before),
            Some(None) => true,
            // Forgotten since.
            None => return,
        };
        if let Some(place) = self.places.get_mut(url) {
            place.turn = turn;
            if takes_over {
                place.user = Some(user.to_owned());
            }
        }
        self.keep_to_limit();
    }

    /// Whoever has most places loses that which was used longest ago.
    fn keep_to_limit(&mut self) {
        let places = self.places_by_user();
        if places.values().sum::<usize>() <= USED {
            return;
        }
        let used = self.places.iter().filter_map(|(url, place)| {
            let of_user = places.get(place.user.as_deref()?)?;
            Some((Reverse(*of_user), place.turn, url))
        });
        let last = used.min().map(|(.., url)| url.clone());
        last.map(|url| self.places.remove(&url));
    }

    fn places_by_user(&self) -> HashMap<&str, usize> {
        let mut places = HashMap::new();
        for user in self.places.values().filter_map(|place| place.user.as_deref()) {
            *places.entry(user).or_default() += 1;
        }
        places
    }

    fn next_turn(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }
}

#[cfg(test)]
mod tests;
