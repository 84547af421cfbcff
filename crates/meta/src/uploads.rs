//! Uploads: rows that any process can continue.
//!
//! The bytes of an upload are not synced before its end, so how far it came need not be either: an upload outlives the
//! process, and after a power cut its client is told of less, or that it is gone.

use wharf_oci::{Algorithm, Hasher};

use crate::db::{Tx, parsed, signed, statements, unsigned};
use crate::{Error, Meta, Millis, RepoId, Result, quotas};

/// Uploads that one caller may have open. A push has as many as it sends layers at once, a handful.
pub const MOST_UPLOADS: u64 = 1000;

/// An upload as its row has it.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its id, as in its Location.
    pub id: String,
    /// The repository it was started in.
    pub repo: RepoId,
    /// Who started it, by row: `user:5`.
    pub caller: String,
    /// Bytes acknowledged.
    pub size: u64,
    /// The hash of those bytes.
    pub hasher: Hasher,
    /// The machine's boot that wrote them.
    pub boot: String,
    /// When it is dropped.
    pub expires_at: Millis,
}

statements! {
    START = "INSERT INTO uploads (id, repo_id, caller, size, algorithm, hash_state, boot, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    FIND = "SELECT id, repo_id, caller, size, algorithm, hash_state, boot, expires_at
            FROM uploads WHERE id = $1";
    SAVE = "UPDATE uploads SET size = $1, algorithm = $2, hash_state = $3, boot = $4, expires_at = $5 WHERE id = $6";
    DELETE = "DELETE FROM uploads WHERE id = $1";
    EXPIRED = "SELECT id FROM uploads WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2";
    DELETE_EXPIRED = "DELETE FROM uploads WHERE id = $1 AND expires_at <= $2";
    COUNT = "SELECT count(*) FROM uploads";
    COUNT_OF = "SELECT count(*) FROM uploads WHERE caller = $1";
}

impl Meta {
    /// Records a new upload, unless nothing is left of its org's quota. `false` when its caller has as many open as
    /// they may, [`MOST_UPLOADS`].
    pub async fn start_upload(&self, upload: Upload) -> Result<bool> {
        self.db
            .note(move |tx| {
                let open = tx.one(COUNT_OF, [&upload.caller], |row| unsigned(row, 0))?;
                if open.unwrap_or(0) >= MOST_UPLOADS {
                    return Ok(false);
                }
                quotas::admit_upload(tx, upload.repo)?;
                let hasher = &upload.hasher;
                tx.run(
                    START,
                    (
                        &upload.id,
                        upload.repo.0,
                        &upload.caller,
                        signed(upload.size),
                        hasher.algorithm().as_str(),
                        hasher.save(),
                        &upload.boot,
                        upload.expires_at,
                    ),
                )?;
                Ok(true)
            })
            .await
    }

    /// The upload of that id.
    pub async fn upload(&self, id: &str) -> Result<Option<Upload>> {
        self.db.read(|tx| tx.one(FIND, [id], upload))
    }

    /// Acknowledges how far an upload has come. `false` when it is gone.
    pub async fn save_upload(&self, upload: &Upload) -> Result<bool> {
        let Upload { id, size, hasher, boot, expires_at, .. } = upload.clone();
        self.db
            .note(move |tx| {
                let params = (signed(size), hasher.algorithm().as_str(), hasher.save(), &boot, expires_at, &id);
                Ok(tx.run(SAVE, params)? > 0)
            })
            .await
    }

    /// Forgets an upload. `false` when it was gone.
    pub async fn delete_upload(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.db.write(move |tx| delete(tx, &id)).await
    }

    /// Forgets an upload if it has still expired by `now`: whoever went on with it since keeps it. `false` then.
    pub async fn delete_expired_upload(&self, id: &str, now: Millis) -> Result<bool> {
        let id = id.to_owned();
        self.db
            .write(move |tx| {
                let expired = tx.run(DELETE_EXPIRED, (&id, now))? > 0;
                if expired {
                    quotas::release(tx, &id)?;
                }
                Ok(expired)
            })
            .await
    }

    /// Ids of up to `limit` uploads that expired by `now`.
    pub async fn expired_uploads(&self, now: Millis, limit: usize) -> Result<Vec<String>> {
        self.db.read(|tx| tx.all(EXPIRED, (now, signed(limit as u64)), |row| Ok(row.get(0)?)))
    }

    /// Uploads open.
    pub async fn count_uploads(&self) -> Result<u64> {
        Ok(self.db.read(|tx| tx.one(COUNT, [], |row| unsigned(row, 0)))?.unwrap_or(0))
    }
}

/// With what it had reserved.
pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<bool> {
    quotas::release(tx, id)?;
    Ok(tx.run(DELETE, [id])? > 0)
}

fn upload(row: &rusqlite::Row<'_>) -> Result<Upload> {
    let algorithm: Algorithm = parsed(row, 4)?;
    let state = row.get_ref(5)?.as_blob().map_err(|error| Error::Damaged(error.to_string()))?;
    Ok(Upload {
        id: row.get(0)?,
        repo: RepoId(row.get(1)?),
        caller: row.get(2)?,
        size: unsigned(row, 3)?,
        hasher: Hasher::restore(algorithm, state).map_err(|error| Error::Damaged(error.to_string()))?,
        boot: row.get(6)?,
        expires_at: row.get(7)?,
    })
}
