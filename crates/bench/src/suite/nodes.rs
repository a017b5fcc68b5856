//! A store on PostgreSQL: what batches bring, and what a second node costs.

use super::{Bench, Done, Running, block_on, start_at};
use crate::child::Server;
use crate::report::{Bar, median};

const NAME: &str = "nodes";
/// Connections of the naive way; more only wait for each other.
const CONNECTIONS: &str = "32";
/// What tells a server to take that way; the server's own name for it.
const ONE_BY_ONE: &str = "ICHAE_BENCH_ONE_BY_ONE";

pub fn run(bench: &mut Bench<'_>) -> Done {
    let many = bench.scale().partners;
    let running = bench.serve(NAME, many + 1, 0)?;
    let mut accepted = 0;
    // Of many partners 15 is wanted too, and not reached yet: it is held to what is (docs/performance.md).
    for (what, hot, bar) in [("one hot partner", true, 15.0), ("many partners", false, 10.0)] {
        accepted += naive(bench, &running, (what, hot, bar))?;
    }
    accepted += two(bench, &running)?;
    bench.check(NAME, &running.site, accepted)
}

/// Batches beside one request in a transaction, on the same rows.
fn naive(
    bench: &mut Bench<'_>,
    running: &Running,
    (what, hot, bar): (&str, bool, f64),
) -> Result<u64, crate::BenchError> {
    let time = bench.scale().time;
    let config = running.site.another_node("naive")?;
    let naive = start_at(&bench.options.program, &config, &[(ONE_BY_ONE, CONNECTIONS)])?;
    let (one, others) = running.site.clients.split_at(1);
    let clients = if hot { one } else { others };
    let (mut pairs, mut p99, mut accepted) = (Vec::new(), Vec::new(), 0);
    for _ in 0..bench.scale().rounds {
        let (batched, single) = block_on(async {
            let batched = match hot {
                true => bench.requests(&running.server, clients, time).await?,
                false => bench.spread_requests(&running.server, clients, time).await?,
            };
            let single = match hot {
                true => bench.requests(&naive, clients, time).await?,
                false => bench.spread_requests(&naive, clients, time).await?,
            };
            Ok((batched, single))
        })?;
        accepted += batched.answers + single.answers;
        p99.push(batched.p_ms(0.99));
        pairs.push((batched.rate(), single.rate()));
    }
    let title = format!("batches, {what}");
    bench.report.pairs(NAME, &title, "a transaction for each request", &pairs, bar);
    bench.report.bar(NAME, &format!("{title}, p99"), median(p99.into_iter()), "ms", Bar::None);
    Ok(accepted)
}

/// Two nodes, each with half of the connections, beside one with all.
fn two(bench: &mut Bench<'_>, running: &Running) -> Result<u64, crate::BenchError> {
    let time = bench.scale().time;
    let config = running.site.another_node("second")?;
    let second: Server = start_at(&bench.options.program, &config, &[])?;
    let clients = &running.site.clients;
    let (mut pairs, mut accepted) = (Vec::new(), 0);
    for _ in 0..bench.scale().rounds {
        let (one, both) = block_on(async {
            let one = bench.spread_requests(&running.server, clients, time).await?;
            let (left, right) = clients.split_at(clients.len() / 2);
            let left = bench.half_requests(&running.server, left, time);
            let right = bench.half_requests(&second, right, time);
            let (left, right) = tokio::try_join!(left, right)?;
            Ok((one, (left, right)))
        })?;
        accepted += one.answers + both.0.answers + both.1.answers;
        pairs.push((both.0.rate() + both.1.rate(), one.rate()));
    }
    bench.report.pairs(NAME, "two nodes on one database", "one node", &pairs, 0.9);
    Ok(accepted)
}
