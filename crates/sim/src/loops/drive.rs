//! One seed: partners, operators and kills around the running loops, then calm, then the verdict.

use super::bank::{FaultyBank, LATE_MS_MAX, TIMEOUT_MS};
use super::courier::FaultyCourier;
use super::fault::{Dice, Fault};
use super::store::FaultyStore;
use super::{Told, verdict};
use crate::trace::Trace;
use crate::violation::{Checked, Violation, ensure};
use ichae_domain::calendar::ALWAYS_OPEN;
use ichae_domain::command::{
    Action, Actor, Command, Execute, Funding, HoldOrder, NewKey, NewPartner, Request, Target,
};
use ichae_domain::ident::{GroupNo, KeyNo, PartnerNo, PayoutNo};
use ichae_domain::key::{Account, Fingerprint, InfoKind};
use ichae_domain::money::Won;
use ichae_domain::notice::Outcome;
use ichae_domain::partner::Verifier;
use ichae_domain::payout::State;
use ichae_domain::time::Time;
use ichae_domain::view::{Reply, Rules};
use ichae_server::config::Environment;
use ichae_server::engine::{Engine, Limits};
use ichae_server::hub::{Hub, Operators, Parts};
use ichae_server::reach::Reach;
use ichae_server::till::Till;
use ichae_store::keys::Keys;
use ichae_store::memory::{self, MemoryReader};
use ichae_store::port::Clock;
use ichae_store::queue::Writer;
use ichae_store::seal::Sealer;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// 2026-11-22 12:00 in Seoul.
const START_MS: i64 = 1_795_316_400_000;
const BANKS: [&str; 3] = ["004", "020", "088"];
const STEP_MS_MAX: i64 = 4_000;
/// Virtual time until everything must have come to rest once the faults have stopped: the whole
/// webhook schedule and more.
const REST_MAX: Duration = Duration::from_secs(24 * 3_600);

/// After it no call is on its way to the bank any more.
const LATEST_MS: i64 = LATE_MS_MAX + 10_000;

struct Partner {
    no: PartnerNo,
    keys: Vec<KeyNo>,
    groups: Vec<GroupNo>,
    names: u64,
}

pub struct Story {
    dice: Arc<Mutex<Dice>>,
    trace: Arc<Mutex<Trace>>,
    bank: FaultyBank,
    told: Arc<Mutex<BTreeMap<PayoutNo, Vec<Outcome>>>>,
    sealer: Arc<Sealer>,
    clock: Clock,
    reader: MemoryReader,
    limits: Limits,
    partners: Vec<Partner>,
    hub: Arc<Hub>,
    engine: Option<Engine>,
    steps: u32,
    crashes: u64,
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

const RULES: Rules = Rules { retry_unit_ms: 2, inquiry_ceiling_ms: 20_000, ..Rules::OPEN };

impl Story {
    pub fn begin(seed: u64, steps: u32) -> Checked<Story> {
        let dice = Arc::new(Mutex::new(Dice::new(seed)));
        let began = Instant::now();
        let clock: Clock = Arc::new(move || {
            let passed = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
            Time(START_MS).plus_ms(passed)
        });
        let (backend, reader) = memory::open(RULES, Arc::clone(&clock));
        let bank = FaultyBank::new(Arc::clone(&dice), Arc::clone(&clock));
        let sealer = Arc::new(Sealer::new(Keys::random()?)?);
        let trace = Arc::new(Mutex::new(Trace::default()));
        let in_flight = 1 + lock(&dice).random.place(12);
        let bank_timeout = Duration::from_millis(TIMEOUT_MS.unsigned_abs());
        let store =
            FaultyStore { inner: backend, dice: Arc::clone(&dice), trace: Arc::clone(&trace) };
        let hub = open(store, &reader, &bank, &sealer, &clock)?;
        Ok(Story {
            dice,
            trace,
            bank,
            told: Arc::default(),
            sealer,
            clock,
            reader,
            limits: Limits { bank_timeout, in_flight },
            partners: Vec::new(),
            hub,
            engine: None,
            steps,
            crashes: 0,
        })
    }

    pub async fn tell(mut self) -> Checked<Told> {
        self.populate().await?;
        self.start().await?;
        for _ in 0..self.steps {
            let ms = self.draw(1, STEP_MS_MAX);
            tokio::time::sleep(Duration::from_millis(ms.unsigned_abs())).await;
            self.operators().await;
            self.partners().await;
            if self.hits(Fault::Killed) {
                self.kill().await?;
            }
            verdict::now(&self.reader.rows_now(), &self.bank.book())?;
        }
        self.come_to_rest().await?;
        let rows = self.reader.rows_now();
        verdict::at_rest(&rows, &self.bank.book(), &lock(&self.told))?;
        let paid = self.bank.book().records.values().map(|record| record.paid).sum();
        Ok(Told {
            seeds: 1,
            hash: lock(&self.trace).hash(),
            virtual_ms: (self.clock)().0 - START_MS,
            payouts: u64::try_from(rows.payouts.len()).unwrap_or_default(),
            paid,
            crashes: self.crashes,
            faults: lock(&self.dice).counts(),
        })
    }

