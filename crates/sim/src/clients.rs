//! The partners: they request, repeat, execute, cancel, and sometimes send nonsense.

use crate::fault::Dice;
use ichae_domain::bank::Answer as BankAnswer;
use ichae_domain::command::{
    Action, Actor, Asked, Bulk, Command, Execute, Funding, NewKey, NewPartner, Order, Request,
    Target,
};
use ichae_domain::ident::{BankNo, GroupNo, KeyNo, NoticeNo, PartnerNo, PayoutNo};
use ichae_domain::key::{Account, Fingerprint, InfoKind};
use ichae_domain::money::Won;
use ichae_domain::partner::{Settings, Verifier};
use ichae_domain::payout::State;
use ichae_domain::refusal::Detail;
use ichae_domain::time::Time;
use ichae_domain::view::{Deposit, Reply, Rules};
use ichae_rail::port::CheckAnswer;
use ichae_rail::simulated::bank::real_name;
use ichae_rail::simulated::scenario::scenario;
use ichae_store::memory::{MemoryReader, Rows};
use ichae_store::port::{Answer, Reader as _};

/// Account numbers; all but the last four pay at once. Scenario accounts are the sandbox's.
const ACCOUNTS: &[&str] = &[
    "110000000001",
    "9900000415",
    "9900002804",
    "110000000002",
    "9900002400",
    "9900003000",
    "9900002803",
    "110000000003",
    "9900000421",
    "9900004000",
    "9900003000",
    "9900001412",
    "9900000701",
];
/// The last of them answers with a code that never decides; a seed has it rarely.
const UNDECIDED: usize = ACCOUNTS.len() - 1;
/// Groups and requests that a partner remembers.
const REMEMBERED_MAX: usize = 200;
/// A serial that no store of a run reaches.
const NOWHERE: i64 = 1_000_000;

/// One partner and what it knows.
#[derive(Debug)]
pub struct Client {
    pub no: PartnerNo,
    pub groups: Vec<GroupNo>,
    keys: Vec<KeyNo>,
    sent: Vec<Request>,
    /// The group of its bulk call under way.
    bulk: Option<GroupNo>,
    accounts: Vec<usize>,
    names: u64,
    references: u64,
    amount_max: i64,
}

/// A partner as it is added: some are poor, some have a cap, some have no address.
pub fn new_partner(place: usize, dice: &mut Dice) -> NewPartner {
    let random = &mut dice.random;
    let has_url = random.one_in(2);
    let cap = random.one_in(3).then(|| Won(random.range(1_000, 4_000)));
    NewPartner {
        cst_id: format!("partner{place}"),
        name: format!("정산{place} 주식회사"),
        verifier: Verifier([7; 32]),
        webhook_secret: "whsec_c2ltdWxhdGVk".into(),
        webhook_url: has_url.then(|| format!("https://partner{place}.example/hook")),
        sources: Vec::new(),
        transfer_cap: cap,
    }
}

fn from(command: Command) -> Order {
    Order { actor: Actor::Partner, command }
}

impl Client {
    pub fn new(no: PartnerNo, dice: &mut Dice) -> Client {
        let count = 2 + dice.random.place(4);
        let mut accounts: Vec<usize> = (0..count).map(|_| dice.random.place(UNDECIDED)).collect();
        if dice.random.one_in(12) {
            accounts.push(UNDECIDED);
        }
        Client {
            no,
            groups: Vec::new(),
            keys: Vec::new(),
            sent: Vec::new(),
            bulk: None,
            accounts,
            names: 0,
            references: 0,
            amount_max: dice.random.range(500, 5_000),
        }
    }

