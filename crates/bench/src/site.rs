//! A data folder made ready without a server: partners with money and keys, and as many stored
//! payouts as a measurement wants. The store's own batches are measured on the way.

use crate::BenchError;
use ichae_domain::billing::{Instrument, Method, Owner};
use ichae_domain::command::{
    Actor, Bulk, Command, Funding, NewKey, NewPartner, NewPayer, Order, Request,
};
use ichae_domain::ident::{KeyNo, PartnerNo};
use ichae_domain::key::{Account, InfoKind};
use ichae_domain::money::Won;
use ichae_domain::refusal::Refusal;
use ichae_domain::time::Time;
use ichae_domain::view::{Reply, Rules};
use ichae_store::folder::DataFolder;
use ichae_store::keys::KeyFolder;
use ichae_store::port::{Backend, Clock};
use ichae_store::postgres::{self, scratch::ScratchDatabase};
use ichae_store::seal::Sealer;
use ichae_store::sqlite;
use ichae_wire::ident::{IdCodec, Kind};
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What each partner can spend: more than any measurement asks for.
const FUNDS: Won = Won(900_000_000_000_000);
pub const AMOUNT: &str = "1000";
/// Payouts in one of the store's own batches.
pub const SLICE: usize = ichae_store::port::WEIGHT_MAX;

/// Payers in one of the store's own batches.
pub const PAYERS_TOGETHER: u64 = 256;

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
    /// Where the rows are, if not in the folder.
    database: Option<ScratchDatabase>,
    made: u64,
    /// The first payer's serial, and what makes ids of serials.
    payers: Option<(i64, IdCodec)>,
}

fn wall_clock() -> Clock {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let base = i64::try_from(wall).unwrap_or(i64::MAX);
    let began = Instant::now();
    Arc::new(move || {
        Time(base).plus_ms(i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX))
    })
}

const RULES: Rules = Rules::OPEN;

impl Site {
    /// Makes a store with so many partners, each with a key and more money than it needs.
    /// In the folder, or in a database of the server that `store` names.
    pub fn make(folder: &Path, partners: usize, store: Option<&str>) -> Result<Site, BenchError> {
        let database =
            store.map(|store| ScratchDatabase::make(store, &database_name())).transpose()?;
        let place = database.as_ref().map(|database| format!("store = {:?}\n", database.address()));
        let data = DataFolder::at(&folder.join("data"));
        data.create()?;
        KeyFolder::at(&data.keys()).create()?;
        let config = folder.join("ichae.toml");
        let text = format!(
            "environment = \"test\"\ndata = {:?}\n{}[server]\nlisten = \"127.0.0.1:0\"\n\
             [test]\nany_amount = true\n[bank]\nrail = \"simulated\"\n[log]\nfilter = \"warn\"\n",
            data.path(),
            place.unwrap_or_default()
        );
        std::fs::write(&config, text)?;
        let (folder, clients) = (folder.to_owned(), Vec::new());
        let mut site = Site { folder, config, clients, database, made: 0, payers: None };
        site.with_store(|site, store, sealer| {
            for at in 0..partners {
                let client = make_client(store, sealer, at)?;
                site.clients.push(client);
            }
            Ok(())
        })?;
        Ok(site)
    }

    /// The configuration of another node on the same store.
    pub fn another_node(&self, name: &str) -> Result<PathBuf, BenchError> {
        let text = std::fs::read_to_string(&self.config)?;
        let (old, keys) = (format!("data = {:?}", self.data().path()), self.data().keys());
        let data = self.folder.join(name);
        let new = format!("data = {data:?}\nkeys = {keys:?}\nnode = {name:?}");
        let config = self.folder.join(format!("{name}.toml"));
        std::fs::write(&config, text.replace(&old, &new))?;
        Ok(config)
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
        if let Some(database) = &self.database {
            let settings = postgres::Settings {
                link: database.link()?,
                environment: "test",
                rules: RULES,
                clock: wall_clock(),
                witness: None,
                node: "bench".to_owned(),
                one_by_one: false,
                peers: vec![],
            };
            let mut opened = postgres::open(settings, &sealer)?;
            return work(self, &mut opened.backend, &sealer);
        }
        let settings = sqlite::Settings {
            file: data.store(),
            environment: "test",
            rules: RULES,
            clock: wall_clock(),
            witness: Some(keys.path().join("witness")),
            keys_in_memory: sqlite::KEYS_IN_MEMORY,
        };
        let mut opened = sqlite::open(settings, &sealer)?;
        work(self, &mut opened.backend, &sealer)
    }

