//! Two cells: who has what, moving a shard with everything, and every place where a move may be cut.

use super::nodes::harness;
use super::server::database;
use crate::conformance::*;
use crate::keys::Keys;
use crate::port::Answer;
use crate::postgres::scratch::ScratchDatabase;
use crate::postgres::shards::{Cell, Made, Peer, State, Step, init, list, move_shard};
use crate::postgres::{self, check, shards};
use crate::seal::Sealer;
use ichae_domain::bank::Answer as BankAnswer;
use ichae_domain::code::Code;
use ichae_domain::command::*;
use ichae_domain::ident::PayoutNo;
use ichae_domain::time::Time;
use ichae_domain::view::Reply;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Long enough for a test's database, and nothing waits for its end.
const FROZEN: Duration = Duration::from_secs(20);

struct Two {
    databases: [ScratchDatabase; 2],
    keys: Keys,
    sealer: Arc<Sealer>,
}

impl Two {
    fn made() -> Two {
        let keys = Keys::random().unwrap();
        let sealer = Arc::new(Sealer::new(keys.clone()).unwrap());
        let two = Two { databases: [database(), database()], keys, sealer };
        let made = init(&two.cells(), "test", &two.keys, Time(START)).unwrap();
        assert_eq!(made, [(0, Made::Now { shards: 512 }), (1, Made::Now { shards: 512 })]);
        two
    }

    fn cells(&self) -> [Cell; 2] {
        [0, 1].map(|no| Cell { no, link: self.databases[usize::from(no)].link().unwrap() })
    }

    fn settings(&self, cell: usize, name: &str) -> postgres::Settings {
        let other = 1 - cell;
        let peer = Peer::new(u8::try_from(other).unwrap(), self.databases[other].link().unwrap());
        postgres::Settings {
            link: self.databases[cell].link().unwrap(),
            environment: "test",
            rules: RULES,
            clock: Arc::new(|| Time(START)),
            witness: None,
            node: name.to_owned(),
            one_by_one: false,
            peers: vec![peer],
        }
    }

    fn node(&self, cell: usize, name: &str) -> Harness {
        harness(postgres::open(self.settings(cell, name), &self.sealer).unwrap(), &self.sealer)
    }

    fn refusal(&self, cell: usize) -> String {
        let opened = postgres::open(self.settings(cell, "refused"), &self.sealer);
        opened.err().map(|error| error.to_string()).unwrap_or_default()
    }

    fn moved(&self, from: usize, to: usize, shard: u16) -> Result<i64, String> {
        let cells = self.cells();
        let moved = move_shard(&cells[from], &cells[to], shard, FROZEN, Time(START), |_| {});
        moved.map(|moved| moved.version).map_err(|error| error.to_string())
    }

    fn check(&self, payouts: [u64; 2]) {
        for (cell, payouts) in payouts.into_iter().enumerate() {
            let link = self.databases[cell].link().unwrap();
            let report = check::check(&link, &self.sealer, |_, _| {}).unwrap();
            assert_eq!((report.findings, report.payouts), (vec![], payouts), "cell {cell}");
        }
    }

    fn sql(&self, cell: usize, sql: &str) {
        let (link, sql) = (self.databases[cell].link().unwrap(), sql.to_owned());
        let of = Arc::clone(&link);
        let done = async move { Ok(of.session().await?.client.batch_execute(&sql).await?) };
        link.wait(FROZEN, done).unwrap();
    }

    fn thaw(&self, cell: usize) {
        let link = self.databases[cell].link().unwrap();
        let of = Arc::clone(&link);
        let done = async move { shards::thaw(&mut of.session().await?).await };
        link.wait(FROZEN, done).unwrap();
    }

    fn whose(&self, shard: u16) -> (u8, State) {
        let (map, away) = list(&self.cells());
        assert_eq!(away, Vec::<String>::new());
        assert_eq!(map.len(), 1_024);
        let whole = map.iter().find(|whole| whole.shard.shard == shard).unwrap();
        (whole.shard.cell, whole.shard.state)
    }
}

fn busy(answer: Answer) -> bool {
    matches!(answer, Err(refusal) if refusal.code == Code::T0503)
}

