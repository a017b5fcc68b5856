//! Rows to domain types and back, for every backend. Every number is checked on its way in: a store is
//! input too. The columns' names and order are the same in all of them.

pub(crate) mod billing;
mod cells;
pub(crate) mod joined;

pub(crate) use cells::{Cells, Raw};

use ichae_domain::bank::{BankCode, Why};
use ichae_domain::code::Code;
use ichae_domain::command::Actor;
use ichae_domain::group::{Group, Mode};
use ichae_domain::ident::{
    BankNo, ChargeNo, GroupNo, KeyNo, NoticeNo, PartnerNo, PayerNo, PayoutNo, ProposalNo, TradeNo,
};
use ichae_domain::key::BillingKey;
use ichae_domain::ledger::{Entry, Ledger, Posting, Subject};
use ichae_domain::matter::{Act, Matter, Proposal, ProposalState};
use ichae_domain::money::Won;
use ichae_domain::notice::{self, Notice, NoticeState, Outcome};
use ichae_domain::operator::Operator;
use ichae_domain::partner::{BillingSettings, Partner, Verifier};
use ichae_domain::payout::{Attempt, Payout, State};
use ichae_domain::rail::{Balance, Hold, Pause, Rail};
use ichae_domain::time::{Day, Time};
use ichae_domain::view::{About, Event, EventKind, StatementRead};

pub(crate) fn known<T, C: Cells>(found: Option<T>, at: usize) -> Result<T, C::Error> {
    found.ok_or_else(|| C::bad(at))
}

fn bank_code<C: Cells>(row: &C, at: usize) -> Result<Option<BankCode>, C::Error> {
    Ok(row.get::<Option<u16>>(at)?.map(BankCode))
}

fn own_state<C: Cells>(row: &C, at: usize) -> Result<Option<State>, C::Error> {
    row.get::<Option<i64>>(at)?.map(|n| known::<_, C>(State::from_number(n), at)).transpose()
}

pub(crate) const PARTNER: &str = "no, cst_id, name, suspended, key_generation, verifier, webhook_url, \
                           sources, transfer_cap, made_at, held, refund_verifier, domains, \
                           payment_url, removal_url";

pub(crate) fn partner<C: Cells>(row: &C) -> Result<Partner, C::Error> {
    let sources: String = row.get(7)?;
    let domains: String = row.get(12)?;
    let words = |text: String| text.split_whitespace().map(str::to_owned).collect();
    Ok(Partner {
        no: PartnerNo(row.get(0)?),
        cst_id: row.get(1)?,
        name: row.get(2)?,
        suspended: row.get(3)?,
        held: row.get(10)?,
        key_generation: row.get(4)?,
        verifier: Verifier(row.get(5)?),
        webhook_url: row.get(6)?,
        sources: words(sources),
        transfer_cap: row.get::<Option<i64>>(8)?.map(Won),
        made_at: Time(row.get(9)?),
        billing: BillingSettings {
            refund_verifier: row.get::<Option<_>>(11)?.map(Verifier),
            domains: words(domains),
            payment_url: row.get(13)?,
            removal_url: row.get(14)?,
        },
    })
}

pub(crate) const LEDGER: &str = "partner, available, held, suspense, funded, open_group, captured, \
                          refunding, receivable, unsettled";
/// Columns of [`LEDGER`].
pub(crate) const LEDGER_COLUMNS: usize = 10;

pub(crate) fn ledger<C: Cells>(row: &C) -> Result<Ledger, C::Error> {
    Ok(Ledger {
        partner: PartnerNo(row.get(0)?),
        available: Won(row.get(1)?),
        held: Won(row.get(2)?),
        suspense: Won(row.get(3)?),
        funded: Won(row.get(4)?),
        open_group: row.get::<Option<i64>>(5)?.map(GroupNo),
        captured: Won(row.get(6)?),
        refunding: Won(row.get(7)?),
        receivable: Won(row.get(8)?),
        unsettled: Won(row.get(9)?),
    })
}

pub(crate) const RAIL: &str = "paused_at, paused_by, pause_reason, bank_counter, notices_seen, \
                        balance, balance_at, balance_by";
