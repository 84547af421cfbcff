//! Answers that are kept for a moment: whoever asks again and again costs no more than one who asks seldom.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// A value made when it is asked for, at most once every so often.
pub(crate) struct Fresh<T> {
    lasts: Duration,
    kept: Mutex<Option<(Instant, T)>>,
}

impl<T: Clone> Fresh<T> {
    pub(crate) fn lasting(lasts: Duration) -> Self {
        Self { lasts, kept: Mutex::new(None) }
    }

    /// The value, made anew by `make` from the one before when that is too old. Callers wait for one making.
    pub(crate) async fn get<E>(&self, make: impl AsyncFnOnce(Option<T>) -> Result<T, E>) -> Result<T, E> {
        let mut kept = self.kept.lock().await;
        if let Some((since, value)) = &*kept
            && since.elapsed() < self.lasts
        {
            return Ok(value.clone());
        }
        let value = make(kept.take().map(|(_, value)| value)).await?;
        *kept = Some((Instant::now(), value.clone()));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_value_is_made_once_while_it_lasts() {
        let fresh = Fresh::lasting(Duration::from_secs(2));
        let next = async |before: Option<u32>| Ok::<_, Infallible>(before.unwrap_or(0) + 1);
        assert_eq!(fresh.get(next).await, Ok(1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(fresh.get(next).await, Ok(1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(fresh.get(next).await, Ok(2));
    }
}