#[test]
fn cells_have_partners_of_their_own_shards_and_no_number_twice() {
    let two = Two::made();
    let (mut a, mut b) = (two.node(0, "a"), two.node(1, "b"));
    let mut numbers = std::collections::BTreeSet::new();
    for turn in 0..5 {
        let one = a.partner(&format!("one-{turn}"), 10_000);
        let other = b.partner(&format!("other-{turn}"), 10_000);
        assert!(one.shard() < 512 && other.shard() >= 512, "{one:?} {other:?}");
        for (at, partner) in [(&mut a, one), (&mut b, other)] {
            let key = at.key(partner, "1234567890");
            let made = at.request(partner, key, 1_000, "d").unwrap();
            assert!(numbers.insert(made.payout.0) && numbers.insert(key.0));
        }
    }
    // What one numbered means the same at the other.
    let (here, there) = (a.reader.epochs().unwrap(), b.reader.epochs().unwrap());
    assert_ne!(here.current(), there.current());
    assert!(numbers.iter().all(|no| here.of(*no) == there.of(*no)));
    let again = init(&two.cells(), "test", &two.keys, Time(START)).unwrap();
    assert_eq!(again, [(0, Made::Already), (1, Made::Already)]);
    two.check([5, 5]);
}

/// A payout in every state, a payer's payment, a webhook, a hold and what a person proposed.
#[test]
fn a_shard_moves_with_everything_and_comes_back() {
    let two = Two::made();
    let (mut a, mut b) = (two.node(0, "a"), two.node(1, "b"));
    let partner = a.partner("shop", 100_000);
    let stays = a.partner("stays", 5_000);
    let key = a.key(partner, "1234567890");
    let sent = a.request(partner, key, 1_000, "sent").unwrap();
    a.request(partner, key, 2_000, "settled").unwrap();
    a.execute(partner, sent.group, Action::Now).unwrap();
    let deposits = a.claim_all(partner);
    let settled = BankAnswer::Settled { day: Time(START).day(), bank_code_sub: 0 };
    let of = |no: PayoutNo| *deposits.iter().find(|d| d.payout == no).unwrap();
    let last = deposits.iter().find(|d| d.payout != sent.payout).unwrap();
    a.told(last, Asked::Deposit, settled).unwrap();
    let waits = a.request(partner, key, 3_000, "waits").unwrap();
    a.payer(partner, ichae_domain::billing::Method::Card);
    let before = (a.balances(partner), a.reader.notices(Default::default(), N0, 10).unwrap());
    let story = a.reader.story(last.payout, sent.group).unwrap();

    assert_eq!(two.moved(0, 1, partner.shard()), Ok(1));
    assert_eq!(two.whose(partner.shard()), (1, State::Steady));
    two.check([0, 3]);
    assert_eq!(b.balances(partner), before.0);
    assert_eq!(b.reader.notices(Default::default(), N0, 10).unwrap(), before.1);
    assert_eq!(b.reader.story(last.payout, sent.group).unwrap(), story);
    assert!(b.reader.partners().unwrap().iter().any(|found| found.no == partner));
    let left: Vec<_> = a.reader.partners().unwrap().iter().map(|found| found.no).collect();
    assert_eq!(left, [stays], "in a shard of its own");

    // The same request again is the same payout, and a newer one stands later.
    let again = b.request(partner, key, 3_000, "waits").unwrap_err();
    assert_eq!(again.code, Code::R0132);
    let newer = b.request(partner, key, 4_000, "newer").unwrap();
    assert!(newer.payout > waits.payout && newer.group == waits.group);
    // What had been sent is nobody's who is there: the bank is asked, under its number.
    let asked = b.reader.abandoned(PayoutNo(0), 10).unwrap();
    assert_eq!(asked, [of(sent.payout)]);
    b.told(&asked[0], Asked::Deposit, BankAnswer::Unknown(ichae_domain::bank::Why::Restarted))
        .unwrap();
    assert_eq!(b.state(sent.payout), "unknown");
    // What the bank said to the first cell too late is forgotten there, and a person is told to come again.
    let late = a.told(&of(sent.payout), Asked::Deposit, settled);
    assert!(late.is_err() || late == Ok(Reply::Stale), "{late:?}");

    assert_eq!(two.moved(1, 0, partner.shard()), Ok(2));
    two.check([4, 0]);
    let newest = a.request(partner, key, 500, "newest").unwrap();
    assert!(newest.payout > newer.payout);
    assert_eq!(a.request(partner, key, 4_000, "newer").unwrap_err().code, Code::R0132);
    two.check([5, 0]);
}

