//! Access tokens and AuthKeys: signed, not looked up, bound to a partner and its key's generation. A token
//! lives 60 seconds (decision H6), an AuthKey 30 minutes (decision C1); neither is good as the other.
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

/// What a signed text is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    Token,
    AuthKey,
}

impl Use {
    /// Each use has a signing key of its own.
    fn label(self) -> &'static str {
        match self {
            Use::Token => "access token",
            Use::AuthKey => "cpay auth key",
        }
    }

    pub fn life_ms(self) -> i64 {
        match self {
            Use::Token => 60_000,
            Use::AuthKey => 30 * 60_000,
        }
    }
}

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
    life_ms: i64,
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
    pub fn new(sealing: &Ring, environment: &'static str, used: Use) -> Tokens {
        let derive = |key: &ichae_store::keys::Key| key.derive(used.label());
        let (id, key) = sealing.active();
        let active = (id.to_string(), EncodingKey::from_secret(derive(key).bytes()));
        let decoding = sealing
            .newest_first()
            .map(|(id, key)| (id.to_string(), DecodingKey::from_secret(derive(key).bytes())))
            .collect();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let life_ms = used.life_ms();
        Tokens { active, decoding, environment, life_ms, validation, checked: Mutex::default() }
    }

    /// `None` only where the library cannot sign, which HS256 always can.
    pub fn issue(&self, bearer: Bearer, now: Time) -> Option<String> {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(self.active.0.clone());
        let claims = Claims {
            p: bearer.partner.0,
            g: bearer.generation,
            x: now.plus_ms(self.life_ms).0,
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
        let tokens = Tokens::new(&Keys::random().unwrap().sealing, "test", Use::Token);
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

    /// Decision C1, to the millisecond, and that neither is good as the other.
    #[test]
    fn an_auth_key_is_good_for_thirty_minutes_and_is_no_token() {
        let keys = Keys::random().unwrap();
        let sessions = Tokens::new(&keys.sealing, "test", Use::AuthKey);
        let tokens = Tokens::new(&keys.sealing, "test", Use::Token);
        let key = sessions.issue(BEARER, Time(1_000)).unwrap();
        assert!(key.len() <= 255, "{}", key.len());
        assert_eq!(sessions.read(&key, Time(1_800_999)), Ok(BEARER));
        assert_eq!(sessions.read(&key, Time(1_801_000)), Err(Invalid::Expired));
        assert_eq!(tokens.read(&key, Time(1_001)), Err(Invalid::Unreadable));
        let token = tokens.issue(BEARER, Time(1_000)).unwrap();
        assert_eq!(sessions.read(&token, Time(1_001)), Err(Invalid::Unreadable));
    }

    /// Whichever bit of it is another.
    #[test]
    fn an_auth_key_altered_by_one_bit_is_none() {
        let sessions = Tokens::new(&Keys::random().unwrap().sealing, "test", Use::AuthKey);
        let key = sessions.issue(BEARER, Time(0)).unwrap();
        for at in 0..key.len() * 8 {
            let mut bytes = key.clone().into_bytes();
            bytes[at / 8] ^= 1 << (at % 8);
            let Ok(other) = String::from_utf8(bytes) else { continue };
            // The last character of a base64 text has bits that mean nothing.
            assert_eq!(sessions.read(&other, Time(1)), Err(Invalid::Unreadable), "bit {at}");
        }
        assert_eq!(sessions.read(&key, Time(1)), Ok(BEARER));
    }

    #[test]
    fn only_our_own_unchanged_tokens_of_this_environment_are_read() {
        let keys = Keys::random().unwrap();
        let tokens = Tokens::new(&keys.sealing, "test", Use::Token);
        let token = tokens.issue(BEARER, Time(0)).unwrap();
        let live = Tokens::new(&keys.sealing, "live", Use::Token);
        let foreign = Tokens::new(&Keys::random().unwrap().sealing, "test", Use::Token);
        assert_eq!(live.read(&token, Time(1)), Err(Invalid::Unreadable));
        assert_eq!(foreign.read(&token, Time(1)), Err(Invalid::Unreadable));
        let none =
            "eyJhbGciOiJub25lIiwia2lkIjoiMSJ9.eyJwIjo3LCJnIjozLCJ4Ijo5OTk5OTksImUiOiJ0ZXN0In0.";
        for bad in ["", "x", "a.b.c", none, &token[..token.len() - 2]] {
            assert_eq!(tokens.read(bad, Time(1)), Err(Invalid::Unreadable), "{bad}");
        }
    }
}
