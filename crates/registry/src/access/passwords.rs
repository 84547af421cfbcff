//! Passwords: argon2id at rest, and a way not to compute it at every request of a `docker push`.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wharf_meta::{Actor, By, User};

use super::Source;
use crate::secret::{draw, random};
use crate::{Error, Registry, Result, Secret};

/// Hashes computed at once: each takes a core for some 20 ms and 19 MiB.
const AT_ONCE: usize = 2;
/// Callers that may wait for their turn: two dozen a second are served, and whoever floods must not make all wait.
const WAITING: usize = 64;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// Characters of a password (NIST SP 800-63B §5.1.1.2): with more, hashing takes longer.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=256;

pub(crate) struct Passwords {
    slots: Arc<Semaphore>,
    waiting: Semaphore,
    /// What was verified: keyed hash of (user, password) → the stored hash it was verified against. A changed
    /// password changes the stored hash, so an old entry no longer fits: nothing here expires or is revoked.
    verified: Arc<Cache<[u8; 32], Arc<str>>>,
    salt: [u8; 32],
    /// Verified against when there is no such user, so that the answer takes as long.
    decoy: String,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self> {
        let decoy = hash(&random_password()?)?;
        let (slots, waiting) = (Arc::new(Semaphore::new(AT_ONCE)), Semaphore::new(AT_ONCE + WAITING));
        Ok(Self { slots, waiting, verified: Arc::new(Cache::new(1024)), salt: random()?, decoy })
    }

    fn key(&self, user: &str, password: &Secret) -> [u8; 32] {
        let parts = [&self.salt[..], user.as_bytes(), &[0], password.expose().as_bytes()];
        parts.into_iter().fold(Sha256::new(), Sha256::chain_update).finalize().into()
    }

    /// Whether the password is right, with the turn that checking it took: what comes of it is counted before the next
    /// is checked. `may_try` is asked when the turn has come. Of all who wait with one password, as the connections of a
    /// `docker push` do, the first is checked: the others find it verified.
    async fn verify(
        &self,
        key: [u8; 32],
        password: Secret,
        stored: Arc<str>,
        may_try: impl FnOnce() -> Result<()>,
    ) -> Result<(bool, OwnedSemaphorePermit)> {
        let verified = Arc::clone(&self.verified);
        let verify = move || {
            if verified.get(&key).as_deref() == Some(&*stored) {
                return true;
            }
            let matches = |parsed| Argon2::default().verify_password(password.expose().as_bytes(), &parsed).is_ok();
            PasswordHash::new(&stored).is_ok_and(matches)
        };
        self.in_turn(may_try, verify).await
    }

    /// Does work that takes a core and 19 MiB when its turn comes, after `first`, which may still refuse it. The turn
    /// ends when what is returned is dropped.
    async fn in_turn<T: Send + 'static>(
        &self,
        first: impl FnOnce() -> Result<()>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, OwnedSemaphorePermit)> {
        let _waiting = self.waiting.try_acquire().map_err(|_| Error::Busy)?;
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.slots).acquire_owned()).await;
        let turn = turn.map_err(|_| Error::Busy)?.map_err(|error| Error::Internal(error.to_string()))?;
        first()?;
        // The turn is the work's, not the request's: a client that hangs up does not make room for the next.
        let worked = tokio::task::spawn_blocking(move || (work(), turn)).await;
        worked.map_err(|error| Error::Internal(error.to_string()))
    }
}

impl Registry {
    /// The user with that name and password.
    pub(super) async fn sign_in(&self, user: &str, password: Secret, source: &Source) -> Result<User> {
        let claim = self.claim(user, source.address).await?;
        let key = self.passwords.key(user, &password);
        let account = self.meta.user_by_name(user).await?.filter(|account| !account.is_disabled);
        let stored = account.as_ref().and_then(|account| account.password_hash.clone());
        let stored: Arc<str> = stored.as_deref().unwrap_or(&self.passwords.decoy).into();
        let was_right_before = self.passwords.verified.get(&key).as_deref() == Some(&*stored);
        // Also where the answer is at hand: it would answer as many guesses as come.
        if let Err(refused) = self.may_try(claim)
            && !self.is_let_in_anyway(claim, was_right_before)
        {
            return Err(refused);
        }
        if was_right_before {
            self.proved(claim);
        } else {
            let (is_right, _turn) =
                self.passwords.verify(key, password, Arc::clone(&stored), || self.may_try(claim)).await?;
            if !is_right {
                self.disproved(claim);
                return Err(Error::BadCredentials);
            }
            self.proved(claim);
            self.passwords.verified.insert(key, stored);
            self.touch_account(account.as_ref());
        }
        account.ok_or(Error::BadCredentials)
    }

