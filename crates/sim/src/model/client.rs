//! What partners and operators are answered.

use super::{ANSWER, Key, Model, Partner, Row, plain, refused};
use crate::violation::{Checked, Violation, ensure};
use ichae_domain::code::Code;
use ichae_domain::command::{
    Action, Actor, Bulk, Execute, Funding, NewKey, NewPartner, Request, Target,
};
use ichae_domain::ident::{GroupNo, KeyNo, PartnerNo, PayoutNo};
use ichae_domain::key::Fingerprint;
use ichae_domain::money::Won;
use ichae_domain::partner::Settings;
use ichae_domain::payout::State;
use ichae_domain::refusal::Detail;
use ichae_domain::view::{Reply, Requested};
use ichae_store::port::Answer;

impl Model {
    pub(super) fn add_partner(&mut self, new: &NewPartner, answer: &Answer) -> Checked {
        let taken = self.partners.values().any(|p| p.cst_id == new.cst_id);
        if refused(taken.then_some(Code::P0102), answer)? {
            return Ok(());
        }
        let Ok(Reply::Partner(no)) = answer else { return Err(strange(answer)) };
        let partner = Partner {
            cst_id: new.cst_id.clone(),
            suspended: false,
            held: false,
            cap: new.transfer_cap.map(|cap| cap.0),
            has_url: new.webhook_url.is_some(),
            funded: 0,
            open_group: None,
        };
        self.partners.insert(*no, partner);
        Ok(())
    }

    pub(super) fn set(&mut self, no: PartnerNo, new: &Settings, answer: &Answer) -> Checked {
        let Some(partner) = self.partners.get_mut(&no) else {
            return plain(Err(Code::P0101), answer);
        };
        if let Some(cap) = new.transfer_cap {
            partner.cap = cap.map(|cap| cap.0);
        }
        if let Some(url) = &new.webhook_url {
            partner.has_url = url.is_some();
        }
        plain(Ok(Reply::Done), answer)
    }

    /// Decision M1.
    pub(super) fn fund(
        &mut self,
        no: PartnerNo,
        way: Funding,
        amount: i64,
        reference: &str,
    ) -> Result<Reply, Code> {
        let available = self.available(no);
        let partner = self.partners.get_mut(&no).ok_or(Code::P0101)?;
        if amount < 1 {
            return Err(Code::P0103);
        }
        let signed = if way == Funding::In { amount } else { -amount };
        if let Some(before) = self.funds.get(&(no, reference.to_owned())) {
            let same = *before == signed;
            let repeated = Reply::Funded { available: Won(available), repeated: true };
            return same.then_some(repeated).ok_or(Code::P0110);
        }
        if available + signed < 0 {
            return Err(Code::P0111);
        }
        partner.funded += signed;
        self.funds.insert((no, reference.to_owned()), signed);
        Ok(Reply::Funded { available: Won(available + signed), repeated: false })
    }

    /// Decisions H11 and H12.
    pub(super) fn register(&mut self, new: &NewKey, answer: &Answer) -> Checked {
        if refused((!self.partners.contains_key(&new.partner)).then_some(Code::P0101), answer)? {
            return Ok(());
        }
        let print = new.fingerprints.first().copied();
        let alive = |key: &Key| key.print == print && key.dead.is_none();
        if let Some((no, _)) = self.keys.iter().find(|(_, key)| alive(key)) {
            return plain(Ok(Reply::Key(*no, false)), answer);
        }
        let Ok(Reply::Key(no, true)) = answer else { return Err(strange(answer)) };
        self.new_key(*no, new.partner, print)
    }

    fn new_key(&mut self, no: KeyNo, partner: PartnerNo, print: Option<Fingerprint>) -> Checked {
        let old = self.keys.insert(no, Key { partner, print, dead: None });
        ensure(old.is_none(), "no identifier is given twice", || format!("{no:?}"))
    }

    /// In the order of decision H6a: a repeat first, then what depends on state.
    pub(super) fn request(&mut self, request: &Request, answer: &Answer) -> Checked {
        if self.turned_away(request, answer)? {
            return Ok(());
        }
        let Ok(Reply::Requested(told)) = answer else { return Err(strange(answer)) };
        self.joined(request.partner, told)?;
        self.held_for(request, told)
    }

