//! Operators: persons with names and keys of their own (decision M2).

use crate::time::Time;

/// Longest name of an operator.
pub const NAME_MAX: usize = 32;

/// Bytes of an Ed25519 public key.
pub const PUBLIC_KEY_LENGTH: usize = 32;

/// A person who may change things. Only the public half of the key is known here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    pub name: String,
    pub public_key: [u8; PUBLIC_KEY_LENGTH],
    pub added_at: Time,
    pub revoked_at: Option<Time>,
    /// The moment that the latest signature names; a signature of then or before is a repeat.
    pub last_signed: Time,
}

impl Operator {
    pub fn may_sign(&self) -> bool {
        self.revoked_at.is_none()
    }
}

/// 1 to 32 of letters, digits, `.`, `_` and `-`, as log lines and file names take them.
pub fn is_name(text: &str) -> bool {
    let fits = (1..=NAME_MAX).contains(&text.len());
    fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
