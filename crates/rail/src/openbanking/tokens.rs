//! Keeps the token: in memory only, renewed by one caller at a time.

use super::token::{NoToken, Token};
use ichae_domain::time::Time;
use secrecy::SecretString;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long before its end a token is renewed, at most; a tenth of a short one's life.
const MARGIN_MAX: Duration = Duration::from_secs(600);

/// A token as a caller has it.
#[derive(Clone)]
pub(super) struct Held {
    pub value: SecretString,
    /// Which one it is, so that a refusal of an old one does not end a new one.
    number: u64,
    until: Time,
}

#[derive(Default)]
pub(super) struct Tokens {
    state: Mutex<State>,
    /// Renewals that have ended, well or not.
    ended: AtomicU64,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    trouble: Option<NoToken>,
}

impl Tokens {
    /// The token in use, or a new one from `renew`. `refused` is one that the gateway did not take.
    ///
    /// Callers that come during a renewal wait for it and share its outcome, a failure too: there
    /// is never a second one at the same time.
    pub async fn get<F, R>(
        &self,
        clock: &(dyn Fn() -> Time + Send + Sync),
        refused: Option<&Held>,
        renew: F,
    ) -> Result<Held, NoToken>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<Token, NoToken>>,
    {
        let ended = self.ended.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        if refused.map(|held| held.number) == state.held.as_ref().map(|held| held.number) {
            state.held = None;
        }
        let asked_at = clock();
        if let Some(held) = state.held.as_ref().filter(|held| asked_at < held.until) {
            return Ok(held.clone());
        }
        let number = self.ended.load(Ordering::SeqCst);
        if let Some(trouble) = state.trouble.filter(|_| number != ended) {
            return Err(trouble);
        }
        let got = renew().await;
        self.ended.fetch_add(1, Ordering::SeqCst);
        state.trouble = got.as_ref().err().copied();
        let token = got?;
        let held =
            Held { value: token.value, number, until: asked_at.plus_ms(usable(token.lifetime)) };
        state.held = Some(held.clone());
        Ok(held)
    }
}

/// Milliseconds from the asking to the renewal.
fn usable(lifetime: Duration) -> i64 {
    let margin = MARGIN_MAX.min(lifetime / 10);
    i64::try_from((lifetime - margin).as_millis()).unwrap_or(i64::MAX)
}