    /// Each row as if it had come alone; all of them in a group that takes nothing else.
    pub(super) fn bulk(&mut self, bulk: &Bulk, answer: &Answer) -> Checked {
        if refused((!self.partners.contains_key(&bulk.partner)).then_some(Code::P0101), answer)? {
            return Ok(());
        }
        let Ok(Reply::Bulk(rows)) = answer else { return Err(strange(answer)) };
        ensure(rows.len() == bulk.rows.len(), ANSWER, || format!("{} rows told", rows.len()))?;
        let of = |no: &GroupNo| self.groups.get(no) == Some(&bulk.partner);
        let mut group = bulk.group.filter(|no| self.filling.contains(no) && of(no));
        for (request, told) in bulk.rows.iter().zip(rows) {
            let one = told.clone().map(|told| Reply::Requested(Box::new(told)));
            if self.turned_away(request, &one)? {
                continue;
            }
            let Ok(told) = told else { return Err(strange(answer)) };
            let fresh = !self.groups.contains_key(&told.group);
            let right = group.map_or(fresh, |group| group == told.group);
            ensure(right, "a bulk call's rows are in a group of their own", || {
                format!("{group:?}, joined {:?}", told.group)
            })?;
            group = Some(told.group);
            self.filling.insert(told.group);
            self.groups.insert(told.group, bulk.partner);
            self.held_for(request, told)?;
        }
        Ok(())
    }

    /// Whether it is refused, as it has to be.
    fn turned_away(&mut self, request: &Request, answer: &Answer) -> Checked<bool> {
        let name = (request.partner, request.distinct_key.clone());
        if let Some(first) = self.distinct.get(&name) {
            self.repeat(*first, request, answer)?;
            return Ok(true);
        }
        refused(self.request_code(request), answer)
    }

    fn held_for(&mut self, request: &Request, told: &Requested) -> Checked {
        let left = self.available(request.partner) - request.amount.0;
        ensure(told.remain == Won(left), ANSWER, || format!("{left} remain: {told:?}"))?;
        let nothing = || Violation::new(ANSWER, format!("held without a key: {told:?}"));
        let key = request.key.ok_or_else(nothing)?;
        let row = Row {
            partner: request.partner,
            group: told.group,
            key,
            amount: request.amount.0,
            sub_id: request.sub_id.clone(),
            print: request.print.clone(),
            state: State::Requested,
            bank_no: None,
            sends: 0,
            claimed: false,
        };
        *self.entered.entry(State::Requested.name()).or_default() += 1;
        self.distinct.insert((request.partner, request.distinct_key.clone()), told.payout);
        let old = self.rows.insert(told.payout, row);
        ensure(old.is_none(), "no identifier is given twice", || format!("{:?}", told.payout))
    }

    fn request_code(&self, request: &Request) -> Option<Code> {
        let Some(partner) = self.partners.get(&request.partner) else { return Some(Code::P0101) };
        let mine = |no: &KeyNo| self.keys.get(no).filter(|key| key.partner == request.partner);
        let key = request.key.as_ref().and_then(mine);
        let amount = request.amount.0;
        let conditions = [
            (partner.suspended, Code::T0340),
            (key.is_none(), Code::R0102),
            (key.is_some_and(|key| key.dead.is_some()), Code::R0103),
            (self.rules.fixed_amount.is_some_and(|fixed| fixed.0 != amount), Code::R0112),
            (partner.cap.is_some_and(|cap| amount > cap), Code::R0113),
            (self.available(request.partner) < amount, Code::R0140),
        ];
        conditions.into_iter().find_map(|(off, code)| off.then_some(code))
    }

    /// The open group, or one that nobody has seen (decision H7).
    fn joined(&mut self, no: PartnerNo, told: &Requested) -> Checked {
        let Some(partner) = self.partners.get_mut(&no) else { return Ok(()) };
        let fresh = !self.groups.contains_key(&told.group);
        let right = partner.open_group.map_or(fresh, |open| open == told.group);
        ensure(right, "requests share the open group", || {
            format!("open is {:?}, joined {:?}", partner.open_group, told.group)
        })?;
        partner.open_group = Some(told.group);
        self.groups.insert(told.group, no);
        Ok(())
    }

