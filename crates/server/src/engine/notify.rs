//! Delivers webhooks: at least once, on a stored schedule, each partner in a lane of its own, so
//! that a slow or dead receiver holds up nobody else (decision H17).

use super::pause;
use crate::hub::Hub;
use ichae_domain::command::Command;
use ichae_domain::decide::NO_ADDRESS;
use ichae_domain::ident::{NoticeNo, PartnerNo};
use ichae_domain::notice::{Notice, Subject};
use ichae_domain::partner::Partner;
use ichae_store::billing::{ChargeRow, PayerQuery, PayerRow};
use ichae_store::port::{Reader, Row, StoreError};
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Tries of one partner under way at most, once its receiver answers well.
const LANE_WIDTH_MAX: usize = 8;
/// Notices that a lane reads at once.
const READ_TOGETHER: usize = 64;
/// Tries of all partners under way at most.
const TRIES_MAX: usize = 2_048;

/// What goes out: everything that a courier needs.
pub struct Delivery {
    pub notice: Notice,
    pub message: Message,
    pub url: String,
    pub secret: secrecy::SecretString,
}

/// What a notice is about, with all that it says.
pub enum Message {
    Payout(Box<Row>),
    Charge(Box<ChargeRow>),
    Payer(Box<PayerRow>),
}

/// Sends one notice and says the HTTP status that came back, or zero where none did.
#[async_trait::async_trait]
pub trait Courier: Send + Sync {
    async fn deliver(&self, hub: &Hub, delivery: &Delivery) -> i64;
}

struct Lanes {
    hub: Arc<Hub>,
    courier: Arc<dyn Courier>,
    tries: Arc<Semaphore>,
    open: Mutex<HashSet<PartnerNo>>,
    stopped: watch::Receiver<bool>,
}

pub(super) async fn run(
    hub: Arc<Hub>,
    courier: Arc<dyn Courier>,
    mut stopped: watch::Receiver<bool>,
) {
    let tries = Arc::new(Semaphore::new(TRIES_MAX));
    let open = Mutex::new(HashSet::new());
    let lanes = Arc::new(Lanes { hub, courier, tries, open, stopped: stopped.clone() });
    let mut running = JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        let now = lanes.hub.now();
        match lanes.hub.read(move |r| r.due_notice_partners(now)).await {
            Ok(partners) => {
                for partner in partners {
                    if lanes.enter(partner) {
                        running.spawn(lane(Arc::clone(&lanes), partner));
                    }
                }
            }
            Err(error) => tracing::error!(%error, "due webhooks cannot be read"),
        }
        if !pause(&lanes.hub.bells.notices, &mut stopped).await {
            break;
        }
    }
    // Tries under way are finished and written; nothing new is begun.
    while running.join_next().await.is_some() {}
}

impl Lanes {
    fn enter(&self, partner: PartnerNo) -> bool {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(partner)
    }

    fn leave(&self, partner: PartnerNo) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&partner);
    }
}

/// Works until nothing of the partner's is due. It begins one at a time and widens while the
/// receiver answers well, so that a hanging one takes one place of the shared ones, not eight. While
/// payouts go to the bank as fast as they can it stays narrow: paying comes before telling of it.
async fn lane(lanes: Arc<Lanes>, partner: PartnerNo) {
    let mut width = 1;
    let mut under_way: HashSet<NoticeNo> = HashSet::new();
    let mut tries: JoinSet<(NoticeNo, bool)> = JoinSet::new();
    let mut due: VecDeque<Notice> = VecDeque::new();
    let mut worked = false;
    loop {
        let narrow = lanes.hub.settling.load(Ordering::Relaxed);
        let width_now = if narrow { 1 } else { width };
        if !*lanes.stopped.borrow() && under_way.len() < width_now {
            begin(&lanes, partner, width_now, &mut due, &mut under_way, &mut tries).await;
        }
        match tries.join_next().await {
            Some(Ok((no, acknowledged))) => {
                worked = true;
                under_way.remove(&no);
                width = if acknowledged { (width * 2).min(LANE_WIDTH_MAX) } else { 1 };
            }
            // A try that panicked stays pending and is due again.
            Some(Err(error)) => {
                tracing::error!(%error, "a webhook try broke");
                break;
            }
            None => break,
        }
    }
    lanes.leave(partner);
    // What became due between the last look and the leaving is seen at once. A lane that found
    // nothing does not ring: a notice may be due and wait for an earlier one that is not.
    if worked {
        lanes.hub.bells.notices.notify_one();
    }
}

