// scratch: first look
use ichae_bench::{callers::*, child::*, load::*, site::*};
use std::{cell::RefCell, path::Path, rc::Rc, time::Duration};
fn main() {
    let program = std::env::args().nth(1).unwrap();
    let secs: u64 = std::env::args().nth(2).and_then(|s| s.parse().ok()).unwrap_or(4);
    let partners: usize = std::env::args().nth(3).and_then(|s| s.parse().ok()).unwrap_or(1);
    let fill: u64 = std::env::args().nth(4).and_then(|s| s.parse().ok()).unwrap_or(0);
    let scratch = Scratch::new(Path::new("/tmp")).unwrap();
    let mut site = Site::make(scratch.path(), partners).unwrap();
    if fill > 0 { println!("fill: {:.0}/s", site.fill(fill, 256, |_| {}).unwrap()); }
    let config = site.config.to_str().unwrap().to_owned();
    let server = Server::start(Path::new(&program), &["serve", "--config", &config], true).unwrap();
    println!("ready {:?}", server.ready_after);
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let t = Duration::from_secs(secs);
    let c = &site.clients;
    rt.block_on(async {
        for round in 0..2 {
        let cpu = server.cpu();
        let seen = run(server.address, (0..256).map(|i| TokenCaller::new(&c[i % c.len()])).collect(), Pace::Closed, t).await.unwrap();
        println!("token {:.0}/s p99 {:.1} bad {} {:?} cpu/req {:.1}us", seen.rate(), seen.p_ms(0.99), seen.bad, seen.first_bad, (server.cpu()-cpu)*1e6/seen.answers as f64);
        let mut heads = vec![]; for x in c { heads.push(authorized(server.address, x).await.unwrap()); }
        let next = Rc::new(RefCell::new(1_000_000_000 * (round + 1)));
        let cpu = server.cpu();
        let seen = run(server.address, (0..256).map(|i| RequestCaller::new(&c[i % c.len()], &heads[i % c.len()], &next)).collect(), Pace::Closed, t).await.unwrap();
        println!("request {:.0}/s p50 {:.1} p99 {:.1} p999 {:.1} bad {} {:?} cpu/req {:.1}us rss {}MB", seen.rate(), seen.p_ms(0.5), seen.p_ms(0.99), seen.p_ms(0.999), seen.bad, seen.first_bad, (server.cpu()-cpu)*1e6/seen.answers as f64, server.memory()>>20);
        let cpu = server.cpu();
        let seen = run(server.address, (0..256).map(|i| ReadCaller::remain(&c[i % c.len()], &heads[i % c.len()])).collect(), Pace::Closed, t).await.unwrap();
        println!("remain {:.0}/s p99 {:.1} bad {} {:?} cpu/req {:.1}us", seen.rate(), seen.p_ms(0.99), seen.bad, seen.first_bad, (server.cpu()-cpu)*1e6/seen.answers as f64);
        }
    });
}
