//! A world of matching rows with planted errors, by a seed. `examples/million.rs` uses it too.

use ichae_domain::ident::BankNo;
use ichae_domain::money::Won;
use ichae_domain::payout::State;
use ichae_domain::time::Day;
use ichae_reconcile::{Class, Days, Ours, Report};
use std::collections::BTreeSet;
use std::fmt::Write;

pub const HOUSE: &str = "M202112389";
pub const DAYS: Days = Days { first: Day(20_261_130), last: Day(20_261_202) };
/// The days of [`DAYS`] with their neighbours.
const CALENDAR: [i32; 5] = [20_261_129, 20_261_130, 20_261_201, 20_261_202, 20_261_203];

/// A class and the id that it was planted under.
pub type Planted = BTreeSet<(Class, String)>;

pub struct World {
    pub ours: Vec<Ours>,
    pub statement: Vec<u8>,
    pub planted: Planted,
}

/// What was found, in the form of what was planted.
pub fn found(report: &Report) -> Planted {
    report.findings.all().map(|f| (f.kind.class(), f.id.to_string())).collect()
}

/// Splitmix64: the same numbers for a seed on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.roll() % n as u64) as usize
    }
}

struct Making {
    dice: Dice,
    ours: Vec<Ours>,
    /// (id, day, amount, word).
    lines: Vec<(BankNo, i32, i64, &'static str)>,
    planted: Planted,
    next: i64,
}

impl Making {
    fn no(&mut self) -> BankNo {
        self.next += 1 + self.dice.below(3) as i64;
        BankNo(self.next)
    }

    fn row(&mut self, state: State, day: usize) -> Ours {
        let amount = Won(1_000 + self.dice.below(5_000_000) as i64);
        let no = self.no();
        let day = Day(CALENDAR[day]);
        Ours { payout: no.0 / 2 + 1, bank_no: no.0, amount, day, state }
    }

    fn inside(&mut self) -> usize {
        1 + self.dice.below(3)
    }

    fn line(&mut self, of: &Ours, word: &'static str) {
        self.lines.push((BankNo(of.bank_no), of.day.0, of.amount.0, word));
    }

    /// A row that the file agrees with. Beside a few of them one of another kind that is no
    /// finding either.
    fn agree(&mut self) {
        let day = self.inside();
        let row = self.row(State::Settled, day);
        self.line(&row, "paid");
        self.ours.push(row);
        let (state, day, words): (State, usize, &[&'static str]) = match self.dice.below(200) {
            0 => (State::Failed, day, &["refused"]),
            1 => (State::Returned, day, &["returned", "paid"]),
            2 => (State::Unknown, day, &[]),
            3 => (State::Failed, day, &[]),
            // Of a neighbouring day, and so in a neighbouring statement.
            4 => (State::Settled, self.dice.below(2) * 4, &[]),
            _ => return,
        };
        let row = self.row(state, day);
        words.iter().for_each(|word| self.line(&row, word));
        self.ours.push(row);
    }

    fn plant(&mut self, class: Class, way: usize) {
        let day = self.inside();
        let mut row = self.row(State::Settled, day);
        self.planted.insert((class, BankNo(row.bank_no).text(HOUSE)));
        match class {
            Class::MissingThere => {}
            Class::MissingHere => {
                self.line(&row, "paid");
                if way.is_multiple_of(2) {
                    return;
                }
                row.state = State::Executing;
            }
            Class::Amount => {
                let wrong = Ours { amount: Won(row.amount.0 + 1), ..row };
                self.line(&wrong, "paid");
            }
            Class::Doubled => {
                self.line(&row, "paid");
                self.line(&row, "paid");
            }
            Class::Shifted => {
                let day = if way.is_multiple_of(2) { day - 1 } else { day + 1 };
                self.line(&Ours { day: Day(CALENDAR[day]), ..row }, "paid");
            }
            Class::Status => {
                let (state, word) = [
                    (State::Failed, "paid"),
                    (State::Canceled, "paid"),
                    (State::Unknown, "paid"),
                    (State::Unknown, "refused"),
                    (State::Settled, "refused"),
                    (State::Settled, "returned"),
                ][way % 6];
                row.state = state;
                self.line(&row, word);
            }
        }
        self.ours.push(row);
    }
}

/// At least `rows` rows and lines that agree, and `each` errors of every class. Lines and rows come
/// in any order.
pub fn world(rows: usize, each: usize, seed: u64) -> World {
    let dice = Dice(seed);
    let next = 1 << 30;
    let mut making =
        Making { dice, ours: Vec::new(), lines: Vec::new(), planted: Planted::new(), next };
    // An error stands at a random place among the rows, and so do its number and its line.
    let mut errors: Vec<Option<(Class, usize)>> = vec![None; rows];
    for class in Class::ALL {
        errors.extend((0..each).map(|way| Some((*class, way))));
    }
    shuffle(&mut errors, &mut making.dice);
    for error in errors {
        match error {
            Some((class, way)) => making.plant(class, way),
            None => making.agree(),
        }
    }
    let Making { mut dice, mut ours, mut lines, planted, .. } = making;
    shuffle(&mut ours, &mut dice);
    shuffle(&mut lines, &mut dice);
    let mut text = String::with_capacity(64 * lines.len() + 64);
    text.push_str("bank_tran_id,bank_tran_date,tran_amt,status,code\n");
    for (no, day, amount, word) in lines {
        let _ = writeln!(text, "{},{day},{amount},{word},000", no.text(HOUSE));
    }
    World { ours, statement: text.into_bytes(), planted }
}

fn shuffle<T>(list: &mut [T], dice: &mut Dice) {
    for at in (1..list.len()).rev() {
        list.swap(at, dice.below(at + 1));
    }
}
