//! Sealing of what must not be readable at rest, and the blind index that finds it again.
//!
//! AES-256-GCM-SIV, bound to table, row and field, so that a ciphertext moved to another row does
//! not open. The key's number stands before the text, so that a rotation can go row by row.

use crate::keys::{Key, Keys, MacKey};
use crate::port::StoreError;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use ichae_domain::billing::{Instrument, OrderText};
use ichae_domain::ident::PartnerNo;
use ichae_domain::key::{Account, Fingerprint, InfoKind};
use ichae_domain::partner::Verifier;
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

const KEY_ID_BYTES: usize = 4;

/// Where a sealed text stands; it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub table: &'static str,
    pub row: i64,
    pub field: &'static str,
}

impl Place {
    fn bound(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(self.table.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&self.row.to_be_bytes());
        bytes.push(0);
        bytes.extend_from_slice(self.field.as_bytes());
        bytes
    }
}

struct Loaded {
    keys: Keys,
    sealing: HashMap<u32, LessSafeKey>,
    chain: MacKey,
    verifier: MacKey,
}

/// Everything that works with the installation's keys. Shared; the keys can be swapped in it.
pub struct Sealer {
    loaded: RwLock<Arc<Loaded>>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    pub fn new(keys: Keys) -> Result<Sealer, StoreError> {
        Ok(Sealer { loaded: RwLock::new(Arc::new(load(keys)?)) })
    }

    /// Takes rotated keys into use. The identifier key must be the same.
    pub fn swap(&self, keys: Keys) -> Result<(), StoreError> {
        let next = load(keys)?;
        if next.keys.identifier != self.now().keys.identifier {
            return Err(StoreError::Refused("the identifier key never changes".to_owned()));
        }
        if let Ok(mut loaded) = self.loaded.write() {
            *loaded = Arc::new(next);
        }
        Ok(())
    }

    fn now(&self) -> Arc<Loaded> {
        match self.loaded.read() {
            Ok(loaded) => Arc::clone(&loaded),
            Err(poisoned) => Arc::clone(&poisoned.into_inner()),
        }
    }

    pub fn keys(&self) -> Keys {
        self.now().keys.clone()
    }

    /// Number of the sealing key in use.
    pub fn active(&self) -> u32 {
        self.now().keys.sealing.active().0
    }