/// Begins tries up to the width. Notices are read ahead: each that was read is due, and none of them
/// waits for another, so they may go in any order among each other.
async fn begin(
    lanes: &Arc<Lanes>,
    partner: PartnerNo,
    width: usize,
    due: &mut VecDeque<Notice>,
    under_way: &mut HashSet<NoticeNo>,
    tries: &mut JoinSet<(NoticeNo, bool)>,
) {
    if due.is_empty() {
        let now = lanes.hub.now();
        match lanes.hub.read(move |r| r.due_notices(partner, now, READ_TOGETHER)).await {
            Ok(read) => due.extend(read.into_iter().filter(|n| !under_way.contains(&n.no))),
            Err(error) => {
                tracing::error!(%error, "due webhooks cannot be read");
                return;
            }
        }
    }
    while under_way.len() < width {
        let Some(notice) = due.pop_front() else { return };
        under_way.insert(notice.no);
        let Ok(place) = Arc::clone(&lanes.tries).acquire_owned().await else { return };
        let lanes = Arc::clone(lanes);
        tries.spawn(async move {
            let no = notice.no;
            let acknowledged = attempt(&lanes, notice).await;
            drop(place);
            (no, acknowledged)
        });
    }
}

/// One try, and what came of it written down.
async fn attempt(lanes: &Lanes, notice: Notice) -> bool {
    let hub = &lanes.hub;
    let no = notice.no;
    let command = match address(hub, notice).await {
        Ok(Some(delivery)) => {
            hub.metrics.webhooks_in_flight.inc();
            let status = lanes.courier.deliver(hub, &delivery).await;
            hub.metrics.webhooks_in_flight.dec();
            let acknowledged = (200..300).contains(&status);
            let result = if acknowledged { "acknowledged" } else { "failed" };
            hub.metrics.webhooks.get_or_create(&crate::metrics::ByTry { result }).inc();
            match acknowledged {
                true => Command::Delivered { notice: no, status },
                false => Command::NotDelivered { notice: no, status },
            }
        }
        Ok(None) => Command::NotDelivered { notice: no, status: NO_ADDRESS },
        Err(error) => {
            tracing::error!(%error, notice = no.0, "a webhook cannot be read");
            Command::NotDelivered { notice: no, status: 0 }
        }
    };
    let acknowledged = matches!(command, Command::Delivered { .. });
    if let Err(refusal) = hub.record(command).await {
        tracing::error!(notice = no.0, code = refusal.code.name(), "a try could not be noted");
    }
    acknowledged
}

/// Where it goes: the execution's own address in TEST, else the partner's registered one of now.
async fn address(hub: &Arc<Hub>, notice: Notice) -> Result<Option<Delivery>, StoreError> {
    let partner = notice.partner;
    let subject = notice.subject;
    let read =
        move |r: &dyn Reader| Ok((message(r, partner, subject)?, r.webhook_secret(partner)?));
    let (Some(message), Some(secret)) = hub.read(read).await? else {
        return Err(StoreError::Damaged(format!("notice {}: its subject or secret", notice.no.0)));
    };
    let entry = hub.directory.by_no(partner);
    let registered = |pick: fn(&Partner) -> &Option<String>| pick(&entry.as_ref()?.partner).clone();
    let url = match &message {
        Message::Payout(row) => {
            let given = row.payout.webhook_url.clone().or_else(|| row.group.webhook_url.clone());
            given.or_else(|| registered(|partner| &partner.webhook_url))
        }
        Message::Charge(_) => registered(|partner| &partner.billing.payment_url),
        Message::Payer(_) => registered(|partner| &partner.billing.removal_url),
    };
    Ok(url.map(|url| Delivery { notice, message, url, secret }))
}

fn message(
    reader: &dyn Reader,
    partner: PartnerNo,
    subject: Subject,
) -> Result<Option<Message>, StoreError> {
    Ok(match subject {
        Subject::Payout(no) => reader.row(no)?.map(|row| Message::Payout(Box::new(row))),
        Subject::Charge(no, _) => reader.charge(no)?.map(|row| Message::Charge(Box::new(row))),
        Subject::Payer(no) => {
            let query = PayerQuery { partner, no: Some(no), alias: None };
            let found = reader.payers_by(&[query])?.pop().flatten();
            found.map(|row| Message::Payer(Box::new(row)))
        }
    })
}
