//! The faults, as one table; a new one is a line here and a question to [`Dice::hits`] where it
//! can strike.
//!
//! Each seed switches some of them off and turns others up, so that the seeds are not all alike
//! and rare combinations get their turn.

use crate::random::Random;

macro_rules! faults {
    ($($name:ident $chance:literal $text:literal;)*) => {
        /// Something that goes wrong.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Fault { $($name,)* }

        impl Fault {
            pub const ALL: &[Fault] = &[$(Fault::$name,)*];

            /// In a thousand opportunities, in a seed that does not change it.
            fn chance(self) -> u64 {
                match self { $(Fault::$name => $chance,)* }
            }

            pub fn text(self) -> &'static str {
                match self { $(Fault::$name => $text,)* }
            }
        }
    };
}

faults! {
    Crash 8 "crash between two steps";
    CrashQueued 8 "crash with orders queued and not committed";
    CrashBeforeOutcome 30 "crash between the bank's answer and its commit";
    CrashAfterCommit 8 "crash after a commit, before anybody was told";
    CrashAfterIntent 15 "crash between the intent and the call";
    CrashRestarting 100 "crash again while starting";
    LostAnswer 60 "the bank's answer is lost";
    LateAnswer 60 "the bank answers after the time-out";
    LateArrival 25 "a call reaches the bank after the time-out";
    NotSent 50 "the connection fails before a byte left";
    OwnSide 6 "trouble on our own side of the bank";
    InquiryLost 100 "an inquiry fails or its answer is lost";
    Duplicated 80 "an outcome is told twice";
    Reordered 200 "orders overtake each other";
    Paused 6 "an operator pauses the rail";
    ClockJump 15 "the clock jumps by hours or days";
    ReceiverFails 150 "a webhook is answered with an error";
    ReceiverDown 8 "a webhook receiver is down for a day";
    AckLost 50 "a webhook arrives, its acknowledgement does not";
    Suspended 8 "a partner is suspended";
    Held 12 "operators hold a payout or a partner";
    Garbage 60 "a command that fits nothing";
}

const COUNT: usize = Fault::ALL.len();
/// What a seed multiplies a fault's chance by.
const WEIGHTS: [u64; 5] = [0, 1, 1, 2, 4];

/// Chance, and the faults that it brings.
#[derive(Debug)]
pub struct Dice {
    pub random: Random,
    chances: [u64; COUNT],
    hits: [u64; COUNT],
    calm: bool,
}

impl Dice {
    pub fn new(seed: u64) -> Dice {
        let mut random = Random::new(seed);
        let mut chances = [0; COUNT];
        for fault in Fault::ALL {
            let weight = WEIGHTS[random.place(WEIGHTS.len())];
            chances[*fault as usize] = fault.chance() * weight;
        }
        Dice { random, chances, hits: [0; COUNT], calm: false }
    }

    /// Whether the fault strikes here and now; it is counted where it does.
    pub fn hits(&mut self, fault: Fault) -> bool {
        let strikes = self.random.below(1_000) < self.chances[fault as usize] && !self.calm;
        self.hits[fault as usize] += u64::from(strikes);
        strikes
    }

    /// From here on nothing goes wrong any more.
    pub fn calm(&mut self) {
        self.calm = true;
    }

    /// How often each fault struck, in the table's order.
    pub fn counts(&self) -> Vec<u64> {
        self.hits.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calm_run_has_no_faults() {
        let mut dice = Dice::new(3);
        dice.calm();
        assert!(!(0..10_000).any(|_| dice.hits(Fault::Reordered)));
        assert_eq!(dice.counts().iter().sum::<u64>(), 0);
    }

    #[test]
    fn there_are_as_many_classes_as_figure_10_asks_for() {
        assert!(Fault::ALL.len() >= 12);
    }
}
