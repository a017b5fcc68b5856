//! A primary whose standby does not acknowledge: nothing of what only it has is told.

use super::nodes::{harness, node_at};
use super::server::Server;
use crate::conformance::Harness;
use crate::keys::Keys;
use crate::port::StoreError;
use crate::postgres::Link;
use crate::postgres::link::Session;
use crate::seal::Sealer;
use ichae_domain::ident::{KeyNo, PartnerNo};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A superuser on a session of its own.
struct Administrator {
    link: Arc<Link>,
    session: Session,
}

impl Administrator {
    fn on(server: &Server) -> Administrator {
        let link = Arc::new(Link::new(&server.address, None, None).unwrap());
        let session = link.handle().block_on(link.session()).unwrap();
        Administrator { link, session }
    }

    fn does(&self, sql: &str) {
        self.link.handle().block_on(self.session.client.batch_execute(sql)).unwrap();
    }

    fn count(&self, sql: &str) -> i64 {
        self.link.handle().block_on(self.session.client.query_one(sql, &[])).unwrap().get(0)
    }

    /// Commits wait for a standby, and there is none. Not before that is so, and as long as it is kept.
    fn demand_standby(&self) -> Demanded<'_> {
        let demanded = Demanded(self);
        self.does("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.does("SELECT pg_reload_conf()");
        // Nodes are heard of all the time.
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        until("a commit waits", || self.count(waiting) > 0);
        demanded
    }
}

struct Demanded<'a>(&'a Administrator);

impl Drop for Demanded<'_> {
    fn drop(&mut self) {
        self.0.does("ALTER SYSTEM RESET synchronous_standby_names");
        self.0.does("SELECT pg_reload_conf()");
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "never so: {what}");
        std::thread::yield_now();
    }
}

/// With a partner and its key.
fn two_nodes(server: &Server) -> (Harness, Harness, PartnerNo, KeyNo) {
    let sealer = Arc::new(Sealer::new(Keys::random().unwrap()).unwrap());
    let mut a = harness(node_at(&server.address, &sealer, "a"), &sealer);
    let b = harness(node_at(&server.address, &sealer, "b"), &sealer);
    let partner = a.partner("shop", 100_000);
    let key = a.key(partner, "1234567890");
    (a, b, partner, key)
}

const WAITING: &str = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'";

#[test]
fn a_commit_that_no_standby_acknowledged_is_shown_to_nobody() {
    let server = Server::start("alone", &[]);
    let (mut a, b, partner, key) = two_nodes(&server);
    let administrator = Administrator::on(&server);
    std::thread::scope(|scope| {
        let demanded = administrator.demand_standby();
        let paying = scope.spawn(|| a.request(partner, key, 1_000, "one"));
        // The wait is broken off, as a primary does that is shut down: now everybody on it sees the payout.
        until("the payout is there", || {
            administrator.count(&format!("SELECT count(pg_cancel_backend(pid)) {WAITING}"));
            administrator.count("SELECT count(*) FROM payouts") == 1
        });
        until("a session knows that there is a standby", || b.reader.ledger(partner).is_err());
        for _ in 0..3 {
            let told = b.reader.ledger(partner);
            assert!(matches!(told, Err(StoreError::Busy)), "{told:?}");
        }
        // Nothing to do leads to nothing.
        assert_eq!(b.reader.working_partners().unwrap(), []);
        drop(demanded);
        paying.join().unwrap().unwrap();
    });
    until("reads are confirmed", || b.reader.ledger(partner).is_ok());
    assert_eq!(b.balances(partner), (99_000, 1_000));
}

/// Sessions are few on a server: whoever gives up leaves none behind.
#[test]
fn an_outage_of_the_standby_does_not_use_up_the_servers_sessions() {
    let server = Server::start("patient", &[]);
    let (mut a, b, partner, key) = two_nodes(&server);
    let administrator = Administrator::on(&server);
    let ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ichae'";
    std::thread::scope(|scope| {
        let demanded = administrator.demand_standby();
        let paying = scope.spawn(|| a.request(partner, key, 1_000, "one"));
        let began = Instant::now();
        let mut most = 0;
        // Longer than any of them is waited for.
        while began.elapsed() < Duration::from_secs(25) {
            let told = b.reader.ledger(partner);
            assert!(told.is_err() || began.elapsed() < Duration::from_secs(1), "{told:?}");
            most = most.max(administrator.count(ours));
        }
        // Two writers, two beats, reads and their confirmation, ourselves; of some the one before.
        assert!(most <= 16, "{most} sessions");
        drop(demanded);
        paying.join().unwrap().unwrap();
    });
}
