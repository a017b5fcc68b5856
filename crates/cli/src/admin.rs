//! Commands that change a store: through the server's admin socket where it is served, on the store
//! itself, under its lock, where it is not (decision I3).

use crate::args::{
    At, BankCommand, BillingCommand, Command, GroupCommand, KeyCommand, OperatorCommand,
    PartnerCommand, Payout, PayoutCommand, ProposalCommand, WebhookCommand,
};
use crate::operator::{self, OperatorKey};
use crate::printer::Printer;
use crate::serve;
use anyhow::{Context, bail};
use ichae_server::admin::billing::BillingRequest;
use ichae_server::admin::request::{PartnerAdd, PartnerSet, PayoutName, Request};
use ichae_server::admin::{AdminError, Envelope, client, serve as serve_here};
use ichae_server::config::{Bank, Config, Environment, OperatorRules};
use ichae_server::run::{Places, open};
use ichae_store::folder::DataFolder;
use ichae_store::sqlite;
use secrecy::zeroize::Zeroizing;
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

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
        Command::Payout { at, command } => (at, payout(command)),
        Command::Billing { at, command } => (at, Request::Billing(billing(command)?)),
        Command::Proposal { at, command } => (at, proposal(command)),
        Command::Operator { command: OperatorCommand::Key { name, to }, .. } => {
            printer.line(&operator::make(&name, &to)?);
            return Ok(ExitCode::SUCCESS);
        }
        Command::Operator { at, command } => (at, operator_request(command)?),
        Command::Funds { at } => (at, Request::Funds),
        _ => bail!("this command has its own place"),
    };
    let funds = matches!(request, Request::Funds);
    let shown_once = matches!(request, Request::PartnerAdd(_) | Request::PartnerRotateKey { .. });
    match give(&at, request, printer)? {
        Ok(value) => {
            printer.value(&value);
            if shown_once {
                printer
                    .note("These are shown once and stored nowhere in the clear: keep them now.");
            }
            // An alarm is told to scripts too.
            let alarm = funds && value.get("alarm").is_some_and(|alarm| !alarm.is_null());
            Ok(if alarm { ExitCode::FAILURE } else { ExitCode::SUCCESS })
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
            let add = PartnerAdd { cst_id, name, webhook_url, sources, transfer_cap, ..none() };
            Request::PartnerAdd(add)
        }
        PartnerCommand::List => Request::PartnerList,
        PartnerCommand::Show { cst_id } => Request::PartnerShow { cst_id },
        PartnerCommand::RotateKey { cst_id, webhook_secret, refund_key } => {
            Request::PartnerRotateKey { cst_id, webhook_secret, refund_key }
        }
        PartnerCommand::Suspend { cst_id } => Request::PartnerSuspend { cst_id, suspended: true },
        PartnerCommand::Resume { cst_id } => Request::PartnerSuspend { cst_id, suspended: false },
        PartnerCommand::Fund { cst_id, amount, reference, take_back } => {
            Request::PartnerFund { cst_id, amount, reference, take_back }
        }
        PartnerCommand::Set {
            cst_id,
            name,
            webhook_url,
            sources,
            any_source,
            transfer_cap,
            domains,
            payment_url,
            removal_url,
        } => Request::PartnerSet(PartnerSet {
            cst_id,
            name,
            webhook_url,
            sources: if any_source { Some(Vec::new()) } else { sources },
            transfer_cap,
            domains,
            payment_url,
            removal_url,
        }),
        PartnerCommand::Hold { cst_id, reason } => {
            Request::PartnerHold { cst_id, held: true, reason }
        }
        PartnerCommand::Release { cst_id, reason } => {
            Request::PartnerHold { cst_id, held: false, reason }
        }
        PartnerCommand::Recover { cst_id, amount, evidence } => {
            Request::PartnerRecover { cst_id, amount, evidence }
        }
        PartnerCommand::WriteOff { cst_id, amount, evidence } => {
            Request::PartnerWriteOff { cst_id, amount, evidence }
        }
    }
}

