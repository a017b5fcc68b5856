//! A data folder made ready without a server: partners with money and keys, and as many stored
//! payouts as a measurement wants. The store's own batches are measured on the way.

use crate::BenchError;
use ichae_domain::command::{Actor, Command, Funding, NewKey, NewPartner, Order, Request};
use ichae_domain::ident::{KeyNo, PartnerNo};
use ichae_domain::key::{Account, InfoKind};
use ichae_domain::money::Won;
use ichae_domain::time::Time;
use ichae_domain::view::{Reply, Rules};
use ichae_store::folder::DataFolder;
use ichae_store::keys::KeyFolder;
use ichae_store::port::{Backend, Clock};
use ichae_store::seal::Sealer;
use ichae_store::sqlite;
use ichae_wire::ident::{IdCodec, Kind};
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What each partner can spend: more than any measurement asks for.
const FUNDS: Won = Won(900_000_000_000_000);
pub const AMOUNT: &str = "1000";

/// A partner as a client knows it.
#[derive(Clone, Debug)]
pub struct Client {
    pub cst_id: String,
    pub cust_key: String,
    /// A `billing_tran_id`.
    pub key: String,
    no: PartnerNo,
    key_no: KeyNo,
}

/// A folder with a store and a configuration.
pub struct Site {
    pub folder: PathBuf,
    pub config: PathBuf,
    pub clients: Vec<Client>,
    made: u64,
}

fn wall_clock() -> Clock {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let base = i64::try_from(wall).unwrap_or(i64::MAX);
    let began = Instant::now();
    Arc::new(move || {
        Time(base).plus_ms(i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX))
    })
}

const RULES: Rules = Rules { fixed_amount: None, webhook_per_call: true, retry_unit_ms: 1_000 };

impl Site {
    /// Makes a store with so many partners, each with a key and more money than it needs.
    pub fn make(folder: &Path, partners: usize) -> Result<Site, BenchError> {
        let data = DataFolder::at(&folder.join("data"));
        data.create()?;
        KeyFolder::at(&data.keys()).create()?;
        let config = folder.join("ichae.toml");
        let text = format!(
            "environment = \"test\"\ndata = {:?}\n[server]\nlisten = \"127.0.0.1:0\"\n\
             [test]\nany_amount = true\n[bank]\nrail = \"simulated\"\n[log]\nfilter = \"warn\"\n",
            data.path()
        );
        std::fs::write(&config, text)?;
        let mut site = Site { folder: folder.to_owned(), config, clients: Vec::new(), made: 0 };
        site.with_store(|site, store, sealer| {
            for at in 0..partners {
                let client = make_client(store, sealer, at)?;
                site.clients.push(client);
            }
            Ok(())
        })?;
        Ok(site)
    }

    pub fn data(&self) -> DataFolder {
        DataFolder::at(&self.folder.join("data"))
    }

    /// Opens the store, works on it, and closes it.
    fn with_store<T>(
        &mut self,
        work: impl FnOnce(&mut Site, &mut dyn Backend, &Sealer) -> Result<T, BenchError>,
    ) -> Result<T, BenchError> {
        let data = self.data();
        let keys = KeyFolder::at(&data.keys());
        let sealer = Arc::new(Sealer::new(keys.load()?)?);
        let settings = sqlite::Settings {
            file: data.store(),
            environment: "test",
            rules: RULES,
            clock: wall_clock(),
            witness: Some(keys.path().join("witness")),
        };
        let mut opened = sqlite::open(settings, &sealer)?;
        work(self, &mut opened.backend, &sealer)
    }

    /// Stores payouts in batches of so many; gives the rate. `progress` is told how many are there.
    pub fn fill(
        &mut self,
        payouts: u64,
        batch: usize,
        mut progress: impl FnMut(u64),
    ) -> Result<f64, BenchError> {
        self.with_store(|site, store, _| {
            let began = Instant::now();
            let mut stored = 0;
            while stored < payouts {
                let rows = batch.min(usize::try_from(payouts - stored).unwrap_or(batch));
                let orders: Vec<Order> = (0..rows).map(|_| site.order()).collect();
                let answers = store.commit(&orders);
                if let Some(Err(refusal)) = answers.iter().find(|answer| answer.is_err()) {
                    return Err(BenchError::Refused(refusal.code.name().to_owned()));
                }
                stored += rows as u64;
                progress(stored);
            }
            Ok(payouts as f64 / began.elapsed().as_secs_f64())
        })
    }

    fn order(&mut self) -> Order {
        let client = &self.clients[(self.made % self.clients.len() as u64) as usize];
        self.made += 1;
        let request = Request {
            partner: client.no,
            key: Some(client.key_no),
            amount: Won(1_000),
            sub_id: None,
            distinct_key: format!("fill{:016x}", scatter(self.made)),
            print: None,
        };
        Order { actor: Actor::Partner, command: Command::Request(Box::new(request)) }
    }
}

/// A number that looks random and never repeats (the finaliser of SplitMix64, a bijection).
pub fn scatter(number: u64) -> u64 {
    let mut x = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn give(store: &mut dyn Backend, command: Command) -> Result<Reply, BenchError> {
    let order = Order { actor: Actor::Operator("bench".to_owned()), command };
    match store.commit(&[order]).pop() {
        Some(Ok(reply)) => Ok(reply),
        Some(Err(refusal)) => Err(BenchError::Refused(refusal.code.name().to_owned())),
        None => Err(BenchError::Closed),
    }
}

fn make_client(
    store: &mut dyn Backend,
    sealer: &Sealer,
    at: usize,
) -> Result<Client, BenchError> {
    let cst_id = if at == 0 { "hot".to_owned() } else { format!("p{at}") };
    let cust_key = format!("bench{:016x}", scatter(at as u64));
    let new = NewPartner {
        cst_id: cst_id.clone(),
        name: "벤치".to_owned(),
        verifier: sealer.verifier(&SecretString::from(cust_key.clone())),
        webhook_secret: "whsec_YmVuY2ggYmVuY2ggYmVuY2ggYmVuY2g=".into(),
        webhook_url: None,
        sources: Vec::new(),
        transfer_cap: None,
    };
    let Reply::Partner(no) = give(store, Command::AddPartner(Box::new(new)))? else {
        return Err(BenchError::Closed);
    };
    let reference = "bench".to_owned();
    give(store, Command::Fund { partner: no, entry: Funding::In, amount: FUNDS, reference })?;
    let account = Account {
        number: format!("{:014}", at + 1).into(),
        holder: "홍길동".into(),
        info_kind: InfoKind::BirthDate,
        info: "880212".into(),
    };
    let fingerprints = sealer.fingerprints(no, None, "020", &account);
    let bank = "020".to_owned();
    let key = NewKey { partner: no, sub_id: None, bank, account, fingerprints };
    let Reply::Key(key_no, _) = give(store, Command::RegisterKey(Box::new(key)))? else {
        return Err(BenchError::Closed);
    };
    let codec = IdCodec::new(sealer.keys().identifier.bytes(), false)
        .map_err(|_| BenchError::Unreadable)?;
    let key = codec.encode(Kind::BillingKey, no, 0, key_no.0);
    Ok(Client { cst_id, cust_key, key, no, key_no })
}
