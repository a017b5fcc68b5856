//! Bulk intake beside single requests and beside the store's own batches without HTTP.

use super::{Bench, Done, Running, block_on};
use crate::BenchError;
use crate::callers::authorized;
use crate::child::{Scratch, Server};
use crate::http;
use crate::report::Bar;
use crate::site::{AMOUNT, Client, Site, scatter};
use std::cell::RefCell;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const NAME: &str = "bulk";

pub fn run(bench: &mut Bench<'_>) -> Done {
    let running = bench.serve(NAME, 1, 0)?;
    let Running { site, server, .. } = &running;
    let client = &site.clients[0];
    let rows = bench.scale().bulk;
    let scratch = Scratch::new(&bench.options.folder, "bare-store")?;
    let mut bare = Site::make(scratch.path(), 1, None)?;
    let (mut beside_single, mut beside_store) = (Vec::new(), Vec::new());
    let mut accepted = 0;
    for _ in 0..bench.scale().rounds {
        let store = bare.fill(rows as u64, |_| {})?;
        let (single, bulk) = block_on(async {
            let single = bench.requests(server, &site.clients, bench.scale().time).await?;
            Ok((single, call(server, client, &bench.keys, rows).await?))
        })?;
        accepted += single.answers + bulk.rows as u64;
        beside_single.push((bulk.rate(), single.rate()));
        beside_store.push((bulk.rate(), store));
    }
    bench.report.pairs(NAME, "bulk rows", "single requests", &beside_single, 1.5);
    bench.report.pairs(NAME, "bulk rows", "the store's own batches", &beside_store, 0.8);
    let again = block_on(twice(bench, server, client))?;
    accepted += again.1;
    let what = "rows of a call sent again that were taken twice";
    bench.report.bar(NAME, what, again.0 as f64, "", Bar::Exactly(0.0));
    bench.check(NAME, site, accepted)?;
    if bench.scale().curves {
        for size in [1_usize, 8, 64, 256, 1_024] {
            let rate = bare.fill_in(200_000.min(20_000 * size as u64), size, |_| {})?;
            bench.report.point("store rows by batch", size as f64, rate);
        }
    }
    Ok(())
}

/// A bulk call, answered.
pub struct Bulk {
    pub rows: usize,
    pub group: String,
    seconds: f64,
    refused: usize,
}

impl Bulk {
    fn rate(&self) -> f64 {
        self.rows as f64 / self.seconds
    }
}

/// Sends a call of so many fresh rows; every one must be taken.
pub async fn call(
    server: &Server,
    client: &Client,
    keys: &RefCell<u64>,
    rows: usize,
) -> Result<Bulk, BenchError> {
    let body = body(client, keys, rows);
    let bulk = send(server, client, &body).await?;
    match bulk.refused {
        0 => Ok(bulk),
        refused => Err(BenchError::Wrong(format!("{refused} rows of {rows} were refused"))),
    }
}

/// A call is sent twice: (rows that were taken again, rows).
async fn twice(
    bench: &Bench<'_>,
    server: &Server,
    client: &Client,
) -> Result<(usize, u64), BenchError> {
    let rows = 2_000;
    let body = body(client, &bench.keys, rows);
    let first = send(server, client, &body).await?;
    let second = send(server, client, &body).await?;
    Ok((first.refused + second.rows - second.refused, first.rows as u64))
}

fn body(client: &Client, keys: &RefCell<u64>, rows: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(rows * 120);
    for _ in 0..rows {
        let mut next = keys.borrow_mut();
        *next += 1;
        let (key, billing) = (scatter(*next), &client.key);
        let row = format!(
            "{{\"distinct_key\":\"{key:016x}\",\"billing_tran_id\":\"{billing}\",\"tran_amt\":\"{AMOUNT}\",\"print_content\":\"정산\"}}\n"
        );
        body.extend_from_slice(row.as_bytes());
    }
    body
}

async fn send(server: &Server, client: &Client, body: &[u8]) -> Result<Bulk, BenchError> {
    let bearer = authorized(server.address, client).await?;
    let (id, secret) = (&client.cst_id, &client.cust_key);
    let head = format!("{bearer}ichae-cst-id: {id}\r\nichae-cust-key: {secret}\r\n");
    let mut request = Vec::new();
    http::post(&mut request, "/v1/payouts", &head, body);
    let stream = TcpStream::connect(server.address).await?;
    stream.set_nodelay(true)?;
    let (mut read, mut write) = stream.into_split();
    let began = Instant::now();
    let sending = async { Ok::<(), BenchError>(write.write_all(&request).await?) };
    let (sent, heard) = tokio::join!(sending, hear(&mut read));
    sent?;
    let (rows, refused, group) = heard?;
    Ok(Bulk { rows, group, seconds: began.elapsed().as_secs_f64(), refused })
}

/// Counts the lines of the chunked answer until its end, without looking at more than it must.
async fn hear(
    read: &mut tokio::net::tcp::OwnedReadHalf,
) -> Result<(usize, usize, String), BenchError> {
    let mut all = Vec::with_capacity(1 << 20);
    let (mut rows, mut taken, mut group) = (0, 0, String::new());
    loop {
        if read.read_buf(&mut all).await? == 0 {
            return Err(BenchError::Closed);
        }
        if group.is_empty()
            && let Some(found) = http::field(&all, "group_key")
        {
            group = found.to_owned();
        }
        let ended = all.ends_with(b"\r\n0\r\n\r\n");
        // Whole lines only; what is left belongs to the next piece.
        let whole = all.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in all[..whole].split(|byte| *byte == b'\n') {
            let row = line.starts_with(b"{\"row\":");
            rows += usize::from(row);
            let near = &line[..line.len().min(48)];
            taken += usize::from(row && http::find(near, b"\"result\":\"A0000\"").is_some());
        }
        all.drain(..whole);
        if ended {
            return Ok((rows, rows - taken, group));
        }
    }
}
