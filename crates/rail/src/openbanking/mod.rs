//! KFTC's open banking (금융결제원 오픈뱅킹) behind the port, for an institution with two-legged
//! authentication (`docs/reference/bank-rail.md`, cited as "openbanking" and its section).
//!
//! Two parts: a codec without I/O, one file a message, that says what goes out and what an answer
//! means; and `transport.rs`, the one file that opens connections and says whether a byte of a
//! request can have left. So every way in which an answer can be late, cut, doubled or nonsense is
//! a table of tests without a socket.
//!
//! The API's whole specification was not available. Compare the messages with it, and run them
//! against the test bed, before money moves.

pub mod deposit;
pub mod form;
mod json;
pub mod message;
pub mod original;
pub mod real_name;
pub mod receive;
mod reply;
pub mod result;
pub mod settings;
pub mod status;
pub mod token;
mod tokens;
mod transport;

use crate::port::{
    AccountCheck, BankState, CheckAnswer, INQUIRIES_TOGETHER, LateNotice, May, Payee, Rail,
};
use crate::simulated::Clock;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use ichae_domain::bank::{Answer, Why};
use ichae_domain::view::Deposit;
use message::{Got, Outgoing, Unfit};
use original::Original;
use receive::Checked;
use secrecy::SecretString;
use settings::Settings;
use std::num::NonZeroU32;
use token::{NoToken, Token};
use tokens::Tokens;
use tokio::sync::Semaphore;
use transport::Transport;

/// Why the rail cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenBankingError {
    /// [`Settings::problems`].
    #[error("the open banking settings: {}", .0.join("; "))]
    Settings(Vec<String>),
    #[error("the open banking client: {0}")]
    Client(String),
}

/// The open banking API behind the port.
pub struct OpenBanking {
    settings: Settings,
    clock: Clock,
    transport: Transport,
    tokens: Tokens,
    places: Semaphore,
    pace: DefaultDirectRateLimiter,
}

impl OpenBanking {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// [`OpenBankingError::Settings`] with all that is wrong, [`OpenBankingError::Client`].
    pub fn new(settings: Settings, clock: Clock) -> Result<OpenBanking, OpenBankingError> {
        let problems = settings.problems();
        let per_second = NonZeroU32::new(settings.calls_per_second);
        let (true, Some(per_second)) = (problems.is_empty(), per_second) else {
            return Err(OpenBankingError::Settings(problems));
        };
        // No burst: then no second, wherever it begins, has more calls than were agreed.
        let quota = Quota::per_second(per_second).allow_burst(NonZeroU32::MIN);
        Ok(OpenBanking {
            transport: Transport::new(&settings).map_err(OpenBankingError::Client)?,
            tokens: Tokens::default(),
            places: Semaphore::new(settings.in_flight),
            pace: RateLimiter::direct(quota),
            settings,
            clock,
        })
    }

    /// Sends one request once, after waiting for a place and for the pace; not at all, where that
    /// takes longer than an answer may, or where the caller may not act any more by then.
    async fn send(&self, out: &Outgoing, token: Option<&SecretString>, may: &May) -> Got {
        let turn = async {
            let place = self.places.acquire().await;
            self.pace.until_ready().await;
            place
        };
        match tokio::time::timeout(self.settings.timeout, turn).await {
            Ok(Ok(_place)) if may() => self.transport.send(out, token).await,
            Ok(Ok(_) | Err(_)) | Err(_) => Got::NotSent,
        }
    }

    /// Sends a request with the token. If the gateway refuses the token, no bank was involved: a
    /// new one is taken and the same request goes again, once (openbanking 2).
    async fn ask(&self, out: &Outgoing, may: &May) -> Result<Got, NoToken> {
        let clock = self.clock.as_ref();
        let held = self.tokens.get(clock, None, || self.renew()).await?;
        let got = self.send(out, Some(&held.value), may).await;
        if !reply::token_refused(&got) {
            return Ok(got);
        }
        let held = self.tokens.get(clock, Some(&held), || self.renew()).await?;
        Ok(self.send(out, Some(&held.value), may).await)
    }

    async fn renew(&self) -> Result<Token, NoToken> {
        let got = self.send(&token::build(&self.settings), None, &ANYBODY).await;
        let token = token::read(&got);
        match &token {
            Ok(token) => {
                let ours =
                    token.institution.as_ref().is_none_or(|i| *i == self.settings.institution);
                if !ours {
                    tracing::error!(
                        "the token is another institution's: its client_use_code differs"
                    );
                }
            }
            Err(trouble) => tracing::warn!(?trouble, ?got, "no token could be had"),
        }
        token
    }

