//! `ichae sandbox`: a hub at once, with partner `test`, a limit and the simulated bank.

use crate::args::Sandbox;
use crate::logs;
use crate::printer::Printer;
use crate::shutdown::Asked;
use anyhow::bail;
use ichae_acquirer::simulated::plain_token;
use ichae_domain::billing::Method;
use ichae_domain::code::Code;
use ichae_server::admin::billing::{BillingRequest, Import};
use ichae_server::admin::request::{PartnerAdd, Request};
use ichae_server::admin::{AdminError, execute};
use ichae_server::config::{
    AcquirerKind, Bank, Billing, Config, Environment, Log, LogFormat, RailKind,
    Server as ServerConfig, Test, Webhooks,
};
use ichae_server::hub::Hub;
use ichae_server::open_banking::OpenBankingConfig;
use ichae_server::run::{Places, Server, open};
use secrecy::ExposeSecret;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// The documents' own test partner.
const CST_ID: &str = "test";
const CUST_KEY: &str = "abcd1234567890";
/// `PCD_REFUND_KEY` of the documents.
const REFUND_KEY: &str = "a41ce010ede9fcbfb3be86b24858806596a9db68b79d138b147c3e563e1829a0";
const LIMIT: &str = "10000000";
const CARD_KEY: &str = "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09";
const ACCOUNT_KEY: &str = "d0toSS9sT084bVJSNThScnFXQm9Gdz09";
const LIMIT_REFERENCE: &str = "sandbox limit";

pub fn run(args: Sandbox, printer: &Printer) -> anyhow::Result<ExitCode> {
    logs::start(LogFormat::Text, &args.log)?;
    let forgetful = Forgetful::new(args.data.as_deref())?;
    let config = config(&args, forgetful.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&args, &config, printer))
}

/// A data folder of its own that goes with the sandbox, where none was named.
struct Forgetful {
    path: PathBuf,
    temporary: bool,
}