    /// Decision H9: which of the two codes, which field, and what the first request was.
    fn repeat(&self, first: PayoutNo, request: &Request, answer: &Answer) -> Checked {
        let Some(row) = self.rows.get(&first) else { return Err(strange(answer)) };
        let field = if row.sub_id != request.sub_id {
            Some("sub_id")
        } else if Some(row.key) != request.key {
            Some("billing_tran_id")
        } else if row.amount != request.amount.0 {
            Some("tran_amt")
        } else if row.print != request.print {
            Some("print_content")
        } else {
            None
        };
        let code = if field.is_some() { Code::R0133 } else { Code::R0132 };
        refused(Some(code), answer)?;
        let Err(refusal) = answer else { return Err(strange(answer)) };
        let Detail::First(told, named) = &refusal.detail else { return Err(strange(answer)) };
        let same = (told.payout, told.group, told.key, told.amount.0, told.state, *named)
            == (first, row.group, row.key, row.amount, row.state, field);
        ensure(same, ANSWER, || format!("first is {first:?} {row:?}, told {told:?} {named:?}"))
    }

    /// Decision H10; closes the group by decision H7.
    pub(super) fn execute(&mut self, execute: &Execute, actor: &Actor, answer: &Answer) -> Checked {
        let taken = self.taken(execute);
        if refused(self.execute_code(execute, actor, &taken), answer)? {
            return Ok(());
        }
        let total: i64 = taken.iter().filter_map(|no| self.rows.get(no)).map(|r| r.amount).sum();
        let next = match execute.action {
            Action::Now => State::Executing,
            Action::Cancel => State::Canceled,
        };
        for no in &taken {
            self.enter(*no, next)?;
        }
        let closes = execute.target == Target::All || execute.action == Action::Now;
        if closes {
            self.filling.remove(&execute.group);
        }
        if let Some(partner) = self.partners.get_mut(&execute.partner)
            && partner.open_group == Some(execute.group)
            && closes
        {
            partner.open_group = None;
        }
        let Ok(Reply::Executed { total: told, remain, rows, .. }) = answer else {
            return Err(strange(answer));
        };
        let rows_are = i64::try_from(taken.len()).unwrap_or(i64::MAX);
        let left = self.available(execute.partner);
        ensure((told.0, remain.0, *rows) == (total, left, rows_are), ANSWER, || {
            format!("takes {rows_are} rows of {total}, leaves {left}: {answer:?}")
        })
    }

    fn execute_code(&self, execute: &Execute, actor: &Actor, taken: &[PayoutNo]) -> Option<Code> {
        let Some(partner) = self.partners.get(&execute.partner) else { return Some(Code::P0101) };
        let mine = self.groups.get(&execute.group) == Some(&execute.partner);
        let named = execute.webhook_url.is_some() || partner.has_url;
        let now = execute.action == Action::Now;
        let conditions = [
            (partner.suspended && *actor == Actor::Partner, Code::T0340),
            (!mine, Code::E0101),
            (now && self.rules.webhook_per_call && !named, Code::E0120),
            (taken.is_empty(), Code::E0130),
        ];
        conditions.into_iter().find_map(|(off, code)| off.then_some(code))
    }

    fn taken(&self, execute: &Execute) -> Vec<PayoutNo> {
        let named = |no: &PayoutNo| match &execute.target {
            Target::All => true,
            Target::Rows(rows) => rows.contains(no),
        };
        self.waiting(execute.group).into_iter().filter(named).collect()
    }

    /// What waits in a group.
    pub(super) fn waiting(&self, group: GroupNo) -> Vec<PayoutNo> {
        let waits = |row: &Row| row.group == group && row.state == State::Requested;
        self.rows.iter().filter(|(_, row)| waits(row)).map(|(no, _)| *no).collect()
    }
}

fn strange(answer: &Answer) -> Violation {
    Violation::new(ANSWER, format!("an answer of another kind: {answer:?}"))
}
