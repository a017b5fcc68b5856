//! What goes wrong around the loops, as one table.

use crate::random::Random;

macro_rules! faults {
    ($($name:ident $chance:literal $text:literal;)*) => {
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
    Killed 60 "the process is killed and another starts";
    NotSent 60 "the connection fails before a byte left";
    LostBefore 40 "the call is lost on its way";
    AnswerLost 60 "paid, the answer is lost";
    AnswerLate 60 "paid, the answer comes after the time-out";
    ArrivesLate 30 "the call reaches the bank after the time-out";
    Unreadable 30 "paid, the answer cannot be read";
    Processing 60 "answered processing, paid later";
    Refused 60 "refused by the bank";
    OwnSide 8 "trouble on our own side";
    Undecided 15 "a code that does not decide, for ever";
    Returned 40 "paid, and returned later";
    InquiryLost 80 "an inquiry gets no answer";
    InquiryWrong 50 "an inquiry is answered with an error of the centre";
    InquiryBlind 50 "an inquiry does not find what is there";
    BankShut 20 "a bank says that it is shut for a while";
    StoreBusy 10 "the store cannot take more for a while";
    StoreFault 4 "an order could not be written and was rolled back";
    HookFails 150 "a webhook is answered with an error";
    HookHangs 30 "a webhook is not answered";
    Paused 15 "an operator pauses the rail";
    Held 20 "operators hold a payout or a partner";
}

/// Chance, and the faults that it brings.
#[derive(Debug)]
pub struct Dice {
    pub random: Random,
    chances: Vec<u64>,
    pub hits: Vec<u64>,
    calm: bool,
}

/// What a seed multiplies a fault's chance by.
const WEIGHTS: [u64; 5] = [0, 1, 1, 2, 4];

impl Dice {
    pub fn new(seed: u64) -> Dice {
        let mut random = Random::new(seed);
        let weighed = |fault: &Fault| fault.chance() * WEIGHTS[random.place(WEIGHTS.len())];
        let chances = Fault::ALL.iter().map(weighed).collect();
        Dice { random, chances, hits: vec![0; Fault::ALL.len()], calm: false }
    }

    pub fn hits(&mut self, fault: Fault) -> bool {
        let place = fault as usize;
        let strikes = !self.calm && self.random.below(1_000) < self.chances[place];
        self.hits[place] += u64::from(strikes);
        strikes
    }

    pub fn calm(&mut self) {
        self.calm = true;
    }
}