const N0: ichae_domain::ident::NoticeNo = ichae_domain::ident::NoticeNo(0);

/// Nothing that was answered is lost, doubled or out of order, whatever is under way.
#[test]
fn a_shard_moves_under_load() {
    let two = Two::made();
    let (mut a, mut b) = (two.node(0, "a"), two.node(1, "b"));
    let partner = a.partner("shop", 10_000_000);
    let key = a.key(partner, "1234567890");
    for turn in 0..300 {
        a.request(partner, key, 1, &format!("before-{turn}")).unwrap();
    }
    let (stop, ready) = (AtomicBool::new(false), AtomicU32::new(0));
    let mut taken = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut taken = Vec::new();
            for turn in 0.. {
                let made = a.request(partner, key, 1, &format!("load-{turn}"));
                match made {
                    Ok(made) => taken.push((format!("load-{turn}"), made.payout)),
                    Err(refusal) => assert_eq!(refusal.code, Code::T0503),
                }
                ready.fetch_add(1, Ordering::SeqCst);
                if stop.load(Ordering::SeqCst) {
                    break;
                }
            }
            taken
        });
        while ready.load(Ordering::SeqCst) < 20 {
            std::thread::yield_now();
        }
        let moved = two.moved(0, 1, partner.shard());
        stop.store(true, Ordering::SeqCst);
        assert_eq!(moved, Ok(1));
        load.join().unwrap()
    });
    assert!(
        busy(a.give(request(partner, key, 1, "late"))) || a.reader.partners().unwrap().is_empty()
    );
    let after = b.request(partner, key, 1, "after").unwrap();
    assert!(taken.iter().all(|(_, payout)| *payout < after.payout));
    let count = i64::try_from(taken.len()).unwrap();
    let payouts = 301 + u64::try_from(count).unwrap();
    two.check([0, payouts]);
    assert_eq!(b.balances(partner), (10_000_000 - 301 - count, 301 + count));
    for (distinct, payout) in taken.drain(..) {
        let again = b.request(partner, key, 1, &distinct).unwrap_err();
        let ichae_domain::refusal::Detail::First(first, _) = &again.detail else { panic!() };
        assert_eq!(first.payout, payout, "{distinct}");
    }
}

/// Frozen and then forgotten: it is thawed, and whoever would hand it over then finds that out.
#[test]
fn a_shard_that_is_not_handed_over_in_time_stays() {
    let two = Two::made();
    let (mut a, _b) = (two.node(0, "a"), two.node(1, "b"));
    let partner = a.partner("shop", 10_000);
    let key = a.key(partner, "1234567890");
    let cells = two.cells();
    let shard = partner.shard();
    // The move freezes it for no time at all.
    let none = Duration::ZERO;
    let told = move_shard(&cells[0], &cells[1], shard, none, Time(START), |_| {});
    assert!(told.unwrap_err().to_string().contains("it stays where it is"));
    assert_eq!(two.whose(shard), (0, State::Steady));
    a.request(partner, key, 1_000, "goes on").unwrap();
    // A mover that died with it frozen: its nodes thaw it.
    two.sql(0, &format!("UPDATE ledgers SET away = 1 WHERE partner = {}", partner.0));
    two.sql(
        0,
        &format!("UPDATE shards SET state = 2, other = 1, until = now() WHERE shard = {shard}"),
    );
    assert!(busy(a.give(request(partner, key, 1_000, "frozen"))));
    two.thaw(0);
    a.request(partner, key, 1_000, "frozen").unwrap();
    assert_eq!(two.moved(0, 1, shard), Ok(1));
    two.check([0, 2]);
}

/// Handed over, and the mover died: nobody serves it. The same command, or the other cell's start, ends it.
#[test]
fn a_move_that_was_cut_is_finished() {
    for by_command in [true, false] {
        let two = Two::made();
        let (mut a, b) = (two.node(0, "a"), two.node(1, "b"));
        let partner = a.partner("shop", 10_000);
        let key = a.key(partner, "1234567890");
        a.request(partner, key, 1_000, "one").unwrap();
        let (cells, shard) = (two.cells(), partner.shard());
        let cut = |step: Step| {
            if matches!(step, Step::HandedOver { .. }) {
                panic!("the mover dies");
            }
        };
        let told = move_shard(&cells[0], &cells[1], shard, FROZEN, Time(START), cut);
        assert!(told.is_err());
        assert_eq!(two.whose(shard).1, State::Clearing);
        assert!(busy(a.give(request(partner, key, 1_000, "nobody's"))));
        let mut b = match by_command {
            true => {
                assert_eq!(two.moved(0, 1, shard), Ok(1));
                b
            }
            false => {
                drop(b);
                two.node(1, "again")
            }
        };
        b.request(partner, key, 1_000, "two").unwrap();
        assert_eq!(b.balances(partner), (8_000, 2_000));
        if !by_command {
            assert_eq!(two.moved(0, 1, shard), Ok(1), "what is left there is cleared");
        }
        two.check([0, 2]);
    }
}