    /// Stores payouts in the store's own batches; gives the rate. `progress` is told how many are
    /// there.
    pub fn fill(&mut self, payouts: u64, progress: impl FnMut(u64)) -> Result<f64, BenchError> {
        self.fill_in(payouts, SLICE, progress)
    }

    /// As [`Site::fill`], in batches of another size.
    pub fn fill_in(
        &mut self,
        payouts: u64,
        slice: usize,
        mut progress: impl FnMut(u64),
    ) -> Result<f64, BenchError> {
        self.with_store(|site, store, _| {
            let began = Instant::now();
            let (mut stored, mut group) = (0, None);
            while stored < payouts {
                let rows = slice.min(usize::try_from(payouts - stored).unwrap_or(slice));
                let rows: Vec<Request> = (0..rows).map(|_| site.request()).collect();
                stored += rows.len() as u64;
                let bulk = Bulk { partner: site.clients[0].no, group, rows: rows.into() };
                let Reply::Bulk(told) = give(store, Command::Bulk(Box::new(bulk)))? else {
                    return Err(BenchError::Closed);
                };
                for row in told {
                    let refused = |r: Refusal| BenchError::Refused(r.code.name().to_owned());
                    group = Some(row.map_err(refused)?.group);
                }
                // As many as a group takes at most.
                if stored.is_multiple_of(512_000) {
                    group = None;
                }
                progress(stored);
            }
            Ok(payouts as f64 / began.elapsed().as_secs_f64())
        })
    }

    fn request(&mut self) -> Request {
        self.made += 1;
        let client = &self.clients[0];
        Request {
            partner: client.no,
            key: Some(client.key_no),
            amount: Won(1_000),
            sub_id: None,
            distinct_key: Site::stored_key(self.made),
            print: None,
        }
    }

    /// The `distinct_key` of the payout that was stored as this one, from 1.
    pub fn stored_key(number: u64) -> String {
        format!("fill{:016x}", scatter(number))
    }

    /// Stores payers' keys of the first client, one after another: their serials follow on each other.
    pub fn fill_payers(
        &mut self,
        payers: u64,
        mut progress: impl FnMut(u64),
    ) -> Result<(), BenchError> {
        self.with_store(|site, store, sealer| {
            let codec = IdCodec::new(sealer.keys().identifier.bytes(), false)
                .map_err(|_| BenchError::Unreadable)?;
            let order = Order { actor: Actor::Partner, command: payer(site.clients[0].no) };
            let (mut stored, mut first) = (0, None);
            while stored < payers {
                let count = PAYERS_TOGETHER.min(payers - stored);
                let orders = vec![order.clone(); usize::try_from(count).unwrap_or_default()];
                for answer in store.commit(&orders) {
                    let Ok(Reply::Payer(no)) = answer else { return Err(BenchError::Closed) };
                    first = first.or(Some(no.0));
                }
                stored += count;
                progress(stored);
            }
            site.payers = first.map(|first| (first, codec));
            Ok(())
        })
    }

    /// `PCD_PAYER_ID` of one of so many stored keys, by no order.
    pub fn payer_id(&self, turn: u64, stored: u64) -> String {
        let Some((first, codec)) = &self.payers else { return String::new() };
        let at = i64::try_from(scatter(turn) % stored).unwrap_or_default();
        codec.encode(Kind::Payer, self.clients[0].no, 0, first + at)
    }

    /// What `ichae check` finds, and the payouts that it counts; the server may run on.
    pub fn check(&self) -> Result<(usize, u64), BenchError> {
        let data = self.data();
        let sealer = Arc::new(Sealer::new(KeyFolder::at(&data.keys()).load()?)?);
        let report = match &self.database {
            Some(database) => postgres::check::check(&database.link()?, &sealer, |_, _| {})?,
            None => sqlite::check::check(&data.store(), &sealer, |_, _| {})?,
        };
        Ok((report.findings.len(), report.payouts))
    }
}

fn database_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let no = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("ichae_bench_{}_{no}", std::process::id())
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

fn payer(partner: PartnerNo) -> Command {
    Command::AddPayer(Box::new(NewPayer {
        partner,
        method: Method::Card,
        owner: Owner::Person,
        org: "0200".to_owned(),
        org_name: "BC카드".to_owned(),
        instrument: Instrument {
            token: "sim_c00000000018f3a5a2b7c7d7a8a9a0b1c2d3e4f5a".into(),
            number_masked: "1111-****-****-2222".into(),
            holder: "홍길동".into(),
            phone_masked: "010-****-5678".into(),
        },
        alias: None,
    }))
}

fn make_client(store: &mut dyn Backend, sealer: &Sealer, at: usize) -> Result<Client, BenchError> {
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
