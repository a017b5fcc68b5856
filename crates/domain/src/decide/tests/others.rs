//! Partners, funds, billing keys and webhook notices (decisions H6, H12, H17, M1).

use super::*;
use crate::command::{Funding, NewKey, NewPartner};
use crate::ident::NoticeNo;
use crate::key::{Account, Fingerprint, InfoKind};
use crate::notice::NoticeState;
use crate::notice::Subject;
use crate::partner::Settings;
use crate::refusal::Detail;
use crate::retry::WEBHOOK_WAITS;

fn add(cst_id: &str, name: &str) -> Command {
    Command::AddPartner(Box::new(NewPartner {
        cst_id: cst_id.to_owned(),
        name: name.to_owned(),
        verifier: Verifier([1; 32]),
        webhook_secret: "whsec_c2VjcmV0".into(),
        webhook_url: None,
        sources: vec![],
        transfer_cap: None,
    }))
}

#[test]
fn a_partner_is_added_once_and_in_its_form() {
    let mut empty = World::new();
    (empty.partner, empty.ledger) = (None, None);
    let change = check(&empty, add("new", "새 회사"), Ok(Done::default())).unwrap();
    assert_eq!((change.serials, change.reply), (1, Reply::Partner(PartnerNo(SERIAL))));
    // In descending precedence.
    check(&World::new(), add("not a form", ""), Err(Code::P0102));
    for (cst_id, name, field) in [("not a form", "", "cst_id"), ("new", "!!", "name")] {
        let order = Order { actor: Actor::Partner, command: add(cst_id, name) };
        let refusal = empty.decide(&order).unwrap_err();
        assert_eq!(refusal, Refusal::field(Code::P0103, field));
    }
}

/// Every change of a partner needs one, and is refused alike where there is none.
#[test]
fn nothing_is_changed_about_an_unknown_partner() {
    let mut world = World::new();
    world.partner = None;
    let settings = || Box::new(Settings::default());
    let amount = Won(1);
    for command in [
        Command::SetPartner { partner: PARTNER, settings: settings() },
        Command::RotateCustKey { partner: PARTNER, verifier: Verifier([2; 32]) },
        Command::RotateWebhookSecret { partner: PARTNER, secret: "s".into() },
        Command::Suspend { partner: PARTNER, suspended: true },
        fund(Funding::In, amount.0, "r"),
        register(vec![Fingerprint([1; 16])]),
    ] {
        check(&world, command, Err(Code::P0101));
    }
}

