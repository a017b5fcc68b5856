//! Look-ups of payers' keys beside tokens, with many of them stored, alone and while requests are written.

use super::{Bench, Done, Running, all_good, block_on};
use crate::callers::KeyCaller;
use crate::load::{self, Pace};
use crate::plan::{CONNECTIONS, PACED, PACED_CONNECTIONS};
use crate::report::median;

const NAME: &str = "keys";
/// Keys that each connection asks for in turn: so many that few are asked for twice.
const TURNS: u64 = 400;

pub fn run(bench: &mut Bench<'_>) -> Done {
    let stored = bench.scale().payers;
    let running = bench.serve_payers(NAME, stored)?;
    let Running { site, server, .. } = &running;
    let (client, writer) = (&site.clients[0], &site.clients[1]);
    let time = bench.scale().time;
    let (mut alone, mut beside, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    let mut accepted = 0;
    for round in 0..bench.scale().rounds {
        let callers = |session: &str| -> Vec<KeyCaller> {
            let from = (round * CONNECTIONS) as u64;
            let some = |at: usize| {
                let first = (from + at as u64) * TURNS;
                let ids = (first..first + TURNS).map(|turn| site.payer_id(turn, stored));
                KeyCaller::new(session, ids)
            };
            (0..CONNECTIONS).map(some).collect()
        };
        let (token, looked, both) = block_on(async {
            let session = KeyCaller::session(server.address, client).await?;
            let token = bench.tokens(server, &site.clients[..1]).await?;
            let looked = load::run(server.address, callers(&session), Pace::Closed, time).await?;
            let writers = std::slice::from_ref(writer);
            let writers = bench.request_callers(server, writers, PACED_CONNECTIONS).await?;
            let reads = load::run(server.address, callers(&session), Pace::Closed, time);
            let writes = load::run(server.address, writers, Pace::PerSecond(PACED), time);
            let (reads, writes) = tokio::join!(reads, writes);
            Ok((token, looked, (reads?, writes?)))
        })?;
        let looked = all_good(looked)?;
        p99.push(looked.p_ms(0.99));
        alone.push((looked.rate(), token.rate()));
        accepted += both.1.answers;
        all_good(both.1)?;
        beside.push((all_good(both.0)?.rate(), token.rate()));
    }
    let what = format!("PUSERINFO of {stored} keys");
    bench.report.pairs(NAME, &what, "/oauth/token", &alone, 0.8);
    let what = format!("{what}, 2,000 requests a second beside it");
    bench.report.pairs(NAME, &what, "/oauth/token", &beside, 0.7);
    bench.report.note(NAME, "a look-up alone, p99", median(p99.into_iter()), "ms");
    bench.check(NAME, site, accepted)
}