    pub fn seal(&self, place: Place, text: &[u8]) -> Result<Vec<u8>, StoreError> {
        let failed = || StoreError::Refused("sealing failed".to_owned());
        let loaded = self.now();
        let id = loaded.keys.sealing.active().0;
        let key = loaded.sealing.get(&id).ok_or_else(failed)?;
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| failed())?;
        let mut body = text.to_vec();
        let aad = Aad::from(place.bound());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body)
            .map_err(|_| failed())?;
        let mut out = Vec::with_capacity(KEY_ID_BYTES + NONCE_LEN + body.len());
        out.extend_from_slice(&id.to_be_bytes());
        out.extend_from_slice(&nonce);
        out.append(&mut body);
        Ok(out)
    }

    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let failed = || {
            let Place { table, row, field } = place;
            StoreError::Damaged(format!("{table} {row}: {field} does not open"))
        };
        let (id, rest) = sealed.split_first_chunk::<KEY_ID_BYTES>().ok_or_else(failed)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(failed)?;
        let loaded = self.now();
        let key = loaded.sealing.get(&u32::from_be_bytes(*id)).ok_or_else(failed)?;
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let text =
            key.open_in_place(nonce, Aad::from(place.bound()), &mut body).map_err(|_| failed())?;
        Ok(text.to_vec())
    }

    /// Number of the key that a sealed text was sealed under.
    pub fn sealed_under(sealed: &[u8]) -> Option<u32> {
        sealed.first_chunk::<KEY_ID_BYTES>().map(|id| u32::from_be_bytes(*id))
    }

    pub(crate) fn seal_account(&self, row: i64, account: &Account) -> Result<Vec<u8>, StoreError> {
        let mut text = vec![account.info_kind as u8];
        write_texts(&mut text, &[&account.number, &account.holder, &account.info])?;
        self.seal(account_place(row), &text)
    }

    pub(crate) fn seal_instrument(
        &self,
        row: i64,
        instrument: &Instrument,
    ) -> Result<Vec<u8>, StoreError> {
        let mut text = Vec::new();
        write_texts(&mut text, &instrument.parts())?;
        self.seal(INSTRUMENT.of(row), &text)
    }

    pub(crate) fn open_instrument(
        &self,
        row: i64,
        sealed: &[u8],
    ) -> Result<Instrument, StoreError> {
        let text = self.open(INSTRUMENT.of(row), sealed)?;
        let damaged = || StoreError::Damaged(format!("payer {row}: its instrument"));
        let [token, number_masked, holder, phone_masked] = read_texts(&text).ok_or_else(damaged)?;
        Ok(Instrument { token, number_masked, holder, phone_masked })
    }

    pub(crate) fn seal_order(&self, row: i64, order: &OrderText) -> Result<Vec<u8>, StoreError> {
        let mut text = Vec::new();
        write_texts(&mut text, &order.parts())?;
        self.seal(ORDER.of(row), &text)
    }

    pub(crate) fn open_order(&self, row: i64, sealed: &[u8]) -> Result<OrderText, StoreError> {
        let text = self.open(ORDER.of(row), sealed)?;
        let damaged = || StoreError::Damaged(format!("charge {row}: its texts"));
        let [goods, payer_no, payer_name, payer_phone, payer_email, define_1, define_2] =
            read_texts(&text).ok_or_else(damaged)?;
        Ok(OrderText { goods, payer_no, payer_name, payer_phone, payer_email, define_1, define_2 })
    }

    pub(crate) fn open_account(&self, row: i64, sealed: &[u8]) -> Result<Account, StoreError> {
        let text = self.open(account_place(row), sealed)?;
        read_account(&text)
            .ok_or_else(|| StoreError::Damaged(format!("billing key {row}: its account")))
    }

    pub(crate) fn seal_secret(
        &self,
        row: i64,
        secret: &SecretString,
    ) -> Result<Vec<u8>, StoreError> {
        self.seal(secret_place(row), secret.expose_secret().as_bytes())
    }

    pub(crate) fn open_secret(&self, row: i64, sealed: &[u8]) -> Result<SecretString, StoreError> {
        let text = self.open(secret_place(row), sealed)?;
        String::from_utf8(text)
            .map(SecretString::from)
            .map_err(|_| StoreError::Damaged(format!("partner {row}: its webhook secret")))
    }

    /// The blind index of an account under every index key, the active one first.
    pub fn fingerprints(
        &self,
        partner: PartnerNo,
        sub_id: Option<&str>,
        bank: &str,
        account: &Account,
    ) -> Vec<Fingerprint> {
        let kind = (account.info_kind as u8).to_be_bytes();
        let parts: [&[u8]; 6] = [
            &partner.0.to_be_bytes(),
            sub_id.unwrap_or("").as_bytes(),
            bank.as_bytes(),
            account.number.expose_secret().as_bytes(),
            &kind,
            account.info.expose_secret().as_bytes(),
        ];
        let mut message = Vec::with_capacity(128);
        for part in parts {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part);
        }
        let of = |key: &Key| {
            let mut print = [0; 16];
            print.copy_from_slice(&key.mac(&[&message])[..16]);
            Fingerprint(print)
        };
        self.now().keys.index.newest_first().map(|(_, key)| of(key)).collect()
    }

    /// The keyed digest of a custKey; the key itself is stored nowhere.
    pub fn verifier(&self, cust_key: &SecretString) -> Verifier {
        Verifier(self.now().verifier.mac(&[cust_key.expose_secret().as_bytes()]))
    }

    /// The next link of a partner's hash chain.
    pub(crate) fn link(&self, head: &[u8; 32], line: &[u8]) -> [u8; 32] {
        self.now().chain.mac(&[head, line])
    }
}

fn load(keys: Keys) -> Result<Loaded, StoreError> {
    let mut sealing = HashMap::new();
    for (id, key) in keys.sealing.newest_first() {
        let unbound = UnboundKey::new(&AES_256_GCM_SIV, key.bytes())
            .map_err(|_| StoreError::Refused(format!("sealing key {id} cannot be used")))?;
        sealing.insert(*id, LessSafeKey::new(unbound));
    }
    let chain = keys.identifier.derive("hash chain").mac_key();
    let verifier = keys.identifier.derive("custKey verifier").mac_key();
    Ok(Loaded { keys, sealing, chain, verifier })
}

fn account_place(row: i64) -> Place {
    Place { table: "billing_keys", row, field: "account" }
}

