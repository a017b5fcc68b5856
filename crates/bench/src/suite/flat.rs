//! A full store beside an empty one, its memory, and how soon it is ready after a kill.

use super::{Bench, Done, Running, block_on, start};
use crate::http::{self, Connection};
use crate::report::{Bar, median};
use crate::site::Site;
use std::time::Duration;

const NAME: &str = "flat";
/// Resident memory that a full store may take, whatever the number of keys.
const MEMORY_MB: f64 = 512.0;
/// Keys of stored payouts that are sent again.
const REPEATS: u64 = 500;

pub fn run(bench: &mut Bench<'_>) -> Done {
    let empty = bench.serve("empty", 1, 0)?;
    let stored = bench.scale().stored;
    let mut full = bench.serve("full", 1, stored)?;
    let (time, long, rounds) = (bench.scale().time, bench.scale().long, bench.scale().rounds);
    let (mut pairs, mut accepted) = (Vec::new(), stored);
    // The last pair is as long as it takes to be sure that it keeps it up.
    for round in 0..rounds {
        let lasts = if round + 1 == rounds { long } else { time };
        let (none, many) = block_on(async {
            let none = bench.requests(&empty.server, &empty.site.clients, time).await?;
            Ok((none, bench.long_requests(&full.server, &full.site.clients, lasts).await?))
        })?;
        accepted += many.answers;
        pairs.push((many.rate(), none.rate()));
    }
    let what = format!("request, {stored} payouts stored");
    bench.report.pairs(NAME, &what, "request, none stored", &pairs, 0.9);
    let memory = full.server.memory() as f64 / 1e6;
    bench.report.bar(
        NAME,
        "resident memory of the full server",
        memory,
        "MB",
        Bar::AtMost(MEMORY_MB),
    );
    drop(empty);
    kills(bench, &mut full, &mut accepted)?;
    let wrong = block_on(repeats(&full, stored))?;
    let what = "stored keys that were taken again";
    bench.report.bar(NAME, what, wrong as f64, "", Bar::Exactly(0.0));
    bench.check(NAME, &full.site, accepted)?;
    if bench.scale().curves {
        rows(bench)?
    }
    Ok(())
}

/// kill -9 while it is written to, and again. What was cut is not counted as accepted; the check
/// afterwards allows for it.
fn kills(bench: &mut Bench<'_>, full: &mut Running, accepted: &mut u64) -> Done {
    let mut ready = Vec::new();
    for _ in 0..bench.scale().kills {
        let seen =
            block_on(bench.requests(&full.server, &full.site.clients, Duration::from_secs(1)))?;
        *accepted += seen.answers;
        full.server.kill()?;
        full.server = start(&bench.options.program, &full.site)?;
        ready.push(full.server.ready_after.as_secs_f64() * 1_000.0);
    }
    let what = "ready again after kill -9";
    bench.report.bar(NAME, what, median(ready.into_iter()), "ms", Bar::AtMost(2_000.0));
    Ok(())
}

/// Sends stored keys again; gives how many were not refused as used.
async fn repeats(full: &Running, stored: u64) -> Result<u64, crate::BenchError> {
    let client = &full.site.clients[0];
    let head = crate::callers::authorized(full.server.address, client).await?;
    let mut connection = Connection::open(full.server.address).await?;
    let mut request = Vec::new();
    let mut wrong = 0;
    for at in 0..REPEATS {
        let key = Site::stored_key(1 + at * (stored - 1) / REPEATS);
        let (id, secret, billing) = (&client.cst_id, &client.cust_key, &client.key);
        let body = format!(
            r#"{{"cst_id":"{id}","custKey":"{secret}","billing_tran_id":"{billing}","tran_amt":"1000","distinct_key":"{key}"}}"#
        );
        http::post(&mut request, "/transfer/request", &head, body.as_bytes());
        let answer = connection.exchange(&request).await?;
        wrong += u64::from(http::field(answer.body, "result") != Some("R0132"));
    }
    Ok(wrong)
}

/// How the rate goes with the number of rows.
fn rows(bench: &mut Bench<'_>) -> Done {
    for stored in [0, 500_000, 1_000_000, 2_000_000, 4_000_000] {
        let running = bench.serve("rows", 1, stored)?;
        let time = bench.scale().time / 2;
        let seen = block_on(bench.requests(&running.server, &running.site.clients, time))?;
        bench.report.point("rate by stored payouts", stored as f64, seen.rate());
        let memory = running.server.memory() as f64 / 1e6;
        bench.report.point("memory MB by stored payouts", stored as f64, memory);
    }
    Ok(())
}
