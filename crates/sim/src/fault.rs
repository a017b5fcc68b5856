//! The faults of the step-by-step run, as one table; a new one is a line here and a question to
//! [`Dice::hits`](crate::dice::Dice::hits) where it can strike.

use crate::dice::faults;

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

pub type Dice = crate::dice::Dice<Fault>;

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
