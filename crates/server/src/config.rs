//! The configuration: one struct, one table of its keys, loud errors that name the line.

use crate::hub::Operators;
use crate::open_banking::OpenBankingConfig;
use crate::till;
use ichae_domain::banks;
use ichae_domain::calendar::{Calendar, Span};
use ichae_domain::money::Won;
use ichae_domain::view::Rules;
use ipnet::IpNet;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    Test,
    Live,
}

impl Environment {
    pub fn name(self) -> &'static str {
        match self {
            Environment::Test => "test",
            Environment::Live => "live",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RailKind {
    /// Moves no money: for trying, and for TEST.
    Simulated,
    /// KFTC's open banking, or a bank that speaks its protocol.
    OpenBanking,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AcquirerKind {
    /// Nothing is charged or refunded: keys are looked up and deregistered only.
    None,
    /// Moves no money: for trying, and for TEST.
    Simulated,
}

/// What cpay calls need besides.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Billing {
    pub acquirer: AcquirerKind,
    #[serde(deserialize_with = "of_a_call")]
    pub timeout_s: u32,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "origin")]
    pub public_url: Option<String>,
}

impl Default for Billing {
    fn default() -> Billing {
        let timeout_s = u32::try_from(till::TIMEOUT.as_secs()).unwrap_or(u32::MAX);
        Billing { acquirer: AcquirerKind::None, timeout_s, public_url: None }
    }
}

/// Scheme and host, without a path.
fn origin<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let host = ["https://", "http://"].into_iter().find_map(|scheme| text.strip_prefix(scheme));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    match host.filter(|host| !host.is_empty() && host.chars().all(plain)) {
        Some(_) => Ok(Some(text)),
        None => Err(D::Error::custom("must be scheme and host, as https://pay.example.com")),
    }
}

fn an_origin<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    origin(deserializer).map(Option::unwrap_or_default)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Json,
    Text,
}

/// `ichae.toml`. An unknown key or a bad value is an error that names the line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub environment: Environment,
    pub data: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_password_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_ca: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<CellConfig>,
    #[serde(default)]
    pub server: Server,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    #[serde(default)]
    pub test: Test,
    pub bank: Bank,
    #[serde(default)]
    pub billing: Billing,
    #[serde(default)]
    pub operators: OperatorRules,
    #[serde(default)]
    pub webhooks: Webhooks,
    #[serde(default)]
    pub log: Log,
}

/// One of the clusters that an installation is spread over.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellConfig {
    pub no: u8,
    pub store: String,
    /// Where its nodes are called.
    #[serde(deserialize_with = "an_origin")]
    pub url: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    pub listen: SocketAddr,
    pub trusted_proxies: Vec<IpNet>,
    #[serde(deserialize_with = "positive")]
    pub connections: u32,
    #[serde(deserialize_with = "positive")]
    pub header_timeout_s: u32,
    #[serde(deserialize_with = "positive")]
    pub body_timeout_s: u32,
    #[serde(deserialize_with = "positive")]
    pub idle_timeout_s: u32,
    pub requests_per_second: u32,
    pub docs: bool,
}