/// Columns of [`RAIL`].
pub(crate) const RAIL_COLUMNS: usize = 8;

pub(crate) fn rail<C: Cells>(row: &C) -> Result<Rail, C::Error> {
    let pause = match row.get::<Option<i64>>(0)? {
        Some(at) => Some(Pause { at: Time(at), by: row.get(1)?, reason: row.get(2)? }),
        None => None,
    };
    let balance = match row.get::<Option<i64>>(5)? {
        Some(won) => Some(Balance { amount: Won(won), at: Time(row.get(6)?), by: row.get(7)? }),
        None => None,
    };
    Ok(Rail { pause, bank_counter: row.get(3)?, notices_seen: row.get(4)?, balance })
}

pub(crate) const GROUP: &str = "g.no, g.partner, g.opened_at, g.mode, g.row_count, g.waiting, \
                         g.waiting_sum, g.unclaimed, g.webhook_url";

/// Reads a group from the columns of [`GROUP`], the first of which is at `from`.
pub(crate) fn group<C: Cells>(row: &C, from: usize) -> Result<Group, C::Error> {
    Ok(Group {
        no: GroupNo(row.get(from)?),
        partner: PartnerNo(row.get(from + 1)?),
        opened_at: Time(row.get(from + 2)?),
        mode: known::<_, C>(Mode::from_number(row.get(from + 3)?), from + 3)?,
        rows: row.get(from + 4)?,
        waiting: row.get(from + 5)?,
        waiting_sum: Won(row.get(from + 6)?),
        unclaimed: row.get(from + 7)?,
        webhook_url: row.get(from + 8)?,
    })
}

pub(crate) const KEY: &str = "k.no, k.partner, k.sub_id, k.bank, k.made_at, k.dead";
/// Columns of [`KEY`].
pub(crate) const KEY_COLUMNS: usize = 6;

pub(crate) fn key<C: Cells>(row: &C, from: usize) -> Result<BillingKey, C::Error> {
    Ok(BillingKey {
        no: KeyNo(row.get(from)?),
        partner: PartnerNo(row.get(from + 1)?),
        sub_id: row.get(from + 2)?,
        bank: row.get(from + 3)?,
        made_at: Time(row.get(from + 4)?),
        dead: bank_code(row, from + 5)?,
    })
}

pub(crate) const PAYOUT: &str = "p.no, p.partner, p.grp, p.billing_key, p.amount, p.distinct_key, \
                          p.sub_id, p.print, p.print_sent, p.at, p.own, p.webhook_url";
pub(crate) const PAYOUT_COLUMNS: usize = 12;

pub(crate) fn payout<C: Cells>(row: &C) -> Result<Payout, C::Error> {
    Ok(Payout {
        no: PayoutNo(row.get(0)?),
        partner: PartnerNo(row.get(1)?),
        group: GroupNo(row.get(2)?),
        key: KeyNo(row.get(3)?),
        amount: Won(row.get(4)?),
        distinct_key: row.get(5)?,
        sub_id: row.get(6)?,
        print: row.get(7)?,
        print_sent: row.get(8)?,
        at: Time(row.get(9)?),
        own: own_state(row, 10)?,
        webhook_url: row.get(11)?,
    })
}

pub(crate) const ATTEMPT: &str = "a.payout, a.partner, a.bank_no, a.day, a.sent_at, a.sends, \
                           a.bank_code, a.bank_code_sub, a.failure, a.why, a.answered_at, \
                           a.inquiries, a.inquire_at, a.returned_at, a.return_code";