fn none() -> PartnerAdd {
    PartnerAdd::default()
}

fn billing(command: BillingCommand) -> anyhow::Result<BillingRequest> {
    Ok(match command {
        BillingCommand::Add { cst_id, details } => {
            BillingRequest::Add { cst_id, details: document(&details)? }
        }
        BillingCommand::Import { file } => BillingRequest::Import(document(&file)?),
        BillingCommand::List { cst_id, after, limit } => {
            BillingRequest::List { cst_id, after, limit }
        }
        BillingCommand::Remove { cst_id, payer_id } => BillingRequest::Remove { cst_id, payer_id },
        BillingCommand::Settle { through, partner } => {
            BillingRequest::Settle { cst_id: partner, through }
        }
        BillingCommand::Unknown { after, limit } => BillingRequest::Unknown { after, limit },
        BillingCommand::Explain { cst_id, oid } => BillingRequest::Explain { cst_id, oid },
        BillingCommand::Resolve { reference, done, not_done: _, evidence } => {
            BillingRequest::Resolve { reference, done, evidence }
        }
    })
}

/// A JSON file, or the standard input for `-`. An error says where, never what: it holds card data.
fn document<T: serde::de::DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let text = match file == Path::new("-") {
        true => std::io::read_to_string(std::io::stdin()).context("the standard input")?,
        false => std::fs::read_to_string(file).with_context(|| file.display().to_string())?,
    };
    let text = Zeroizing::new(text);
    serde_json::from_str(&text).map_err(|error| {
        anyhow::anyhow!("{}: not as expected at line {}", file.display(), error.line())
    })
}

fn named(payout: Payout) -> PayoutName {
    PayoutName { id: payout.payout, cst_id: payout.partner }
}

fn payout(command: PayoutCommand) -> Request {
    match command {
        PayoutCommand::Unknown { after, limit } => Request::PayoutUnknown { after, limit },
        PayoutCommand::Explain { payout } => Request::PayoutExplain { payout: named(payout) },
        PayoutCommand::Resolve { payout, paid_on, evidence, .. } => {
            Request::PayoutResolve { payout: named(payout), paid_on, evidence }
        }
        PayoutCommand::Correct { payout, paid_on, evidence } => {
            Request::PayoutCorrect { payout: named(payout), paid_on, evidence }
        }
        PayoutCommand::Return { payout, code, evidence } => {
            Request::PayoutReturn { payout: named(payout), code, evidence }
        }
        PayoutCommand::Hold { payout, reason } => {
            Request::PayoutHold { payout: named(payout), held: true, reason }
        }
        PayoutCommand::Release { payout, reason } => {
            Request::PayoutHold { payout: named(payout), held: false, reason }
        }
    }
}

fn proposal(command: ProposalCommand) -> Request {
    match command {
        ProposalCommand::List { all } => Request::ProposalList { all },
        ProposalCommand::Approve { no } => Request::ProposalApprove { no },
        ProposalCommand::Withdraw { no } => Request::ProposalWithdraw { no },
    }
}

fn operator_request(command: OperatorCommand) -> anyhow::Result<Request> {
    Ok(match command {
        OperatorCommand::Add { name, public_key, make } => {
            let made = make.map(|file| operator::make(&name, &file)).transpose()?;
            let public_key = public_key.or(made).unwrap_or_default();
            Request::OperatorAdd { name, public_key }
        }
        OperatorCommand::Revoke { name } => Request::OperatorRevoke { name },
        OperatorCommand::List | OperatorCommand::Key { .. } => Request::OperatorList,
    })
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
        // The others have their own place.
        BankCommand::Status | BankCommand::Simulate(_) | BankCommand::Journal { .. } => {
            Request::BankStatus
        }
        BankCommand::Pause { reason } => Request::BankPause { reason },
        BankCommand::Resume => Request::BankResume,
        BankCommand::Balance { amount, source } => Request::BankBalance { amount, source },
    }
}

