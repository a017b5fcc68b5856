//! One suite for every backend: the same behaviours, one line a backend.

mod behaviours;
pub mod billing;
mod sequences;

use crate::keys::{KeyFolder, Keys};
use crate::port::{Answer, Backend, Clock, Reader};
use crate::postgres::scratch::ScratchDatabase;
use crate::postgres::tests::server::database;
use crate::seal::Sealer;
use crate::sqlite;
use crate::{memory, postgres};
use ichae_domain::bank::{Answer as BankAnswer, BankCode, Why};
use ichae_domain::command::*;
use ichae_domain::ident::{GroupNo, KeyNo, NoticeNo, PartnerNo, PayerNo, PayoutNo};
use ichae_domain::key::{Account, Fingerprint, InfoKind};
use ichae_domain::matter::{Act, Matter};
use ichae_domain::money::Won;
use ichae_domain::partner::Verifier;
use ichae_domain::refusal::Refusal;
use ichae_domain::time::Time;
use ichae_domain::view::{Deposit, Reply, Requested, Rules};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

pub const RULES: Rules = Rules::OPEN;
/// 2026-11-22 12:00 in Seoul.
pub const START: i64 = 1_795_316_400_000;

/// A store with everything around it that a behaviour needs.
pub struct Harness {
    pub backend: Box<dyn Backend>,
    pub reader: Box<dyn Reader>,
    pub now: Arc<AtomicI64>,
    pub file: Option<PathBuf>,
    pub database: Option<ScratchDatabase>,
    pub sealer: Arc<Sealer>,
}

fn clock() -> (Arc<AtomicI64>, Clock) {
    let now = Arc::new(AtomicI64::new(START));
    let read = Arc::clone(&now);
    (now, Arc::new(move || Time(read.load(Ordering::SeqCst))))
}

pub fn on_memory() -> Harness {
    let (now, clock) = clock();
    let (backend, reader) = memory::open(RULES, clock);
    let sealer = Arc::new(Sealer::new(Keys::random().unwrap()).unwrap());
    Harness {
        backend: Box::new(backend),
        reader: Box::new(reader),
        now,
        file: None,
        database: None,
        sealer,
    }
}