    /// Money in, as an operator books it.
    pub fn fund(&mut self, dice: &mut Dice) -> Order {
        let back = dice.random.one_in(4);
        // An old reference is a repeat, with the same amount or another.
        let old = self.references > 0 && dice.random.one_in(3);
        let reference = if old { dice.random.below(self.references) } else { self.references };
        self.references += u64::from(!old);
        let amount = if back { 1_000 } else { dice.random.range(1, 10) * 4_000 };
        let command = Command::Fund {
            partner: self.no,
            entry: if back { Funding::Back } else { Funding::In },
            amount: Won(amount),
            reference: format!("transfer {reference}"),
        };
        Order { actor: Actor::Operator("kim".to_owned()), command }
    }

    /// Checks an account and, where the bank knows it, gets a billing key for it.
    pub fn register(&self, now: Time, dice: &mut Dice) -> Option<Order> {
        let account = *dice.random.pick(&self.accounts)?;
        let number = ACCOUNTS[account];
        let CheckAnswer::Holder { name, .. } = real_name(scenario(number), now) else {
            return None;
        };
        let mut print = [0; 16];
        print[..8].copy_from_slice(&self.no.0.to_be_bytes());
        print[8..].copy_from_slice(&u64::try_from(account).unwrap_or_default().to_be_bytes());
        let info_kind = InfoKind::BirthDate;
        let account =
            Account { number: number.into(), holder: name, info_kind, info: "880212".into() };
        Some(from(Command::RegisterKey(Box::new(NewKey {
            partner: self.no,
            sub_id: None,
            bank: "020".to_owned(),
            account,
            fingerprints: vec![Fingerprint(print)],
        }))))
    }

    /// What the partner does in one step.
    pub fn act(
        &mut self,
        reader: &MemoryReader,
        rules: &Rules,
        now: Time,
        dice: &mut Dice,
    ) -> Vec<Order> {
        match dice.random.below(12) {
            0..=4 => self.requests(rules, dice),
            5 => self.repeat(dice).into_iter().collect(),
            6..=8 => self.execute(reader, rules, dice).into_iter().collect(),
            9 => self.register(now, dice).into_iter().collect(),
            10 => vec![self.fund(dice)],
            _ => vec![self.bulk(rules, dice)],
        }
    }

    /// New requests; some are sent twice at once, as a client does that runs out of patience.
    fn requests(&mut self, rules: &Rules, dice: &mut Dice) -> Vec<Order> {
        let mut orders = Vec::new();
        for _ in 0..dice.random.range(1, 3) {
            let request = self.request(rules, dice);
            let copies = if dice.random.one_in(5) { 2 } else { 1 };
            for copy in 0..copies {
                let changed = copy > 0 && dice.random.one_in(2);
                let sent = if changed { self.changed(&request, dice) } else { request.clone() };
                orders.push(from(Command::Request(Box::new(sent))));
            }
            self.sent.push(request);
        }
        orders
    }

    /// Some rows of a bulk call: new ones, one twice, an old one, a changed one.
    fn bulk(&mut self, rules: &Rules, dice: &mut Dice) -> Order {
        if dice.random.one_in(3) {
            self.bulk = None;
        }
        let mut rows = Vec::new();
        for _ in 0..dice.random.range(1, 4) {
            let row = self.request(rules, dice);
            if dice.random.one_in(5) {
                rows.push(self.changed(&row, dice));
            }
            rows.push(row.clone());
            if dice.random.one_in(5)
                && let Some(old) = dice.random.pick(&self.sent)
            {
                rows.push(old.clone());
            }
            self.sent.push(row);
        }
        from(Command::Bulk(Box::new(Bulk {
            partner: self.no,
            group: self.bulk,
            rows: rows.into(),
        })))
    }

    fn request(&mut self, rules: &Rules, dice: &mut Dice) -> Request {
        self.names += 1;
        let fixed = rules.fixed_amount.filter(|_| !dice.random.one_in(20));
        let drawn = Won(dice.random.range(1, self.amount_max));
        Request {
            partner: self.no,
            key: dice.random.pick(&self.keys).copied(),
            amount: fixed.unwrap_or(drawn),
            sub_id: dice.random.one_in(4).then(|| "store-1".to_owned()),
            distinct_key: format!("d{}", self.names),
            print: dice.random.one_in(4).then(|| "정산금".to_owned()),
        }
    }

