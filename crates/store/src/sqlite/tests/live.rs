//! `check` beside a writer: rows move on while they are read, and the result is exact all the same
//! (figure 3, once a second during everything else).

use super::*;
use crate::sqlite::check::Slices;
use ichae_domain::code::Code;
use ichae_domain::view::Deposit;
use std::sync::atomic::{AtomicBool, Ordering};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// A partner at work: requests, executions, cancels, sends, answers, returns.
struct Traffic {
    harness: Harness,
    dice: Dice,
    partners: Vec<(PartnerNo, [KeyNo; 2])>,
    made: u64,
    /// Deposits that may come back, sooner or later.
    told: Vec<Deposit>,
}

impl Traffic {
    fn new(site: &Site, seed: u64) -> Traffic {
        let mut harness = site.open();
        let partners = ["a", "b"].map(|id| {
            let partner = harness.partner(id, 1_000_000);
            (partner, [harness.key(partner, "1"), harness.key(partner, "2")])
        });
        let (partners, dice) = (partners.to_vec(), Dice(seed));
        let mut traffic = Traffic { harness, dice, partners, made: 0, told: Vec::new() };
        (0..20).for_each(|_| traffic.step());
        traffic
    }

    fn step(&mut self) {
        let at = usize::try_from(self.dice.roll(2)).unwrap();
        let (partner, keys) = self.partners[at];
        let answers = match self.dice.roll(10) {
            0..=3 => self.request(partner, keys),
            4 | 5 => self.execute(partner, keys, Action::Now),
            6 | 7 => self.execute(partner, keys, Action::Cancel),
            _ => {
                self.harness.claim_all(partner);
                self.tell()
            }
        };
        // Figure 4: decide refuses first; a constraint of the file would be an internal fault.
        let faults = answers.iter().filter(|a| matches!(a, Err(r) if r.code == Code::T0999));
        assert_eq!(faults.count(), 0, "{answers:?}");
    }

    fn request(&mut self, partner: PartnerNo, keys: [KeyNo; 2]) -> Vec<crate::port::Answer> {
        let rows = 1 + self.dice.roll(6);
        let commands = (0..rows).map(|_| {
            self.made += 1;
            let key = keys[usize::from(self.dice.roll(3) == 0)];
            let amount = 1 + i64::try_from(self.dice.roll(900)).unwrap();
            request(partner, key, amount, &format!("d{}", self.made))
        });
        let commands = commands.collect();
        self.harness.many(commands)
    }

    fn execute(
        &mut self,
        partner: PartnerNo,
        keys: [KeyNo; 2],
        action: Action,
    ) -> Vec<crate::port::Answer> {
        let groups = self.harness.reader.waiting_groups(partner, 3).unwrap();
        let Some(group) = groups.last().map(|group| group.no) else { return vec![] };
        let all = self.dice.roll(3) > 0;
        let target = match all {
            true => Target::All,
            false => Target::Rows(self.harness.reader.waiting_on_key(group, keys[1]).unwrap()),
        };
        vec![self.harness.give(execute(partner, group, target, action))]
    }

    /// The bank's word about everything that waits for one.
    fn tell(&mut self) -> Vec<crate::port::Answer> {
        let at = self.harness.time();
        let mut answers = Vec::new();
        for deposit in self.harness.reader.sending(PayoutNo(0), 50).unwrap() {
            let answer = match self.dice.roll(6) {
                0..=2 => settled(at),
                3 => refused(421, at),
                4 => LOST,
                _ => ichae_domain::bank::Answer::NotSent,
            };
            answers.push(self.harness.told(&deposit, Asked::Deposit, answer));
            self.told.push(deposit);
            if self.dice.roll(3) == 0 {
                let at = self.dice.roll(self.told.len() as u64);
                let Deposit { payout, partner, .. } = self.told[usize::try_from(at).unwrap()];
                let back = Command::Return { payout, partner, code: None, notice: 1 };
                answers.push(self.harness.give(back));
            }
        }
        self.harness.later(700);
        for due in self.harness.reader.due_inquiries(self.harness.time(), 50).unwrap() {
            let answer = if self.dice.roll(2) == 0 { settled(at) } else { refused(421, at) };
            answers.push(self.harness.told(&due, Asked::Inquiry, answer));
        }
        answers
    }
}

/// The writer moves between every two slices, for a while: the same interleaving in every run.
#[test]
fn a_check_is_exact_while_the_store_is_written_between_its_slices() {
    for (seed, payouts) in (1..).zip([1, 1, 1, 2, 3, 5, 8, 13]) {
        let site = Site::new();
        let mut traffic = Traffic::new(&site, seed * 7_919);
        let mut left = 40;
        let slices = Slices { payouts, postings: 2 };
        let report = check_in(&site.file(), &site.sealer, slices, |_, _| {
            if left > 0 {
                left -= 1;
                traffic.step();
            }
        });
        let report = report.unwrap();
        assert_eq!(report.findings, [], "seed {seed}");
        assert!(report.payouts > 0 && left < 40);
        let again = check(&site.file(), &site.sealer, |_, _| {}).unwrap();
        assert_eq!(again.findings, [], "seed {seed}");
    }
}

/// As `ichae check` on a server: another thread, as often as it can, while commands come.
#[test]
fn a_check_is_exact_beside_a_writer() {
    let site = Site::new();
    let mut traffic = Traffic::new(&site, 42);
    let writing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let checker = scope.spawn(|| {
            let mut checks = 0_i64;
            // Once more after the last command: the end is read as well.
            loop {
                let last = !writing.load(Ordering::SeqCst);
                let slices = Slices { payouts: 1 + checks % 7, postings: 3 };
                let report = check_in(&site.file(), &site.sealer, slices, |_, _| {}).unwrap();
                assert_eq!(report.findings, [], "check {checks}");
                checks += 1;
                if last {
                    return checks;
                }
            }
        });
        (0..200).for_each(|_| traffic.step());
        writing.store(false, Ordering::SeqCst);
        assert!(checker.join().unwrap() > 0);
    });
}
