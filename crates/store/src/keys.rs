//! The three keys of an installation, apart, in a folder of their own (decision I2).
//!
//! The identifier key never rotates: identifiers, the hash chain and custKey verifiers hang on it.
//! The sealing key rotates, older ones still open what they sealed. The blind-index key rotates by
//! re-indexing, both are read meanwhile.

use crate::port::StoreError;
use aws_lc_rs::{constant_time, hkdf, hmac, rand};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub const KEY_BYTES: usize = 32;
const IDENTIFIER_FILE: &str = "identifier.key";
const SEALING_FILE: &str = "sealing.keys";
const INDEX_FILE: &str = "index.keys";

/// One secret of 32 bytes. `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub(crate) [u8; KEY_BYTES]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    pub fn random() -> Result<Key, StoreError> {
        let mut bytes = [0; KEY_BYTES];
        rand::fill(&mut bytes)
            .map_err(|_| StoreError::Refused("the system gave no random bytes".to_owned()))?;
        Ok(Key(bytes))
    }

    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// A key for one purpose, derived by HKDF-SHA-256; the purposes never share a key.
    pub fn derive(&self, purpose: &str) -> Key {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"ichae");
        let mut out = [0; KEY_BYTES];
        let info = [purpose.as_bytes()];
        let filled = salt
            .extract(&self.0)
            .expand(&info, hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut out));
        // 32 bytes are always within what HKDF-SHA-256 gives; a zero key must never be used.
        assert!(filled.is_ok(), "HKDF gives 32 bytes");
        Key(out)
    }

    /// HMAC-SHA-256 under this key, made ready for many messages.
    pub fn mac_key(&self) -> MacKey {
        MacKey(hmac::Key::new(hmac::HMAC_SHA256, &self.0))
    }

    /// HMAC-SHA-256 under this key.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.mac_key().mac(parts)
    }

    /// Tells keys apart without telling the key.
    pub fn print(&self) -> [u8; 16] {
        let mut out = [0; 16];
        out.copy_from_slice(&self.derive("fingerprint").0[..16]);
        out
    }

    fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn from_hex(text: &str) -> Option<Key> {
        if text.len() != KEY_BYTES * 2 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; KEY_BYTES];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
        }
        Some(Key(bytes))
    }
}

/// A key that has gone through the hash function already.
pub struct MacKey(hmac::Key);

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey(…)")
    }
}

impl MacKey {
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}

/// Whether two digests are equal, in a time that does not depend on where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Numbered keys; the last one is active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    keys: Vec<(u32, Key)>,
}

impl Ring {
    fn first() -> Result<Ring, StoreError> {
        Ok(Ring { keys: vec![(1, Key::random()?)] })
    }

    pub fn active(&self) -> &(u32, Key) {
        &self.keys[self.keys.len() - 1]
    }

    pub fn get(&self, id: u32) -> Option<&Key> {
        self.keys.iter().find(|(have, _)| *have == id).map(|(_, key)| key)
    }

    /// Newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &(u32, Key)> {
        self.keys.iter().rev()
    }

    fn rotated(&self) -> Result<Ring, StoreError> {
        let mut keys = self.keys.clone();
        keys.push((self.active().0 + 1, Key::random()?));
        Ok(Ring { keys })
    }

    fn text(&self, what: &str) -> String {
        let mut text = format!("# {what}: number and key; the last line is the one in use.\n");
        for (id, key) in &self.keys {
            text.push_str(&format!("{id} {}\n", key.hex()));
        }
        text
    }

    fn parse(text: &str) -> Option<Ring> {
        let mut keys = Vec::new();
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (id, key) = line.split_once(' ')?;
            keys.push((id.parse().ok()?, Key::from_hex(key.trim())?));
        }
        let ascending = keys.windows(2).all(|w: &[(u32, Key)]| w[0].0 < w[1].0);
        (!keys.is_empty() && ascending).then_some(Ring { keys })
    }
}

/// All keys of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    pub identifier: Key,
    pub sealing: Ring,
    pub index: Ring,
}

impl Keys {
    /// Fresh keys that are nowhere stored: for tests and the memory store.
    pub fn random() -> Result<Keys, StoreError> {
        Ok(Keys { identifier: Key::random()?, sealing: Ring::first()?, index: Ring::first()? })
    }
}

