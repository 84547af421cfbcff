//! Devices that sign in by a person's browser elsewhere (RFC 8628).

use std::time::Duration;

use wharf_meta::{Device, NewDevice, Polled};

use super::client_name;
use crate::access::{Identity, Source, Via};
use crate::secret::draw;
use crate::{Caller, DeviceAnswer, Error, Registry, Result, Secret};

/// How long a device waits.
const LIFETIME: Duration = Duration::from_mins(15);
/// How often it may ask.
const INTERVAL: Duration = Duration::from_secs(5);
/// Consonants, so that no word comes out, without what looks alike (RFC 8628 §6.1): 20⁸ codes.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const CODE: usize = 8;

/// What a device is given to begin with.
#[derive(Clone, Debug)]
pub struct DeviceStarted {
    /// What it asks with.
    pub device_code: Secret,
    /// What the person types: `BCDF-GHJK`.
    pub user_code: String,
    /// How long it is waited for.
    pub lifetime: Duration,
    /// How often it may ask.
    pub interval: Duration,
}

/// A device that waits for somebody's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingDevice {
    /// What it called itself.
    pub client: String,
    /// Where it asked from.
    pub address: Option<String>,
    /// Its code as it is shown.
    pub user_code: String,
}

impl Registry {
    /// Lets a device wait for a person.
    pub async fn start_device(&self, client: &str, source: &Source) -> Result<DeviceStarted> {
        let client_id = client_name(client);
        let address = source.address.map(|address| address.to_string());
        // A code that somebody has already is as good as never drawn.
        for _ in 0..5 {
            let (device_code, user_code) = (Secret::unguessable()?, draw_code()?);
            let new = NewDevice {
                hash: device_code.sha256().to_vec(),
                user_code: user_code.clone(),
                client_id: client_id.clone(),
                address: address.clone(),
                expires_at: self.after(LIFETIME),
            };
            if self.meta.start_device(new, self.now()).await? {
                return Ok(DeviceStarted { device_code, user_code, lifetime: LIFETIME, interval: INTERVAL });
            }
        }
        Err(Error::Busy)
    }

    /// The device that waits under the code that somebody typed.
    pub async fn waiting_device(&self, caller: &Caller, typed: &str) -> Result<WaitingDevice> {
        in_person(caller)?;
        let user_code = code(typed);
        let found = self.meta.device(&user_code, self.now()).await?;
        let Device { client_id, address, .. } = found.ok_or_else(unknown)?;
        Ok(WaitingDevice { client: client_id, address, user_code })
    }

    /// Lets a device sign in as the caller, or not.
    pub async fn decide_device(&self, caller: &Caller, typed: &str, is_allowed: bool) -> Result<()> {
        let user = in_person(caller)?;
        let decided = self.meta.decide_device(&code(typed), user, is_allowed, self.by(caller)).await?;
        if decided { Ok(()) } else { Err(unknown()) }
    }

    /// The user that a device may sign in as, told once.
    pub(crate) async fn caller_by_device(&self, device_code: &Secret, source: Source) -> Result<Caller> {
        let interval = i64::try_from(INTERVAL.as_millis()).unwrap_or(i64::MAX);
        let answer = match self.meta.poll_device(&device_code.sha256(), interval, self.now()).await? {
            Polled::Allowed(user) => match self.account(user).await? {
                Some(account) => return Ok(Caller::of_account(account, Via::Password, source)),
                None => DeviceAnswer::Refused,
            },
            Polled::Waiting => DeviceAnswer::Waiting,
            Polled::TooSoon => DeviceAnswer::TooSoon,
            Polled::Refused => DeviceAnswer::Refused,
            Polled::Unknown => DeviceAnswer::Expired,
        };
        Err(Error::Device(answer))
    }
}

/// What people do at a browser takes them to be there.
fn in_person(caller: &Caller) -> Result<i64> {
    match (caller.identity(), caller.via()) {
        (Identity::User { id, .. }, Via::Session) => Ok(*id),
        _ => Err(Error::SignInNeeded { scope: None }),
    }
}

fn unknown() -> Error {
    Error::NotFound { what: "a device with this code".into() }
}

fn draw_code() -> Result<String> {
    let mut code = draw(ALPHABET, CODE)?;
    code.insert(CODE / 2, '-');
    Ok(code)
}

/// As it was drawn, however it was typed.
fn code(typed: &str) -> String {
    let mut code: String =
        typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).take(CODE).collect();
    if code.len() == CODE {
        code.insert(CODE / 2, '-');
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_however_they_are_typed() {
        let drawn = draw_code().unwrap();
        assert_eq!((drawn.len(), drawn.as_bytes()[4]), (9, b'-'));
        assert!(drawn.bytes().filter(|byte| *byte != b'-').all(|byte| ALPHABET.contains(&byte)));
        for typed in
            [drawn.clone(), drawn.to_lowercase(), drawn.replace('-', ""), format!(" {} ", drawn.replace('-', " "))]
        {
            assert_eq!(code(&typed), drawn);
        }
        assert_ne!(drawn, draw_code().unwrap());
    }
}
