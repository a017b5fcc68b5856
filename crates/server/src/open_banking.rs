//! The open banking rail's part of the configuration. Secrets and accounts come from files, never
//! from the configuration's own text.

use crate::secrets::read;
use ichae_rail::openbanking::settings::{ContractKind, Settings};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenBankingConfig {
    pub base_url: String,
    pub institution: String,
    pub client_id: String,
    pub client_secret_file: PathBuf,
    #[serde(default = "oob")]
    pub scope: String,
    pub contract_account_file: PathBuf,
    #[serde(default = "account")]
    pub contract_account_type: String,
    pub pass_phrase_file: PathBuf,
    pub print_content: String,
    pub client_name: String,
    pub client_bank: String,
    pub client_account_file: PathBuf,
    pub client_number: String,
    #[serde(default = "transfer")]
    pub transfer_purpose: String,
    #[serde(default = "yes")]
    pub name_check: bool,
    #[serde(default)]
    pub receive_check: bool,
    #[serde(default = "ten")]
    pub connect_timeout_s: u32,
    #[serde(default = "fifty")]
    pub calls_per_second: u32,
    #[serde(default = "yes")]
    pub trust_dates: bool,
}

fn oob() -> String {
    "oob".to_owned()
}

fn account() -> String {
    ContractKind::Account.letter().to_owned()
}

fn transfer() -> String {
    "TR".to_owned()
}

fn yes() -> bool {
    true
}

fn ten() -> u32 {
    10
}

fn fifty() -> u32 {
    50
}

impl OpenBankingConfig {
    /// Reads the files, and gives what the rail takes. The error says which key is wrong, and holds
    /// nothing of any file.
    pub fn settings(&self, timeout: Duration, in_flight: usize) -> Result<Settings, String> {
        let contract_kind = ContractKind::from_letter(&self.contract_account_type)
            .ok_or("bank.openbanking.contract_account_type is neither N nor C")?;
        Ok(Settings {
            base_url: self.base_url.clone(),
            client_id: self.client_id.clone(),
            client_secret: read("bank.openbanking.client_secret_file", &self.client_secret_file)?,
            scope: self.scope.clone(),
            institution: self.institution.clone(),
            contract_account: read(
                "bank.openbanking.contract_account_file",
                &self.contract_account_file,
            )?,
            contract_kind,
            pass_phrase: read("bank.openbanking.pass_phrase_file", &self.pass_phrase_file)?,
            print: self.print_content.clone(),
            client_name: self.client_name.clone(),
            client_bank: self.client_bank.clone(),
            client_account: read(
                "bank.openbanking.client_account_file",
                &self.client_account_file,
            )?,
            client_number: self.client_number.clone(),
            transfer_purpose: self.transfer_purpose.clone(),
            name_check: self.name_check,
            receive_check: self.receive_check,
            timeout,
            connect_timeout: Duration::from_secs(u64::from(self.connect_timeout_s)),
            calls_per_second: self.calls_per_second,
            in_flight,
            trust_dates: self.trust_dates,
        })
    }
}
