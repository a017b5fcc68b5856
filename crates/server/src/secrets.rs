//! Secrets that are made here and shown once.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ichae_store::port::StoreError;
use secrecy::SecretString;

const CUST_KEY_BYTES: usize = 32;
const WEBHOOK_SECRET_BYTES: usize = 32;

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)
        .map_err(|_| StoreError::Refused("the system gave no random bytes".to_owned()))?;
    Ok(bytes)
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
