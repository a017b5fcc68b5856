//! Deals the faults: which of them strike a deposit. It keeps no dice but a hash, so that a run
//! with the same seed and numbers goes the same way, in whatever order the calls come.

use crate::fault::{FAULTS, Fault};
use crate::plan::Plan;
use siphasher::sip::SipHasher13;
use std::collections::HashMap;
use std::hash::Hasher as _;

/// What strikes one deposit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Strike {
    /// The fault of the deposit itself.
    pub deposit: Option<Fault>,
    pub lost: bool,
    pub wrong: bool,
    pub no_history: bool,
    /// Chooses between the variants of a fault.
    pub variant: u64,
}

impl Strike {
    fn of(faults: impl Iterator<Item = Fault>, variant: u64) -> Strike {
        let mut strike = Strike { variant, ..Strike::default() };
        for fault in faults {
            match fault {
                Fault::InquiryLost => strike.lost = true,
                Fault::InquiryWrong => strike.wrong = true,
                Fault::InquiryNoHistory => strike.no_history = true,
                // The first of the table; a second one would hide it.
                other => strike.deposit = strike.deposit.or(Some(other)),
            }
        }
        strike
    }

    /// The names of what struck, with `+` between them, for the journal.
    pub fn names(&self) -> Option<String> {
        let all = [
            self.deposit,
            self.lost.then_some(Fault::InquiryLost),
            self.wrong.then_some(Fault::InquiryWrong),
            self.no_history.then_some(Fault::InquiryNoHistory),
        ];
        let names: Vec<&str> = all.into_iter().flatten().map(Fault::name).collect();
        (!names.is_empty()).then(|| names.join("+"))
    }
}

/// A plan, and how far its scripts have got.
#[derive(Debug, Default)]
pub struct Dealer {
    plan: Plan,
    calm: bool,
    steps_done: HashMap<String, usize>,
}

impl Dealer {
    pub fn new(plan: Plan) -> Dealer {
        Dealer { plan, ..Dealer::default() }
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// No faults from now on, until the next plan.
    pub fn calm(&mut self) {
        self.calm = true;
    }

    pub fn is_calm(&self) -> bool {
        self.calm
    }

    /// What strikes the `nth` call, from 0, that comes with this number.
    pub fn deal(&mut self, account: &str, bank_tran_id: &str, nth: i64) -> Strike {
        if self.calm {
            return Strike::default();
        }
        let variant = hash(self.plan.seed, bank_tran_id, nth, "variant");
        if let Some(step) = self.scripted(account) {
            return Strike::of(step.into_iter(), variant);
        }
        let struck = FAULTS.iter().map(|entry| entry.fault).filter(|fault| {
            let chance = self.plan.per_mille.get(fault).copied().unwrap_or_default();
            hash(self.plan.seed, bank_tran_id, nth, fault.name()) % 1_000 < u64::from(chance)
        });
        Strike::of(struck, variant)
    }

    fn scripted(&mut self, account: &str) -> Option<Vec<Fault>> {
        let script = self.plan.accounts.get(account)?;
        let done = self.steps_done.entry(account.to_owned()).or_default();
        let at = if script.always { *done % script.steps.len().max(1) } else { *done };
        let step = script.steps.get(at)?.clone();
        *done += 1;
        Some(step)
    }
}

fn hash(seed: u64, bank_tran_id: &str, nth: i64, what: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(seed, 0);
    hasher.write(bank_tran_id.as_bytes());
    hasher.write_i64(nth);
    hasher.write(what.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealer(text: &str) -> Dealer {
        Dealer::new(Plan::parse(text).unwrap())
    }

    fn ids() -> impl DoubleEndedIterator<Item = String> {
        (0..2_000).map(|n| format!("M202112389U{n:09}"))
    }

    const SOME: &str = "[per_mille]\nreset = 50\ngarbage = 50\ninquiry-lost = 500\n";

    #[test]
    fn the_same_seed_strikes_the_same_numbers_in_any_order() {
        let (mut one, mut two) = (dealer(SOME), dealer(SOME));
        let forward: Vec<Strike> = ids().map(|id| one.deal("1", &id, 0)).collect();
        let mut backward: Vec<Strike> = ids().rev().map(|id| two.deal("2", &id, 0)).collect();
        backward.reverse();
        assert_eq!(forward, backward);
        let mut other = dealer(&format!("seed = 1\n{SOME}"));
        assert_ne!(forward, ids().map(|id| other.deal("1", &id, 0)).collect::<Vec<_>>());
        assert_ne!(forward, ids().map(|id| one.deal("1", &id, 1)).collect::<Vec<_>>());
    }

    #[test]
    fn a_chance_is_what_it_says() {
        let mut dealer = dealer(SOME);
        let strikes: Vec<Strike> = ids().map(|id| dealer.deal("1", &id, 0)).collect();
        let count = |wanted: &dyn Fn(&Strike) -> bool| strikes.iter().filter(|s| wanted(s)).count();
        let resets = count(&|s| s.deposit == Some(Fault::Reset));
        let lost = count(&|s| s.lost);
        assert!((60..140).contains(&resets), "{resets} of 2000 at 50 per mille");
        assert!((900..1_100).contains(&lost), "{lost} of 2000 at 500 per mille");
        assert_eq!(count(&|s| s.wrong || s.no_history), 0);
    }

    #[test]
    fn certain_and_impossible_faults() {
        let mut always = dealer("[per_mille]\nreset = 1000\ngarbage = 1000\nrefused = 0\n");
        for id in ids().take(100) {
            assert_eq!(always.deal("1", &id, 0).deposit, Some(Fault::Reset), "the first listed");
        }
        always.calm();
        assert_eq!(always.deal("1", "x", 0), Strike::default());
    }

    #[test]
    fn a_script_is_consumed_and_one_that_is_for_always_begins_again() {
        let script = |always| {
            format!(
                "[[account]]\nnumber = \"12\"\nfaults = [\"reset\", \"none\"]\nalways = {always}\n"
            )
        };
        let deal = |dealer: &mut Dealer, account| dealer.deal(account, "x", 0).deposit;
        let (mut once, mut always) = (dealer(&script(false)), dealer(&script(true)));
        let expected = [(Some(Fault::Reset), Some(Fault::Reset)), (None, None)];
        for (first, second) in expected.into_iter().chain([(None, Some(Fault::Reset))]) {
            assert_eq!((deal(&mut once, "12"), deal(&mut always, "12")), (first, second));
            assert_eq!(deal(&mut always, "13"), None, "another account");
        }
    }

    #[test]
    fn what_struck_is_written_with_its_inquiries() {
        let faults = [Fault::InquiryNoHistory, Fault::Delay, Fault::Reset, Fault::InquiryLost];
        let strike = Strike::of(faults.into_iter(), 0);
        assert_eq!(strike.names().unwrap(), "delay+inquiry-lost+inquiry-no-history");
        assert_eq!(Strike::default().names(), None);
    }
}
