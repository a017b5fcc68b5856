//! Access tokens: signed, not looked up, 60 seconds, bound to a partner and its key's generation
//! (decision H6).
//!
//! The signing key is derived from the sealing key of the same number, so it rotates with it, and
//! every node of an installation that has the key folder accepts every other node's tokens.

use ichae_domain::ident::PartnerNo;
use ichae_domain::time::Time;
use ichae_store::keys::Ring;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Tokens whose signature was checked already; past it all of them are checked anew.
const CHECKED_MAX: usize = 16_384;

/// How long a token lives.
pub const LIFE_MS: i64 = 60_000;

#[derive(Serialize, Deserialize)]
struct Claims {
    /// Partner.
    p: i64,
    /// Generation of its key.
    g: i64,
    /// Expiry, milliseconds; not `exp`, because the clock is ours.
    x: i64,
    /// Environment.
    e: String,
}

/// Whose token it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bearer {
    pub partner: PartnerNo,
    pub generation: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Invalid {
    Unreadable,
    Expired,
}

pub struct Tokens {
    active: (String, EncodingKey),
    decoding: HashMap<String, DecodingKey>,
    environment: &'static str,
    validation: Validation,
    /// A partner uses one token many times in its minute: the signature is checked once. Only whose
    /// it is and until when is remembered; everything that may have changed since is asked each time.
    checked: Mutex<HashMap<Box<str>, Claimed>>,
}

/// What a good signature says.
#[derive(Clone, Copy)]
struct Claimed {
    bearer: Bearer,
    expires: i64,
}

impl Tokens {
    pub fn new(sealing: &Ring, environment: &'static str) -> Tokens {
        let derive = |key: &ichae_store::keys::Key| key.derive("access token");
        let (id, key) = sealing.active();
        let active = (id.to_string(), EncodingKey::from_secret(derive(key).bytes()));
        let decoding = sealing
            .newest_first()
            .map(|(id, key)| (id.to_string(), DecodingKey::from_secret(derive(key).bytes())))
            .collect();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        Tokens { active, decoding, environment, validation, checked: Mutex::default() }
    }

    /// `None` only where the library cannot sign, which HS256 always can.
    pub fn issue(&self, bearer: Bearer, now: Time) -> Option<String> {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(self.active.0.clone());
        let claims = Claims {
            p: bearer.partner.0,
            g: bearer.generation,
            x: now.plus_ms(LIFE_MS).0,
            e: self.environment.to_owned(),
        };
        jsonwebtoken::encode(&header, &claims, &self.active.1).ok()
    }

    /// Whose token it is, if it is ours and not expired. The algorithm is pinned.
    pub fn read(&self, token: &str, now: Time) -> Result<Bearer, Invalid> {
        let checked = || self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        let known = checked().get(token).copied();
        let claimed = match known {
            Some(claimed) => claimed,
            None => {
                let claimed = self.check(token)?;
                let mut checked = checked();
                if checked.len() >= CHECKED_MAX {
                    checked.clear();
                }
                checked.insert(token.into(), claimed);
                claimed
            }
        };
        if now.0 >= claimed.expires {
            checked().remove(token);
            return Err(Invalid::Expired);
        }
        Ok(claimed.bearer)
    }

    fn check(&self, token: &str) -> Result<Claimed, Invalid> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Invalid::Unreadable)?;
        let key = header.kid.and_then(|kid| self.decoding.get(&kid)).ok_or(Invalid::Unreadable)?;
        let data = jsonwebtoken::decode::<Claims>(token, key, &self.validation)
            .map_err(|_| Invalid::Unreadable)?;
        let claims = data.claims;
        if claims.e != self.environment {
            return Err(Invalid::Unreadable);
        }
        let bearer = Bearer { partner: PartnerNo(claims.p), generation: claims.g };
        Ok(Claimed { bearer, expires: claims.x })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ichae_store::keys::Keys;

    const BEARER: Bearer = Bearer { partner: PartnerNo(7), generation: 3 };

    #[test]
    fn a_token_is_good_for_sixty_seconds_and_no_longer() {
        let tokens = Tokens::new(&Keys::random().unwrap().sealing, "test");
        let token = tokens.issue(BEARER, Time(1_000)).unwrap();
        assert!(token.starts_with("eyJ"));
        for (at, expected) in [
            (1_000, Ok(BEARER)),
            (60_999, Ok(BEARER)),
            (61_000, Err(Invalid::Expired)),
            (62_000, Err(Invalid::Expired)),
        ] {
            assert_eq!(tokens.read(&token, Time(at)), expected, "{at}");
        }
    }

    #[test]
    fn only_our_own_unchanged_tokens_of_this_environment_are_read() {
        let keys = Keys::random().unwrap();
        let tokens = Tokens::new(&keys.sealing, "test");
        let token = tokens.issue(BEARER, Time(0)).unwrap();
        let live = Tokens::new(&keys.sealing, "live");
        let foreign = Tokens::new(&Keys::random().unwrap().sealing, "test");
        assert_eq!(live.read(&token, Time(1)), Err(Invalid::Unreadable));
        assert_eq!(foreign.read(&token, Time(1)), Err(Invalid::Unreadable));
        let none =
            "eyJhbGciOiJub25lIiwia2lkIjoiMSJ9.eyJwIjo3LCJnIjozLCJ4Ijo5OTk5OTksImUiOiJ0ZXN0In0.";
        for bad in ["", "x", "a.b.c", none, &token[..token.len() - 2]] {
            assert_eq!(tokens.read(bad, Time(1)), Err(Invalid::Unreadable), "{bad}");
        }
    }
}