/// `None` where the columns come from an outer join that found nothing.
pub(crate) fn attempt<C: Cells>(row: &C, from: usize) -> Result<Option<Attempt>, C::Error> {
    let Some(payout) = row.get::<Option<i64>>(from)? else { return Ok(None) };
    let failure: Option<String> = row.get(from + 8)?;
    let failure = failure.map(|name| Code::find(&name).ok_or_else(|| C::bad(from + 8)));
    let why: Option<i64> = row.get(from + 9)?;
    Ok(Some(Attempt {
        payout: PayoutNo(payout),
        partner: PartnerNo(row.get(from + 1)?),
        bank_no: row.get::<Option<i64>>(from + 2)?.map(BankNo),
        day: Day(row.get(from + 3)?),
        sent_at: Time(row.get(from + 4)?),
        sends: row.get(from + 5)?,
        bank_code: bank_code(row, from + 6)?,
        bank_code_sub: row.get(from + 7)?,
        failure: failure.transpose()?,
        why: why.map(|n| known::<_, C>(Why::from_number(n), from + 9)).transpose()?,
        answered_at: row.get::<Option<i64>>(from + 10)?.map(Time),
        inquiries: row.get(from + 11)?,
        inquire_at: row.get::<Option<i64>>(from + 12)?.map(Time),
        returned_at: row.get::<Option<i64>>(from + 13)?.map(Time),
        return_code: bank_code(row, from + 14)?,
    }))
}

pub(crate) const POSTING: &str = "partner, entry, amount, subject_kind, subject, at";

pub(crate) fn posting<C: Cells>(row: &C) -> Result<Posting, C::Error> {
    let number: i64 = row.get(4)?;
    let subject = match row.get::<i64>(3)? {
        0 => Subject::Fund,
        1 => Subject::Payout(PayoutNo(number)),
        2 => Subject::Group(GroupNo(number)),
        3 => Subject::Trade(TradeNo(number)),
        4 => Subject::Settling(Day(i32::try_from(number).map_err(|_| C::bad(4))?)),
        _ => return Err(C::bad(3)),
    };
    Ok(Posting {
        partner: PartnerNo(row.get(0)?),
        entry: known::<_, C>(Entry::from_number(row.get(1)?), 1)?,
        amount: Won(row.get(2)?),
        subject,
        at: Time(row.get(5)?),
    })
}

/// (kind, number) of a posting's subject, as stored.
pub(crate) fn subject_columns(subject: Subject) -> (i64, i64) {
    match subject {
        Subject::Fund => (0, 0),
        Subject::Payout(no) => (1, no.0),
        Subject::Group(no) => (2, no.0),
        Subject::Trade(no) => (3, no.0),
        Subject::Settling(day) => (4, i64::from(day.0)),
    }
}

/// What of a posting goes into its link of the hash chain. Fixed for ever: changing it would make
/// every older chain unreadable.
pub(crate) fn posting_line(p: &Posting) -> [u8; 48] {
    let (kind, subject) = subject_columns(p.subject);
    let mut line = [0; 48];
    let numbers = [p.partner.0, p.entry as i64, p.amount.0, kind, subject, p.at.0];
    for (at, number) in numbers.into_iter().enumerate() {
        line[at * 8..at * 8 + 8].copy_from_slice(&number.to_be_bytes());
    }
    line
}

pub(crate) const NOTICE: &str =
    "no, partner, subject, outcome, made_at, state, tries, next_at, last_status, last_at, detail";

pub(crate) fn notice<C: Cells>(row: &C) -> Result<Notice, C::Error> {
    let outcome = known::<_, C>(Outcome::from_number(row.get(3)?), 3)?;
    let subject = notice::Subject::from_numbers(outcome, row.get(2)?, row.get(10)?);
    Ok(Notice {
        no: NoticeNo(row.get(0)?),
        partner: PartnerNo(row.get(1)?),
        subject: known::<_, C>(subject, 2)?,
        outcome,
        made_at: Time(row.get(4)?),
        state: known::<_, C>(NoticeState::from_number(row.get(5)?), 5)?,
        tries: row.get(6)?,
        next_at: Time(row.get(7)?),
        last_status: row.get(8)?,
        last_at: row.get::<Option<i64>>(9)?.map(Time),
    })
}

pub(crate) const EVENT: &str =
    "at, actor_kind, actor, partner, kind, about_kind, about, amount, note";