/// A cell that was restored to before a move must not serve a second time what another has; one that was
/// restored to before it got something does not have it.
#[test]
fn a_restored_cell_learns_what_moved_since() {
    let two = Two::made();
    let mut a = two.node(0, "a");
    let partner = a.partner("shop", 10_000);
    let key = a.key(partner, "1234567890");
    a.request(partner, key, 1_000, "one").unwrap();
    drop(a);
    // Nobody may be connected to what is copied.
    let old = [two.databases[0].copy("old_a").unwrap(), two.databases[1].copy("old_b").unwrap()];
    let nodes = [two.node(0, "a"), two.node(1, "b")];
    assert_eq!(two.moved(0, 1, partner.shard()), Ok(1));
    drop(nodes);
    let Two { databases: [new_a, new_b], keys, sealer } = two;
    let [old_a, old_b] = old;
    let first = Two { databases: [old_a, new_b], keys: keys.clone(), sealer: sealer.clone() };
    let mut a = first.node(0, "restored");
    assert!(a.reader.partners().unwrap().is_empty());
    assert!(busy(a.give(request(partner, key, 1_000, "twice"))));
    assert_eq!(first.whose(partner.shard()), (1, State::Steady));
    let Two { databases: [_old_a, _], .. } = first;
    let second = Two { databases: [new_a, old_b], keys, sealer };
    let told = second.refusal(1);
    assert!(told.contains("restore it to a later time"), "{told}");
}

#[test]
fn what_cannot_be_a_cell_or_move_is_refused_with_what_to_do() {
    let two = Two::made();
    let mut a = two.node(0, "a");
    let shard = a.partner("shop", 0).shard();
    let told = two.moved(0, 1, shard).unwrap_err();
    assert!(told.contains("no node of cell 1 serves"), "{told}");
    let _b = two.node(1, "b");
    let told = two.moved(1, 0, shard).unwrap_err();
    assert!(told.contains("ichae shard list"), "{told}");
    let cells = two.cells();
    let wrong = [Cell { no: 1, ..cells[0].clone() }, Cell { no: 0, ..cells[1].clone() }];
    let told = move_shard(&wrong[0], &wrong[1], shard, FROZEN, Time(START), |_| {});
    assert!(told.unwrap_err().to_string().contains("look at `cells`"));
    let told = init(&wrong, "test", &two.keys, Time(START)).unwrap_err().to_string();
    assert!(told.contains("is cell"), "{told}");
    // A third one with partners of its own.
    let third = database();
    let settings = postgres::Settings {
        link: third.link().unwrap(),
        peers: vec![],
        ..two.settings(0, "third")
    };
    let opened = postgres::open(settings, &two.sealer).unwrap();
    harness(opened, &two.sealer).partner("own", 0);
    let mut three = two.cells().to_vec();
    three.push(Cell { no: 2, link: third.link().unwrap() });
    let told = init(&three, "test", &two.keys, Time(START)).unwrap_err().to_string();
    assert!(told.contains("has partners already"), "{told}");
}

/// As many numbers as the largest batch needs, though no two of a cell's blocks follow on each other.
#[test]
fn a_cell_takes_the_largest_batch() {
    let two = Two::made();
    let mut a = two.node(0, "a");
    let partner = a.partner("shop", 10_000_000);
    let key = a.key(partner, "1234567890");
    for round in 0..3 {
        let one = |at| request(partner, key, 1, &format!("{round}-{at}"));
        let told = a.many((0..1_024).map(one).collect());
        assert!(told.iter().all(Result::is_ok), "{:?}", told.iter().find(|told| told.is_err()));
    }
    two.check([3 * 1_024, 0]);
}

