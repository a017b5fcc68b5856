//! The hub's core, as the API, the engine and the admin socket share it. No HTTP types here.

use crate::cells::Cells;
use crate::config::Environment;
use crate::directory::Directory;
use crate::metrics::Metrics;
use crate::reach::Reach;
use crate::till::Till;
use crate::token::{Tokens, Use};
use arc_swap::ArcSwap;
use ichae_domain::billing::{Payer, PayerAlias};
use ichae_domain::calendar::Calendar;
use ichae_domain::code::Code;
use ichae_domain::command::{Action, Actor, Command};
use ichae_domain::ident::{BankNo, Epochs, PartnerNo, PayerNo, PayoutNo};
use ichae_domain::ledger::Ledger;
use ichae_domain::money::Won;
use ichae_domain::notice::Notice;
use ichae_domain::refusal::Refusal;
use ichae_domain::time::Time;
use ichae_domain::view::Reply;
use ichae_rail::port::{BankStatus, Rail};
use ichae_store::billing::{PayerQuery, PayerRow};
use ichae_store::keys::KeyFolder;
use ichae_store::lookups::{self, Lookups};
use ichae_store::port::{Answer, Clock, Reader, Row, StoreError};
use ichae_store::queue::Writer;
use ichae_store::seal::Sealer;
use ichae_wire::cpay::payer_id;
use ichae_wire::ident::{IdCodec, Kind};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use tokio::sync::Notify;

/// Tries to write what the bank said that may end in an internal fault. After them the intent stands
/// without an answer, and the next start asks the bank.
const FAULTS_MAX: u32 = 5;

/// Numbers for account checks that are taken at once.
const CHECK_NUMBERS: i64 = 1_000;

/// What a hub is made of; see [`crate::run`] for the wiring.
pub struct Parts {
    pub writer: Writer,
    pub reader: Arc<dyn Reader>,
    pub rail: Arc<dyn Rail>,
    pub sealer: Arc<Sealer>,
    pub clock: Clock,
    pub environment: Environment,
    pub reach: Reach,
    /// Where the keys came from; `None` where they are in memory only.
    pub key_folder: Option<KeyFolder>,
    pub calendar: &'static Calendar,
    pub operators: Operators,
    pub till: Till,
    /// The other cells of the installation.
    pub cells: Cells,
}

/// What operators want to be told of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Operators {
    /// The settlement account should hold at least this much more than partners have.
    pub margin: Option<Won>,
}

/// Wakes the engine's loops at once; each also looks by itself now and then.
#[derive(Default)]
pub struct Bells {
    pub work: Notify,
    pub notices: Notify,
}

pub struct Hub {
    pub writer: Writer,
    pub reader: Arc<dyn Reader>,
    pub rows: Lookups<PayoutNo, Row>,
    pub payers: Lookups<PayerQuery, PayerRow>,
    pub rail: Arc<dyn Rail>,
    pub till: Till,
    pub sealer: Arc<Sealer>,
    pub directory: Directory,
    pub metrics: Metrics,
    pub bells: Bells,
    /// What the banks say of themselves, as the rail last told it.
    pub banks: ArcSwap<BTreeMap<String, BankStatus>>,
    /// Rung with the bell for work: what had to wait may go now.
    pub reopened: AtomicBool,
    pub calendar: &'static Calendar,
    pub operators: Operators,
    /// Numbers for calls that move no money: the next, and the end of the block.
    check_numbers: tokio::sync::Mutex<(i64, i64)>,
    /// Set while payouts are handed to the bank as fast as it goes.
    pub settling: AtomicBool,
    pub environment: Environment,
    pub reach: Reach,
    pub key_folder: Option<KeyFolder>,
    pub tokens: ArcSwap<Tokens>,
    pub auth_keys: ArcSwap<Tokens>,
    pub cells: Cells,
    codec: IdCodec,
    epochs: ArcSwap<Epochs>,
    /// The store's map of shards when the partners were read last.
    map: AtomicI64,
    clock: Clock,
}

impl Hub {
    pub fn new(parts: Parts) -> Result<Hub, StoreError> {
        let Parts { writer, reader, rail, sealer, clock, environment, reach, .. } = parts;
        let (key_folder, calendar, operators) = (parts.key_folder, parts.calendar, parts.operators);
        let (till, cells) = (parts.till, parts.cells);
        let keys = sealer.keys();
        let live = environment == Environment::Live;
        let codec = IdCodec::new(keys.identifier.bytes(), live)
            .map_err(|_| StoreError::Refused("the identifier key cannot be used".to_owned()))?;
        // Before the partners: they are as new, or newer.
        let map = AtomicI64::new(reader.map()?);
        let directory = Directory::new(reader.as_ref(), &sealer)?;
        let epochs = ArcSwap::from_pointee(reader.epochs()?);
        let signed =
            |used| ArcSwap::from_pointee(Tokens::new(&keys.sealing, environment.name(), used));
        let (tokens, auth_keys) = (signed(Use::Token), signed(Use::AuthKey));
        let metrics = Metrics::default();
        let (rows, payers) = match writer.is_inline() {
            true => {
                (Lookups::inline(&reader, lookups::rows), Lookups::inline(&reader, lookups::payers))
            }
            false => (
                Lookups::start("rows", &reader, lookups::rows)?,
                Lookups::start("payers", &reader, lookups::payers)?,
            ),
        };
        Ok(Hub {
            writer,
            reader,
            rows,
            payers,
            rail,
            till,
            sealer,
            directory,
            metrics,
            bells: Bells::default(),
            banks: ArcSwap::default(),
            reopened: AtomicBool::new(false),
            calendar,
            operators,
            check_numbers: tokio::sync::Mutex::new((0, 0)),
            settling: AtomicBool::new(false),
            environment,
            reach,
            key_folder,
            tokens,
            auth_keys,
            cells,
            codec,
            epochs,
            map,
            clock,
        })
    }