pub(crate) fn event<C: Cells>(row: &C) -> Result<Event, C::Error> {
    let actor = match row.get::<i64>(1)? {
        0 => Actor::Partner,
        1 => Actor::Engine,
        _ => Actor::Operator(row.get::<Option<String>>(2)?.unwrap_or_default()),
    };
    let number: i64 = row.get(6)?;
    let about = match row.get::<i64>(5)? {
        1 => About::Partner(PartnerNo(number)),
        2 => About::Key(KeyNo(number)),
        3 => About::Payout(PayoutNo(number)),
        4 => About::Group(GroupNo(number)),
        5 => About::Notice(NoticeNo(number)),
        7 => About::Operator,
        8 => About::Proposal(ProposalNo(number)),
        9 => About::Payer(PayerNo(number)),
        10 => About::Charge(ChargeNo(number)),
        _ => About::Rail,
    };
    Ok(Event {
        at: Time(row.get(0)?),
        actor,
        partner: row.get::<Option<i64>>(3)?.map(PartnerNo),
        kind: known::<_, C>(EventKind::from_number(row.get(4)?), 4)?,
        about,
        amount: row.get::<Option<i64>>(7)?.map(Won),
        note: row.get(8)?,
    })
}

/// Kinds of the lines that a payout's story is made of, as the partial index names them: a database takes it
/// only then.
pub(crate) fn told_kinds() -> String {
    let told = EventKind::ALL.iter().filter(|kind| kind.is_told());
    told.map(|kind| (*kind as i64).to_string()).collect::<Vec<_>>().join(", ")
}

/// (kind, text) of an actor, as stored.
pub(crate) fn actor_columns(actor: &Actor) -> (i64, Option<&str>) {
    match actor {
        Actor::Partner => (0, None),
        Actor::Engine => (1, None),
        Actor::Operator(name) => (2, Some(name)),
    }
}

/// (kind, number) of what an event is about, as stored.
pub(crate) fn about_columns(about: About) -> (i64, i64) {
    match about {
        About::Partner(no) => (1, no.0),
        About::Key(no) => (2, no.0),
        About::Payout(no) => (3, no.0),
        About::Group(no) => (4, no.0),
        About::Notice(no) => (5, no.0),
        About::Rail => (6, 0),
        About::Operator => (7, 0),
        About::Proposal(no) => (8, no.0),
        About::Payer(no) => (9, no.0),
        About::Charge(no) => (10, no.0),
    }
}

pub(crate) const HOLD: &str = "at, by_whom, reason";

pub(crate) fn hold<C: Cells>(row: &C) -> Result<Hold, C::Error> {
    Ok(Hold { at: Time(row.get(0)?), by: row.get(1)?, reason: row.get(2)? })
}

pub(crate) const OPERATOR: &str = "name, public_key, added_at, revoked_at, last_signed";

pub(crate) fn operator<C: Cells>(row: &C) -> Result<Operator, C::Error> {
    Ok(Operator {
        name: row.get(0)?,
        public_key: row.get(1)?,
        added_at: Time(row.get(2)?),
        revoked_at: row.get::<Option<i64>>(3)?.map(Time),
        last_signed: Time(row.get(4)?),
    })
}

pub(crate) const PROPOSAL: &str = "no, kind, detail, partner, payout, amount, note, by_whom, at, state, \
                            closed_by, closed_at";

pub(crate) fn proposal<C: Cells>(row: &C) -> Result<Proposal, C::Error> {
    let act = Act {
        matter: known::<_, C>(Matter::from_numbers(row.get(1)?, row.get(2)?), 1)?,
        partner: PartnerNo(row.get(3)?),
        payout: row.get::<Option<i64>>(4)?.map(PayoutNo),
        amount: Won(row.get(5)?),
        note: row.get(6)?,
    };
    Ok(Proposal {
        no: ProposalNo(row.get(0)?),
        act,
        by: row.get(7)?,
        at: Time(row.get(8)?),
        state: known::<_, C>(ProposalState::from_number(row.get(9)?), 9)?,
        closed_by: row.get(10)?,
        closed_at: row.get::<Option<i64>>(11)?.map(Time),
    })
}

pub(crate) const STATEMENT: &str = "digest, at, by_whom, name, row_count, findings";

pub(crate) fn statement<C: Cells>(row: &C) -> Result<StatementRead, C::Error> {
    Ok(StatementRead {
        digest: row.get(0)?,
        at: Time(row.get(1)?),
        by: row.get(2)?,
        name: row.get(3)?,
        rows: row.get(4)?,
        findings: row.get(5)?,
    })
}
