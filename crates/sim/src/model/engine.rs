//! What the loops are answered: intent, outcome, return, stop switch, webhooks.

use super::{ANSWER, Model, Row, plain};
use crate::checks::NUMBERS;
use crate::violation::{Checked, Violation, ensure};
use ichae_domain::bank::{Answer as BankAnswer, BankCode};
use ichae_domain::code::Code;
use ichae_domain::command::{Asked, HoldOrder, Told};
use ichae_domain::decide::NO_ADDRESS;
use ichae_domain::ident::{GroupNo, KeyNo, NoticeNo, PartnerNo, PayoutNo};
use ichae_domain::notice::NoticeState;
use ichae_domain::payout::State;
use ichae_domain::view::Reply;
use ichae_store::port::Answer;

/// The bank codes that end a billing key, from decision H11.
const KILLERS: [u16; 7] = [412, 415, 416, 419, 420, 499, 815];
/// The first try and the fourteen that follow it (decision H17).
const TRIES_MAX: i64 = 15;

impl Model {
    /// The intent, before the bank is called; or the failure of a row whose key died (H11, H13).
    pub(super) fn claim(
        &mut self,
        payout: PayoutNo,
        partner: PartnerNo,
        group: GroupNo,
        key: KeyNo,
        answer: &Answer,
    ) -> Checked {
        let named = |row: &&Row| (row.partner, row.group, row.key) == (partner, group, key);
        let row = self.rows.get(&payout).filter(named);
        let (Some(row), Some(used)) = (row, self.keys.get(&key)) else {
            return plain(Err(Code::T0999), answer);
        };
        if row.state != State::Executing {
            return plain(Ok(Reply::Stale), answer);
        }
        if self.paused {
            return plain(Err(Code::T0503), answer);
        }
        let held = self.partners.get(&partner).is_some_and(|p| p.held);
        if held || self.holds.contains(&payout) {
            return plain(Ok(Reply::NotNow), answer);
        }
        let (amount, before, sends) = (row.amount, row.bank_no, row.sends + 1);
        let dead = used.dead.is_some();
        if let Some(row) = self.rows.get_mut(&payout) {
            row.claimed = true;
        }
        if dead {
            plain(Ok(Reply::Failed), answer)?;
            return self.enter(payout, State::Failed);
        }
        let Ok(Reply::Send(deposit)) = answer else {
            return Err(Violation::new(ANSWER, format!("expected a deposit, was told {answer:?}")));
        };
        let right = (deposit.payout, deposit.partner, deposit.key, deposit.amount.0, deposit.sends);
        ensure(right == (payout, partner, key, amount, sends), ANSWER, || format!("{deposit:?}"))?;
        let fresh = self.bank_nos.insert(deposit.bank_no);
        let same = before.map_or(fresh, |before| before == deposit.bank_no);
        ensure(same, NUMBERS, || format!("{payout:?} had {before:?}, now {:?}", deposit.bank_no))?;
        if let Some(row) = self.rows.get_mut(&payout) {
            row.bank_no = Some(deposit.bank_no);
            row.sends = sends;
        }
        self.enter(payout, State::Sending)
    }

    /// Only a deposit's answer moves what is sending, only an inquiry's what is unknown (H13).
    pub(super) fn outcome(&mut self, told: &Told) -> Checked<Result<Reply, Code>> {
        let named = |row: &&Row| (row.partner, row.key) == (told.partner, told.key);
        let row = self.rows.get(&told.payout).filter(|row| row.claimed);
        let Some(row) = row.filter(named) else { return Ok(Err(Code::T0999)) };
        let waits = match told.asked {
            Asked::Deposit => State::Sending,
            Asked::Inquiry => State::Unknown,
        };
        let same = (row.bank_no, row.sends) == (Some(told.bank_no), told.sends);
        if row.state != waits || !same {
            return Ok(Ok(Reply::Stale));
        }
        let next = match told.answer {
            BankAnswer::Settled { .. } => State::Settled,
            BankAnswer::Refused { code, .. } => {
                self.kill(told.key, code);
                State::Failed
            }
            BankAnswer::NotSent | BankAnswer::OwnSide { .. } if waits == State::Sending => {
                State::Executing
            }
            BankAnswer::Unknown(_) | BankAnswer::NotSent | BankAnswer::OwnSide { .. } => {
                State::Unknown
            }
        };
        // Own-side trouble pauses the rail (decision M3); the bank has answered the number, so only
        // a proven "not sent" keeps it (decision H13).
        if next == State::Executing && told.answer != BankAnswer::NotSent {
            self.paused = true;
            self.rows.entry(told.payout).and_modify(|row| row.bank_no = None);
        }
        self.enter(told.payout, next)?;
        Ok(Ok(Reply::Done))
    }