    /// The same distinct_key, long after.
    fn repeat(&mut self, dice: &mut Dice) -> Option<Order> {
        let request = dice.random.pick(&self.sent)?.clone();
        let changed = dice.random.one_in(2);
        let sent = if changed { self.changed(&request, dice) } else { request };
        Some(from(Command::Request(Box::new(sent))))
    }

    fn changed(&self, request: &Request, dice: &mut Dice) -> Request {
        let mut other = request.clone();
        match dice.random.below(4) {
            0 => other.amount.0 += 1,
            1 => other.sub_id = Some("store-2".to_owned()),
            2 => other.print = Some("환급".to_owned()),
            _ => other.key = dice.random.pick(&self.keys).copied(),
        }
        other
    }

    fn execute(&self, reader: &MemoryReader, rules: &Rules, dice: &mut Dice) -> Option<Order> {
        let random = &mut dice.random;
        let newest = self.groups.last().copied().filter(|_| !random.one_in(4));
        let group = newest.or_else(|| random.pick(&self.groups).copied())?;
        let target = if random.one_in(2) {
            Target::All
        } else {
            let key = random.pick(&self.keys).copied()?;
            let mut rows = reader.waiting_on_key(group, key).ok()?;
            // A row that is named twice is one row.
            let twice = rows.first().copied().filter(|_| random.one_in(8));
            rows.extend(twice);
            Target::Rows(rows)
        };
        let action = if random.one_in(5) { Action::Cancel } else { Action::Now };
        let names = rules.webhook_per_call && !random.one_in(5);
        let webhook_url = names.then(|| "http://127.0.0.1:9/hook".to_owned());
        let execute = Execute { partner: self.no, group, target, action, webhook_url };
        Some(from(Command::Execute(Box::new(execute))))
    }

    /// Learns from an answer, where it heard one.
    pub fn hear(&mut self, order: &Order, answer: &Answer) {
        match (&order.command, answer) {
            (Command::Request(_), Ok(Reply::Requested(told))) => self.learn(told.group),
            (Command::Request(_), Err(refusal)) => {
                if let Detail::First(first, _) = &refusal.detail {
                    self.learn(first.group);
                }
            }
            (Command::Bulk(_), Ok(Reply::Bulk(rows))) => {
                let groups = rows.iter().flatten().map(|told| told.group);
                self.bulk = groups.clone().next_back().or(self.bulk);
                groups.collect::<Vec<_>>().into_iter().for_each(|group| self.learn(group));
            }
            (Command::RegisterKey(_), Ok(Reply::Key(key, true))) => self.keys.push(*key),
            _ => {}
        }
    }

    fn learn(&mut self, group: GroupNo) {
        if !self.groups.contains(&group) && self.groups.len() < REMEMBERED_MAX {
            self.groups.push(group);
        }
    }

    /// Whose calls these are.
    pub fn sent_it(&self, order: &Order) -> bool {
        match &order.command {
            Command::Request(request) => request.partner == self.no,
            Command::Bulk(bulk) => bulk.partner == self.no,
            Command::RegisterKey(new) => new.partner == self.no,
            _ => false,
        }
    }

    /// A changed cap.
    pub fn settings(&self, dice: &mut Dice) -> Order {
        let cap = dice.random.one_in(2).then(|| Won(dice.random.range(500, 5_000)));
        let settings = Settings { transfer_cap: Some(cap), ..Settings::default() };
        let command = Command::SetPartner { partner: self.no, settings: Box::new(settings) };
        Order { actor: Actor::Operator("lee".to_owned()), command }
    }
}

