//! An operator's key: made here, kept by the person alone, used to sign commands (decision M2).

use anyhow::{Context, bail};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ichae_server::admin::{Signature, signed_text};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// First line of a key file.
const HEAD: &str = "ichae operator key 1";

pub struct OperatorKey {
    pub name: String,
    pair: Ed25519KeyPair,
}

/// Makes a key into a new file that only its owner reads, and gives the public half in base64.
pub fn make(name: &str, file: &Path) -> anyhow::Result<String> {
    if !ichae_domain::operator::is_name(name) {
        bail!("{name:?} is not 1 to 32 of letters, digits, `.`, `_` and `-`");
    }
    let pair = Ed25519KeyPair::generate().context("no key could be made")?;
    let whole = pair.to_pkcs8().context("no key could be made")?;
    let text: SecretString =
        format!("{HEAD}\n{name}\n{}\n", STANDARD.encode(whole.as_ref())).into();
    let mut options = OpenOptions::new();
    let mut out = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("{} cannot be made", file.display()))?;
    out.write_all(text.expose_secret().as_bytes())?;
    out.sync_all()?;
    Ok(STANDARD.encode(pair.public_key()))
}

impl OperatorKey {
    /// Reads a key file; one that others can read is refused.
    pub fn read(file: &Path) -> anyhow::Result<OperatorKey> {
        let name = file.display();
        let about = || format!("the operator's key {name}");
        let mode = std::fs::metadata(file).with_context(about)?.mode();
        if mode & 0o077 != 0 {
            bail!("{name} can be read by others: `chmod 600 {name}`, and make a new key");
        }
        let text: SecretString = std::fs::read_to_string(file).with_context(about)?.into();
        let mut lines = text.expose_secret().lines();
        let (head, person, key) = (lines.next(), lines.next(), lines.next());
        let pair = key
            .filter(|_| head == Some(HEAD))
            .and_then(|key| STANDARD.decode(key).ok())
            .and_then(|bytes| Ed25519KeyPair::from_pkcs8(&bytes).ok());
        match (person, pair) {
            (Some(person), Some(pair)) => Ok(OperatorKey { name: person.to_owned(), pair }),
            _ => bail!("{name} is not a key file; `ichae operator key` makes one"),
        }
    }

    /// Signs a request's text for the store that `identity` names.
    pub fn sign(&self, identity: &Value, body: &str) -> Option<Signature> {
        let (store, at) = (identity["store"].as_str()?, identity["at"].as_i64()?);
        let text = signed_text(store, &self.name, at, body);
        let signature = STANDARD.encode(self.pair.sign(text.as_bytes()));
        Some(Signature { by: self.name.clone(), at, signature })
    }
}