    /// The check of the receiver: `None` where the deposit may go. Whatever else it says, no
    /// deposit was sent.
    async fn receiver(&self, deposit: &Deposit, to: &Payee, check: &str) -> Option<Answer> {
        let sent = receive::Sent { bank_tran_id: check.to_owned(), amount: deposit.amount };
        let out = match receive::build(&self.settings, &sent, to) {
            Ok(out) => out,
            Err(unfit) => return Some(not_written(unfit)),
        };
        match self.ask(&out, &ANYBODY).await.map(|got| receive::read(&sent, &got)) {
            Ok(Checked::Passed) => None,
            Ok(Checked::Refused(code)) => Some(Answer::Refused { code, day: deposit.day }),
            Ok(Checked::OwnSide(code)) => Some(Answer::OwnSide { code }),
            Ok(Checked::NoAnswer) => Some(Answer::NotSent),
            Err(no_token) => Some(not_asked(no_token)),
        }
    }

    async fn ask_about(&self, originals: &[Original]) -> Vec<Answer> {
        let all = |answer| vec![answer; originals.len()];
        let out = match result::build(originals, (self.clock)()) {
            Ok(out) => out,
            Err(unfit) => {
                tracing::error!(%unfit, "an inquiry cannot be written");
                return all(Answer::Unknown(reply::undecided(reply::FORM)));
            }
        };
        match self.ask(&out, &ANYBODY).await {
            Ok(got) => result::read(originals, &got),
            Err(NoToken::Refused(code)) => all(Answer::Unknown(Why::Undecided(code))),
            Err(NoToken::NoAnswer) => all(Answer::NotSent),
        }
    }
}

/// Of calls that move no money.
const ANYBODY: fn() -> bool = || true;

/// A deposit without a token was not sent.
fn not_asked(no_token: NoToken) -> Answer {
    match no_token {
        NoToken::Refused(code) => Answer::OwnSide { code },
        NoToken::NoAnswer => Answer::NotSent,
    }
}

/// A deposit that has no form in the message was not sent, and will not fit later either: the rail
/// pauses for a person to look, as it does when the centre refuses a form.
fn not_written(unfit: Unfit) -> Answer {
    tracing::error!(%unfit, "a deposit cannot be written");
    Answer::OwnSide { code: reply::FORM }
}

#[async_trait::async_trait]
impl Rail for OpenBanking {
    fn institution(&self) -> &str {
        &self.settings.institution
    }

    async fn real_name(&self, check: &AccountCheck) -> CheckAnswer {
        let now = (self.clock)();
        let out = match real_name::build(check, now) {
            Ok(out) => out,
            Err(unfit) => {
                tracing::error!(%unfit, "an account check cannot be written");
                return CheckAnswer::NoAnswer;
            }
        };
        let sent = real_name::Sent {
            bank_tran_id: check.bank_tran_id.clone(),
            account: check.number.clone(),
            day: now.day(),
            trust_dates: self.settings.trust_dates,
        };
        match self.ask(&out, &ANYBODY).await {
            Ok(got) => real_name::read(&sent, &got),
            Err(_) => CheckAnswer::NoAnswer,
        }
    }

    async fn deposit(&self, deposit: &Deposit, to: &Payee, may: &May) -> Answer {
        let check = to.check_tran_id.as_deref().filter(|_| self.settings.receive_check);
        if self.settings.receive_check && check.is_none() {
            return not_written(Unfit("check_tran_id"));
        }
        if let Some(check) = check
            && let Some(answer) = self.receiver(deposit, to, check).await
        {
            return answer;
        }
        let out = match deposit::build(&self.settings, deposit, to, check, (self.clock)()) {
            Ok(out) => out,
            Err(unfit) => return not_written(unfit),
        };
        let sent = deposit::Sent::new(&self.settings, deposit, to);
        match self.ask(&out, may).await {
            Ok(got) => deposit::read(&sent, &got),
            Err(no_token) => not_asked(no_token),
        }
    }

    fn checks_receivers(&self) -> bool {
        self.settings.receive_check
    }

    async fn inquire(&self, deposits: &[Deposit]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(deposits.len());
        for some in deposits.chunks(INQUIRIES_TOGETHER) {
            let original = |deposit: &Deposit| {
                Original::new(&self.settings.institution, deposit, self.settings.trust_dates)
            };
            let originals: Vec<Original> = some.iter().map(original).collect();
            answers.extend(self.ask_about(&originals).await);
        }
        answers
    }

    async fn banks(&self) -> Option<Vec<BankState>> {
        let got = self.ask(&status::build(), &ANYBODY).await.ok()?;
        status::read(&got)
    }

    /// Always none: the API has no notice of a deposit that comes back later (openbanking 13 knows
    /// one in firm banking only). Such a return is seen in the bank's statement.
    async fn notices(&self, _after: i64, _limit: usize) -> Vec<LateNotice> {
        Vec::new()
    }
}
