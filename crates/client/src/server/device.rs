//! Signing in by another device, where a browser is (RFC 8628).

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use tokio::time::Instant;

use super::token::API;
use super::{AccessToken, Door, Error, LARGEST, Server};
use crate::Secret;
use crate::wire::{self, Again, CLIENT};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// RFC 8628 §3.2: when the server does not say.
const INTERVAL: u64 = 5;
/// RFC 8628 §3.5, `slow_down`.
const SLOWER: Duration = Duration::from_secs(5);

/// A sign-in that waits for a person.
#[derive(Debug)]
pub struct Device {
    /// What the person types there.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: Option<String>,
    /// How long it is waited for.
    pub lifetime: Duration,
    code: Secret,
    interval: Duration,
    until: Instant,
}

#[derive(Deserialize)]
struct Started {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

impl Server {
    /// Begins.
    pub async fn start_device(&self) -> Result<Device, Error> {
        let url = self.address.at("/token/device");
        let form = [("client_id", CLIENT), ("scope", API)];
        let reply = self.transport.send(Again::Yes, LARGEST, |http| http.post(&url).form(&form)).await?;
        if matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
            return Err(Error::NotAllowed("this server has no sign-in by a browser; give a user name, or a token"));
        }
        if !reply.status.is_success() {
            return Err(self.refused(&reply));
        }
        let started: Started = serde_json::from_slice(&reply.body)
            .map_err(|_| self.not_understood("it cannot sign in by another device"))?;
        let lifetime = Duration::from_secs(started.expires_in.min(3600));
        Ok(Device {
            user_code: started.user_code,
            verification_uri: started.verification_uri,
            verification_uri_complete: started.verification_uri_complete,
            lifetime,
            code: Secret::new(started.device_code),
            // Never faster than once a second, whatever it says.
            interval: Duration::from_secs(started.interval.unwrap_or(INTERVAL).clamp(1, 60)),
            until: Instant::now() + lifetime,
        })
    }

    /// Waits until the person has said yes or no, or the time is over.
    pub async fn await_device(&self, door: &Door, device: Device) -> Result<AccessToken, Error> {
        let Door::Token { realm, .. } = door else {
            return Err(self.not_understood("it gives out no tokens"));
        };
        let mut interval = device.interval;
        let code = device.code.expose();
        let form = [("grant_type", GRANT), ("device_code", code), ("client_id", CLIENT), ("scope", API)];
        while Instant::now() + interval < device.until {
            tokio::time::sleep(interval).await;
            match self.ask_oauth(realm, &form).await {
                Ok(Ok(reply)) => return self.issued(&reply),
                Ok(Err(code)) => match code.as_str() {
                    "authorization_pending" => {}
                    "slow_down" => interval += SLOWER,
                    "access_denied" => return Err(Error::NotAllowed("it was refused there")),
                    "expired_token" => break,
                    _ => return Err(self.not_understood(format!("its token endpoint says {code}"))),
                },
                // RFC 8628 §3.5: back off and go on.
                Err(Error::Wire(wire::Error::Unreachable { .. } | wire::Error::Busy { .. })) => {
                    interval = (interval * 2).min(Duration::from_mins(1));
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::NotAllowed("nobody allowed it in time; start again"))
    }
}