impl Default for Server {
    fn default() -> Server {
        Server {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            trusted_proxies: Vec::new(),
            connections: 16_384,
            header_timeout_s: 10,
            body_timeout_s: 10,
            idle_timeout_s: 60,
            requests_per_second: 0,
            docs: true,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub certificate: PathBuf,
    pub private_key: PathBuf,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Test {
    pub any_amount: bool,
    pub resolve_same_day: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperatorRules {
    pub second_above: u64,
    pub margin: u64,
}

impl Default for OperatorRules {
    fn default() -> OperatorRules {
        OperatorRules { second_above: 1_000_000, margin: 0 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bank {
    pub rail: RailKind,
    #[serde(default = "bank_timeout", deserialize_with = "positive")]
    pub timeout_s: u32,
    #[serde(default = "bank_in_flight", deserialize_with = "positive")]
    pub in_flight: u32,
    #[serde(default = "inquiry_ceiling", deserialize_with = "positive")]
    pub inquiry_ceiling_s: u32,
    #[serde(default = "always", deserialize_with = "hours")]
    pub hours: String,
    #[serde(default, deserialize_with = "closed")]
    pub closed: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openbanking: Option<OpenBankingConfig>,
}

impl Bank {
    /// The simulated bank, as the sandbox and its tools take it.
    pub fn simulated() -> Bank {
        Bank {
            rail: RailKind::Simulated,
            timeout_s: bank_timeout(),
            in_flight: bank_in_flight(),
            inquiry_ceiling_s: 5,
            hours: always(),
            closed: BTreeMap::new(),
            openbanking: None,
        }
    }

    /// The hours as decisions read them. It lives as long as the process.
    fn calendar(&self) -> &'static Calendar {
        let span = |text: &String| Span::parse(text);
        let closed = self.closed.iter();
        let closed =
            closed.map(|(bank, spans)| (bank.clone(), spans.iter().filter_map(span).collect()));
        let hours = span(&self.hours).unwrap_or(Span::ALL_DAY);
        Box::leak(Box::new(Calendar { hours, closed: closed.collect() }))
    }
}

fn inquiry_ceiling() -> u32 {
    600
}

fn always() -> String {
    Span::ALL_DAY.to_string()
}

fn hours<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    span::<D::Error>(&text)?;
    Ok(text)
}

fn closed<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    let closed = BTreeMap::<String, Vec<String>>::deserialize(deserializer)?;
    for (bank, spans) in &closed {
        if banks::name(bank).is_none() {
            return Err(D::Error::custom(format!(
                "{bank} is not the code of a bank that can receive"
            )));
        }
        spans.iter().try_for_each(|text| span::<D::Error>(text))?;
    }
    Ok(closed)
}

fn span<E: Error>(text: &str) -> Result<(), E> {
    let wrong = || E::custom(format!("{text:?} is not hours such as 00:05-23:55"));
    Span::parse(text).map(|_| ()).ok_or_else(wrong)
}

fn bank_timeout() -> u32 {
    10
}

fn bank_in_flight() -> u32 {
    256
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    pub allow_private: bool,
    #[serde(deserialize_with = "positive")]
    pub retry_unit_ms: u32,
    #[serde(deserialize_with = "positive")]
    pub timeout_s: u32,
}

impl Default for Webhooks {
    fn default() -> Webhooks {
        Webhooks { allow_private: false, retry_unit_ms: 1_000, timeout_s: 10 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

impl Default for Log {
    fn default() -> Log {
        Log { format: LogFormat::Json, filter: "info".to_owned() }
    }
}

fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    if number == 0 {
        return Err(D::Error::custom("must be at least 1"));
    }
    Ok(number)
}

/// A call of which nothing was written down is asked about after ten minutes: it must be over by then.
fn of_a_call<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match positive(deserializer)? {
        number @ 1..=300 => Ok(number),
        _ => Err(D::Error::custom("must be at most 300")),
    }
}

/// Where KFTC moves real money (openbanking 1).
const PRODUCTION_HOST: &str = "openapi.openbanking.or.kr";

/// One key of the file, for docs and for `ichae config`.
pub struct Key {
    /// With its table, as `server.listen`.
    pub name: &'static str,
    /// As TOML; empty where the key must be given or is absent by default.
    pub default: &'static str,
    pub text: &'static str,
}

macro_rules! keys {
    ($($name:literal $default:literal $text:literal;)*) => {
        /// Every key of the file, in its order. A test holds it against the struct.
        pub const KEYS: &[Key] = &[$(Key { name: $name, default: $default, text: $text },)*];
    };
}

keys! {
    "environment" "" "`test` or `live`. A store made for one is refused by the other. Required.";
    "data" "" "Folder of the store. It is made if it is missing. Required.";
    "keys" "" "Folder of the three keys. Default: `keys` in the data folder; keep it elsewhere in production.";
    "store" "" "A PostgreSQL instead of the file in the data folder, for several nodes: `postgres://ichae@host1,host2/ichae`. The primary is looked for among the hosts.";
    "store_password_file" "" "File with the password for it; one in the address is refused.";
    "store_ca" "" "PEM file of the certificates that its server's one hangs on. With it every connection is TLS; LIVE needs it where the store is on another machine.";
    "node" "" "What this node is called among those that work on one store. Default: its machine and data folder.";
    "cells" "" "Every cluster that the installation is spread over, the one in `store` among them; one alone needs none. Each has its number from 0 to 63, its store, and where its nodes are called; password and certificates are the same for all. See the guide on cells.";
    "server.listen" "\"127.0.0.1:8080\"" "Address and port of the API, the docs page and the metrics.";
    "server.trusted_proxies" "[]" "Networks of proxies whose `X-Forwarded-For` is believed.";
    "server.connections" "16384" "Open connections at most; further ones wait to be accepted.";
    "server.header_timeout_s" "10" "Seconds in which a request's head must have arrived.";
    "server.body_timeout_s" "10" "Seconds in which a request's body must have arrived.";
    "server.idle_timeout_s" "60" "Seconds after which a connection without a request is closed.";
    "server.requests_per_second" "0" "Calls a second that one partner may make; 0 is no limit. More get T0429.";
    "server.docs" "true" "Whether `/docs` and `/openapi.json` are served. Calls can be tried there in TEST only.";
    "tls.certificate" "" "PEM file of the certificate chain. Without the table `tls` the API is plain HTTP.";
    "tls.private_key" "" "PEM file of its private key.";
    "test.any_amount" "false" "In TEST, takes any amount instead of 1000 won only.";
    "test.resolve_same_day" "false" "In TEST, lets operators resolve an unknown payout as failed before its business day has closed.";
    "bank.rail" "" "`simulated`: the simulated bank, which moves no money; `openbanking`: KFTC's open banking. Required.";
    "bank.timeout_s" "10" "Seconds after which a bank call without an answer is unknown.";
    "bank.in_flight" "256" "Bank calls under way at most.";
    "bank.inquiry_ceiling_s" "600" "Longest wait from one inquiry about an unknown outcome to the next; it is asked for ever.";
    "bank.hours" "\"00:00-00:00\"" "When the bank takes calls, in Seoul; what is executed outside waits. Equal ends are round the clock; open banking has 00:05-23:55.";
    "bank.closed" "{}" "Hours in which single banks take no deposits, as `closed = { \"004\" = [\"23:30-00:30\"] }`.";
    "bank.openbanking.base_url" "" "Host of the API with its scheme. The table is needed for the rail `openbanking`; KFTC's test bed is https://testapi.openbanking.or.kr.";
    "bank.openbanking.institution" "" "The ten characters of the client_use_code (이용기관코드).";
    "bank.openbanking.client_id" "" "From KFTC's portal.";
    "bank.openbanking.client_secret_file" "" "File with the client secret, read at the start; mode 0600.";
    "bank.openbanking.scope" "\"oob\"" "`oob`, or `sa` for institutions with 자체인증.";
    "bank.openbanking.contract_account_file" "" "File with the 약정계좌 that deposits are paid from, digits only.";
    "bank.openbanking.contract_account_type" "\"N\"" "`N` for an account, `C` for a 계정.";
    "bank.openbanking.pass_phrase_file" "" "File with the wd_pass_phrase; `NONE` at the test bed.";
    "bank.openbanking.print_content" "" "What our own statement shows, at most 20 bytes with a Hangul syllable taking two.";
    "bank.openbanking.client_name" "" "Who orders the transfers, in the same form.";
    "bank.openbanking.client_bank" "" "The orderer's bank, three digits.";
    "bank.openbanking.client_account_file" "" "File with the orderer's account, digits only.";
    "bank.openbanking.client_number" "" "A number of yours for the orderer, 1 to 20 of A-Z and 0-9; nobody's name.";
    "bank.openbanking.transfer_purpose" "\"TR\"" "TR, ST, RC, AU, WD or EX.";
    "bank.openbanking.name_check" "true" "Whether the centre compares the receiver's name.";
    "bank.openbanking.receive_check" "false" "Whether each deposit begins with a check of its receiver.";
    "bank.openbanking.connect_timeout_s" "10" "Seconds to connect; nothing was sent before that, so it is tried again.";
    "bank.openbanking.calls_per_second" "50" "Calls of all kinds a second, as agreed with KFTC.";
    "bank.openbanking.trust_dates" "true" "Off only at the test bed, whose dates are canned.";
    "billing.acquirer" "\"none\"" "`simulated`: the simulated acquirer, for TEST only; `none`: nothing is charged, keys are looked up and deregistered.";
    "billing.timeout_s" "20" "Seconds after which a call to the acquirer without an answer is unknown; at most 300.";
    "billing.public_url" "" "Scheme and host that partners reach cpay by, for `return_url`. Without it the call's Host is taken.";
    "operators.second_above" "1000000" "Won above which what an operator decides about money needs a second one.";
    "operators.margin" "0" "`ichae funds` warns where the settlement account holds less than this above what partners have.";
    "webhooks.allow_private" "false" "In TEST, lets webhooks go to private networks too.";
    "webhooks.retry_unit_ms" "1000" "Length of a second of the retry schedule; smaller only to try a receiver.";
    "webhooks.timeout_s" "10" "Seconds after which a receiver that has not answered counts as failed.";
    "log.format" "\"json\"" "`json` or `text`.";
    "log.filter" "\"info\"" "What is logged, as `info` or `info,ichae_server=debug`.";
}

impl Config {
    /// Reads a file's text. The error names line and column.
    pub fn parse(text: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
        if config.environment == Environment::Live && config.test.any_amount {
            return Err("test.any_amount is for TEST: take it out or set it to false".to_owned());
        }
        let simulated = config.billing.acquirer == AcquirerKind::Simulated;
        if config.environment == Environment::Live && simulated {
            return Err("billing.acquirer: the simulated one is for TEST: take it out".to_owned());
        }
        let own = |cell: &CellConfig| Some(&cell.store) == config.store.as_ref();
        let twice = |at: usize| config.cells[..at].iter().any(|c| c.no == config.cells[at].no);
        if !config.cells.is_empty() && config.cells.iter().filter(|cell| own(cell)).count() != 1 {
            return Err(
                "cells: exactly one of them must have the same `store` as this file".to_owned()
            );
        }
        let clear = |cell: &CellConfig| {
            let near = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
            cell.url.starts_with("http://") && !near.iter().any(|near| cell.url.starts_with(near))
        };
        if config.environment == Environment::Live && config.cells.iter().any(clear) {
            return Err("cells: in LIVE calls are sent on over https:// only".to_owned());
        }
        if (0..config.cells.len()).any(twice) {
            return Err("cells: two of them have the same number".to_owned());
        }
        let open_banking = config.bank.rail == RailKind::OpenBanking;
        if open_banking && config.bank.openbanking.is_none() {
            return Err("bank.rail is openbanking: give the table [bank.openbanking]".to_owned());
        }
        let money = config.bank.openbanking.as_ref();
        if config.environment == Environment::Test
            && money.is_some_and(|table| table.base_url.contains(PRODUCTION_HOST))
        {
            return Err("environment is test and bank.openbanking.base_url is KFTC's production: \
                        use its test bed, or environment = \"live\""
                .to_owned());
        }
        if config.environment == Environment::Live && config.test.resolve_same_day {
            return Err("test.resolve_same_day is for TEST: take it out".to_owned());
        }
        if config.environment == Environment::Live && config.webhooks.allow_private {
            return Err("webhooks.allow_private is for TEST: take it out".to_owned());
        }
        Ok(config)
    }

    pub fn rules(&self) -> Rules {
        let test = self.environment == Environment::Test;
        Rules {
            fixed_amount: (test && !self.test.any_amount).then_some(Won(1_000)),
            webhook_per_call: test,
            retry_unit_ms: i64::from(self.webhooks.retry_unit_ms),
            calendar: self.bank.calendar(),
            inquiry_ceiling_ms: i64::from(self.bank.inquiry_ceiling_s) * 1_000,
            second_above: Some(won(self.operators.second_above)),
            resolve_same_day: test && self.test.resolve_same_day,
        }
    }

    pub fn operators(&self) -> Operators {
        Operators { margin: Some(won(self.operators.margin)) }
    }

    pub fn bank_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.bank.timeout_s))
    }
}

fn won(won: u64) -> Won {
    Won(i64::try_from(won).unwrap_or(i64::MAX))
}

/// An `ichae.toml` with every key, its meaning and its default.
pub fn sample() -> String {
    let mut text = String::from("# ichae.toml: every key, with its default.\n");
    let mut table = "";
    for key in KEYS {
        let (group, name) = key.name.rsplit_once('.').unwrap_or(("", key.name));
        if group != table {
            let optional = ["tls", "bank.openbanking"].contains(&group);
            let mark = if optional { "# " } else { "" };
            text.push_str(&format!("\n{mark}[{group}]\n"));
            table = group;
        }
        text.push_str(&format!("# {}\n", key.text));
        let line = match key.name {
            "environment" => "environment = \"test\"".to_owned(),
            "data" => "data = \"/var/lib/ichae\"".to_owned(),
            "keys" => "# keys = \"/etc/ichae/keys\"".to_owned(),
            "store" => "# store = \"postgres://ichae@db1,db2,db3/ichae\"".to_owned(),
            "store_password_file" => {
                "# store_password_file = \"/etc/ichae/store.password\"".to_owned()
            }
            "store_ca" => "# store_ca = \"/etc/ichae/store-ca.pem\"".to_owned(),
            "node" => "# node = \"a\"".to_owned(),
            "cells" => "# cells = [{ no = 0, store = \"postgres://ichae@db1/ichae\", \
                        url = \"http://hub1:8080\" }]"
                .to_owned(),
            "tls.certificate" => "# certificate = \"/etc/ichae/certificate.pem\"".to_owned(),
            "tls.private_key" => "# private_key = \"/etc/ichae/private-key.pem\"".to_owned(),
            name if name.starts_with("bank.openbanking.") => {
                let default = if key.default.is_empty() { "\"\"" } else { key.default };
                format!("# {} = {default}", &name["bank.openbanking.".len()..])
            }
            "billing.public_url" => "# public_url = \"https://pay.example.com\"".to_owned(),
            "bank.rail" => "rail = \"simulated\"".to_owned(),
            _ => format!("{name} = {}", key.default),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "environment = \"test\"\ndata = \"d\"\n[bank]\nrail = \"simulated\"\n";

    fn leaves(value: &toml::Value, path: &str, out: &mut Vec<(String, String)>) {
        match value {
            toml::Value::Table(table) if !table.is_empty() => {
                for (name, value) in table {
                    let path =
                        if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    leaves(value, &path, out);
                }
            }
            other => out.push((path.to_owned(), other.to_string())),
        }
    }

    #[test]
    fn the_table_has_exactly_the_structs_keys_and_defaults() {
        let full = "environment = \"test\"\ndata = \"d\"\nkeys = \"k\"\n\
                    store = \"s\"\nstore_password_file = \"p\"\nstore_ca = \"c\"\nnode = \"n\"\n\
                    cells = [{ no = 0, store = \"s\", url = \"http://c\" }]\n\
                    [bank]\nrail = \"simulated\"\n\
                    [tls]\ncertificate = \"c\"\nprivate_key = \"p\"\n[bank.openbanking]\n\
                    base_url = \"b\"\ninstitution = \"i\"\nclient_id = \"c\"\n\
                    client_secret_file = \"s\"\ncontract_account_file = \"a\"\n\
                    pass_phrase_file = \"p\"\nprint_content = \"p\"\nclient_name = \"n\"\n\
                    client_bank = \"020\"\nclient_account_file = \"a\"\nclient_number = \"1\"\n\
                    [billing]\npublic_url = \"https://pay.example.com\"\n";
        let config = Config::parse(full).unwrap();
        let mut found = Vec::new();
        leaves(&toml::Value::try_from(&config).unwrap(), "", &mut found);
        let mut names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        let mut listed: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        names.sort_unstable();
        listed.sort_unstable();
        assert_eq!(names, listed);
        for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
            let (_, value) = found.iter().find(|(name, _)| name == key.name).unwrap();
            assert_eq!(value, key.default, "{}", key.name);
        }
    }

    #[test]
    fn the_sample_is_a_good_file() {
        let config = Config::parse(&sample()).unwrap();
        assert_eq!(config.environment, Environment::Test);
        assert_eq!(config.rules().fixed_amount, Some(Won(1_000)));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let table = [
            ("[server]\nlistne = \"127.0.0.1:1\"\n", "listne", "line 6"),
            ("[billing]\npublic_url = \"pay.example.com\"\n", "scheme and host", "line 6"),
            ("[server]\nlisten = \"nowhere\"\n", "socket address", "line 6"),
            ("[server]\nconnections = 0\n", "at least 1", "line 6"),
            ("[server]\nconnections = \"many\"\n", "invalid type", "line 6"),
            ("[webhook]\n", "webhook", "line 5"),
        ];
        for (more, what, line) in table {
            let error = Config::parse(&format!("{LEAST}{more}")).unwrap_err();
            assert!(error.contains(what) && error.contains(line), "{error}");
        }
        let error = Config::parse("environment = \"prod\"").unwrap_err();
        assert!(error.contains("line 1"), "{error}");
        assert!(Config::parse(&LEAST.replace("\"test\"", "\"live\"")).is_ok());
        let live = LEAST.replace("\"test\"", "\"live\"") + "[test]\nany_amount = true\n";
        assert!(Config::parse(&live).unwrap_err().contains("any_amount"));
    }
}
