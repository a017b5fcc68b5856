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

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use tokio::sync::watch;
    use tokio::task::JoinSet;

    fn token(name: &str) -> Result<Token, NoToken> {
        let lifetime = Duration::from_secs(100);
        Ok(Token { value: name.into(), lifetime, institution: None })
    }

    fn clock() -> Time {
        Time(1_000)
    }

    /// Fifty callers that all wait before the one renewal ends, and what each was told.
    async fn fifty(tokens: &Arc<Tokens>, got: Result<Token, NoToken>) -> (usize, Vec<bool>) {
        let (calls, open) = (Arc::new(AtomicUsize::new(0)), watch::Sender::new(false));
        let mut callers = JoinSet::new();
        for _ in 0..50 {
            let (tokens, calls, mut opened) = (tokens.clone(), calls.clone(), open.subscribe());
            let got = got.clone();
            callers.spawn(async move {
                let renew = || async move {
                    calls.fetch_add(1, Ordering::SeqCst);
                    opened.wait_for(|open| *open).await.unwrap();
                    got
                };
                tokens.get(&clock, None, renew).await.is_ok()
            });
        }
        // One thread: after this each has run as far as it can.
        tokio::task::yield_now().await;
        open.send_replace(true);
        let told = callers.join_all().await;
        (calls.load(Ordering::SeqCst), told)
    }

    #[tokio::test]
    async fn callers_share_one_renewal_and_its_outcome() {
        let tokens = Arc::new(Tokens::default());
        // A failure is shared as well, by those who waited for it and by nobody else.
        assert_eq!(fifty(&tokens, Err(NoToken::NoAnswer)).await, (1, vec![false; 50]));
        assert_eq!(fifty(&tokens, Err(NoToken::NoAnswer)).await, (1, vec![false; 50]));
        assert_eq!(fifty(&tokens, token("a")).await, (1, vec![true; 50]));
        assert_eq!(fifty(&tokens, token("b")).await, (0, vec![true; 50]));
    }

    #[tokio::test]
    async fn a_refusal_of_an_old_token_does_not_end_a_new_one() {
        let tokens = Tokens::default();
        let first = tokens.get(&clock, None, || async { token("a") }).await.unwrap();
        let second = tokens.get(&clock, Some(&first), || async { token("b") }).await.unwrap();
        assert_eq!(second.value.expose_secret(), "b");
        let third = tokens.get(&clock, Some(&first), || async { token("c") }).await.unwrap();
        assert_eq!(third.value.expose_secret(), "b");
        let none = tokens.get(&clock, Some(&second), || async { Err(NoToken::NoAnswer) }).await;
        assert_eq!(none.err(), Some(NoToken::NoAnswer));
        // The refused one is not offered again.
        let fourth = tokens.get(&clock, None, || async { token("d") }).await.unwrap();
        assert_eq!(fourth.value.expose_secret(), "d");
    }

    #[tokio::test]
    async fn a_renewal_that_was_dropped_leaves_room_for_the_next() {
        let tokens = Tokens::default();
        let never = || async { std::future::pending().await };
        let given_up = tokio::select! {
            biased;
            _ = tokens.get(&clock, None, never) => false,
            () = std::future::ready(()) => true,
        };
        assert!(given_up);
        assert!(tokens.get(&clock, None, || async { token("a") }).await.is_ok());
    }

    #[test]
    fn a_token_is_used_up_to_its_margin() {
        for (seconds, usable_ms) in [(10, 9_000), (6_000, 5_400_000), (7_776_000, 7_775_400_000)] {
            assert_eq!(usable(Duration::from_secs(seconds)), usable_ms);
        }
    }
}