/// A fresh folder of this test run.
pub fn scratch() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let no = NEXT.fetch_add(1, Ordering::SeqCst);
    let dir = std::env::temp_dir().join(format!("ichae-store-{}-{no}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    // One deeper: a store leaves a witness beside its folder.
    let dir = dir.join("store");
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// Removes what [`scratch`] made.
pub fn remove(dir: &std::path::Path) {
    let _ = std::fs::remove_dir_all(dir.parent().unwrap());
}

pub fn on_sqlite() -> Harness {
    let dir = scratch();
    let keys = KeyFolder::at(&dir.join("keys")).create().unwrap();
    // So few that every behaviour also meets runs of them.
    on_sqlite_at(dir, Arc::new(Sealer::new(keys).unwrap()), (8, RULES))
}

pub fn on_sqlite_at(
    dir: PathBuf,
    sealer: Arc<Sealer>,
    (keys_in_memory, rules): (usize, Rules),
) -> Harness {
    let (now, clock) = clock();
    let settings = sqlite::Settings {
        file: dir.join("hub.db"),
        environment: "test",
        rules,
        clock,
        witness: Some(dir.join("witness")),
        keys_in_memory,
    };
    let opened = sqlite::open(settings, &sealer).unwrap();
    Harness {
        backend: Box::new(opened.backend),
        reader: Box::new(opened.reader),
        now,
        file: Some(dir.join("hub.db")),
        database: None,
        sealer,
    }
}

pub fn on_postgres() -> Harness {
    on_postgres_at(database(), Arc::new(Sealer::new(Keys::random().unwrap()).unwrap()), RULES)
}

pub fn on_postgres_at(database: ScratchDatabase, sealer: Arc<Sealer>, rules: Rules) -> Harness {
    let (now, clock) = clock();
    let settings = postgres::Settings {
        link: database.link().unwrap(),
        environment: "test",
        rules,
        clock,
        witness: None,
        node: "a".to_owned(),
        one_by_one: false,
        peers: vec![],
    };
    let opened = postgres::open(settings, &sealer).unwrap();
    let (backend, reader) = (Box::new(opened.backend), Box::new(opened.reader));
    Harness { backend, reader, now, file: None, database: Some(database), sealer }
}

impl Drop for Harness {
    fn drop(&mut self) {
        if let Some(dir) = self.file.as_ref().and_then(|file| file.parent()) {
            remove(dir);
        }
    }
}

/// Its name, and what it does.
pub type Behaviour = (&'static str, fn(&mut Harness));

fn all() -> impl Iterator<Item = &'static Behaviour> {
    behaviours::ALL.iter().chain(billing::ALL)
}

#[test]
fn memory_conforms() {
    all().for_each(|(name, run)| check(name, *run, on_memory()));
}

#[test]
fn sqlite_conforms() {
    all().for_each(|(name, run)| check(name, *run, on_sqlite()));
}

#[test]
fn postgres_conforms() {
    all().for_each(|(name, run)| check(name, *run, on_postgres()));
}

/// Runs one behaviour and then audits the whole store.
fn check(name: &str, run: fn(&mut Harness), mut harness: Harness) {
    run(&mut harness);
    if let Some(file) = &harness.file {
        let report = sqlite::check::check(file, &harness.sealer, |_, _| {}).unwrap();
        assert_eq!(report.findings, [], "{name}");
    }
    if let Some(database) = &harness.database {
        let report =
            postgres::check::check(&database.link().unwrap(), &harness.sealer, |_, _| {}).unwrap();
        assert_eq!(report.findings, [], "{name}");
    }
}

pub fn account(number: &str) -> Account {
    Account {
        number: number.into(),
        holder: "홍길동".into(),
        info_kind: InfoKind::BirthDate,
        info: "880212".into(),
    }
}

impl Harness {
    pub fn later(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn time(&self) -> Time {
        Time(self.now.load(Ordering::SeqCst))
    }

    pub fn many(&mut self, commands: Vec<Command>) -> Vec<Answer> {
        let order = |command| Order { actor: actor(&command), command };
        self.backend.commit(&commands.into_iter().map(order).collect::<Vec<_>>())
    }

    pub fn give(&mut self, command: Command) -> Answer {
        self.many(vec![command]).pop().unwrap()
    }

    pub fn partner(&mut self, cst_id: &str, funds: i64) -> PartnerNo {
        let new = NewPartner {
            cst_id: cst_id.to_owned(),
            name: "정산 주식회사".to_owned(),
            verifier: Verifier([7; 32]),
            webhook_secret: "whsec_c2VjcmV0".into(),
            webhook_url: None,
            sources: vec![],
            transfer_cap: None,
        };
        let Ok(Reply::Partner(no)) = self.give(Command::AddPartner(Box::new(new))) else {
            panic!("no partner")
        };
        if funds > 0 {
            self.give(fund(no, funds, "first")).unwrap();
        }
        no
    }

    pub fn key(&mut self, partner: PartnerNo, number: &str) -> KeyNo {
        let account = account(number);
        let fingerprints: Vec<Fingerprint> =
            self.sealer.fingerprints(partner, None, "020", &account);
        let bank = "020".to_owned();
        let new = NewKey { partner, sub_id: None, bank, account, fingerprints };
        match self.give(Command::RegisterKey(Box::new(new))) {
            Ok(Reply::Key(no, _)) => no,
            other => panic!("{other:?}"),
        }
    }

    pub fn request(
        &mut self,
        partner: PartnerNo,
        key: KeyNo,
        amount: i64,
        distinct: &str,
    ) -> Result<Requested, Refusal> {
        self.give(request(partner, key, amount, distinct)).map(|reply| match reply {
            Reply::Requested(requested) => *requested,
            other => panic!("{other:?}"),
        })
    }

    pub fn execute(&mut self, partner: PartnerNo, group: GroupNo, action: Action) -> Answer {
        self.give(execute(partner, group, Target::All, action))
    }

    /// Everything that waits for the engine, in the order in which it is handed out.
    pub fn claim_all(&mut self, partner: PartnerNo) -> Vec<Deposit> {
        let mut work = self.reader.executing_rows(partner, PayoutNo(0), 1_000).unwrap();
        for group in self.reader.executing_groups(partner).unwrap() {
            work.extend(self.reader.unclaimed(group, PayoutNo(0), 1_000).unwrap());
        }
        let claim = |work: crate::port::Work| Command::Claim {
            payout: work.payout,
            partner,
            group: work.group,
            key: work.key,
        };
        let answers = self.many(work.into_iter().map(claim).collect());
        let sent = |answer| match answer {
            Ok(Reply::Send(deposit)) => Some(deposit),
            _ => None,
        };
        answers.into_iter().filter_map(sent).collect()
    }

    pub fn told(&mut self, deposit: &Deposit, asked: Asked, answer: BankAnswer) -> Answer {
        self.give(Command::Outcome(Box::new(Told {
            payout: deposit.payout,
            partner: deposit.partner,
            key: deposit.key,
            bank_no: deposit.bank_no,
            sends: deposit.sends,
            asked,
            answer,
        })))
    }

    pub fn balances(&self, partner: PartnerNo) -> (i64, i64) {
        let ledger = self.reader.ledger(partner).unwrap().unwrap();
        (ledger.available.0, ledger.held.0)
    }

    pub fn state(&self, no: PayoutNo) -> &'static str {
        self.reader.row(no).unwrap().unwrap().state.name()
    }

    /// Everything that the port can tell, as lines, of serials below `end`.
    pub fn dump(&self, end: i64) -> Vec<String> {
        let mut lines = vec![
            format!("{:?}", self.reader.rail().unwrap()),
            format!("{:?}", self.reader.settlement().unwrap()),
        ];
        for partner in self.reader.partners().unwrap() {
            lines.push(format!("{:?}", self.reader.ledger(partner.no).unwrap()));
            lines.push(format!("{partner:?}"));
            let payers = self.reader.payers(partner.no, PayerNo(0), 10_000).unwrap();
            lines.extend(payers.iter().map(|(payer, _)| format!("{payer:?}")));
            for charge in self.reader.charges(partner.no, 10_000).unwrap() {
                lines.push(format!("{:?}", self.reader.charge(charge.no).unwrap()));
            }
        }
        for no in 1..end {
            lines.extend(self.reader.group(GroupNo(no)).unwrap().map(|g| format!("{g:?}")));
            lines.extend(self.reader.key(KeyNo(no)).unwrap().map(|k| format!("{:?}", k.0)));
        }
        let numbers: Vec<PayoutNo> = (1..end).map(PayoutNo).collect();
        for row in self.reader.rows_of(&numbers).unwrap().into_iter().flatten() {
            let story = self.reader.story(row.payout.no, row.group.no).unwrap();
            lines.extend([format!("{row:?}"), format!("{story:?}")]);
        }
        lines.push(format!("{:?}", self.reader.holds().unwrap()));
        lines.push(format!("{:?}", self.reader.proposals(false, 10_000).unwrap()));
        lines.push(format!("{:?}", self.reader.funds().unwrap()));
        lines.push(format!("{:?}", self.reader.unknown_sum().unwrap()));
        lines.push(format!("{:?}", self.reader.unknown(PayoutNo(0), 10_000).unwrap()));
        let notices = self.reader.notices(Default::default(), NoticeNo(0), 10_000).unwrap();
        lines.extend(notices.iter().map(|n| format!("{n:?}")));
        lines.extend(self.reader.events(None, 100_000).unwrap().iter().map(|e| format!("{e:?}")));
        lines
    }
}

/// Whose command it is: persons decide, and a second one approves.
fn actor(command: &Command) -> Actor {
    match command {
        Command::Act(_)
        | Command::Hold(_)
        | Command::NoteBalance { .. }
        | Command::SettleCharges { .. } => Actor::Operator("kim".to_owned()),
        Command::Approve { .. } | Command::Withdraw { .. } => Actor::Operator("lee".to_owned()),
        _ => Actor::Partner,
    }
}

pub fn act(partner: PartnerNo, payout: Option<PayoutNo>, amount: i64, matter: Matter) -> Command {
    let (amount, note) = (Won(amount), "statement, line 3".to_owned());
    Command::Act(Box::new(Act { matter, partner, payout, amount, note }))
}

pub fn fund(partner: PartnerNo, amount: i64, reference: &str) -> Command {
    let reference = reference.to_owned();
    Command::Fund { partner, entry: Funding::In, amount: Won(amount), reference }
}

pub fn request(partner: PartnerNo, key: KeyNo, amount: i64, distinct: &str) -> Command {
    Command::Request(Box::new(row(partner, key, amount, distinct)))
}

pub fn row(partner: PartnerNo, key: KeyNo, amount: i64, distinct: &str) -> Request {
    Request {
        partner,
        key: Some(key),
        amount: Won(amount),
        sub_id: None,
        distinct_key: distinct.to_owned(),
        print: None,
    }
}

pub fn execute(partner: PartnerNo, group: GroupNo, target: Target, action: Action) -> Command {
    let webhook_url = Some("http://127.0.0.1:9/hook".to_owned());
    Command::Execute(Box::new(Execute { partner, group, target, action, webhook_url }))
}

pub fn settled(at: Time) -> BankAnswer {
    BankAnswer::Settled { day: at.day(), bank_code_sub: 0 }
}

pub fn refused(code: u16, at: Time) -> BankAnswer {
    BankAnswer::Refused { code: BankCode(code), day: at.day() }
}

pub const LOST: BankAnswer = BankAnswer::Unknown(Why::Lost);
