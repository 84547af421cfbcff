//! Devices that wait for a person's consent (RFC 8628).

use serde_json::{Value, json};

use crate::changes::{By, What};
use crate::db::{Tx, statements};
use crate::{Meta, Millis, Result, accounts};

/// A device that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What it called itself.
    pub client_id: String,
    /// Where it asked from.
    pub address: Option<String>,
    /// When it is given up.
    pub expires_at: Millis,
}

/// A device that is to wait.
#[derive(Clone)]
pub struct NewDevice {
    /// SHA-256 of what it shows.
    pub hash: Vec<u8>,
    /// What the person types.
    pub user_code: String,
    /// What it called itself.
    pub client_id: String,
    /// Where it asked from.
    pub address: Option<String>,
    /// When it is given up.
    pub expires_at: Millis,
}

/// What a device is told when it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// There is none such, or not any more.
    Unknown,
    /// Nobody has decided.
    Waiting,
    /// Nobody has decided, and it asked too soon.
    TooSoon,
    /// Somebody said no.
    Refused,
    /// That user said yes. It is told once.
    Allowed(i64),
}

statements! {
    START = "INSERT INTO device_codes (hash, user_code, client_id, address, state, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    SWEEP = "DELETE FROM device_codes WHERE expires_at <= $1";
    /// The oldest beyond so many: anybody can start.
    CAP = "DELETE FROM device_codes WHERE hash IN (SELECT hash FROM device_codes ORDER BY expires_at DESC
              LIMIT $1 OFFSET $2)";
    BY_USER_CODE = "SELECT client_id, address, expires_at FROM device_codes
            WHERE user_code = $1 AND state = 'waiting' AND expires_at > $2";
    DECIDE = "UPDATE device_codes SET state = $1, user_id = $2
            WHERE user_code = $3 AND state = 'waiting' AND expires_at > $4";
    POLL = "SELECT state, user_id, polled_at FROM device_codes WHERE hash = $1 AND expires_at > $2";
    POLLED = "UPDATE device_codes SET polled_at = $1 WHERE hash = $2";
    TAKE = "DELETE FROM device_codes WHERE hash = $1";
}

/// Devices that wait at once; each more ends the one that would expire first.
const AT_ONCE: i64 = 10_000;

impl Meta {
    /// Lets a device wait; those that have expired by `now` go. `false` when the code is another's.
    pub async fn start_device(&self, new: NewDevice, now: Millis) -> Result<bool> {
        self.db
            .write(move |tx| {
                tx.run(SWEEP, [now])?;
                tx.run(CAP, (AT_ONCE, AT_ONCE - 1))?;
                let NewDevice { hash, user_code, client_id, address, expires_at } = new;
                Ok(tx.run(START, (hash, user_code, client_id, address, "waiting", expires_at))? > 0)
            })
            .await
    }

    /// The device that waits under that code.
    pub async fn device(&self, user_code: &str, now: Millis) -> Result<Option<Device>> {
        self.db.read(|tx| tx.one(BY_USER_CODE, (user_code, now), device))
    }

    /// Says yes or no for a device; `false` when none waits under that code.
    pub async fn decide_device(&self, user_code: &str, user: i64, is_allowed: bool, by: By) -> Result<bool> {
        let code = user_code.to_owned();
        let (state, action) = if is_allowed { ("allowed", "device.allow") } else { ("refused", "device.refuse") };
        self.db
            .write(move |tx| {
                let Some(device) = tx.one(BY_USER_CODE, (&code, by.now), device)? else { return Ok(false) };
                tx.run(DECIDE, (state, user, &code, by.now))?;
                let user = accounts::by_id(tx, user)?.name;
                let after = json!({ "client": device.client_id, "address": device.address });
                by.record(tx, What { action, org: None, target: &user }, Value::Null, after)?;
                Ok(true)
            })
            .await
    }

    /// What a device that asks is told. Decided, it is forgotten with the answer.
    pub async fn poll_device(&self, hash: &[u8], interval: Millis, now: Millis) -> Result<Polled> {
        let hash = hash.to_owned();
        self.db.write(move |tx| poll(tx, &hash, interval, now)).await
    }
}

fn device(row: &rusqlite::Row<'_>) -> Result<Device> {
    Ok(Device { client_id: row.get(0)?, address: row.get(1)?, expires_at: row.get(2)? })
}

fn poll(tx: &Tx<'_>, hash: &[u8], interval: Millis, now: Millis) -> Result<Polled> {
    let row = tx.one(POLL, (hash, now), |row| {
        let (state, user, polled_at): (String, Option<i64>, Option<Millis>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((state, user, polled_at))
    })?;
    let answer = match row {
        None => return Ok(Polled::Unknown),
        Some((state, _, polled_at)) if state == "waiting" => {
            tx.run(POLLED, (now, hash))?;
            let too_soon = polled_at.is_some_and(|before| now < before.saturating_add(interval));
            return Ok(if too_soon { Polled::TooSoon } else { Polled::Waiting });
        }
        Some((state, Some(user), _)) if state == "allowed" => Polled::Allowed(user),
        Some(_) => Polled::Refused,
    };
    tx.run(TAKE, [hash])?;
    Ok(answer)
}
