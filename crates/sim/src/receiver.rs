//! The partners' webhook receivers.

use crate::fault::{Dice, Fault};
use crate::violation::{Checked, ensure};
use ichae_domain::command::Command;
use ichae_domain::decide::NO_ADDRESS;
use ichae_domain::ident::{NoticeNo, PartnerNo};
use ichae_domain::notice::{Notice, NoticeState};
use ichae_domain::time::Time;
use ichae_store::memory::Rows;
use std::collections::{BTreeMap, BTreeSet};

const DOWN_MS: i64 = 86_400_000;

#[derive(Debug, Default)]
pub struct Receivers {
    down_until: BTreeMap<PartnerNo, Time>,
    /// Receivers that are gone for good: what goes there is given up.
    gone: BTreeSet<PartnerNo>,
    /// How often each notice arrived: at least once where it was acknowledged (decision H17).
    arrived: BTreeMap<NoticeNo, u64>,
}

impl Receivers {
    pub fn leave(&mut self, partner: PartnerNo) {
        self.gone.insert(partner);
    }

    pub fn go_down(&mut self, partner: PartnerNo, now: Time) {
        self.down_until.insert(partner, now.plus_ms(DOWN_MS));
    }

    pub fn all_up(&mut self) {
        self.down_until.clear();
    }

    /// One try, and the command that its result becomes.
    pub fn try_one(&mut self, notice: &Notice, rows: &Rows, now: Time, dice: &mut Dice) -> Command {
        let no = notice.no;
        if !has_address(notice, rows) {
            return Command::NotDelivered { notice: no, status: NO_ADDRESS };
        }
        let down = self.down_until.get(&notice.partner).is_some_and(|until| now < *until);
        if down || self.gone.contains(&notice.partner) {
            return Command::NotDelivered { notice: no, status: 0 };
        }
        if dice.hits(Fault::ReceiverFails) {
            return Command::NotDelivered { notice: no, status: 500 };
        }
        *self.arrived.entry(no).or_default() += 1;
        if dice.hits(Fault::AckLost) {
            return Command::NotDelivered { notice: no, status: 0 };
        }
        Command::Delivered { notice: no, status: 200 }
    }

    /// A notice that the store calls delivered has arrived.
    pub fn check(&self, rows: &Rows) -> Checked {
        let delivered = rows.notices.values().filter(|n| n.state == NoticeState::Delivered);
        delivered.into_iter().try_for_each(|notice| {
            ensure(self.arrived.contains_key(&notice.no), "a delivered webhook arrived", || {
                format!("{notice:?}")
            })
        })
    }
}

/// The address of a row's own execution, else of its group's, else the partner's (decision H10).
fn has_address(notice: &Notice, rows: &Rows) -> bool {
    let Some(payout) = notice.subject.payout().and_then(|no| rows.payouts.get(&no)) else {
        return false;
    };
    let of_group = rows.groups.get(&payout.group).and_then(|group| group.webhook_url.as_ref());
    let of_partner = rows.partners.get(&notice.partner).and_then(|p| p.webhook_url.as_ref());
    payout.webhook_url.is_some() || of_group.is_some() || of_partner.is_some()
}

/// A later outcome waits until the earlier one was acknowledged or given up (decision H17).
pub fn in_order(notice: &Notice, rows: &Rows) -> Checked {
    let before = rows.notices.range(..notice.no).map(|(_, earlier)| earlier);
    let mut waiting = before.filter(|earlier| {
        earlier.subject.numbers().0 == notice.subject.numbers().0
            && earlier.state == NoticeState::Pending
    });
    ensure(waiting.next().is_none(), "webhooks of a payout go out in order", || {
        format!("{notice:?}")
    })
}