    fn hits(&self, fault: Fault) -> bool {
        lock(&self.dice).hits(fault)
    }

    fn draw(&self, low: i64, high: i64) -> i64 {
        lock(&self.dice).random.range(low, high)
    }

    fn place(&self, len: usize) -> usize {
        lock(&self.dice).random.place(len)
    }

    async fn start(&mut self) -> Checked {
        let courier = FaultyCourier { dice: Arc::clone(&self.dice), told: Arc::clone(&self.told) };
        let engine = Engine::start(&self.hub, Arc::new(courier), self.limits).await?;
        self.engine = Some(engine);
        Ok(())
    }

    /// The process ends where it stands, and another opens the same rows.
    async fn kill(&mut self) -> Checked {
        self.crashes += 1;
        self.engine = None;
        // Aborted loops end once they are polled.
        tokio::task::yield_now().await;
        let down = self.draw(1, 20_000);
        tokio::time::sleep(Duration::from_millis(down.unsigned_abs())).await;
        let store = FaultyStore {
            inner: memory::reopen(&self.reader, RULES, Arc::clone(&self.clock)),
            dice: Arc::clone(&self.dice),
            trace: Arc::clone(&self.trace),
        };
        self.hub = open(store, &self.reader, &self.bank, &self.sealer, &self.clock)?;
        self.start().await
    }

    async fn give(&self, actor: &str, command: Command) -> Option<Reply> {
        let actor = match actor {
            "partner" => Actor::Partner,
            name => Actor::Operator(name.to_owned()),
        };
        self.hub.submit(actor, command).await.ok()
    }

    async fn populate(&mut self) -> Checked {
        for place in 0..2 + self.place(3) {
            let new = NewPartner {
                cst_id: format!("partner{place}"),
                name: format!("정산{place}"),
                verifier: Verifier([7; 32]),
                webhook_secret: "whsec_c2ltdWxhdGVk".into(),
                webhook_url: Some(format!("https://partner{place}.example/hook")),
                sources: Vec::new(),
                transfer_cap: None,
            };
            let added = self.give("kim", Command::AddPartner(Box::new(new))).await;
            let Some(Reply::Partner(no)) = added else {
                return Err(Violation::new("a partner can be added", format!("{added:?}")));
            };
            let (entry, reference) = (Funding::In, "first".to_owned());
            let fund = Command::Fund { partner: no, entry, amount: Won(10_000_000), reference };
            self.give("kim", fund).await;
            let mut partner = Partner { no, keys: Vec::new(), groups: Vec::new(), names: 0 };
            for (at, bank) in BANKS.into_iter().enumerate() {
                if let Some(Reply::Key(key, _)) = self.give("partner", key_of(no, at, bank)).await {
                    partner.keys.push(key);
                }
            }
            self.partners.push(partner);
        }
        Ok(())
    }

    async fn operators(&self) {
        if self.hits(Fault::Paused) {
            self.give("kim", Command::PauseRail { reason: "a look".to_owned() }).await;
        } else if self.draw(0, 3) == 0 {
            self.give("kim", Command::ResumeRail).await;
        }
        if self.hits(Fault::Held) {
            let partner = self.partners[self.place(self.partners.len())].no;
            let one = self.draw(0, 1) == 0;
            let waiting = {
                let rows = self.reader.rows_now();
                let mine = rows.payouts.values().filter(|p| one && p.partner == partner);
                let waits = |state| matches!(state, State::Requested | State::Executing);
                mine.filter(|p| waits(rows.state(p))).map(|p| (p.no, p.group)).next_back()
            };
            let (payout, group) = waiting.unzip();
            let reason = "a question".to_owned();
            let hold = HoldOrder { partner, payout, group, held: true, reason };
            self.give("kim", Command::Hold(Box::new(hold))).await;
        } else if self.draw(0, 5) == 0 {
            self.release().await;
        }
    }

    async fn release(&self) {
        let held: Vec<HoldOrder> = {
            let rows = self.reader.rows_now();
            let free = |partner, payout, group| HoldOrder {
                partner,
                payout,
                group,
                held: false,
                reason: String::new(),
            };
            let payouts = rows.holds.keys().filter_map(|no| rows.payouts.get(no));
            let payouts = payouts.map(|p| free(p.partner, Some(p.no), Some(p.group)));
            let partners = rows.partners.values().filter(|p| p.held);
            payouts.chain(partners.map(|p| free(p.no, None, None))).collect()
        };
        for hold in held {
            self.give("kim", Command::Hold(Box::new(hold))).await;
        }
    }

