//! What every backend must do, through the port alone.

use super::*;
use crate::port::{ListBy, Shown};
use ichae_domain::code::Code;
use ichae_domain::matter::Verdict;
use ichae_domain::notice::NoticeState;
use ichae_domain::refusal::Detail;
use ichae_domain::time::Day;
use ichae_domain::view::{EventKind, StatementRead};
use std::sync::Arc;

/// Declares the behaviours and lists them, so that none can be forgotten.
macro_rules! behaviours {
    ($($(#[$doc:meta])* fn $name:ident($h:ident: &mut Harness) $body:block)*) => {
        $($(#[$doc])* fn $name($h: &mut Harness) $body)*
        pub const ALL: &[super::Behaviour] = &[$((stringify!($name), $name),)*];
    };
}

fn code(answer: Answer) -> Code {
    answer.expect_err("refused").code
}

behaviours! {
    /// Decision M1.
    fn funding_is_idempotent_by_its_reference(h: &mut Harness) {
        let p = h.partner("a", 0);
        assert!(matches!(h.give(fund(p, 500, "r1")), Ok(Reply::Funded { repeated: false, .. })));
        assert!(matches!(h.give(fund(p, 500, "r1")), Ok(Reply::Funded { repeated: true, .. })));
        assert_eq!(code(h.give(fund(p, 501, "r1"))), Code::P0110);
        let back = Command::Fund {
            partner: p, entry: Funding::Back, amount: Won(501), reference: "r2".into(),
        };
        assert_eq!(code(h.give(back)), Code::P0111);
        assert_eq!(h.balances(p), (500, 0));
        assert_eq!(h.reader.settlement().unwrap(), Won(-500));
    }

    fn a_partner_id_is_taken_once(h: &mut Harness) {
        let p = h.partner("same", 0);
        let again = NewPartner {
            cst_id: "same".into(), name: "other".into(), verifier: Verifier([1; 32]),
            webhook_secret: "x".into(), webhook_url: None, sources: vec![], transfer_cap: None,
        };
        assert_eq!(code(h.give(Command::AddPartner(Box::new(again)))), Code::P0102);
        assert_eq!(h.reader.partners().unwrap().len(), 1);
        assert!(h.reader.webhook_secret(p).unwrap().is_some());
    }

    /// Decision H8.
    fn a_request_holds_at_once_and_never_below_zero(h: &mut Harness) {
        let p = h.partner("a", 2_500);
        let k = h.key(p, "1");
        assert_eq!(h.request(p, k, 1_000, "d1").unwrap().remain, Won(1_500));
        assert_eq!(h.request(p, k, 1_000, "d2").unwrap().remain, Won(500));
        assert_eq!(h.request(p, k, 1_000, "d3").unwrap_err().code, Code::R0140);
        assert_eq!(h.balances(p), (500, 2_000));
        // The refused request used its distinct_key not up (decision H9).
        assert_eq!(h.request(p, k, 500, "d3").unwrap().remain, Won(0));
    }

    /// Decision H9; the second of one batch sees the first.
    fn a_distinct_key_is_taken_once_for_ever(h: &mut Harness) {
        let p = h.partner("a", 10_000);
        let other = h.partner("b", 10_000);
        let (k, k2) = (h.key(p, "1"), h.key(p, "2"));
        let answers = h.many(vec![
            request(p, k, 1_000, "d"), request(p, k, 1_000, "d"),
            request(p, k, 2_000, "d"), request(p, k2, 1_000, "d"),
        ]);
        let first = answers[0].clone().unwrap();
        let Reply::Requested(first) = first else { panic!() };
        let kinds: Vec<_> = answers[1..].iter().map(|a| a.clone().unwrap_err()).collect();
        let differs = |r: &Refusal| match &r.detail {
            Detail::First(f, field) => { assert_eq!(f.payout, first.payout); *field }
            other => panic!("{other:?}"),
        };
        assert_eq!(kinds.iter().map(|r| r.code).collect::<Vec<_>>(),
            [Code::R0132, Code::R0133, Code::R0133]);
        assert_eq!(kinds.iter().map(differs).collect::<Vec<_>>(),
            [None, Some("tran_amt"), Some("billing_tran_id")]);
        h.execute(p, first.group, Action::Cancel).unwrap();
        assert_eq!(h.request(p, k, 1_000, "d").unwrap_err().code, Code::R0132);
        let k3 = h.key(other, "1");
        assert!(h.request(other, k3, 1_000, "d").is_ok(), "per partner");
        assert_eq!(h.balances(p), (10_000, 0));
    }

    /// Decision H6a: a repeat is answered as such whatever has changed since.
    fn a_repeat_is_told_so_even_when_suspended(h: &mut Harness) {
        let p = h.partner("a", 1_000);
        let k = h.key(p, "1");
        h.request(p, k, 1_000, "d").unwrap();
        h.give(Command::Suspend { partner: p, suspended: true }).unwrap();
        assert_eq!(h.request(p, k, 1_000, "d").unwrap_err().code, Code::R0132);
        assert_eq!(h.request(p, k, 1_000, "new").unwrap_err().code, Code::T0340);
    }

    fn a_foreign_or_unknown_key_is_one_refusal(h: &mut Harness) {
        let (p, q) = (h.partner("a", 1_000), h.partner("b", 1_000));
        let k = h.key(q, "1");
        assert_eq!(h.request(p, k, 1, "d").unwrap_err().code, Code::R0102);
        assert_eq!(h.request(p, KeyNo(999), 1, "d").unwrap_err().code, Code::R0102);
    }

    /// Decision H12.
    fn the_same_account_gets_the_same_key(h: &mut Harness) {
        let (p, q) = (h.partner("a", 0), h.partner("b", 0));
        let first = h.key(p, "1");
        assert_eq!(h.key(p, "1"), first);
        assert_ne!(h.key(p, "2"), first);
        assert_ne!(h.key(q, "1"), first);
    }

    /// Decision H7.
    fn requests_share_the_open_group_until_it_is_executed(h: &mut Harness) {
        let p = h.partner("a", 10_000);
        let (k, k2) = (h.key(p, "1"), h.key(p, "2"));
        let a = h.request(p, k, 100, "1").unwrap();
        let b = h.request(p, k2, 100, "2").unwrap();
        assert_eq!(a.group, b.group);
        // A refused call and a CANCEL of one key leave it open.
        let nothing = execute(p, a.group, Target::Rows(vec![]), Action::Now);
        assert_eq!(code(h.give(nothing)), Code::E0130);
        h.give(execute(p, a.group, Target::Rows(vec![a.payout]), Action::Cancel)).unwrap();
        assert_eq!(h.request(p, k, 100, "3").unwrap().group, a.group);
        // NOW of one key closes it; what waits there can still be executed.
        h.give(execute(p, a.group, Target::Rows(vec![b.payout]), Action::Now)).unwrap();
        let d = h.request(p, k, 100, "4").unwrap();
        assert_ne!(d.group, a.group);
        let Ok(Reply::Executed { total, rows, .. }) = h.execute(p, a.group, Action::Now) else {
            panic!()
        };
        assert_eq!((total, rows), (Won(100), 1));
        assert_eq!(code(h.execute(p, a.group, Action::Now)), Code::E0130);
    }

    /// Decision H10; architecture: one posting for the group's sum.
    fn cancel_all_releases_the_groups_sum(h: &mut Harness) {
        let p = h.partner("a", 1_000);
        let k = h.key(p, "1");
        let a = h.request(p, k, 100, "1").unwrap();
        h.request(p, k, 200, "2").unwrap();
        let Ok(Reply::Executed { total, remain, rows, .. }) =
            h.execute(p, a.group, Action::Cancel) else { panic!() };
        assert_eq!((total, remain, rows), (Won(300), Won(1_000), 2));
        assert_eq!(h.state(a.payout), "canceled");
        assert_eq!(h.balances(p), (1_000, 0));
        assert!(h.reader.working_partners().unwrap().is_empty());
        let q = h.partner("b", 0);
        assert_eq!(code(h.execute(q, a.group, Action::Now)), Code::E0101);
    }

    /// Decision H13, the plain way, with its webhook in the outcome's transaction.
    fn a_payout_is_claimed_sent_and_settled(h: &mut Harness) {
        let p = h.partner("a", 1_000);
        let k = h.key(p, "1");
        let r = h.request(p, k, 400, "1").unwrap();
        assert!(h.claim_all(p).is_empty());
        h.execute(p, r.group, Action::Now).unwrap();
        assert_eq!(h.reader.working_partners().unwrap(), [p]);
        let sent = h.claim_all(p);
        assert_eq!((sent.len(), h.state(r.payout)), (1, "sending"));
        assert!(h.reader.working_partners().unwrap().is_empty());
        assert_eq!(h.reader.sending(PayoutNo(0), 10).unwrap(), sent);
        assert_eq!(h.reader.payout_of(sent[0].bank_no).unwrap(), Some(r.payout));
        let at = h.time();
        h.told(&sent[0], Asked::Deposit, settled(at)).unwrap();
        assert_eq!((h.state(r.payout), h.balances(p)), ("settled", (600, 0)));
        assert_eq!(h.reader.settlement().unwrap(), Won(-600));
        let notices = h.reader.due_notices(p, at, 10).unwrap();
        assert_eq!(notices.len(), 1);
        // A second word about the same attempt changes nothing.
        assert_eq!(h.told(&sent[0], Asked::Deposit, refused(415, at)), Ok(Reply::Stale));
        let done = h.reader.rows(ListBy::Day(p, at.day()), Shown::Completed, PayoutNo(0), 9);
        assert_eq!(done.unwrap().len(), 1);
    }

    /// Decision H11: the refusal ends the key, and what waited on it fails at its execution.
    fn a_dead_key_fails_what_waited_on_it(h: &mut Harness) {
        let p = h.partner("a", 1_000);
        let k = h.key(p, "1");
        let a = h.request(p, k, 100, "1").unwrap();
        h.execute(p, a.group, Action::Now).unwrap();
        let b = h.request(p, k, 100, "2").unwrap();
        let sent = h.claim_all(p);
        let at = h.time();
        h.told(&sent[0], Asked::Deposit, refused(415, at)).unwrap();
        assert_eq!((h.state(a.payout), h.balances(p)), ("failed", (900, 100)));
        let refusal = h.request(p, k, 100, "3").unwrap_err();
        assert_eq!((refusal.code, refusal.detail), (Code::R0103, Detail::Bank(BankCode(415))));
        h.execute(p, b.group, Action::Now).unwrap();
        assert!(h.claim_all(p).is_empty());
        assert_eq!((h.state(b.payout), h.balances(p)), ("failed", (1_000, 0)));
        let row = h.reader.row(b.payout).unwrap().unwrap().attempt.unwrap();
        assert_eq!((row.failure, row.bank_no), (Some(Code::R0103), None));
        assert_eq!(h.reader.due_notices(p, at, 10).unwrap().len(), 2);
        assert_ne!(h.key(p, "1"), k, "a new check makes a new key");
        assert_eq!(h.key(p, "1"), h.key(p, "1"));
    }

    /// Decision H13: unknown keeps the amount held until an inquiry is answered.
    fn an_unknown_outcome_waits_for_the_banks_word(h: &mut Harness) {
        let p = h.partner("a", 1_000);
        let k = h.key(p, "1");
        let r = h.request(p, k, 400, "1").unwrap();
        h.execute(p, r.group, Action::Now).unwrap();
        let sent = h.claim_all(p);
        h.told(&sent[0], Asked::Deposit, LOST).unwrap();
        assert_eq!((h.state(r.payout), h.balances(p)), ("unknown", (600, 400)));
        assert!(h.reader.due_inquiries(h.time(), 10).unwrap().is_empty(), "not yet");
        h.later(5_000);
        assert_eq!(h.reader.due_inquiries(h.time(), 10).unwrap(), sent);
        h.told(&sent[0], Asked::Inquiry, BankAnswer::Unknown(Why::Processing)).unwrap();
        assert!(h.reader.due_inquiries(h.time(), 10).unwrap().is_empty(), "the next is later");
        h.later(400 * 86_400_000);
        assert_eq!((h.state(r.payout), h.balances(p)), ("unknown", (600, 400)), "never by age");
        assert!(h.reader.due_notices(p, h.time(), 10).unwrap().is_empty());
        let at = h.time();
        h.told(&sent[0], Asked::Inquiry, refused(499, at)).unwrap();
        assert_eq!((h.state(r.payout), h.balances(p)), ("failed", (1_000, 0)));
        assert!(h.reader.due_inquiries(at, 10).unwrap().is_empty());
    }

    /// Decisions H13 and M3: proven not sent keeps its bank_tran_id; own-side trouble pauses, and
    /// the next send takes another.
    fn not_sent_goes_back_and_own_side_trouble_pauses(h: &mut Harness) {
        let p = h.partner("a", 1_000);
        let k = h.key(p, "1");
        let r = h.request(p, k, 400, "1").unwrap();
        h.execute(p, r.group, Action::Now).unwrap();
        let first = h.claim_all(p);
        h.told(&first[0], Asked::Deposit, BankAnswer::NotSent).unwrap();
        assert_eq!(h.state(r.payout), "executing");
        let second = h.claim_all(p);
        assert_eq!(second[0].bank_no, first[0].bank_no);
        assert_eq!((first[0].sends, second[0].sends), (1, 2));
        assert_eq!(h.reader.sending(PayoutNo(0), 10).unwrap(), second);
        let own_side = BankAnswer::OwnSide { code: BankCode(453) };
        h.told(&second[0], Asked::Deposit, own_side).unwrap();
        assert_eq!((h.state(r.payout), h.balances(p)), ("executing", (600, 400)));
        assert!(h.reader.rail().unwrap().pause.is_some());
        assert!(h.claim_all(p).is_empty(), "paused");
        assert_eq!(h.state(r.payout), "executing");
        let used_up = first[0].bank_no;
        let note = h.reader.events(None, 2).unwrap().pop().unwrap().note.unwrap();
        assert!(note.ends_with(&format!(", bank number {}", used_up.0)), "{note}");
        assert_eq!(h.reader.payout_of(used_up).unwrap(), None);
        assert!(h.reader.sending(PayoutNo(0), 10).unwrap().is_empty());
        h.give(Command::ResumeRail).unwrap();
        let third = h.claim_all(p);
        assert_ne!(third[0].bank_no, used_up);
        assert_eq!((third[0].sends, h.reader.payout_of(third[0].bank_no).unwrap()),
            (3, Some(r.payout)));
        let r2 = h.request(p, k, 100, "2").unwrap();
        h.execute(p, r2.group, Action::Now).unwrap();
        let other = h.claim_all(p)[0].bank_no;
        assert!(other != used_up && other != third[0].bank_no);
    }

    /// Decision H13: the row is at the bank again under the same number, so what is told of the
    /// send before comes too late.
    fn a_put_back_that_is_told_again_later_changes_nothing(h: &mut Harness) {
        let p = h.partner("a", 1_000);
        let k = h.key(p, "1");
        let r = h.request(p, k, 400, "1").unwrap();
        h.execute(p, r.group, Action::Now).unwrap();
        let first = h.claim_all(p);
        h.told(&first[0], Asked::Deposit, BankAnswer::NotSent).unwrap();
        let second = h.claim_all(p);
        let at = h.time();
        for answer in [BankAnswer::NotSent, LOST, refused(415, at), settled(at)] {
            assert_eq!(h.told(&first[0], Asked::Deposit, answer), Ok(Reply::Stale));
        }
        assert_eq!(h.state(r.payout), "sending");
        assert!(h.claim_all(p).is_empty(), "nothing is sent while it is under way");
        h.told(&second[0], Asked::Deposit, LOST).unwrap();
        h.later(5_000);
        assert_eq!(h.reader.due_inquiries(h.time(), 10).unwrap(), second);
        assert_eq!(h.told(&first[0], Asked::Inquiry, settled(at)), Ok(Reply::Stale));
        h.told(&second[0], Asked::Inquiry, settled(at)).unwrap();
        assert_eq!((h.state(r.payout), h.balances(p)), ("settled", (600, 0)));
    }

    /// Decision H17: a return goes out after the settlement was acknowledged or given up.
    fn a_return_gives_back_and_waits_for_the_earlier_webhook(h: &mut Harness) {
        let p = h.partner("a", 1_000);
        let k = h.key(p, "1");
        let r = h.request(p, k, 400, "1").unwrap();
        h.execute(p, r.group, Action::Now).unwrap();
        let sent = h.claim_all(p);
        let back = Command::Return { payout: r.payout, partner: p, code: None, notice: 1 };
        assert_eq!(code(h.give(back.clone())), Code::T0503, "its outcome is not known yet");
        assert_eq!(h.reader.rail().unwrap().notices_seen, 0);
        let at = h.time();
        h.told(&sent[0], Asked::Deposit, settled(at)).unwrap();
        h.give(back.clone()).unwrap();
        assert_eq!(h.give(back), Ok(Reply::Stale));
        assert_eq!((h.state(r.payout), h.balances(p)), ("returned", (1_000, 0)));
        assert_eq!(h.reader.rail().unwrap().notices_seen, 1);
        let due = h.reader.due_notices(p, at, 10).unwrap();
        assert_eq!(due.len(), 1, "one after the other");
        h.give(Command::Delivered { notice: due[0].no, status: 200 }).unwrap();
        let next = h.reader.due_notices(p, at, 10).unwrap();
        assert_eq!(next[0].outcome, ichae_domain::notice::Outcome::Returned);
    }

    /// Decision H17: the schedule is stored, ends after three days, and can be started again.
    fn a_webhook_is_tried_on_its_schedule(h: &mut Harness) {
        let p = h.partner("a", 1_000);
        let k = h.key(p, "1");
        let r = h.request(p, k, 400, "1").unwrap();
        h.execute(p, r.group, Action::Now).unwrap();
        let sent = h.claim_all(p);
        let start = h.time();
        h.told(&sent[0], Asked::Deposit, settled(start)).unwrap();
        let mut tries = 0;
        let mut last = start;
        loop {
            let due = h.reader.due_notices(p, h.time(), 10).unwrap();
            if let Some(notice) = due.first() {
                tries += 1;
                last = h.time();
                h.give(Command::NotDelivered { notice: notice.no, status: 500 }).unwrap();
            }
            let notice = h.reader.notice(NoticeNo(1)).unwrap().unwrap();
            if notice.state == NoticeState::GivenUp {
                break;
            }
            let wait = notice.next_at.0 - h.time().0;
            assert!(wait > 0, "the next try is later");
            assert!(h.reader.due_notice_partners(h.time()).unwrap().is_empty());
            h.later(wait);
            assert_eq!(h.reader.due_notice_partners(h.time()).unwrap(), [p]);
        }
        assert_eq!(tries, 15);
        assert!(last.0 - start.0 >= 72 * 3_600_000);
        h.give(Command::Resend { notice: NoticeNo(1) }).unwrap();
        assert_eq!(h.reader.due_notices(p, h.time(), 10).unwrap().len(), 1);
        assert_eq!(code(h.give(Command::Resend { notice: NoticeNo(2) })), Code::W0101);
    }

    fn lists_and_tallies_follow_the_states(h: &mut Harness) {
        let p = h.partner("a", 10_000);
        let (k, k2) = (h.key(p, "1"), h.key(p, "2"));
        let made: Vec<_> = (0..6)
            .map(|i| h.request(p, if i % 2 == 0 { k } else { k2 }, 100 + i, &i.to_string()).unwrap())
            .collect();
        let group = made[0].group;
        assert_eq!(h.reader.waiting_on_key(group, k).unwrap().len(), 3);
        assert_eq!(h.reader.waiting_groups(p, 9).unwrap().len(), 1);
        h.give(execute(p, group, Target::Rows(vec![made[0].payout]), Action::Cancel)).unwrap();
        h.give(execute(p, group, Target::Rows(vec![made[1].payout]), Action::Now)).unwrap();
        let waiting = h.reader.rows(ListBy::Group(group), Shown::Waiting, PayoutNo(0), 3).unwrap();
        assert_eq!(waiting.len(), 3);
        let after = waiting[2].payout.no;
        let rest = h.reader.rows(ListBy::Group(group), Shown::Waiting, after, 3).unwrap();
        assert_eq!(rest.len(), 1);
        let tally = h.reader.tally(group, None).unwrap();
        let lines: Vec<_> = tally.iter().map(|t| (t.state.name(), t.count, t.sum.0)).collect();
        assert_eq!(lines, [("requested", 4, 414), ("executing", 1, 101), ("canceled", 1, 100)]);
        let one = h.reader.tally(group, Some(k)).unwrap();
        assert_eq!(one.iter().map(|t| t.count).sum::<i64>(), 3);
        let moving = h.reader.rows(ListBy::Group(group), Shown::UnderWay, PayoutNo(0), 9).unwrap();
        assert_eq!(moving.len(), 1);
        assert_eq!(moving[0].account, account("2"));
    }

    fn settings_change_and_caps_hold(h: &mut Harness) {
        let p = h.partner("a", 10_000);
        let k = h.key(p, "1");
        let settings = ichae_domain::partner::Settings {
            transfer_cap: Some(Some(Won(500))),
            webhook_url: Some(Some("https://partner.example/hook".into())),
            ..Default::default()
        };
        h.give(Command::SetPartner { partner: p, settings: Box::new(settings) }).unwrap();
        assert_eq!(h.request(p, k, 501, "1").unwrap_err().code, Code::R0113);
        h.request(p, k, 500, "1").unwrap();
        h.give(Command::RotateCustKey { partner: p, verifier: Verifier([9; 32]) }).unwrap();
        let partner = &h.reader.partners().unwrap()[0];
        assert_eq!((partner.key_generation, partner.transfer_cap), (2, Some(Won(500))));
    }

    /// Rows of a bulk call see each other and what came before, and what comes after sees them.
    fn a_bulk_call_is_its_rows_one_after_another(h: &mut Harness) {
        let p = h.partner("a", 5_000);
        let k = h.key(p, "1");
        let single = h.request(p, k, 500, "s").unwrap();
        let bulk = |group, rows| Command::Bulk(Box::new(Bulk { partner: p, group, rows: Arc::new(rows) }));
        let rows = vec![row(p, k, 1_000, "a"), row(p, k, 500, "s"), row(p, k, 1_000, "a"),
            row(p, k, 2_000, "b"), row(p, k, 1_501, "c")];
        let Ok(Reply::Bulk(told)) = h.give(bulk(None, rows)) else { panic!() };
        let codes: Vec<_> = told.iter().map(|t| t.as_ref().err().map(|r| r.code)).collect();
        assert_eq!(codes, [None, Some(Code::R0132), Some(Code::R0132), None, Some(Code::R0140)]);
        let group = told[0].as_ref().unwrap().group;
        assert_ne!(group, single.group);
        assert_eq!(h.balances(p), (1_500, 3_500));
        // The next slice joins it; single requests stay in theirs.
        let Ok(Reply::Bulk(more)) = h.give(bulk(Some(group), vec![row(p, k, 100, "d")])) else {
            panic!()
        };
        assert_eq!(more[0].as_ref().unwrap().group, group);
        assert_eq!(h.request(p, k, 100, "e").unwrap().group, single.group);
        assert_eq!(h.request(p, k, 2_000, "b").unwrap_err().code, Code::R0132);
        let stored = h.reader.group(group).unwrap().unwrap();
        assert_eq!((stored.rows, stored.waiting, stored.waiting_sum), (3, 3, Won(3_100)));
        h.execute(p, group, Action::Now).unwrap();
        let Ok(Reply::Bulk(late)) = h.give(bulk(Some(group), vec![row(p, k, 100, "f")])) else {
            panic!()
        };
        assert_ne!(late[0].as_ref().unwrap().group, group, "an executed group takes nothing more");
        assert_eq!(h.claim_all(p).len(), 3);
    }

    /// Many keys over many batches: none is taken twice, whatever the order they come back in.
    fn many_keys_are_each_taken_once(h: &mut Harness) {
        let p = h.partner("a", 1_000_000);
        let q = h.partner("b", 1_000_000);
        let (k, kq) = (h.key(p, "1"), h.key(q, "1"));
        for at in 0..300 {
            let name = format!("key-{}", (at * 7) % 100);
            let taken = h.request(p, k, 1, &name).is_ok();
            assert_eq!(taken, at < 100, "{at}");
            let other = h.request(q, kq, 1, &name).is_ok();
            assert_eq!(other, at < 100, "{at}: another partner's key is another key");
        }
    }

    /// Decision H13: what no bank can tell is ended by persons; what is corrected is owed in suspense.
    fn persons_end_what_no_bank_can_tell(h: &mut Harness) {
        let p = h.partner("a", 1_000);
        let k = h.key(p, "1");
        let r = h.request(p, k, 300, "1").unwrap();
        let lost = h.request(p, k, 200, "2").unwrap();
        h.execute(p, r.group, Action::Now).unwrap();
        for deposit in h.claim_all(p) {
            h.told(&deposit, Asked::Deposit, LOST).unwrap();
        }
        assert_eq!(h.reader.unknown_sum().unwrap(), (2, Won(500)));
        let listed = h.reader.unknown(PayoutNo(0), 10).unwrap();
        let numbers: Vec<_> = listed.iter().map(|row| row.payout.no).collect();
        assert_eq!(numbers, [r.payout, lost.payout]);
        assert_eq!(h.reader.unknown(r.payout, 10).unwrap().len(), 1);
        let today = h.time().day();
        let failed = Matter::Resolve(Verdict::Failed);
        h.give(act(p, Some(r.payout), 300, failed)).unwrap();
        assert_eq!((h.state(r.payout), h.balances(p)), ("failed", (800, 200)));
        h.give(act(p, Some(r.payout), 300, Matter::Correct(today))).unwrap();
        assert_eq!((h.state(r.payout), h.balances(p)), ("settled", (800, 200)));
        let funds = h.reader.funds().unwrap();
        assert_eq!((funds.available, funds.held, funds.suspense), (Won(800), Won(200), Won(-300)));
        let owed = |amount, matter, note: &str| match act(p, None, amount, matter) {
            Command::Act(act) => Command::Act(Box::new(Act { note: note.to_owned(), ..*act })),
            other => other,
        };
        h.give(owed(100, Matter::Recover, "letter 1")).unwrap();
        let again = h.give(owed(100, Matter::Recover, "letter 1"));
        assert_eq!(again, Ok(Reply::Stale), "its ground counts once");
        let other = h.give(owed(99, Matter::Recover, "letter 1"));
        assert_eq!(other.unwrap_err().code, Code::P0110);
        h.give(owed(200, Matter::WriteOff, "letter 2")).unwrap();
        let more = h.give(owed(1, Matter::Recover, "letter 3"));
        assert_eq!(more.unwrap_err().code, Code::P0136);
        assert_eq!((h.balances(p), h.reader.funds().unwrap().suspense), ((700, 200), Won(0)));
        let story = h.reader.story(r.payout, r.group).unwrap();
        let kinds: Vec<EventKind> = story.iter().map(|event| event.kind).collect();
        use EventKind::*;
        assert_eq!(kinds, [Executed, BecameUnknown, Resolved, Corrected]);
        let sent = h.reader.sent_on(p, (today, today), (today, PayoutNo(0)), 10).unwrap();
        assert_eq!(sent.iter().map(|s| s.state.name()).collect::<Vec<_>>(), ["settled", "unknown"]);
        assert_eq!(h.reader.sent_on(p, (today, today), (today, r.payout), 10).unwrap().len(), 1);
        let before = Day(today.0 - 1);
        assert_eq!(h.reader.sent_on(p, (before, before), (before, PayoutNo(0)), 10).unwrap(), []);
    }

    /// A hold and a held partner keep back what was executed; both are seen by the next command.
    fn what_is_held_waits(h: &mut Harness) {
        let p = h.partner("a", 1_000);
        let k = h.key(p, "1");
        let r = h.request(p, k, 300, "1").unwrap();
        h.execute(p, r.group, Action::Now).unwrap();
        let hold = |payout: Option<PayoutNo>, held| {
            let (group, reason) = (payout.map(|_| r.group), "a question".to_owned());
            Command::Hold(Box::new(HoldOrder { partner: p, payout, group, held, reason }))
        };
        let claim = Command::Claim { payout: r.payout, partner: p, group: r.group, key: k };
        let told = h.many(vec![hold(Some(r.payout), true), claim.clone()]);
        assert_eq!(told, [Ok(Reply::Done), Ok(Reply::NotNow)]);
        let holds = h.reader.holds().unwrap();
        assert_eq!((holds[0].0, holds[0].1.by.as_str()), (r.payout, "kim"));
        h.give(hold(Some(r.payout), false)).unwrap();
        h.give(hold(None, true)).unwrap();
        assert!(h.reader.partners().unwrap()[0].held);
        assert_eq!(h.give(claim.clone()), Ok(Reply::NotNow));
        h.give(hold(None, false)).unwrap();
        assert!(matches!(h.give(claim), Ok(Reply::Send(_))));
        assert!(h.reader.holds().unwrap().is_empty());
    }

    fn operators_and_what_they_note_are_kept(h: &mut Harness) {
        let add = Command::AddOperator { name: "kim".to_owned(), public_key: [3; 32] };
        h.give(add.clone()).unwrap();
        assert_eq!(h.give(add).unwrap_err().code, Code::P0123);
        let sign = |at| Command::Sign { name: "kim".to_owned(), at };
        let now = h.time();
        h.give(sign(now)).unwrap();
        assert_eq!(h.give(sign(now)).unwrap_err().code, Code::P0122);
        let revoke = Command::RevokeOperator { name: "kim".to_owned() };
        assert_eq!(h.give(revoke.clone()).unwrap_err().code, Code::P0137, "the last one");
        h.give(Command::AddOperator { name: "lee".to_owned(), public_key: [4; 32] }).unwrap();
        h.give(revoke).unwrap();
        assert_eq!(h.give(sign(now.plus_ms(1))).unwrap_err().code, Code::P0121);
        let operators = h.reader.operators().unwrap();
        assert_eq!((operators[0].public_key, operators[0].revoked_at), ([3; 32], Some(now)));

        assert_eq!(h.give(Command::TakeCounters { count: 10 }), Ok(Reply::Counters(0)));
        assert_eq!(h.give(Command::TakeCounters { count: 10 }), Ok(Reply::Counters(10)));
        let source = "seen at the branch".to_owned();
        h.give(Command::NoteBalance { amount: Won(-5), at: now, source }).unwrap();
        let balance = h.reader.rail().unwrap().balance.unwrap();
        assert_eq!((balance.amount, balance.at, balance.by.as_str()), (Won(-5), now, "kim"));
        let statement = StatementRead {
            digest: [9; 32],
            at: now,
            by: "kim".to_owned(),
            name: "a.csv".to_owned(),
            rows: 3,
            findings: 1,
        };
        let note = |closing| {
            let statement = Box::new(statement.clone());
            Command::NoteStatement { statement, closing }
        };
        // An older balance does not replace a newer one.
        h.give(note(Some((Won(7), now.plus_ms(-1))))).unwrap();
        assert_eq!(h.reader.rail().unwrap().balance.unwrap().amount, Won(-5));
        h.give(note(Some((Won(8), now.plus_ms(1))))).unwrap();
        assert_eq!(h.reader.rail().unwrap().balance.unwrap().amount, Won(8));
        assert_eq!(h.reader.statement(&[9; 32]).unwrap(), Some(statement));
        assert_eq!(h.reader.statement(&[8; 32]).unwrap(), None);
    }
}
