//! Reads beside tokens, alone and while requests are written; and that they see every answer that
//! was given before them.

use super::{Bench, Done, Running, block_on};
use crate::BenchError;
use crate::callers::{FollowCaller, ReadCaller, authorized};
use crate::http::{self, Connection};
use crate::load::{self, Pace, Seen};
use crate::plan::{CONNECTIONS, PACED, PACED_CONNECTIONS};
use crate::report::{Bar, median};
use std::time::Duration;

const NAME: &str = "reads";
/// Payouts that are settled, to be looked up.
const SETTLED: usize = 2_000;
/// Partners that each read what they were just answered.
const FOLLOWERS: usize = 64;

pub fn run(bench: &mut Bench<'_>) -> Done {
    let running = bench.serve(NAME, FOLLOWERS + 2, 0)?;
    let Running { site, server, .. } = &running;
    let (client, writer) = (&site.clients[0], &site.clients[1]);
    let mut accepted = SETTLED as u64;
    let found = block_on(settle(bench, &running))?;
    let mut pairs = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let mut paced_p99 = Vec::new();
    for _ in 0..bench.scale().rounds {
        let (token, seen, written) = block_on(async {
            let head = authorized(server.address, client).await?;
            let remain = || remains(client, &head);
            let result = || results(client, &head, &found);
            let token = bench.tokens(server, &site.clients[..1]).await?;
            let time = bench.scale().time;
            let alone = load::run(server.address, remain(), Pace::Closed, time).await?;
            let looked = load::run(server.address, result(), Pace::Closed, time).await?;
            let (beside, w1) = beside(bench, server, writer, remain()).await?;
            let (looked_beside, w2) = self::beside(bench, server, writer, result()).await?;
            let seen = [alone, looked, beside, looked_beside];
            Ok((token, seen, [w1, w2]))
        })?;
        for (pairs, seen) in pairs.iter_mut().zip(seen) {
            pairs.push((super::all_good(seen)?.rate(), token.rate()));
        }
        for written in written {
            accepted += written.answers;
            paced_p99.push(super::all_good(written)?.p_ms(0.99));
        }
    }
    let names = [
        ("/account/remain", 0.8),
        ("/transfer/result", 0.8),
        ("/account/remain, 2,000 requests a second beside it", 0.7),
        ("/transfer/result, 2,000 requests a second beside it", 0.7),
    ];
    for ((name, bar), pairs) in names.into_iter().zip(&pairs) {
        bench.report.pairs(NAME, name, "/oauth/token", pairs, bar);
    }
    bench.report.note(NAME, "those requests, p99", median(paced_p99.into_iter()), "ms");
    let (behind, more) = block_on(follow(bench, &running))?;
    let what = "reads that did not see an answer given before them";
    bench.report.bar(NAME, what, behind as f64, "", Bar::Exactly(0.0));
    bench.check(NAME, site, accepted + more)
}

fn remains(client: &crate::site::Client, head: &str) -> Vec<ReadCaller> {
    (0..CONNECTIONS).map(|_| ReadCaller::remain(client, head)).collect()
}

fn results(client: &crate::site::Client, head: &str, found: &[String]) -> Vec<ReadCaller> {
    let ids = found.iter().cycle().take(CONNECTIONS);
    ids.map(|id| ReadCaller::result(client, head, id)).collect()
}

/// Reads while requests are written at their pace.
async fn beside(
    bench: &Bench<'_>,
    server: &crate::child::Server,
    writer: &crate::site::Client,
    readers: Vec<ReadCaller>,
) -> Result<(Seen, Seen), BenchError> {
    let time = bench.scale().time;
    let writers = std::slice::from_ref(writer);
    let writers = bench.request_callers(server, writers, PACED_CONNECTIONS).await?;
    let reads = load::run(server.address, readers, Pace::Closed, time);
    let writes = load::run(server.address, writers, Pace::PerSecond(PACED), time);
    let (reads, writes) = tokio::join!(reads, writes);
    Ok((reads?, writes?))
}

/// Each partner requests and asks at once what is left: the two must agree.
async fn follow(bench: &Bench<'_>, running: &Running) -> Result<(u64, u64), BenchError> {
    let mut callers = Vec::new();
    for client in &running.site.clients[2..] {
        let head = authorized(running.server.address, client).await?;
        callers.push(FollowCaller::new(client, &head, &bench.keys));
    }
    let time = bench.scale().time;
    let requests = std::rc::Rc::clone(&callers[0].requests);
    callers.iter_mut().for_each(|caller| caller.requests = std::rc::Rc::clone(&requests));
    let seen = load::run(running.server.address, callers, Pace::Closed, time).await?;
    let made = *requests.borrow();
    Ok((seen.bad, made))
}

/// Settled payouts of the first client: their `api_tran_id`s.
async fn settle(bench: &Bench<'_>, running: &Running) -> Result<Vec<String>, BenchError> {
    let (client, server) = (&running.site.clients[0], &running.server);
    let filled = super::bulk::call(server, client, &bench.keys, SETTLED).await?;
    let (id, secret, group) = (&client.cst_id, &client.cust_key, &filled.group);
    let who = format!(r#""cst_id":"{id}","custKey":"{secret}","group_key":"{group}""#);
    let order = format!(
        r#"{{{who},"billing_tran_id":"ALL","execute_type":"NOW","webhook_url":"http://127.0.0.1:9/"}}"#
    );
    let head = authorized(server.address, client).await?;
    let mut line = Connection::open(server.address).await?;
    let mut request = Vec::new();
    http::post(&mut request, "/transfer/execute", &head, order.as_bytes());
    line.exchange(&request).await?;
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let list = format!(r#"{{{who},"limit":"{CONNECTIONS}"}}"#);
        http::post(&mut request, "/transfer/result/group_key", &head, list.as_bytes());
        let answer = line.exchange(&request).await?;
        let body = String::from_utf8_lossy(answer.body).into_owned();
        let pending = http::field(body.as_bytes(), "pending_cnt").unwrap_or("1").to_owned();
        let ids: Vec<String> = body
            .split("\"api_tran_id\":\"")
            .skip(1)
            .filter_map(|rest| Some(rest.split('"').next()?.to_owned()))
            .collect();
        if pending == "0" && ids.len() >= CONNECTIONS {
            return Ok(ids);
        }
    }
    Err(BenchError::Late)
}
