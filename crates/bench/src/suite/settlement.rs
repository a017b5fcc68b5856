//! A settlement day's end: a whole group is executed at once and settled through the simulated
//! bank, while single requests go on.

use super::{Bench, Done, Running, block_on};
use crate::BenchError;
use crate::http::{self, Connection};
use crate::load::{self, Pace, Seen};
use crate::plan::{PACED, PACED_CONNECTIONS};
use crate::receiver::Receiver;
use crate::report::Bar;
use std::time::{Duration, Instant};

const NAME: &str = "settlement";
/// A group that is not settled by then is not settled.
const PATIENCE: Duration = Duration::from_secs(600);

pub fn run(bench: &mut Bench<'_>) -> Done {
    let group = bench.scale().group;
    let running = bench.serve(NAME, 2, 0)?;
    let Running { site, server, .. } = &running;
    // The second partner's rows wait; the first one's requests are the yardstick and the pace.
    let client = &site.clients[1];
    let before = block_on(bench.requests(server, &site.clients[..1], bench.scale().time))?;
    let mut accepted = before.answers;
    let settled = block_on(async {
        let receiver = Receiver::start().await?;
        let filled = super::bulk::call(server, client, &bench.keys, group as usize).await?;
        accepted += filled.rows as u64;
        let mut line = Connection::open(server.address).await?;
        let head = crate::callers::authorized(server.address, client).await?;
        let order = execution(client, &filled.group, &receiver.url());
        let mut request = Vec::new();
        http::post(&mut request, "/transfer/execute", &head, order.as_bytes());
        let began = Instant::now();
        let answer = line.exchange(&request).await?;
        if !answer.succeeded() {
            return Err(BenchError::Wrong(String::from_utf8_lossy(answer.body).into_owned()));
        }
        let executed = began.elapsed();
        let callers = bench.request_callers(server, &site.clients[..1], PACED_CONNECTIONS).await?;
        let pace = Pace::PerSecond(PACED);
        // Paced until everything has settled: far longer than it may take, and cut by then.
        let done = std::rc::Rc::new(std::cell::Cell::new(false));
        let callers = callers.into_iter().map(|caller| caller.until(&done)).collect();
        let paced = load::run(server.address, callers, pace, PATIENCE);
        let waited = async {
            let waited = wait(server, client, &filled.group, group).await;
            done.set(true);
            waited
        };
        let (paced, waited) = tokio::join!(paced, waited);
        Ok(Settled {
            executed,
            took: waited?,
            paced: super::all_good(paced?)?,
            told: receiver.told(),
        })
    })?;
    accepted += settled.paced.answers;
    let rate = group as f64 / settled.took.as_secs_f64();
    let report = &mut bench.report;
    let what = format!("ALL on {group} payouts answers after");
    report.bar(NAME, &what, settled.executed.as_secs_f64() * 1e3, "ms", Bar::AtMost(2_000.0));
    let what = format!("settled, of {group}");
    report.pairs(NAME, &what, "/transfer/request", &[(rate, before.rate())], 1.0 / 3.0);
    let what = format!("request at {PACED} a second meanwhile, p99");
    report.bar(NAME, &what, settled.paced.p_ms(0.99), "ms", Bar::AtMost(100.0));
    report.note(NAME, "webhooks delivered by then", settled.told as f64, "");
    bench.check(NAME, site, accepted)
}

struct Settled {
    executed: Duration,
    took: Duration,
    paced: Seen,
    told: u64,
}

fn execution(client: &crate::site::Client, group: &str, url: &str) -> String {
    let (id, secret) = (&client.cst_id, &client.cust_key);
    format!(
        r#"{{"cst_id":"{id}","custKey":"{secret}","group_key":"{group}","billing_tran_id":"ALL","execute_type":"NOW","webhook_url":"{url}"}}"#
    )
}

/// Until the bank has answered for every row and the group has nothing under way. The first is
/// asked often, from a counter; the second once, from the rows.
async fn wait(
    server: &crate::child::Server,
    client: &crate::site::Client,
    group: &str,
    count: u64,
) -> Result<Duration, BenchError> {
    let began = Instant::now();
    let mut line = Connection::open(server.address).await?;
    while paid(&mut line).await? < count {
        if began.elapsed() > PATIENCE {
            return Err(BenchError::Late);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let settled = format!(r#"{{"state":"settled","count":"{count}""#);
    let mut request = Vec::new();
    loop {
        let head = crate::callers::authorized(server.address, client).await?;
        let order = execution(client, group, "http://127.0.0.1:9/");
        http::post(&mut request, "/transfer/execute", &head, order.as_bytes());
        let took = began.elapsed();
        let answer = line.exchange(&request).await?;
        if http::find(answer.body, settled.as_bytes()).is_some() {
            return Ok(took);
        }
        if began.elapsed() > PATIENCE {
            return Err(BenchError::Wrong(String::from_utf8_lossy(answer.body).into_owned()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Deposits that the bank has paid, as the metrics count them.
async fn paid(line: &mut Connection) -> Result<u64, BenchError> {
    let answer = line.exchange(b"GET /metrics HTTP/1.1\r\nhost: bench\r\n\r\n").await?;
    let text = std::str::from_utf8(answer.body).map_err(|_| BenchError::Unreadable)?;
    let line = text.lines().find(|l| l.starts_with("ichae_bank_calls_total{answer=\"Settled\"}"));
    Ok(line.and_then(|l| l.rsplit(' ').next()?.parse().ok()).unwrap_or(0))
}
