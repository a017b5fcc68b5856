//! What a simulator is started with, and the sandbox's values, which a hub can be given as well.

use crate::clock;
use crate::plan::Plan;
use ichae_domain::time::Time;
use ichae_rail::simulated::Clock;
use secrecy::SecretString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The sandbox's 이용기관코드, the first ten characters of every `bank_tran_id` (openbanking 3).
pub const INSTITUTION: &str = ichae_rail::simulated::INSTITUTION;
pub const CLIENT_ID: &str = "sandbox";
pub const CLIENT_SECRET: &str = "sandbox-secret";
/// The sandbox's registered 약정계좌 (openbanking 6).
pub const CONTRACT_ACCOUNT: &str = "1101234567890";
/// The test bed's pass phrase (openbanking 12).
pub const PASS_PHRASE: &str = "NONE";
/// About what was seen of the real one (openbanking 2).
const TOKEN_LIFE: Duration = Duration::from_secs(7_776_000);

/// When the bank takes calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hours {
    Always,
    /// 00:05 to 23:55 Korean time, every day (openbanking 11).
    Kftc,
}

/// The minutes of a day at which [`Hours::Kftc`] opens and closes.
const OPENS: u32 = 5;
const CLOSES: u32 = 23 * 60 + 55;

impl Hours {
    /// Whether calls are taken at this time.
    pub fn open_at(self, now: Time) -> bool {
        let text = now.seoul_17();
        let number = |from: usize| text.get(from..from + 2).and_then(|t| t.parse::<u32>().ok());
        let minute = number(8).zip(number(10)).map(|(hour, minute)| hour * 60 + minute);
        self == Hours::Always || minute.is_some_and(|m| (OPENS..CLOSES).contains(&m))
    }
}

/// How a simulator is set up.
#[derive(Clone)]
pub struct Settings {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The journal's file; it is made where there is none.
    pub journal: PathBuf,
    pub client_id: String,
    pub client_secret: SecretString,
    /// Ten characters.
    pub institution: String,
    pub contract_account: SecretString,
    pub pass_phrase: SecretString,
    /// From a token's issue to its end.
    pub token_life: Duration,
    pub hours: Hours,
    pub plan: Plan,
    /// Answers 822 to a number that it knows, without paying, instead of paying again.
    pub strict: bool,
    /// Says what time it is; a test gives its own.
    pub clock: Clock,
}

impl Settings {
    /// Always open, no faults, the sandbox's constants.
    pub fn sandbox(listen: SocketAddr, journal: impl Into<PathBuf>) -> Settings {
        Settings {
            listen,
            journal: journal.into(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.into(),
            institution: INSTITUTION.to_owned(),
            contract_account: CONTRACT_ACCOUNT.into(),
            pass_phrase: PASS_PHRASE.into(),
            token_life: TOKEN_LIFE,
            hours: Hours::Always,
            plan: Plan::default(),
            strict: false,
            clock: clock::wall(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("institution", &self.institution)
            .field("hours", &self.hours)
            .field("strict", &self.strict)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_is_closed_for_ten_minutes_around_midnight() {
        let midnight = 1_634_914_800_000;
        let table = [(-300_001, true), (-300_000, false), (0, false), (299_999, false)];
        for (ms, open) in table.into_iter().chain([(300_000, true), (43_200_000, true)]) {
            assert_eq!(Hours::Kftc.open_at(Time(midnight + ms)), open, "{ms}");
            assert!(Hours::Always.open_at(Time(midnight + ms)));
        }
    }

    #[test]
    fn settings_print_no_secret() {
        let text =
            format!("{:?}", Settings::sandbox(SocketAddr::from(([127, 0, 0, 1], 1)), "bank.db"));
        for secret in [CLIENT_SECRET, CONTRACT_ACCOUNT] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains(INSTITUTION));
    }
}