    pub fn now(&self) -> Time {
        (self.clock)()
    }

    /// The wire's text of one of a partner's serials.
    pub fn id(&self, kind: Kind, partner: PartnerNo, serial: i64) -> String {
        self.codec.encode(kind, partner, self.epochs.load().of(serial), serial)
    }

    /// The serial behind a text. `None` for everything that is not this partner's, forged, or of a
    /// lost epoch: one answer for all (decision I1).
    pub fn serial(&self, kind: Kind, partner: PartnerNo, text: &str) -> Option<i64> {
        let (epoch, serial) = self.codec.decode(kind, partner, text)?;
        (self.epochs.load().of(serial) == epoch).then_some(serial)
    }

    /// A notice's `webhook-id`: the same at each try.
    pub fn notice_id(&self, notice: &Notice) -> String {
        self.id(Kind::Notice(notice.outcome), notice.partner, notice.subject.serial())
    }

    /// `PCD_PAYER_ID` as its partner knows it.
    pub fn payer_id(&self, payer: &Payer) -> String {
        match payer.alias {
            Some(alias) => payer_id::encode(&alias.0),
            None => self.id(Kind::Payer, payer.partner, payer.no.0),
        }
    }

    /// What a `PCD_PAYER_ID` names: a key of ours, else one that was brought along (decision I1).
    pub fn payer_query(&self, partner: PartnerNo, text: &str) -> PayerQuery {
        let no = self.serial(Kind::Payer, partner, text).map(PayerNo);
        let alias = payer_id::decode(text).map(PayerAlias);
        PayerQuery { partner, no, alias }
    }

    /// A number for a call that moves no money, twenty characters. Numbers are taken from the
    /// rail's persistent counter in blocks; what a stop leaves of one is never used.
    pub async fn check_number(&self, partner: PartnerNo) -> Result<String, Refusal> {
        let mut block = self.check_numbers.lock().await;
        if block.0 == block.1 {
            let take = Command::TakeCounters { count: CHECK_NUMBERS };
            match self.writer.submit(Actor::Engine, take).await? {
                Reply::Counters(first) => *block = (first, first + CHECK_NUMBERS),
                _ => return Err(Code::T0999.into()),
            }
        }
        let number = BankNo::counted(partner.shard(), self.epochs.load().current(), block.0);
        block.0 += 1;
        Ok(number.ok_or(Code::T0503)?.text(self.rail.institution()))
    }

    /// Gives a command of a caller's to the writer, and wakes whom it concerns.
    pub async fn submit(self: &Arc<Self>, actor: Actor, command: Command) -> Answer {
        let concern = concern(&command);
        let answer = self.writer.submit(actor, command).await;
        self.after(concern, &answer).await;
        answer
    }

    /// As [`Hub::submit`], for the engine: waits for room, and repeats what could not be written
    /// for a while, because what the bank said must not be lost.
    pub async fn record(self: &Arc<Self>, command: Command) -> Answer {
        let concern = concern(&command);
        let mut wait = std::time::Duration::from_millis(100);
        let mut faults = 0;
        loop {
            let answer = self.writer.submit_waiting(Actor::Engine, command.clone()).await;
            let again = match &answer {
                Err(refusal) if refusal.code == Code::T0503 => true,
                Err(refusal) if refusal.code == Code::T0999 => {
                    faults += 1;
                    faults <= FAULTS_MAX
                }
                _ => false,
            };
            if !again || matches!(command, Command::Claim { .. } | Command::Return { .. }) {
                self.after(concern, &answer).await;
                return answer;
            }
            tracing::error!(command = name(&command), "could not be written, trying again");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(std::time::Duration::from_secs(10));
        }
    }

    async fn after(self: &Arc<Self>, concern: Concern, answer: &Answer) {
        let Ok(reply) = answer else { return };
        if *reply == Reply::Stale {
            return;
        }
        match concern {
            Concern::Work => self.bells.work.notify_one(),
            Concern::Held => {
                self.reload().await;
                self.reopen();
            }
            Concern::Outcome => self.bells.notices.notify_one(),
            Concern::Partner => {
                self.reload().await;
                self.bells.notices.notify_one();
            }
            Concern::None => {}
        }
    }

