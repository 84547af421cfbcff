//! Being let in: challenges answered, tokens kept by what they are for.
//!
//! Any registry's dance: nothing is shown until it is asked for; tokens are asked for by scope and kept until they end;
//! a challenge that wants more than was asked for gets it once. What was refused with a fresh token is refused.
//!
//! Whoever has a credential asks first how it is to be shown: a registry that shows strangers a part would show no more
//! to a request without one, and would count it as a stranger's.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::StatusCode;
use http::header::HeaderValue;
use tokio::sync::OnceCell;
use wharf_oci::{Challenge, RepoName};

use super::{Error, Result, Shared, WireError};
use crate::wire::{
    AccessToken, Address, Again, Asking, Credential, Door, Reply, Way, challenges, issued, read_refusal,
};

/// Times that one request asks for a token.
const MOST_TOKENS: u32 = 3;
/// Bytes of what `/v2/` answers, at most.
pub(super) const LARGEST_HELLO: usize = 1 << 20;

/// What a request needs: scopes, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs(BTreeMap<String, BTreeSet<String>>);

impl Needs {
    /// To be known, and nothing else.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    /// `actions` in a repository, comma separated.
    pub(super) fn of(name: &RepoName, actions: &str) -> Self {
        Self::default().and(&format!("repository:{}:{actions}", name.asked()))
    }

    /// One scope more, `type:name:actions`.
    pub(super) fn and(mut self, scope: &str) -> Self {
        if let Some((resource, actions)) = scope.rsplit_once(':') {
            let known = self.0.entry(resource.to_owned()).or_default();
            known.extend(actions.split(',').filter(|action| !action.is_empty()).map(str::to_owned));
        }
        self
    }

    /// With what a challenge names.
    fn widened(&self, challenges: &[Challenge]) -> Self {
        let named = challenges.iter().filter_map(|challenge| challenge.get("scope"));
        named.flat_map(str::split_ascii_whitespace).fold(self.clone(), Self::and)
    }

    fn scopes(&self) -> Vec<String> {
        let actions = |actions: &BTreeSet<String>| actions.iter().cloned().collect::<Vec<_>>().join(",");
        self.0.iter().map(|(resource, these)| format!("{resource}:{}", actions(these))).collect()
    }
}

type Slot = Arc<tokio::sync::Mutex<Option<AccessToken>>>;

/// Who is asking, and what is known of being let in.
pub(super) struct Auth {
    credential: Credential,
    door: Mutex<Option<Door>>,
    /// Whether it was asked how it wants a credential shown.
    has_knocked: OnceCell<()>,
    /// By scopes. Whoever asks for one holds its lock, so that many requests at once ask for one token.
    tokens: Mutex<HashMap<String, Slot>>,
}

impl Auth {
    pub(super) fn new(credential: Credential) -> Self {
        Self { credential, door: Mutex::default(), has_knocked: OnceCell::new(), tokens: Mutex::default() }
    }

    fn door(&self) -> Option<Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, door: Door) {
        *self.door.lock().unwrap_or_else(PoisonError::into_inner) = Some(door);
    }

    fn slot(&self, needs: &Needs) -> Slot {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tokens.entry(needs.scopes().join(" ")).or_default())
    }

    /// At each request, for a registry without tokens.
    fn basic(&self) -> Option<HeaderValue> {
        let (user, password) = match &self.credential {
            Credential::Password { user, password } => (user.as_str(), password),
            Credential::ApiToken(token) => ("token", token),
            Credential::Refresh(_) | Credential::AccessToken(_) | Credential::Anonymous => return None,
        };
        secret_value(&format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{}", password.expose()))))
    }
}

/// Marked, so that nothing prints it.
fn secret_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn bearer(token: &AccessToken) -> Option<HeaderValue> {
    secret_value(&format!("Bearer {}", token.token.expose()))
}

/// What one request shows, and how often it has been answered by 401.
pub(super) struct Turn {
    needs: Needs,
    slot: Slot,
    shown: Option<HeaderValue>,
    asked: u32,
    /// Whether what is shown was given for this very request.
    is_fresh: bool,
}

impl Turn {
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.shown.as_ref()
    }
}

impl Shared {
    /// What to show with a request at first.
    pub(super) async fn turn(&self, needs: &Needs, name: Option<&RepoName>) -> Result<Turn> {
        let slot = self.auth.slot(needs);
        let mut turn = Turn { needs: needs.clone(), slot, shown: None, asked: 0, is_fresh: false };
        if let Credential::AccessToken(token) = &self.auth.credential {
            turn.shown = secret_value(&format!("Bearer {}", token.expose()));
            return Ok(turn);
        }
        if self.auth.credential != Credential::Anonymous {
            self.auth.has_knocked.get_or_try_init(|| self.knock()).await?;
        }
        match self.auth.door() {
            None | Some(Door::Open) => {}
            Some(Door::Basic) => turn.shown = self.auth.basic(),
            Some(door @ Door::Token { .. }) => self.show_token(&mut turn, &door, name).await?,
        }
        Ok(turn)
    }

