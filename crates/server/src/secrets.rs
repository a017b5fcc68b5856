//! Secrets that are made here and shown once, and those that files hold.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ichae_store::port::StoreError;
use secrecy::{ExposeSecret, SecretString};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const CUST_KEY_BYTES: usize = 32;
const WEBHOOK_SECRET_BYTES: usize = 32;

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)
        .map_err(|_| StoreError::Refused("the system gave no random bytes".to_owned()))?;
    Ok(bytes)
}

/// A secret that a key of the configuration names the file of. One that others can read is refused.
pub fn read(key: &str, file: &Path) -> Result<SecretString, String> {
    let mode = std::fs::metadata(file).map(|found| found.mode()).unwrap_or(0);
    if mode & 0o077 != 0 {
        let file = file.display();
        return Err(format!("{key}: {file} can be read by others: chmod 600 it"));
    }
    let text: SecretString = std::fs::read_to_string(file)
        .map_err(|error| format!("{key}: {}: {error}", file.display()))?
        .into();
    Ok(text.expose_secret().trim().to_owned().into())
}

/// `PCD_REFUND_KEY`: 64 hexadecimal digits, as the documents show one.
pub fn refund_key() -> Result<SecretString, StoreError> {
    let bytes = random::<32>()?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(digits.into())
}

/// A custKey: 256 random bits as 43 URL-safe characters.
pub fn cust_key() -> Result<SecretString, StoreError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<CUST_KEY_BYTES>()?).into())
}

/// A webhook secret in the Standard Webhooks form: `whsec_` and base64.
pub fn webhook_secret() -> Result<SecretString, StoreError> {
    Ok(format!("whsec_{}", STANDARD.encode(random::<WEBHOOK_SECRET_BYTES>()?)).into())
}
