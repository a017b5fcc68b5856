//! Durable requests: beside tokens, and with one partner beside many.

use super::{Bench, Done, block_on};
use crate::callers::TokenCaller;
use crate::load::{self, Pace};
use crate::plan::CONNECTIONS;
use crate::report::{Bar, median};

const NAME: &str = "requests";

pub fn run(bench: &mut Bench<'_>) -> Done {
    let running = bench.serve(NAME, 1, 0)?;
    let yardstick = bench.yardstick()?;
    let (site, server) = (&running.site, &running.server);
    let time = bench.scale().time;
    let (mut tokens, mut requests) = (Vec::new(), Vec::new());
    let (mut p50, mut p99, mut accepted) = (Vec::new(), Vec::new(), 0);
    let mut cpu = Vec::new();
    for _ in 0..bench.scale().rounds {
        let (bare, token, request, used) = block_on(async {
            let callers = (0..CONNECTIONS).map(|_| TokenCaller::new(&site.clients[0])).collect();
            let bare = load::run(yardstick.address, callers, Pace::Closed, time).await?;
            let bare = super::all_good(bare)?;
            let token = bench.tokens(server, &site.clients).await?;
            let before = server.cpu();
            let request = bench.requests(server, &site.clients, time).await?;
            Ok((bare, token, request, server.cpu() - before))
        })?;
        tokens.push((token.rate(), bare.rate()));
        requests.push((request.rate(), token.rate()));
        p50.push(request.p_ms(0.5));
        p99.push(request.p_ms(0.99));
        cpu.push(used * 1e6 / request.answers as f64);
        accepted += request.answers;
    }
    let report = &mut bench.report;
    report.pairs(NAME, "/oauth/token", "bare axum handler", &tokens, 0.7);
    report.pairs(NAME, "/transfer/request, durable", "/oauth/token", &requests, 0.5);
    report.note(NAME, "request, p50", median(p50.into_iter()), "ms");
    report.bar(NAME, "request, p99", median(p99.into_iter()), "ms", Bar::AtMost(50.0));
    report.note(NAME, "processor time of a request", median(cpu.into_iter()), "µs");
    bench.check(NAME, site, accepted)?;
    if bench.scale().curves {
        connections(bench)?
    }
    Ok(())
}

/// How the rate grows with what can be put into one commit.
fn connections(bench: &mut Bench<'_>) -> Done {
    let running = bench.serve("connections", 1, 0)?;
    let (site, server) = (&running.site, &running.server);
    for count in [1_usize, 4, 16, 64, 256, 1_024] {
        let seen = block_on(async {
            let callers = bench.request_callers(server, &site.clients, count).await?;
            load::run(server.address, callers, Pace::Closed, bench.scale().time / 2).await
        })?;
        bench.report.point("rate by connections", count as f64, seen.rate());
        bench.report.point("p99 ms by connections", count as f64, seen.p_ms(0.99));
    }
    Ok(())
}

pub fn partners(bench: &mut Bench<'_>) -> Done {
    const NAME: &str = "partners";
    let many = bench.scale().partners;
    let running = bench.serve(NAME, many + 1, 0)?;
    let (site, server) = (&running.site, &running.server);
    let (hot, others) = site.clients.split_at(1);
    let time = bench.scale().time;
    let (mut pairs, mut accepted) = (Vec::new(), 0);
    for _ in 0..bench.scale().rounds {
        let (one, thousand) = block_on(async {
            let one = bench.requests(server, hot, time).await?;
            Ok((one, bench.spread_requests(server, others, time).await?))
        })?;
        accepted += one.answers + thousand.answers;
        pairs.push((one.rate(), thousand.rate()));
    }
    bench.report.pairs(NAME, "one hot partner", &format!("{many} partners"), &pairs, 0.9);
    bench.check(NAME, site, accepted)?;
    if bench.scale().curves {
        for count in [1_usize, 10, 100, 1_000] {
            let seen = block_on(bench.spread_requests(server, &others[..count], time / 2))?;
            bench.report.point("rate by partners", count as f64, seen.rate());
        }
    }
    Ok(())
}