    /// Learns from `/v2/` how a credential is to be shown. An answer that does not tell is no reason to fail: the
    /// request itself may be answered.
    async fn knock(&self) -> Result<()> {
        let base = self.base().await?;
        if self.auth.door().is_none() {
            let url = base.at("/v2/");
            match self.transport.send(Again::Yes, LARGEST_HELLO, |http| http.get(&url)).await {
                Ok(reply) => self.opened(base, &reply),
                Err(error @ WireError::Unreachable { .. }) => return Err(error.into()),
                Err(error) => tracing::debug!(%error, "/v2/ did not say how a credential is to be shown"),
            }
        }
        Ok(())
    }

    /// What `/v2/` answers, at that address, to whoever shows nothing.
    pub(super) fn opened(&self, base: &Address, reply: &Reply) {
        let door = match reply.status {
            StatusCode::UNAUTHORIZED => Door::of(base, &challenges(reply)).ok(),
            status => status.is_success().then_some(Door::Open),
        };
        // Strangers are asked for something at each door anew, or at none.
        if let Some(door) = door.filter(|_| self.auth.credential != Credential::Anonymous) {
            self.auth.learn(door);
        }
    }

    /// Answers a 401, or says why there is no answer.
    pub(super) async fn answer(&self, turn: &mut Turn, reply: &Reply, name: Option<&RepoName>) -> Result<()> {
        if matches!(self.auth.credential, Credential::AccessToken(_)) {
            return Err(self.turned_away(reply, name));
        }
        let challenges = challenges(reply);
        let base = self.base().await?;
        let door = Door::of(base, &challenges).map_err(|problem| self.not_understood(name, problem))?;
        self.auth.learn(door.clone());
        let wider = turn.needs.widened(&challenges);
        let is_news = wider != turn.needs || !turn.is_fresh;
        turn.needs = wider;
        match &door {
            Door::Token { .. } if is_news && turn.asked < MOST_TOKENS => self.show_token(turn, &door, name).await,
            Door::Basic if turn.shown.is_none() => {
                turn.shown = self.auth.basic();
                if turn.shown.is_some() { Ok(()) } else { Err(self.turned_away(reply, name)) }
            }
            _ => Err(self.turned_away(reply, name)),
        }
    }

    /// Shows a token that is good, other than the one shown before.
    async fn show_token(&self, turn: &mut Turn, door: &Door, name: Option<&RepoName>) -> Result<()> {
        let slot = Arc::clone(&turn.slot);
        let mut kept = slot.lock().await;
        let known = kept.as_ref().filter(|token| token.is_good()).and_then(bearer);
        if known.is_some() && known != turn.shown {
            turn.shown = known;
            turn.is_fresh = false;
            return Ok(());
        }
        turn.asked += 1;
        let token = self.fetch_token(&turn.needs, door, name).await?;
        turn.shown = bearer(&token);
        turn.is_fresh = true;
        *kept = Some(token);
        Ok(())
    }

    async fn fetch_token(&self, needs: &Needs, door: &Door, name: Option<&RepoName>) -> Result<AccessToken> {
        let Door::Token { realm, service } = door else {
            return Err(self.not_understood(name, "it gives out no tokens"));
        };
        let scopes = needs.scopes();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let asking = Asking { realm, service, scopes: &scopes };
        let reply = asking.by(&self.transport, &self.auth.credential, Way::Basic).await?;
        match reply.status {
            status if status.is_success() => issued(&reply).map_err(|problem| self.not_understood(name, problem)),
            // Who may not, says GitLab; of a wrong password others say so as well.
            StatusCode::FORBIDDEN if !matches!(self.auth.credential, Credential::Anonymous) => {
                let (place, host) = (self.place(name), self.endpoint.address.host());
                Err(Error::denied(place, &host, read_refusal(&reply)))
            }
            // Wrong passwords are 401; some endpoints say 400 of them, and 400 or 403 of an anonymous caller.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
                let (place, host) = (self.place(name), self.endpoint.address.host());
                Err(Error::SignInNeeded { place, host, said: read_refusal(&reply).said })
            }
            _ => Err(self.refused_reply("its token endpoint gives no token", name, &reply)),
        }
    }

    /// A 401 that nothing can be done about.
    fn turned_away(&self, reply: &Reply, name: Option<&RepoName>) -> Error {
        let (place, host) = (self.place(name), self.endpoint.address.host());
        let refusal = read_refusal(reply);
        let narrow = challenges(reply).iter().any(|challenge| challenge.get("error") == Some("insufficient_scope"));
        if narrow && !matches!(self.auth.credential, Credential::Anonymous) {
            return Error::denied(place, &host, refusal);
        }
        Error::SignInNeeded { place, host, said: refusal.said }
    }
}