pub fn give(
    at: &At,
    request: Request,
    printer: &Printer,
) -> anyhow::Result<Result<Value, AdminError>> {
    let data = match (&at.config, &at.data) {
        (Some(file), _) => DataFolder::at(&serve::read(file)?.data),
        (None, Some(data)) if data.exists() => DataFolder::at(data),
        (None, Some(data)) => bail!("{} is not there", data.display()),
        (None, None) => return Err(nowhere()),
    };
    data.create()?;
    let key = at.key.as_deref().map(OperatorKey::read).transpose()?;
    let socket = data.admin_socket();
    match data.lock()? {
        None => seal(key.as_ref(), &request, |envelope| {
            Ok(client::ask(&socket, &envelope, |text| printer.note(text)))
        }),
        Some(lock) => {
            let config = config(at)?;
            let places = Places::of(&config);
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let hub =
                runtime.block_on(async { anyhow::Ok(Arc::new(open(&config, &places, true)?)) })?;
            let who = format!("uid {}", rustix::process::getuid().as_raw());
            let done = seal(key.as_ref(), &request, |envelope| {
                let progress = |text: String| printer.note(&text);
                Ok(runtime.block_on(serve_here(&hub, &who, envelope, progress)))
            });
            hub.writer.close();
            drop(lock);
            done
        }
    }
}

/// Times that a command is signed at most, and what is waited in between: unlike for two commands
/// that the same person gives at the same moment.
const SIGN_TRIES: u32 = 10;
const WAIT_TO_SIGN: Duration = Duration::from_millis(2);

/// Asks with a request as text: signed, where there is a key. What is signed names the store and a
/// moment, so both are asked for first.
fn seal(
    key: Option<&OperatorKey>,
    request: &Request,
    mut ask: impl FnMut(Envelope) -> anyhow::Result<Result<Value, AdminError>>,
) -> anyhow::Result<Result<Value, AdminError>> {
    let body = serde_json::to_string(request)?;
    let Some(key) = key.filter(|_| request.changes()) else {
        return ask(Envelope { body, signed: None });
    };
    let identity = serde_json::to_string(&Request::Identity { name: key.name.clone() })?;
    let mut tries = 1;
    loop {
        let identity = match ask(Envelope { body: identity.clone(), signed: None })? {
            Ok(identity) => identity,
            Err(error) => return Ok(Err(error)),
        };
        let signed = key.sign(&identity, &body);
        let signed = Some(signed.context("the server names no store: same version?")?);
        match ask(Envelope { body: body.clone(), signed })? {
            // The same person gave another command in between: sign for a later moment.
            Err(error) if tries < SIGN_TRIES && error.code.as_deref() == Some("P0122") => {
                std::thread::sleep(WAIT_TO_SIGN * (std::process::id() % 7 + 1) * tries);
                tries += 1;
            }
            done => return Ok(done),
        }
    }
}

/// The configuration file's, or what a data folder says of itself.
pub fn config(at: &At) -> anyhow::Result<Config> {
    if let Some(file) = &at.config {
        return serve::read(file);
    }
    let data = at.data.as_deref().ok_or_else(nowhere)?;
    of_folder(data).with_context(|| data.display().to_string())
}

fn nowhere() -> anyhow::Error {
    anyhow::anyhow!("which hub? name its folder with --data, or its file with --config")
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
        store: None,
        store_password_file: None,
        store_ca: None,
        node: None,
        cells: Vec::new(),
        server: Default::default(),
        tls: None,
        test: Default::default(),
        // Without the file nobody knows the set amount: everything takes a second operator.
        operators: OperatorRules { second_above: 0, ..OperatorRules::default() },
        bank: Bank::simulated(),
        billing: Default::default(),
        webhooks: Default::default(),
        log: Default::default(),
    })
}
