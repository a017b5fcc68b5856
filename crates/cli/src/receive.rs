//! `ichae receive`: a webhook receiver to look at what a hub sends.

use crate::args::Receive;
use crate::printer::Printer;
use crate::shutdown::Asked;
use anyhow::Context;
use ichae_server::receive::{Received, start};
use std::pin::pin;
use std::process::ExitCode;

pub fn run(args: &Receive, printer: &Printer) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(receive(args, printer))
}

async fn receive(args: &Receive, printer: &Printer) -> anyhow::Result<ExitCode> {
    let started = start(args.listen, args.secret.as_deref()).await;
    let mut receiver = started.with_context(|| format!("{} cannot be listened on", args.listen))?;
    let mut asked = pin!(Asked::listen()?.wait());
    printer.note(&format!("receiving webhooks on http://{}", receiver.address));
    let mut left = args.count.unwrap_or(usize::MAX);
    while left > 0 {
        tokio::select! {
            received = receiver.received.recv() => match received {
                Some(received) => show(printer, &received),
                None => break,
            },
            () = asked.as_mut() => break,
        }
        left -= 1;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(printer: &Printer, received: &Received) {
    let verified = match received.verified {
        Some(true) => "signature good",
        Some(false) => "signature BAD",
        None => "signature not checked",
    };
    if !printer.json() {
        printer.line(&format!("webhook-id {}, {verified}", received.id));
    }
    printer.line(&String::from_utf8_lossy(&received.body));
}