    async fn reload(self: &Arc<Self>) {
        if let Err(error) = self.read_partners().await {
            tracing::error!(%error, "the partners could not be read again");
        }
    }

    /// Reads again who may call here, and what numbers mean.
    pub(crate) async fn read_partners(self: &Arc<Self>) -> Result<(), StoreError> {
        let hub = Arc::clone(self);
        let read = move |r: &dyn Reader| {
            // Before the partners: they are as new, or newer.
            let map = r.map()?;
            // And what numbers mean before whose they are.
            if map != hub.map.load(Ordering::SeqCst) {
                hub.epochs.store(Arc::new(r.epochs()?));
            }
            hub.directory.reload(|| {
                let partners = r.partners()?;
                // Before they are taken from among our own: nobody is told that there is no such partner.
                hub.cells.are_gone(&hub.directory.without(&partners));
                Ok(partners)
            })?;
            hub.map.fetch_max(map, Ordering::SeqCst);
            Ok(())
        };
        self.read(read).await
    }

    /// The store's map of shards that the partners in memory are at least as new as.
    pub fn map(&self) -> i64 {
        self.map.load(Ordering::SeqCst)
    }

    /// Whether a partner was served here when what was read for it was read. Costs nothing while no shard
    /// moves: a read says under which map it was confirmed.
    pub async fn was_here(self: &Arc<Self>, partner: PartnerNo, map_before: i64) -> bool {
        let newest = self.reader.newest_map();
        if newest <= map_before {
            return true;
        }
        if newest > self.map() && self.read_partners().await.is_err() {
            return false;
        }
        self.directory.by_no(partner).is_some()
    }

    /// What had to wait may go now: the engine looks at all of it again.
    pub fn reopen(&self) {
        self.reopened.store(true, Ordering::Relaxed);
        self.bells.work.notify_one();
    }

    /// What a partner has. From memory where the store is in this process.
    pub async fn ledger(
        self: &Arc<Self>,
        partner: PartnerNo,
    ) -> Result<Option<Ledger>, StoreError> {
        match self.reader.is_far() {
            true => self.read(move |r| r.ledger(partner)).await,
            false => self.reader.ledger(partner),
        }
    }

    /// Looks at the partners again where another node has changed one.
    pub(crate) async fn follow(self: &Arc<Self>, seen: &mut i64) -> Result<(), StoreError> {
        let version = self.read(|r| r.version()).await?;
        if version != *seen {
            self.read_partners().await?;
            *seen = version;
            self.reopen();
        }
        Ok(())
    }

    /// Reads off the async threads: a read may have to wait for the disk.
    pub async fn read<T, F>(self: &Arc<Self>, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Reader) -> Result<T, StoreError> + Send + 'static,
    {
        // On virtual time nothing may be done on another thread.
        if self.writer.is_inline() {
            return read(self.reader.as_ref());
        }
        let reader = Arc::clone(&self.reader);
        let done = tokio::task::spawn_blocking(move || read(reader.as_ref())).await;
        done.unwrap_or_else(|_| Err(StoreError::Refused("a read was given up".to_owned())))
    }
}

/// Whom a command's change concerns.
#[derive(Clone, Copy)]
enum Concern {
    None,
    Work,
    /// Something is held or released.
    Held,
    Outcome,
    Partner,
}

fn concern(command: &Command) -> Concern {
    match command {
        Command::Execute(execute) if execute.action == Action::Now => Concern::Work,
        Command::Claim { .. }
        | Command::Outcome(_)
        | Command::Return { .. }
        | Command::Resend { .. }
        | Command::Delivered { .. }
        | Command::NotDelivered { .. } => Concern::Outcome,
        Command::ResumeRail => Concern::Work,
        Command::Hold(_) => Concern::Held,
        Command::Act(_)
        | Command::Approve { .. }
        | Command::Traded(_)
        | Command::RemovePayer { .. } => Concern::Outcome,
        Command::AddPartner(_)
        | Command::SetPartner { .. }
        | Command::RotateCustKey { .. }
        | Command::RotateWebhookSecret { .. }
        | Command::RotateRefundKey { .. }
        | Command::Suspend { .. } => Concern::Partner,
        Command::Fund { .. }
        | Command::PauseRail { .. }
        | Command::RegisterKey(_)
        | Command::Request(_)
        | Command::Bulk(_)
        | Command::Doubt(_)
        | Command::TakeCounters { .. }
        | Command::AddOperator { .. }
        | Command::RevokeOperator { .. }
        | Command::Sign { .. }
        | Command::Withdraw { .. }
        | Command::NoteBalance { .. }
        | Command::NoteStatement { .. }
        | Command::AddPayer(_)
        | Command::Charge(_)
        | Command::Refund(_)
        | Command::Receipt(_)
        | Command::SettleCharges { .. }
        | Command::Execute(_) => Concern::None,
    }
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Outcome(_) => "outcome",
        Command::Return { .. } => "return",
        Command::Traded(_) => "traded",
        Command::Delivered { .. } | Command::NotDelivered { .. } => "webhook",
        _ => "command",
    }
}