    async fn partners(&mut self) {
        let place = self.place(self.partners.len());
        for _ in 0..self.draw(0, 6) {
            let key = self.partners[place].keys[self.place(BANKS.len())];
            let amount = Won(self.draw(1, 5_000));
            let partner = &mut self.partners[place];
            partner.names += 1;
            let request = Request {
                partner: partner.no,
                key: Some(key),
                amount,
                sub_id: None,
                distinct_key: format!("d{}", partner.names),
                print: None,
            };
            let told = self.give("partner", Command::Request(Box::new(request))).await;
            if let Some(Reply::Requested(told)) = told
                && self.partners[place].groups.last() != Some(&told.group)
            {
                self.partners[place].groups.push(told.group);
            }
        }
        let Some(group) = self.partners[place].groups.last().copied() else { return };
        if self.draw(0, 2) > 0 {
            let action = if self.draw(0, 9) == 0 { Action::Cancel } else { Action::Now };
            self.execute(self.partners[place].no, group, action).await;
        }
    }

    async fn execute(&self, partner: PartnerNo, group: GroupNo, action: Action) {
        let (target, webhook_url) = (Target::All, None);
        let execute = Execute { partner, group, target, action, webhook_url };
        self.give("partner", Command::Execute(Box::new(execute))).await;
    }

    /// The faults stop; what is held is released, what is paused goes on, and what an outcome that
    /// could not be written left behind is found by one more start.
    async fn come_to_rest(&mut self) -> Checked {
        lock(&self.dice).calm();
        self.kill().await?;
        let until = Instant::now() + REST_MAX;
        loop {
            self.release().await;
            self.give("kim", Command::ResumeRail).await;
            tokio::time::sleep(Duration::from_secs(23)).await;
            if self.rests() {
                return Ok(());
            }
            ensure(Instant::now() < until, "everything comes to rest", || {
                let rows = self.reader.rows_now();
                let busy = rows
                    .payouts
                    .values()
                    .find(|p| matches!(rows.state(p), State::Executing | State::Sending));
                format!("{busy:?}")
            })?;
        }
    }

    fn rests(&self) -> bool {
        let rows = self.reader.rows_now();
        let book = self.bank.book();
        let at_work = |state| matches!(state, State::Executing | State::Sending);
        let busy = rows.payouts.values().any(|p| at_work(rows.state(p)));
        let open = rows.payouts.values().filter(|p| rows.state(p) == State::Unknown).any(|p| {
            let number = rows.attempts.get(&p.no).and_then(|a| a.bank_no);
            let record = number.and_then(|no| book.records.get(&no));
            record.is_some_and(|r| !r.undecided && (r.paid > 0 || r.refused.is_some()))
        });
        let told =
            rows.notices.values().all(|n| n.state != ichae_domain::notice::NoticeState::Pending);
        let now = (self.clock)();
        let came_back = book.last_return().is_none_or(|at| {
            at <= now
                && rows.payouts.values().all(|p| {
                    let number = rows.attempts.get(&p.no).and_then(|a| a.bank_no);
                    let back =
                        number.and_then(|no| book.records.get(&no)).is_some_and(|r| r.returned);
                    !back || rows.state(p) != State::Settled
                })
        });
        // Calls that are still on their way to the bank arrive within two hours.
        let last = rows.attempts.values().map(|attempt| attempt.sent_at).max();
        let arrived = last.is_none_or(|at| now.0 - at.0 > LATEST_MS);
        !busy && !open && told && came_back && arrived
    }
}

fn key_of(partner: PartnerNo, at: usize, bank: &str) -> Command {
    let mut print = [0; 16];
    print[..8].copy_from_slice(&partner.0.to_be_bytes());
    print[8] = u8::try_from(at).unwrap_or_default();
    let account = Account {
        number: format!("11000000{at}").into(),
        holder: "홍길동".into(),
        info_kind: InfoKind::BirthDate,
        info: "880212".into(),
    };
    let fingerprints = vec![Fingerprint(print)];
    let (sub_id, bank) = (None, bank.to_owned());
    Command::RegisterKey(Box::new(NewKey { partner, sub_id, bank, account, fingerprints }))
}

fn open(
    store: FaultyStore,
    reader: &MemoryReader,
    bank: &FaultyBank,
    sealer: &Arc<Sealer>,
    clock: &Clock,
) -> Checked<Arc<Hub>> {
    let hub = Hub::new(Parts {
        writer: Writer::inline(Box::new(store)),
        reader: Arc::new(reader.clone()),
        rail: Arc::new(bank.clone()),
        sealer: Arc::clone(sealer),
        clock: Arc::clone(clock),
        environment: Environment::Test,
        reach: Reach::Test { private: false },
        key_folder: None,
        calendar: &ALWAYS_OPEN,
        operators: Operators::default(),
        till: Till::closed(),
        cells: Default::default(),
    })?;
    Ok(Arc::new(hub))
}
