//! Commands that change a store: through the server's admin socket where it is served, on the store
//! itself, under its lock, where it is not (decision I3).

use crate::args::{
    At, BankCommand, Command, GroupCommand, KeyCommand, PartnerCommand, WebhookCommand,
};
use crate::printer::Printer;
use crate::serve;
use anyhow::{Context, bail};
use ichae_server::admin::request::{PartnerAdd, PartnerSet, Request};
use ichae_server::admin::{AdminError, client, execute};
use ichae_server::config::{Bank, Config, Environment, RailKind};
use ichae_server::run::{Places, open};
use ichae_store::folder::DataFolder;
use ichae_store::sqlite;
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub fn run(command: Command, printer: &Printer) -> anyhow::Result<ExitCode> {
    let (at, request) = match command {
        Command::Partner { at, command } => (at, partner(command)),
        Command::Group { at, command } => (at, group(command)),
        Command::Webhook { at, command } => (at, webhook(command)),
        Command::Bank { at, command } => (at, bank(command)),
        Command::Key { at, command: KeyCommand::Rotate } => (at, Request::KeyRotate),
        Command::Events { at, partner, limit } => {
            (at, Request::EventList { cst_id: partner, limit })
        }
        _ => bail!("this command has its own place"),
    };
    let shown_once = matches!(request, Request::PartnerAdd(_) | Request::PartnerRotateKey { .. });
    match give(&at, request, printer)? {
        Ok(value) => {
            printer.value(&value);
            if shown_once {
                printer
                    .note("These are shown once and stored nowhere in the clear: keep them now.");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            printer.refused(&error);
            Ok(ExitCode::FAILURE)
        }
    }
}

fn partner(command: PartnerCommand) -> Request {
    match command {
        PartnerCommand::Add { cst_id, name, webhook_url, sources, transfer_cap } => {
            let add =
                PartnerAdd { cst_id, name, webhook_url, sources, transfer_cap, cust_key: None };
            Request::PartnerAdd(add)
        }
        PartnerCommand::List => Request::PartnerList,
        PartnerCommand::Show { cst_id } => Request::PartnerShow { cst_id },
        PartnerCommand::RotateKey { cst_id, webhook_secret } => {
            Request::PartnerRotateKey { cst_id, webhook_secret }
        }
        PartnerCommand::Suspend { cst_id } => Request::PartnerSuspend { cst_id, suspended: true },
        PartnerCommand::Resume { cst_id } => Request::PartnerSuspend { cst_id, suspended: false },
        PartnerCommand::Fund { cst_id, amount, reference, take_back } => {
            Request::PartnerFund { cst_id, amount, reference, take_back }
        }
        PartnerCommand::Set { cst_id, name, webhook_url, sources, any_source, transfer_cap } => {
            let sources = if any_source { Some(Vec::new()) } else { sources };
            Request::PartnerSet(PartnerSet { cst_id, name, webhook_url, sources, transfer_cap })
        }
    }
}

fn group(command: GroupCommand) -> Request {
    match command {
        GroupCommand::List { cst_id } => Request::GroupList { cst_id },
        GroupCommand::Show { cst_id, group_key } => Request::GroupShow { cst_id, group_key },
        GroupCommand::Cancel { cst_id, group_key } => Request::GroupCancel { cst_id, group_key },
    }
}

fn webhook(command: WebhookCommand) -> Request {
    match command {
        WebhookCommand::List { partner, state, after, limit } => {
            Request::WebhookList { cst_id: partner, state, after, limit }
        }
        WebhookCommand::Show { no } => Request::WebhookShow { no },
        WebhookCommand::Resend { no } => Request::WebhookResend { no },
    }
}

fn bank(command: BankCommand) -> Request {
    match command {
        BankCommand::Status => Request::BankStatus,
        BankCommand::Pause { reason } => Request::BankPause { reason },
        BankCommand::Resume => Request::BankResume,
    }
}

fn give(at: &At, request: Request, printer: &Printer) -> anyhow::Result<Result<Value, AdminError>> {
    let config = config(at)?;
    let places = Places::of(&config);
    if !places.data.path().exists() && at.config.is_none() {
        bail!("{} is not there", places.data.path().display());
    }
    places.data.create()?;
    let socket = places.data.admin_socket();
    match places.data.lock()? {
        None => Ok(client::ask(&socket, &request, |text| printer.note(text))),
        Some(lock) => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let done = runtime.block_on(async {
                let hub = Arc::new(open(&config, &places, true)?);
                let who = format!("uid {}", rustix::process::getuid().as_raw());
                let done = execute(&hub, &who, request, |text| printer.note(&text)).await;
                hub.writer.close();
                anyhow::Ok(done)
            });
            drop(lock);
            done
        }
    }
}

/// The configuration file's, or what a data folder says of itself.
fn config(at: &At) -> anyhow::Result<Config> {
    if let Some(file) = &at.config {
        return serve::read(file);
    }
    let Some(data) = &at.data else {
        bail!("which hub? name its folder with --data, or its file with --config");
    };
    of_folder(data).with_context(|| data.display().to_string())
}

fn of_folder(data: &Path) -> anyhow::Result<Config> {
    let file = DataFolder::at(data).store();
    if !file.exists() {
        bail!("no hub is here yet: start `ichae sandbox --data` or name a --config file");
    }
    let environment = match sqlite::environment(&file)?.as_str() {
        "live" => Environment::Live,
        _ => Environment::Test,
    };
    Ok(Config {
        environment,
        data: data.to_owned(),
        keys: None,
        server: Default::default(),
        tls: None,
        test: Default::default(),
        bank: Bank { rail: RailKind::Simulated, timeout_s: 10, in_flight: 256 },
        webhooks: Default::default(),
        log: Default::default(),
    })
}