fn secret_place(row: i64) -> Place {
    Place { table: "partners", row, field: "webhook_secret" }
}

/// A sealed column; where in it follows from the row.
struct Column {
    table: &'static str,
    field: &'static str,
}

const INSTRUMENT: Column = Column { table: "payers", field: "instrument" };
const ORDER: Column = Column { table: "charges", field: "texts" };

impl Column {
    fn of(&self, row: i64) -> Place {
        Place { table: self.table, row, field: self.field }
    }
}

/// Each text with its length before it.
fn write_texts(to: &mut Vec<u8>, texts: &[&SecretString]) -> Result<(), StoreError> {
    for text in texts {
        let text = text.expose_secret().as_bytes();
        let length = u16::try_from(text.len())
            .map_err(|_| StoreError::Refused("a text to be sealed is too long".to_owned()))?;
        to.extend_from_slice(&length.to_be_bytes());
        to.extend_from_slice(text);
    }
    Ok(())
}

/// Exactly `N` texts and nothing after them.
fn read_texts<const N: usize>(mut rest: &[u8]) -> Option<[SecretString; N]> {
    let mut texts = Vec::with_capacity(N);
    for _ in 0..N {
        let (length, tail) = rest.split_first_chunk::<2>()?;
        let (text, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        texts.push(SecretString::from(std::str::from_utf8(text).ok()?.to_owned()));
        rest = tail;
    }
    if rest.is_empty() { texts.try_into().ok() } else { None }
}

fn read_account(text: &[u8]) -> Option<Account> {
    let (kind, rest) = text.split_first()?;
    let [number, holder, info] = read_texts(rest)?;
    let info_kind = InfoKind::from_number(i64::from(*kind))?;
    Some(Account { number, holder, info_kind, info })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            number: "1234567890123456".into(),
            holder: "홍길동".into(),
            info_kind: InfoKind::BirthDate,
            info: "880212".into(),
        }
    }

    #[test]
    fn a_sealed_account_opens_in_its_own_row_only() {
        let sealer = Sealer::new(Keys::random().unwrap()).unwrap();
        let sealed = sealer.seal_account(7, &account()).unwrap();
        assert_eq!(sealer.open_account(7, &sealed).unwrap(), account());
        assert!(sealer.open_account(8, &sealed).is_err(), "swapped between rows");
        assert!(sealer.open_secret(7, &sealed).is_err(), "swapped between fields");
        let mut broken = sealed.clone();
        for at in 0..broken.len() {
            broken[at] ^= 1;
            assert!(sealer.open_account(7, &broken).is_err(), "byte {at} changed");
            broken[at] ^= 1;
        }
    }

    #[test]
    fn older_keys_still_open_and_new_texts_use_the_new_one() {
        let dir = std::env::temp_dir().join(format!("ichae-seal-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let folder = crate::keys::KeyFolder::at(&dir);
        let sealer = Sealer::new(folder.create().unwrap()).unwrap();
        let old = sealer.seal_account(1, &account()).unwrap();
        let before = sealer.fingerprints(PartnerNo(1), None, "020", &account());
        sealer.swap(folder.rotate().unwrap()).unwrap();
        assert_eq!(sealer.open_account(1, &old).unwrap(), account());
        let new = sealer.seal_account(1, &account()).unwrap();
        assert_eq!((Sealer::sealed_under(&old), Sealer::sealed_under(&new)), (Some(1), Some(2)));
        let after = sealer.fingerprints(PartnerNo(1), None, "020", &account());
        assert_eq!(after.len(), 2);
        assert_eq!(after[1], before[0], "the old index key still finds old rows");
        assert!(sealer.swap(Keys::random().unwrap()).is_err(), "another identifier key");
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_fingerprint_depends_on_every_part_and_on_where_it_ends() {
        let sealer = Sealer::new(Keys::random().unwrap()).unwrap();
        let base = sealer.fingerprints(PartnerNo(1), Some("a"), "020", &account());
        let others = [
            sealer.fingerprints(PartnerNo(2), Some("a"), "020", &account()),
            sealer.fingerprints(PartnerNo(1), None, "020", &account()),
            sealer.fingerprints(PartnerNo(1), Some("a0"), "20", &account()),
            sealer.fingerprints(PartnerNo(1), Some("a"), "004", &account()),
        ];
        assert!(others.iter().all(|other| *other != base));
    }
}
