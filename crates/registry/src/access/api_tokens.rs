//! API tokens: what programs use in a password's place.
//!
//! `whf_`, 40 characters of base 62 (238 bits), 6 more that are their checksum: what is not one is known without a
//! look-up, and scanners can tell one in a repository from a word that looks like it.

use sha2::{Digest as _, Sha256};
use wharf_meta::{ApiToken, Millis, Principal};

use super::{Caller, Cap, Identity, Source, Via};
use crate::secret::draw;
use crate::{Error, Registry, Result, Secret};

const PREFIX: &str = "whf_";
const RANDOM: usize = 40;
const CHECKSUM: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// A user name that stands for whoever the token is of.
const ANY: &str = "token";

/// A token that is to be shown once.
pub(crate) struct Minted {
    pub(crate) token: Secret,
    pub(crate) hash: Vec<u8>,
    /// Its last characters.
    pub(crate) hint: String,
}

/// Makes one up.
pub(crate) fn mint() -> Result<Minted> {
    let random = draw(ALPHABET, RANDOM)?;
    let token = format!("{PREFIX}{random}{}", checksum(&random));
    let hint = token[token.len() - 4..].to_owned();
    let token = Secret::new(token);
    Ok(Minted { hash: token.sha256().to_vec(), token, hint })
}

/// Whether a secret says it is an API token; it may still be a bad one.
pub(crate) fn is_api_token(secret: &Secret) -> bool {
    secret.expose().starts_with(PREFIX)
}

fn is_sound(secret: &Secret) -> bool {
    let text = secret.expose();
    text.is_ascii()
        && text.starts_with(PREFIX)
        && text.len() == PREFIX.len() + RANDOM + CHECKSUM
        && text.ends_with(&checksum(&text[PREFIX.len()..PREFIX.len() + RANDOM]))
}

fn checksum(random: &str) -> String {
    let digest = Sha256::digest(random.as_bytes());
    let mut number = u64::from_be_bytes([0, 0, digest[0], digest[1], digest[2], digest[3], digest[4], digest[5]]);
    let mut text = String::with_capacity(CHECKSUM);
    for _ in 0..CHECKSUM {
        text.push(char::from(ALPHABET[usize::try_from(number % 62).unwrap_or(0)]));
        number /= 62;
    }
    text
}

impl Registry {
    /// The caller that an API token stands for. `user` is the name it was shown with, if it was shown with one: the
    /// owner's, or `token`.
    pub(super) async fn caller_by_api_token(
        &self,
        user: Option<&str>,
        token: &Secret,
        source: Source,
    ) -> Result<Caller> {
        if !is_sound(token) {
            return Err(Error::BadCredentials);
        }
        let row = self.meta.api_token_by_hash(&token.sha256()).await?.ok_or(Error::BadCredentials)?;
        let caller = self.caller_of(row, source).await?.ok_or(Error::BadCredentials)?;
        match user {
            Some(name) if name != ANY && name != caller.name() => Err(Error::BadCredentials),
            _ => Ok(caller),
        }
    }

    /// The caller that the token of that id stands for; `None` when it has ended.
    pub(super) async fn caller_by_token_id(&self, id: &str, source: Source) -> Result<Option<Caller>> {
        match self.meta.api_token(id).await? {
            Some(row) => self.caller_of(row, source).await,
            None => Ok(None),
        }
    }

    async fn caller_of(&self, row: ApiToken, source: Source) -> Result<Option<Caller>> {
        let now = self.now();
        if row.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Ok(None);
        }
        let Some(identity) = self.identity_of(row.owner).await? else { return Ok(None) };
        if self.tokens.is_to_touch(&row.id, row.used_at, now) {
            self.touch(row.id.clone(), &source, now);
        }
        let via = Via::ApiToken { id: row.id, name: row.name };
        let cap = Cap { role: row.role, reach: row.reach };
        Ok(Some(Caller::of(identity, via, source).within(cap, row.expires_at)))
    }

    /// Whoever that is, unless they are disabled or gone.
    pub(super) async fn identity_of(&self, principal: Principal) -> Result<Option<Identity>> {
        Ok(match principal {
            Principal::User(id) => self.account(id).await?.map(Identity::from),
            Principal::Robot(id) => {
                let robot = self.meta.robot_by_id(id).await?.filter(|robot| !robot.is_disabled);
                robot.map(|robot| Identity::Robot { id: robot.id, name: robot.name })
            }
        })
    }

    /// For the owner's eyes: no request waits for it, and none fails by it.
    fn touch(&self, id: String, source: &Source, now: Millis) {
        let (meta, from) = (self.meta.clone(), source.address.map(|address| address.to_string()));
        tokio::spawn(async move {
            if let Err(error) = meta.touch_api_token(&id, from, now).await {
                tracing::warn!(%error, "the use of an API token was not recorded");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_minted_is_sound_and_each_is_another() {
        let (one, two) = (mint().unwrap(), mint().unwrap());
        assert!(is_sound(&one.token) && is_sound(&two.token));
        assert_ne!(one.hash, two.hash);
        assert_eq!(one.token.expose().len(), 50);
        assert!(one.token.expose().ends_with(&one.hint));
    }

    #[test]
    fn a_slip_in_a_token_is_known_without_a_look_up() {
        let token = mint().unwrap().token;
        for at in 0..token.expose().len() {
            let mut bytes = token.expose().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert!(!is_sound(&Secret::new(String::from_utf8(bytes).unwrap())), "character {at}");
        }
        for text in ["", "whf_", "whf_é", &token.expose()[..49], &format!("{}0", token.expose())] {
            assert!(!is_sound(&Secret::new(text)), "{text}");
        }
    }
}