/// A command that fits nothing: unknown numbers, another's rows, answers that nobody asked for.
pub fn garbage(rows: &Rows, now: Time, dice: &mut Dice) -> Option<Command> {
    let pick = dice.random.place(rows.payouts.len());
    let payout = rows.payouts.values().nth(pick)?;
    let place = dice.random.place(rows.keys.len());
    let other_key = rows.keys.values().nth(place).map(|(key, ..)| key.no)?;
    let place = dice.random.place(rows.groups.len());
    let other_group = rows.groups.values().nth(place).map(|group| group.no)?;
    let place = dice.random.place(rows.partners.len());
    let other = rows.partners.values().nth(place).map(|partner| partner.no)?;
    let seen = rows.rail.notices_seen;
    // What could be claimed or returned by the time this is decided would not be garbage.
    let state = rows.state(payout);
    let over = matches!(state, State::Failed | State::Returned | State::Canceled);
    let kind = dice.random.below(14);
    Some(match kind {
        2 | 5 if !over => claim(PayoutNo(NOWHERE), payout.partner, payout.group, payout.key),
        0 => claim(PayoutNo(NOWHERE), other, other_group, other_key),
        1 => claim(payout.no, payout.partner, GroupNo(NOWHERE), payout.key),
        2 => claim(payout.no, payout.partner, payout.group, payout.key),
        3 => answered(&stray(payout.no, payout.partner, payout.key), Asked::Deposit, now),
        4 => answered(&stray(PayoutNo(NOWHERE), other, other_key), Asked::Inquiry, now),
        // A return that was taken in before; another number would pass over real ones.
        5 => {
            Command::Return { payout: payout.no, partner: payout.partner, code: None, notice: seen }
        }
        6 => {
            let payout = PayoutNo(NOWHERE);
            Command::Return { payout, partner: other, code: None, notice: NOWHERE }
        }
        7 => Command::Delivered { notice: NoticeNo(NOWHERE), status: 200 },
        8 => Command::Resend { notice: NoticeNo(dice.random.range(0, 20)) },
        9 => all_of(other, other_group),
        // Another partner's name, or another key's, on a row that is known.
        10 if other != payout.partner => claim(payout.no, other, payout.group, payout.key),
        11 if other != payout.partner => {
            Command::Return { payout: payout.no, partner: other, code: None, notice: NOWHERE }
        }
        12 if other != payout.partner || other_key != payout.key => {
            let bank_no = rows.attempts.get(&payout.no).and_then(|a| a.bank_no)?;
            let deposit = Deposit { bank_no, ..stray(payout.no, other, other_key) };
            answered(&deposit, Asked::Deposit, now)
        }
        _ => Command::Request(Box::new(Request {
            partner: if dice.random.one_in(2) { other } else { PartnerNo(NOWHERE) },
            key: Some(other_key),
            amount: Won(dice.random.range(1, 2_000)),
            sub_id: None,
            distinct_key: format!("stray{}", dice.random.below(1_000)),
            print: None,
        })),
    })
}

fn claim(payout: PayoutNo, partner: PartnerNo, group: GroupNo, key: KeyNo) -> Command {
    Command::Claim { payout, partner, group, key }
}

fn all_of(partner: PartnerNo, group: GroupNo) -> Command {
    let (target, action) = (Target::All, Action::Cancel);
    Command::Execute(Box::new(Execute { partner, group, target, action, webhook_url: None }))
}

/// A deposit that nobody sent.
fn stray(payout: PayoutNo, partner: PartnerNo, key: KeyNo) -> Deposit {
    let day = Time(0).day();
    let (bank_no, amount) = (BankNo(NOWHERE), Won(1));
    Deposit { payout, partner, key, bank_no, sends: 1, day, amount }
}

fn answered(deposit: &Deposit, asked: Asked, now: Time) -> Command {
    let answer = BankAnswer::Settled { day: now.day(), bank_code_sub: 0 };
    Command::Outcome(Box::new(crate::engine::told(deposit, asked, answer)))
}