/// The mover died with the shard frozen, and another one begins at once: it is served while that one copies.
#[test]
fn a_second_mover_thaws_what_the_first_left() {
    let two = Two::made();
    let (mut a, _b) = (two.node(0, "a"), two.node(1, "b"));
    let partner = a.partner("shop", 10_000);
    let key = a.key(partner, "1234567890");
    let (cells, shard) = (two.cells(), partner.shard());
    two.sql(0, &format!("UPDATE ledgers SET away = 1 WHERE partner = {}", partner.0));
    two.sql(
        0,
        &format!(
            "UPDATE shards SET state = 2, other = 1, until = now() + '1 h' WHERE shard = {shard}"
        ),
    );
    assert!(busy(a.give(request(partner, key, 1_000, "one"))));
    let served = AtomicBool::new(false);
    let served = &served;
    let told = std::thread::scope(|scope| {
        let (begun, begins) = std::sync::mpsc::sync_channel(0);
        let begun = std::sync::Mutex::new(Some(begun));
        let mover = scope.spawn(move || {
            move_shard(&cells[0], &cells[1], shard, FROZEN, Time(START), move |_| {
                // At the first step it waits until somebody has looked.
                if let Some(begun) = begun.lock().unwrap().take() {
                    begun.send(()).unwrap();
                    begun.send(()).unwrap();
                }
            })
        });
        begins.recv().unwrap();
        served.store(a.request(partner, key, 1_000, "one").is_ok(), Ordering::SeqCst);
        begins.recv().unwrap();
        mover.join().unwrap()
    });
    assert!(served.load(Ordering::SeqCst), "refused while it is copied");
    let version = told.unwrap().version;
    assert_eq!((version, two.whose(shard)), (1, (1, State::Steady)));
    two.check([0, 1]);
}

/// The first cell has begun an epoch of which the other one's node has not heard: what comes from there is
/// sent to the bank under its own number all the same.
#[test]
fn what_arrives_is_numbered_by_the_epoch_that_it_was_made_in() {
    let two = Two::made();
    let mut b = two.node(1, "b");
    drop(two.node(0, "a"));
    let begin = "INSERT INTO epochs (epoch, first_serial, cell) VALUES (50, nextval('serials'), 0)";
    two.sql(0, begin);
    let mut a = two.node(0, "a");
    let partner = a.partner("shop", 10_000);
    let key = a.key(partner, "1234567890");
    let made = a.request(partner, key, 1_000, "one").unwrap();
    a.execute(partner, made.group, Action::Now).unwrap();
    let expected = a.reader.epochs().unwrap().first_bank_no(partner, made.payout);
    assert_eq!(a.reader.epochs().unwrap().of(made.payout.0), 50);
    assert_eq!(two.moved(0, 1, partner.shard()), Ok(1));
    let sent: Vec<_> = b.claim_all(partner).iter().map(|deposit| deposit.bank_no).collect();
    assert_eq!(sent, [expected.unwrap()]);
}

/// A move of a busy cell's shard to a quiet one brings high numbers along, and is taken back: the quiet cell
/// is no older than it was.
#[test]
fn what_was_brought_and_taken_back_is_no_restore() {
    let two = Two::made();
    let (mut a, b) = (two.node(0, "a"), two.node(1, "b"));
    let partner = a.partner("shop", 100_000);
    let key = a.key(partner, "1234567890");
    for turn in 0..20 {
        a.request(partner, key, 1, &format!("d{turn}")).unwrap();
    }
    drop(b);
    let witness = std::env::temp_dir().join(format!("ichae-quiet-{}", std::process::id()));
    let open = || {
        let settings =
            postgres::Settings { witness: Some(witness.clone()), ..two.settings(1, "quiet") };
        postgres::open(settings, &two.sealer).unwrap()
    };
    drop(open());
    let quiet = std::sync::Mutex::new(Some(open()));
    let (cells, shard) = (two.cells(), partner.shard());
    // The quiet cell's node says goodbye, and its witness is told, while everything is there.
    let goodbye = move |step| {
        if matches!(step, Step::Freezing) {
            drop(quiet.lock().unwrap().take());
        }
    };
    let told = move_shard(&cells[0], &cells[1], shard, Duration::ZERO, Time(START), goodbye);
    assert!(told.unwrap_err().to_string().contains("it stays where it is"));
    assert!(!open().rolled_back);
    let _ = std::fs::remove_dir_all(&witness);
    let _ = std::fs::remove_file(&witness);
}