    fn kill(&mut self, key: KeyNo, code: BankCode) {
        if let Some(key) = self.keys.get_mut(&key)
            && KILLERS.contains(&code.0)
        {
            key.dead = key.dead.or(Some(code));
        }
    }

    pub(super) fn returned(
        &mut self,
        payout: PayoutNo,
        partner: PartnerNo,
        notice: i64,
    ) -> Checked<Result<Reply, Code>> {
        let named = |row: &&Row| row.claimed && row.partner == partner;
        let Some(row) = self.rows.get(&payout).filter(named) else {
            return Ok(Err(Code::T0999));
        };
        let state = row.state;
        if matches!(state, State::Sending | State::Unknown) {
            return Ok(Err(Code::T0503));
        }
        self.returns_seen = self.returns_seen.max(notice);
        if state != State::Settled {
            return Ok(Ok(Reply::Stale));
        }
        self.enter(payout, State::Returned)?;
        Ok(Ok(Reply::Done))
    }

    /// Decision M3: what has not left yet can be held, and a hold is lifted in any state.
    pub(super) fn hold(&mut self, order: &HoldOrder) -> Result<Reply, Code> {
        let partner = self.partners.get_mut(&order.partner).ok_or(Code::P0101)?;
        let was = match order.payout {
            None => std::mem::replace(&mut partner.held, order.held),
            Some(no) => {
                let row = self.rows.get(&no).filter(|row| row.partner == order.partner);
                let row = row.ok_or(Code::T0999)?;
                if order.held && !matches!(row.state, State::Requested | State::Executing) {
                    return Err(Code::P0131);
                }
                match order.held {
                    true => !self.holds.insert(no),
                    false => self.holds.remove(&no),
                }
            }
        };
        Ok(if was == order.held { Reply::Stale } else { Reply::Done })
    }

    pub(super) fn pause(&mut self, paused: bool) -> Reply {
        let changed = self.paused != paused;
        self.paused = paused;
        if changed { Reply::Done } else { Reply::Stale }
    }

    fn notice(&mut self, no: NoticeNo) -> Result<&mut super::Told, Code> {
        let place = usize::try_from(no.0 - 1).map_err(|_| Code::W0101)?;
        self.notices.get_mut(place).ok_or(Code::W0101)
    }

    pub(super) fn delivered(&mut self, no: NoticeNo) -> Result<Reply, Code> {
        let notice = self.notice(no)?;
        if notice.state != NoticeState::Pending {
            return Ok(Reply::Stale);
        }
        notice.state = NoticeState::Delivered;
        notice.tries += 1;
        Ok(Reply::Done)
    }

    pub(super) fn not_delivered(&mut self, no: NoticeNo, status: i64) -> Result<Reply, Code> {
        let notice = self.notice(no)?;
        if notice.state != NoticeState::Pending {
            return Ok(Reply::Stale);
        }
        if status == NO_ADDRESS {
            notice.state = NoticeState::NoAddress;
            return Ok(Reply::Done);
        }
        notice.tries += 1;
        if notice.tries == TRIES_MAX {
            notice.state = NoticeState::GivenUp;
        }
        Ok(Reply::Done)
    }

    pub(super) fn resend(&mut self, no: NoticeNo) -> Result<Reply, Code> {
        let notice = self.notice(no)?;
        notice.state = NoticeState::Pending;
        notice.tries = 0;
        Ok(Reply::Done)
    }
}