    /// Hashes a password that somebody chose, in that field of a request, unless it is none or would never be taken for
    /// one.
    pub(crate) async fn hash_password(&self, field: &'static str, password: Secret) -> Result<String> {
        let invalid = |message: String| Err(Error::Invalid { field, message });
        // Read for its length only.
        let length = password.expose().chars().count();
        if !LENGTH.contains(&length) {
            let (least, most) = (LENGTH.start(), LENGTH.end());
            return invalid(format!("the password has {length} characters: {least} to {most} are expected"));
        }
        if super::api_tokens::is_api_token(&password) || super::signing::is_jwt(&password) {
            return invalid("the password looks like a token, and would be taken for one: choose another".into());
        }
        self.passwords.in_turn(|| Ok(()), move || hash(&password)).await?.0
    }

    /// For people's eyes: no sign-in waits for it, and none fails by it.
    fn touch_account(&self, account: Option<&wharf_meta::User>) {
        let Some(id) = account.map(|account| account.id) else { return };
        let (meta, now) = (self.meta.clone(), self.now());
        tokio::spawn(async move {
            if let Err(error) = meta.touch_user(id, now).await {
                tracing::warn!(%error, "a sign-in was not recorded in the account");
            }
        });
    }

    /// Whether that is the user's password: asked again of somebody who is signed in.
    pub(crate) async fn is_password_of(&self, user: &str, password: Secret, source: &Source) -> Result<bool> {
        match self.sign_in(user, password, source).await {
            Ok(_) => Ok(true),
            Err(error @ Error::BadCredentials) => {
                self.sign_in_failed("password", Some(user), source, &error.to_string()).await;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether anybody has an account yet.
    pub async fn has_users(&self) -> Result<bool> {
        Ok(self.meta.count_users().await? > 0)
    }

    /// Makes the user `admin` if there is no user at all, with `password` or a random one. What was made up is
    /// returned, this once; `None` when `password` was taken or an account existed.
    pub async fn ensure_admin(&self, password: Option<Secret>) -> Result<Option<Secret>> {
        if self.has_users().await? {
            return Ok(None);
        }
        let made_up = if password.is_none() { Some(random_password()?) } else { None };
        let Some(chosen) = password.or_else(|| made_up.clone()) else { return Ok(None) };
        let hash = self.hash_password("password", chosen).await?;
        Ok(if self.meta.make_admin("admin", &hash, self.now()).await? { made_up } else { None })
    }

    /// Gives `user` a new password, `password` or a random one, and ends their tokens. Returns the
    /// password in force; `None` when there is no such user.
    pub async fn reset_password(&self, user: &str, password: Option<Secret>) -> Result<Option<Secret>> {
        let chosen = match password {
            Some(password) => password,
            None => random_password()?,
        };
        let hash = self.hash_password("password", chosen.clone()).await?;
        let Some(account) = self.meta.account(user).await? else { return Ok(None) };
        let by = By { actor: Actor::operator(), now: self.now() };
        self.meta.change_password(account.id, &hash, by).await?;
        Ok(Some(chosen))
    }
}

fn hash(password: &Secret) -> Result<String> {
    let hash = Argon2::default().hash_password(password.expose().as_bytes());
    Ok(hash.map_err(|error| Error::Internal(format!("argon2: {error}")))?.to_string())
}

/// 24 characters of 32: 120 bits. No character that looks like another.
fn random_password() -> Result<Secret> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    Ok(Secret::new(draw(ALPHABET, 24)?))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn of_many_who_wait_with_one_password_only_the_first_is_checked() {
        let passwords = Passwords::new().unwrap();
        // Nothing hashes to it: only what was found right before is right.
        let (secret, stored) = (Secret::new("right"), Arc::from("no hash"));
        let key = passwords.key("bob", &secret);
        let all = Arc::clone(&passwords.slots).acquire_many_owned(u32::try_from(AT_ONCE).unwrap()).await.unwrap();
        let mut waiting = pin!(passwords.verify(key, secret, Arc::clone(&stored), || Ok(())));
        assert!(poll!(&mut waiting).is_pending());
        passwords.verified.insert(key, stored);
        drop(all);
        assert!(waiting.await.unwrap().0);
    }

    #[tokio::test]
    async fn a_password_verified_against_another_hash_is_checked_again() {
        let passwords = Passwords::new().unwrap();
        let secret = Secret::new("right");
        let key = passwords.key("bob", &secret);
        passwords.verified.insert(key, Arc::from("an older hash"));
        assert!(!passwords.verify(key, secret, Arc::from("no hash"), || Ok(())).await.unwrap().0);
    }
}
