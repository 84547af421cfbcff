//! Walks through lists of which only some entries are anybody's to see: window by window, and never without end.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::access::{Caller, Identity};
use crate::{Error, Result};

/// Walks through the repositories at once by those who signed in, and by strangers.
const WALKS: usize = 2;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Turns at walking. Strangers have their own, so that none of those who signed in waits for them.
pub(crate) struct Walks {
    known: Semaphore,
    strangers: Semaphore,
}

impl Walks {
    pub(crate) fn new() -> Self {
        Self { known: Semaphore::new(WALKS), strangers: Semaphore::new(WALKS) }
    }

    /// Pulls and pushes must not wait for all who walk at once.
    pub(crate) async fn turn(&self, caller: &Caller) -> Result<SemaphorePermit<'_>> {
        let turns = if *caller.identity() == Identity::Anonymous { &self.strangers } else { &self.known };
        let turn = tokio::time::timeout(PATIENCE, turns.acquire()).await.map_err(|_| Error::Busy)?;
        turn.map_err(|error| Error::Internal(error.to_string()))
    }
}

/// How far one request looks.
#[derive(Clone, Copy)]
pub(crate) struct Walk {
    /// Rows looked at before other requests get their turn.
    pub(crate) window: usize,
    /// Windows.
    pub(crate) windows: usize,
}

/// 100,000 rows.
pub(crate) const WALK: Walk = Walk { window: 500, windows: 200 };

/// What a walk came to.
pub(crate) struct Walked<T> {
    /// As many as were asked for at most.
    pub(crate) entries: Vec<T>,
    /// Whether more than those were found.
    pub(crate) is_cut: bool,
    /// Where it stopped, which may be at something that the caller must not learn of; `None`: at the end of all.
    pub(crate) end: Option<String>,
}

impl Walk {
    /// Walks from behind `after` on, until there are more than `n` entries. `look` looks at so many rows, and says what it
    /// found among them and where they ended, unless that was the end of all.
    pub(crate) async fn through<T, F>(
        self,
        mut after: String,
        n: usize,
        look: impl Fn(String, usize) -> F,
    ) -> Result<Walked<T>>
    where
        F: Future<Output = Result<(Vec<T>, Option<String>)>>,
    {
        let mut entries = Vec::new();
        for _ in 0..self.windows {
            let (found, end) = look(after, self.window).await?;
            entries.extend(found);
            let is_cut = entries.len() > n;
            entries.truncate(n);
            let Some(end) = end.filter(|_| !is_cut) else { return Ok(Walked { entries, is_cut, end: None }) };
            after = end;
            tokio::task::yield_now().await;
        }
        Ok(Walked { entries, is_cut: false, end: Some(after) })
    }
}