impl Forgetful {
    fn new(named: Option<&Path>) -> anyhow::Result<Forgetful> {
        let path = match named {
            Some(path) => path.to_owned(),
            None => {
                let name = format!("ichae-sandbox-{}", std::process::id());
                let path = std::env::temp_dir().join(name);
                if path.exists() {
                    std::fs::remove_dir_all(&path)?;
                }
                path
            }
        };
        Ok(Forgetful { path, temporary: named.is_none() })
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Forgetful {
    fn drop(&mut self) {
        if self.temporary {
            // What stays in the temporary folder is swept by the system.
            let _ = std::fs::remove_dir_all(&self.path);
            if let Some(witness) = ichae_store::witness::beside_folder(&self.path) {
                let _ = std::fs::remove_file(witness);
            }
        }
    }
}

fn config(args: &Sandbox, data: &Path) -> anyhow::Result<Config> {
    let bank = match &args.bank {
        Some(url) => open_banking(url, data)?,
        None => Bank::simulated(),
    };
    Ok(Config {
        environment: Environment::Test,
        data: data.to_owned(),
        keys: None,
        store: args.store.clone(),
        store_password_file: None,
        store_ca: None,
        node: None,
        cells: Vec::new(),
        server: ServerConfig { listen: args.listen, ..ServerConfig::default() },
        tls: None,
        test: Test { any_amount: args.any_amount, resolve_same_day: true },
        operators: Default::default(),
        billing: Billing { acquirer: AcquirerKind::Simulated, ..Billing::default() },
        bank,
        webhooks: Webhooks {
            allow_private: args.allow_private,
            retry_unit_ms: args.retry_unit_ms.max(1),
            ..Webhooks::default()
        },
        log: Log { format: LogFormat::Text, filter: args.log.clone() },
    })
}

/// The production connector, with the simulator's published credentials in files as it wants them.
fn open_banking(url: &str, data: &Path) -> anyhow::Result<Bank> {
    let folder = data.join("openbanking");
    std::fs::create_dir_all(&folder)?;
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        anyhow::Ok(path)
    };
    let table = OpenBankingConfig {
        base_url: url.to_owned(),
        institution: ichae_kftc::INSTITUTION.to_owned(),
        client_id: ichae_kftc::CLIENT_ID.to_owned(),
        client_secret_file: file("client-secret", ichae_kftc::CLIENT_SECRET)?,
        scope: "oob".to_owned(),
        contract_account_file: file("contract-account", ichae_kftc::CONTRACT_ACCOUNT)?,
        contract_account_type: "N".to_owned(),
        pass_phrase_file: file("pass-phrase", ichae_kftc::PASS_PHRASE)?,
        print_content: "정산".to_owned(),
        client_name: "ichae".to_owned(),
        client_bank: "020".to_owned(),
        client_account_file: file("client-account", ichae_kftc::CONTRACT_ACCOUNT)?,
        client_number: "SANDBOX1".to_owned(),
        transfer_purpose: "TR".to_owned(),
        name_check: true,
        receive_check: false,
        connect_timeout_s: 2,
        calls_per_second: 10_000,
        trust_dates: true,
    };
    let simulated = Bank::simulated();
    Ok(Bank { rail: RailKind::OpenBanking, openbanking: Some(table), ..simulated })
}

async fn serve(args: &Sandbox, config: &Config, printer: &Printer) -> anyhow::Result<ExitCode> {
    let places = Places::of(config);
    places.data.create()?;
    let Some(lock) = places.data.lock()? else {
        bail!("{} is served by another process", places.data.path().display());
    };
    let hub = Arc::new(open(config, &places, false)?);
    let secret = match populate(&hub, args.limit.as_deref()).await {
        Ok(secret) => secret,
        Err(error) => {
            printer.refused(&error);
            return Ok(ExitCode::FAILURE);
        }
    };
    let Some(hub) = Arc::into_inner(hub) else { bail!("the hub is still in use") };
    let server = Server::start(config, &places, hub, lock).await?;
    let asked = Asked::listen()?;
    greet(printer, &server, config, secret.as_deref());
    asked.wait().await;
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Makes partner `test` and funds it, once; gives its webhook secret where it was made now. Another
/// `--limit` later is an error (decision M1).
async fn populate(hub: &Arc<Hub>, limit: Option<&str>) -> Result<Option<String>, AdminError> {
    let add = PartnerAdd {
        cst_id: CST_ID.to_owned(),
        name: "ichae 테스트".to_owned(),
        cust_key: Some(CUST_KEY.into()),
        refund_key: Some(REFUND_KEY.into()),
        ..PartnerAdd::default()
    };
    let add = Request::PartnerAdd(add);
    let taken = Code::P0102.name();
    match execute(hub, "sandbox", add, |_| {}).await {
        Ok(made) => {
            fund(hub, limit.unwrap_or(LIMIT)).await?;
            for key in documented_keys() {
                let request = Request::Billing(BillingRequest::Import(key));
                execute(hub, "sandbox", request, |_| {}).await?;
            }
            Ok(made["webhook_secret"].as_str().map(str::to_owned))
        }
        Err(error) if error.code.as_deref() == Some(taken) => {
            if let Some(limit) = limit {
                fund(hub, limit).await.map_err(other_limit)?;
            }
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The two keys of the documents' look-up, so that their requests can be pasted: each with exactly the
/// values of its answer. Their tokens are ones of the simulated acquirer's, which approve.
fn documented_keys() -> [Import; 2] {
    let import = |payer_id: &str, method: Method| Import {
        cst_id: CST_ID.to_owned(),
        payer_id: payer_id.to_owned(),
        method: method.name().to_owned(),
        token: plain_token(method).expose_secret().to_owned(),
        org: "0200".to_owned(),
        org_name: "BC카드".to_owned(),
        number_masked: "1111-****-****-2222".to_owned(),
        holder: "홍길동".to_owned(),
        phone_masked: "010-****-5678".to_owned(),
        business: false,
    };
    [
        import(CARD_KEY, Method::Card),
        Import {
            org: "081".to_owned(),
            org_name: "KEB하나은행".to_owned(),
            number_masked: "123-********-021".to_owned(),
            ..import(ACCOUNT_KEY, Method::Account)
        },
    ]
}

async fn fund(hub: &Arc<Hub>, limit: &str) -> Result<(), AdminError> {
    let request = Request::PartnerFund {
        cst_id: CST_ID.to_owned(),
        amount: limit.to_owned(),
        reference: LIMIT_REFERENCE.to_owned(),
        take_back: false,
    };
    execute(hub, "sandbox", request, |_| {}).await.map(|_| ())
}

fn other_limit(error: AdminError) -> AdminError {
    if error.code.as_deref() != Some(Code::P0110.name()) {
        return error;
    }
    let hint = "--limit counts only when the sandbox is made; use `ichae partner fund`, or another \
                --data folder";
    AdminError { hint: Some(hint.to_owned()), ..error }
}

fn greet(printer: &Printer, server: &Server, config: &Config, secret: Option<&str>) {
    let base = format!("http://{}", server.address);
    let amount = if config.test.any_amount { "any amount" } else { "1000 won a payout" };
    let data = config.data.display();
    printer.line(&format!("ichae sandbox listening on {base}"));
    printer.line(&format!("  reference  {base}/docs"));
    printer.line(&format!("  metrics    {base}/metrics"));
    printer.line(&format!("  data       {data}"));
    printer.line(&format!("  partner    cst_id {CST_ID}, custKey {CUST_KEY}, {amount}"));
    if let Some(secret) = secret {
        printer.line(&format!("  webhooks   secret {secret} (shown once)"));
    }
    let bank = match &config.bank.openbanking {
        Some(table) => format!("{}, over KFTC's protocol", table.base_url),
        None => "simulated, moves no money; docs/guide/sandbox.md lists its accounts".to_owned(),
    };
    printer.line(&format!("  bank       {bank}"));
    printer.line(&format!("  keys       card {CARD_KEY}, account {ACCOUNT_KEY}"));
    printer.line("\nA token, then what is left:\n");
    printer.line(&paste(&base));
    printer.line("\nCtrl-C stops it.");
}

fn paste(base: &str) -> String {
    format!(
        "  TOKEN=$(curl -s {base}/oauth/token -d \
         '{{\"cst_id\":\"{CST_ID}\",\"custKey\":\"{CUST_KEY}\",\"code\":\"as12345678\"}}' \
         | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n  \
         curl -s {base}/account/remain -H \"Authorization: Bearer $TOKEN\" \
         -d '{{\"cst_id\":\"{CST_ID}\",\"custKey\":\"{CUST_KEY}\"}}'"
    )
}