/// The key folder.
#[derive(Clone, Debug)]
pub struct KeyFolder {
    path: PathBuf,
}

impl KeyFolder {
    pub fn at(path: &Path) -> KeyFolder {
        KeyFolder { path: path.to_owned() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn exists(&self) -> bool {
        self.path.join(IDENTIFIER_FILE).exists()
    }

    /// Makes the folder with fresh keys. Refused where there is one.
    pub fn create(&self) -> Result<Keys, StoreError> {
        if self.exists() {
            let text = format!("{} holds keys already", self.path.display());
            return Err(StoreError::Refused(text));
        }
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&self.path).map_err(StoreError::io(self.path.display().to_string()))?;
        let keys = Keys::random()?;
        self.write(SEALING_FILE, &keys.sealing.text("sealing keys"))?;
        self.write(INDEX_FILE, &keys.index.text("blind-index keys"))?;
        // Last: its presence says that the folder is whole.
        self.write(IDENTIFIER_FILE, &format!("{}\n", keys.identifier.hex()))?;
        Ok(keys)
    }

    pub fn load(&self) -> Result<Keys, StoreError> {
        let bad = |file: &str| {
            let at = self.path.join(file);
            StoreError::Refused(format!("{} is not a key file of ichae", at.display()))
        };
        let identifier = self.read(IDENTIFIER_FILE)?;
        Ok(Keys {
            identifier: Key::from_hex(identifier.trim()).ok_or_else(|| bad(IDENTIFIER_FILE))?,
            sealing: Ring::parse(&self.read(SEALING_FILE)?).ok_or_else(|| bad(SEALING_FILE))?,
            index: Ring::parse(&self.read(INDEX_FILE)?).ok_or_else(|| bad(INDEX_FILE))?,
        })
    }

    /// Adds a sealing key and a blind-index key, durable before anything is sealed under them.
    pub fn rotate(&self) -> Result<Keys, StoreError> {
        let keys = self.load()?;
        let next = Keys {
            identifier: keys.identifier,
            sealing: keys.sealing.rotated()?,
            index: keys.index.rotated()?,
        };
        self.write(SEALING_FILE, &next.sealing.text("sealing keys"))?;
        self.write(INDEX_FILE, &next.index.text("blind-index keys"))?;
        Ok(next)
    }

    fn read(&self, file: &str) -> Result<String, StoreError> {
        let at = self.path.join(file);
        fs::read_to_string(&at).map_err(StoreError::io(format!("{} cannot be read", at.display())))
    }

    fn write(&self, file: &str, text: &str) -> Result<(), StoreError> {
        write_durably(&self.path, file, text.as_bytes())
    }
}

/// Writes a file whole or not at all: beside, synced, renamed, the folder synced.
pub(crate) fn write_durably(folder: &Path, file: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let at = folder.join(file);
    let beside = folder.join(format!("{file}.new"));
    let io = || StoreError::io(format!("{} cannot be written", at.display()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut out = options.open(&beside).map_err(io())?;
    out.write_all(bytes).map_err(io())?;
    out.sync_all().map_err(io())?;
    fs::rename(&beside, &at).map_err(io())?;
    fs::File::open(folder).and_then(|dir| dir.sync_all()).map_err(io())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_back_the_keys_it_was_made_with_and_rotation_keeps_the_old_ones() {
        let dir = std::env::temp_dir().join(format!("ichae-keys-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let folder = KeyFolder::at(&dir);
        let made = folder.create().unwrap();
        assert_eq!(folder.load().unwrap(), made);
        assert!(folder.create().is_err(), "keys are never overwritten");
        let rotated = folder.rotate().unwrap();
        assert_eq!(rotated.identifier, made.identifier);
        assert_eq!(rotated.sealing.active().0, 2);
        assert_eq!(rotated.sealing.get(1), Some(&made.sealing.active().1));
        assert_eq!(folder.load().unwrap(), rotated);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_key_never_prints() {
        let key = Key([7; KEY_BYTES]);
        assert_eq!(format!("{key:?}"), "Key(…)");
    }

    #[test]
    fn purposes_never_share_a_key() {
        let key = Key([7; KEY_BYTES]);
        assert_ne!(key.derive("chain"), key.derive("verifier"));
        assert_ne!(key.derive("chain"), key);
    }
}
