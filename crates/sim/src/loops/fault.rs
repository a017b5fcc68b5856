//! What goes wrong around the loops, as one table.

use crate::dice::faults;

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

pub type Dice = crate::dice::Dice<Fault>;
