//! A folder with a store and its keys, and the orders that both harnesses give.

use ichae_domain::bank::{Answer as BankAnswer, BankCode, Why};
use ichae_domain::command::{
    Action, Asked, Bulk, Command, Execute, Funding, NewKey, NewPartner, Request, Target, Told,
};
use ichae_domain::ident::{GroupNo, KeyNo, PartnerNo};
use ichae_domain::key::{Account, InfoKind};
use ichae_domain::money::Won;
use ichae_domain::partner::Verifier;
use ichae_domain::time::Time;
use ichae_domain::view::{Deposit, Rules};
use ichae_store::keys::KeyFolder;
use ichae_store::port::{Clock, StoreError, Work};
use ichae_store::seal::Sealer;
use ichae_store::sqlite::{self, Opened};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

const RULES: Rules = Rules::OPEN;
/// 2026-11-22 12:00 in Seoul.
const START: i64 = 1_795_316_400_000;
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The time of a process's orders: it begins where it always does, and goes on.
pub fn now() -> Time {
    Time(START).plus_ms(i64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(i64::MAX))
}

/// Where a store is. The keys lie elsewhere: they are the operator's to keep safe.
#[derive(Clone)]
pub struct Site {
    pub folder: PathBuf,
    pub sealer: Arc<Sealer>,
}

impl Site {
    /// Makes the folder, and the keys where there are none yet.
    pub fn make(folder: &Path, keys: &Path) -> Result<Site, StoreError> {
        std::fs::create_dir_all(folder).map_err(|source| StoreError::Io {
            what: format!("{} cannot be made", folder.display()),
            source,
        })?;
        let keys = KeyFolder::at(keys);
        let keys = if keys.path().exists() { keys.load()? } else { keys.create()? };
        Ok(Site { folder: folder.to_owned(), sealer: Arc::new(Sealer::new(keys)?) })
    }

    /// The same keys over another folder.
    pub fn at(&self, folder: &Path) -> Site {
        Site { folder: folder.to_owned(), sealer: Arc::clone(&self.sealer) }
    }

    pub fn file(&self) -> PathBuf {
        self.folder.join("hub.db")
    }

    /// Opens the store as the server does.
    pub fn open(&self) -> Result<Opened, StoreError> {
        let clock: Clock = Arc::new(now);
        let settings = sqlite::Settings {
            file: self.file(),
            environment: "test",
            rules: RULES,
            clock,
            witness: Some(self.folder.join("witness")),
            // So few that cuts and faults meet runs and merges too.
            keys_in_memory: 200,
        };
        sqlite::open(settings, &self.sealer)
    }
}

pub fn partner(cst_id: &str) -> Command {
    Command::AddPartner(Box::new(NewPartner {
        cst_id: cst_id.to_owned(),
        name: "정산 주식회사".to_owned(),
        verifier: Verifier([7; 32]),
        webhook_secret: "whsec_c2VjcmV0".into(),
        webhook_url: None,
        sources: Vec::new(),
        transfer_cap: None,
    }))
}

pub fn fund(partner: PartnerNo, amount: Won, reference: &str) -> Command {
    Command::Fund { partner, entry: Funding::In, amount, reference: reference.to_owned() }
}

pub fn key(sealer: &Sealer, partner: PartnerNo, account: u64) -> Command {
    let account = Account {
        number: format!("{account:014}").into(),
        holder: "홍길동".into(),
        info_kind: InfoKind::BirthDate,
        info: "880212".into(),
    };
    let fingerprints = sealer.fingerprints(partner, None, "020", &account);
    let bank = "020".to_owned();
    Command::RegisterKey(Box::new(NewKey { partner, sub_id: None, bank, account, fingerprints }))
}

pub fn request(partner: PartnerNo, key: KeyNo, amount: Won, distinct_key: &str) -> Request {
    let distinct_key = distinct_key.to_owned();
    Request { partner, key: Some(key), amount, sub_id: None, distinct_key, print: None }
}

pub fn bulk(partner: PartnerNo, rows: Vec<Request>) -> Command {
    Command::Bulk(Box::new(Bulk { partner, group: None, rows: rows.into() }))
}

pub fn execute(partner: PartnerNo, group: GroupNo, target: Target, action: Action) -> Command {
    let webhook_url = Some("http://127.0.0.1:9/hook".to_owned());
    Command::Execute(Box::new(Execute { partner, group, target, action, webhook_url }))
}

pub fn claim(partner: PartnerNo, work: Work) -> Command {
    Command::Claim { payout: work.payout, partner, group: work.group, key: work.key }
}

/// What the bank says of a deposit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    Settled,
    Refused,
    Unknown,
}

pub fn outcome(deposit: &Deposit, said: Said) -> Command {
    let day = now().day();
    let answer = match said {
        Said::Settled => BankAnswer::Settled { day, bank_code_sub: 0 },
        // 417 refuses this payout and leaves its key alive.
        Said::Refused => BankAnswer::Refused { code: BankCode(417), day },
        Said::Unknown => BankAnswer::Unknown(Why::Lost),
    };
    Command::Outcome(Box::new(Told {
        payout: deposit.payout,
        partner: deposit.partner,
        key: deposit.key,
        bank_no: deposit.bank_no,
        sends: deposit.sends,
        asked: Asked::Deposit,
        answer,
    }))
}
