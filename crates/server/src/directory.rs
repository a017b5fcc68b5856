//! Partners as every call needs them, in memory: no database round trip (decision H6).
//!
//! It is read again after each change of a partner, so a suspension or a rotation acts on the next
//! call.

use arc_swap::ArcSwap;
use ichae_domain::ident::PartnerNo;
use ichae_domain::partner::{Partner, Verifier};
use ichae_store::port::{Reader, StoreError};
use ichae_store::seal::Sealer;
use ipnet::IpNet;
use secrecy::SecretString;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// A partner with its networks parsed.
#[derive(Debug)]
pub struct Entry {
    pub partner: Partner,
    sources: Vec<IpNet>,
}

impl Entry {
    /// Whether calls may come from this address; an empty list lets all in.
    pub fn admits(&self, from: IpAddr) -> bool {
        let from = from.to_canonical();
        self.sources.is_empty() || self.sources.iter().any(|net| net.contains(&from))
    }
}

#[derive(Default)]
struct Known {
    by_id: HashMap<String, Arc<Entry>>,
    by_no: HashMap<PartnerNo, Arc<Entry>>,
}

pub struct Directory {
    known: ArcSwap<Known>,
    /// Held from the reading to the replacing: what is read later replaces later.
    reading: Mutex<()>,
    /// Compared against where there is no such partner, so that both refusals take as long.
    nobody: Verifier,
}

impl Directory {
    pub fn new(reader: &dyn Reader, sealer: &Sealer) -> Result<Directory, StoreError> {
        let nobody = sealer.verifier(&crate::secrets::cust_key()?);
        let directory = Directory { known: ArcSwap::default(), reading: Mutex::new(()), nobody };
        directory.reload(|| reader.partners())?;
        Ok(directory)
    }

    /// Waits for the store, and for whoever reads at the moment.
    pub fn reload(
        &self,
        read: impl FnOnce() -> Result<Vec<Partner>, StoreError>,
    ) -> Result<(), StoreError> {
        // Nothing is left half done by a reader that panicked.
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = Known::default();
        for partner in read()? {
            let sources = partner.sources.iter().filter_map(|net| parse_net(net)).collect();
            let entry = Arc::new(Entry { partner, sources });
            known.by_id.insert(entry.partner.cst_id.clone(), Arc::clone(&entry));
            known.by_no.insert(entry.partner.no, entry);
        }
        self.known.store(Arc::new(known));
        Ok(())
    }

    /// Who is known and not among those.
    pub fn without(&self, partners: &[Partner]) -> Vec<(PartnerNo, String)> {
        let there: HashSet<PartnerNo> = partners.iter().map(|partner| partner.no).collect();
        let known = self.known.load();
        let gone = known.by_no.values().filter(|entry| !there.contains(&entry.partner.no));
        gone.map(|entry| (entry.partner.no, entry.partner.cst_id.clone())).collect()
    }

    pub fn by_no(&self, no: PartnerNo) -> Option<Arc<Entry>> {
        self.known.load().by_no.get(&no).cloned()
    }

    pub fn by_id(&self, cst_id: &str) -> Option<Arc<Entry>> {
        self.known.load().by_id.get(cst_id).cloned()
    }

    /// The partner whose key this is; one answer for a wrong id and a wrong key (T0300).
    pub fn verify(&self, sealer: &Sealer, cst_id: &str, key: &SecretString) -> Option<Arc<Entry>> {
        let given = sealer.verifier(key);
        let entry = self.by_id(cst_id);
        let expected = entry.as_ref().map_or(self.nobody, |entry| entry.partner.verifier);
        let same = ichae_store::keys::same(&given.0, &expected.0);
        entry.filter(|_| same)
    }

    pub fn len(&self) -> usize {
        self.known.load().by_no.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A network in CIDR form, or one address.
pub fn parse_net(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ichae_domain::time::Time;
    use std::sync::mpsc;
    use std::time::Duration;

    fn partner(cst_id: &str) -> Partner {
        Partner {
            no: PartnerNo(1),
            cst_id: cst_id.to_owned(),
            name: cst_id.to_owned(),
            suspended: false,
            held: false,
            key_generation: 0,
            verifier: Verifier([0; 32]),
            webhook_url: None,
            sources: vec![],
            transfer_cap: None,
            made_at: Time(0),
            billing: ichae_domain::partner::BillingSettings::default(),
        }
    }

    #[test]
    fn an_address_list_takes_networks_addresses_and_mapped_forms() {
        let table = [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
            ("2001:db8::/32", "2001:db8::1", true),
        ];
        for (net, from, admitted) in table {
            let net = parse_net(net).unwrap();
            let from: IpAddr = from.parse().unwrap();
            assert_eq!(net.contains(&from.to_canonical()), admitted, "{net} {from}");
        }
        assert_eq!(parse_net("nonsense"), None);
        assert_eq!(parse_net("10.0.0.0/33"), None);
    }

    /// Two changes at once: the one that is read first must not be kept last.
    #[test]
    fn what_is_read_later_replaces_later() {
        let directory = Directory {
            known: ArcSwap::default(),
            reading: Mutex::default(),
            nobody: Verifier([0; 32]),
        };
        let (began, begins) = mpsc::channel();
        let (done, ends) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let directory = &directory;
            scope.spawn(move || {
                let read = || {
                    began.send(()).unwrap();
                    // Slow: the other one is done first, if it does not wait.
                    let _ = ends.recv_timeout(Duration::from_millis(300));
                    Ok(vec![])
                };
                directory.reload(read).unwrap();
            });
            begins.recv().unwrap();
            directory.reload(|| Ok(vec![partner("shop")])).unwrap();
            // Whoever read first may be done already.
            let _ = done.send(());
        });
        assert!(directory.by_id("shop").is_some());
    }
}