fn partner_after(world: &World, command: Command) -> Partner {
    let change = check(world, command, Ok(Done::default())).unwrap();
    let found = change.writes.iter().find_map(|write| match write {
        Write::Partner(partner) => Some(partner.clone()),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn settings_change_only_what_they_name() {
    let mut world = World::new();
    let before = world.partner.as_mut().unwrap();
    before.webhook_url = Some(URL.into());
    before.transfer_cap = Some(Won(5));
    let before = before.clone();
    let set = |settings| Command::SetPartner { partner: PARTNER, settings: Box::new(settings) };
    let table = [
        (Settings::default(), before.clone()),
        (
            Settings { name: Some(" 새 이름 ".into()), ..Settings::default() },
            Partner { name: "새 이름".into(), ..before.clone() },
        ),
        (
            Settings { webhook_url: Some(None), ..Settings::default() },
            Partner { webhook_url: None, ..before.clone() },
        ),
        (
            Settings { transfer_cap: Some(None), ..Settings::default() },
            Partner { transfer_cap: None, ..before.clone() },
        ),
        (
            Settings { sources: Some(vec!["10.0.0.0/8".into()]), ..Settings::default() },
            Partner { sources: vec!["10.0.0.0/8".into()], ..before },
        ),
    ];
    for (settings, want) in table {
        assert_eq!(partner_after(&world, set(settings)), want);
    }
    let bad = Settings { name: Some("\u{200B}".into()), ..Settings::default() };
    check(&world, set(bad), Err(Code::P0103));
}

/// Decision H6: a rotation ends live tokens, which carry the generation.
#[test]
fn a_rotated_cust_key_is_a_new_generation() {
    let verifier = Verifier([9; 32]);
    let after = partner_after(&World::new(), Command::RotateCustKey { partner: PARTNER, verifier });
    assert!(after.key_generation == 2 && after.verifier == verifier);
}

#[test]
fn suspending_twice_changes_nothing_the_second_time() {
    let suspend = |suspended| Command::Suspend { partner: PARTNER, suspended };
    let mut world = World::new();
    assert!(check(&world, suspend(false), Ok(Done::default())).unwrap().writes.is_empty());
    world.partner = Some(partner_after(&world, suspend(true)));
    assert!(check(&world, suspend(true), Ok(Done::default())).unwrap().writes.is_empty());
    assert!(!partner_after(&world, suspend(false)).suspended);
}

fn fund(entry: Funding, amount: i64, reference: &str) -> Command {
    let reference = reference.to_owned();
    Command::Fund { partner: PARTNER, entry, amount: Won(amount), reference }
}

/// Decision M1: idempotent by its reference; takes back at most what is available.
#[test]
fn funding_is_idempotent_by_its_reference_and_never_overdraws() {
    let posted = |entry, amount| Ok(Done { posted: vec![(entry, amount)], ..Done::default() });
    let repeat = || Ok(Done::default());
    let (fund_in, fund_back) = (Funding::In, Funding::Back);
    let long = "x".repeat(65);
    // What the reference was used for before, the command, what comes of it.
    let table = [
        (None, fund(fund_in, 0, ""), Err(Code::P0103)),
        (None, fund(fund_in, -1, "r"), Err(Code::P0103)),
        (None, fund(fund_in, 1, ""), Err(Code::P0103)),
        (None, fund(fund_in, 1, &long), Err(Code::P0103)),
        (None, fund(fund_in, 1, "a\u{200B}"), Err(Code::P0103)),
        (Some(500), fund(fund_in, 501, "r"), Err(Code::P0110)),
        (Some(500), fund(fund_back, 500, "r"), Err(Code::P0110)),
        (Some(FUNDS + 1), fund(fund_back, FUNDS + 1, "r"), Err(Code::P0110)),
        (None, fund(fund_back, FUNDS + 1, "r"), Err(Code::P0111)),
        (None, fund(fund_in, i64::MAX, "r"), Err(Code::P0111)),
        (Some(500), fund(fund_in, 500, "r"), repeat()),
        (Some(-500), fund(fund_back, 500, "r"), repeat()),
        (None, fund(fund_in, 500, "r"), posted(Entry::Fund, 500)),
        (None, fund(fund_back, FUNDS, "r"), posted(Entry::TakeBack, FUNDS)),
    ];
    for (before, command, want) in table {
        let world = World { fund: before.map(Won), ..World::new() };
        check(&world, command, want);
    }
}

#[test]
fn a_refused_funding_names_its_field() {
    for (command, field) in
        [(fund(Funding::In, 0, ""), "amount"), (fund(Funding::In, 1, ""), "reference")]
    {
        let refusal = World::new().decide(&Order { actor: Actor::Partner, command }).unwrap_err();
        assert_eq!(refusal.detail, Detail::Field(field));
    }
}

fn register(fingerprints: Vec<Fingerprint>) -> Command {
    let account = Account {
        number: "1234567890123456".into(),
        holder: "홍길동".into(),
        info_kind: InfoKind::BirthDate,
        info: "880212".into(),
    };
    let bank = "020".to_owned();
    let new = NewKey { partner: PARTNER, sub_id: None, bank, account, fingerprints };
    Command::RegisterKey(Box::new(new))
}

/// Decisions H11 and H12: the same live key again, a new one beside a dead one.
#[test]
fn an_account_has_one_live_key() {
    let prints = vec![Fingerprint([1; 16]), Fingerprint([2; 16])];
    let fresh = Reply::Key(KeyNo(SERIAL), true);
    let dead = BillingKey { dead: Some(BankCode(415)), ..key(KEY) };
    let table =
        [(Some(key(KEY)), Reply::Key(KEY, false)), (Some(dead), fresh.clone()), (None, fresh)];
    for (known, want) in table {
        let world = World { key: known, ..World::new() };
        let change = check(&world, register(prints.clone()), Ok(Done::default())).unwrap();
        assert_eq!(change.reply, want);
        for write in &change.writes {
            if let Write::NewKey(_, _, print) = write {
                assert_eq!(*print, prints[0], "under the active index key");
            }
        }
    }
    let world = World { key: None, ..World::new() };
    check(&world, register(vec![]), Err(Code::T0999));
}

fn notice(state: NoticeState, tries: i64) -> Notice {
    Notice {
        no: NoticeNo(5),
        partner: PARTNER,
        subject: Subject::Payout(PayoutNo(11)),
        outcome: Outcome::Settled,
        made_at: Time(6),
        state,
        tries,
        next_at: Time(7),
        last_status: 500,
        last_at: Some(Time(7)),
    }
}

/// Decision H17: every state of a notice and every word about it.
#[test]
fn a_notice_goes_through_its_schedule() {
    use NoticeState::*;
    let five = NoticeNo(5);
    let good = Command::Delivered { notice: five, status: 204 };
    let bad = Command::NotDelivered { notice: five, status: 503 };
    let nowhere = Command::NotDelivered { notice: five, status: -1 };
    let again = Command::Resend { notice: five };
    let tried = |state, tries, status, next_at| Notice {
        last_status: status,
        last_at: Some(NOW),
        next_at,
        ..notice(state, tries)
    };
    let fresh = |of: Notice| Notice { state: Pending, tries: 0, next_at: NOW, ..of };
    let steps = i64::try_from(WEBHOOK_WAITS.len()).unwrap();
    for state in [Pending, Delivered, GivenUp, NoAddress] {
        for tries in 0..=steps {
            let before = notice(state, tries);
            let wait = WEBHOOK_WAITS.get(usize::try_from(tries).unwrap());
            let failed = match wait {
                Some(units) => tried(Pending, tries + 1, 503, NOW.plus_ms(units * 1_000)),
                None => tried(GivenUp, tries + 1, 503, Time(7)),
            };
            let pending = |after| Some(after).filter(|_| state == Pending);
            let table = [
                (&good, pending(tried(Delivered, tries + 1, 204, Time(7)))),
                (&bad, pending(failed)),
                (&nowhere, pending(notice(NoAddress, tries))),
                (&again, Some(fresh(before.clone()))),
            ];
            for (command, after) in table {
                let world = World { notice: Some(before.clone()), ..World::new() };
                let done = if after.is_some() { Done::default() } else { Done::stale() };
                let change = check_as(Actor::Engine, &world, command.clone(), Ok(done)).unwrap();
                let written = change.writes.into_iter().find_map(|write| match write {
                    Write::Notice(notice) => Some(notice),
                    _ => None,
                });
                assert_eq!(written, after, "{command:?} of {before:?}");
            }
        }
    }
    for command in [good, bad, nowhere, again] {
        check_as(Actor::Engine, &World::new(), command, Err(Code::W0101));
    }
}
