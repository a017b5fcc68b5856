//! Identifiers as the wire shows them (decision I1).
//!
//! One identifier is one 16-byte block under AES-256: a permutation, so that two rows never share
//! an identifier, a look-up is a decode instead of an index, and a reader learns neither how many
//! rows there are nor in which order they came. From the most significant bit:
//!
//! | bits | what |
//! |---|---|
//! | 8 | version of the block and [`Kind`] |
//! | 32 | partner number |
//! | 10 | logical shard, which follows from the partner number |
//! | 16 | store epoch |
//! | 48 | serial |
//! | 14 | zero |
//!
//! A text that somebody made up decrypts to a random block. 64 of its bits have to be right (kind,
//! partner, shard and the zeros), which is what keeps it from naming a row.

use crate::base36::{self, Case};
use crate::cpay::payer_id;
use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ichae_domain::ident::PartnerNo;
use ichae_domain::notice::Outcome;
use std::fmt;

/// The first character of a text, and the high half of a block's first byte: reserved, so that
/// another key or block could be told from this one (decision I2).
const VERSION: char = '1';
const BLOCK_VERSION: u8 = 0x10;
/// Marks a group's text before it is wrapped in base64.
const GROUP_MARK: char = 'G';
const NOTICE_PREFIX: &str = "msg_";
/// Stands for numbers that do not fit into a block; no kind has its first byte.
const VOID: u128 = u128::MAX;
const SERIAL_BITS: u32 = 48;
const ZERO_BITS: u32 = 14;

/// What an identifier names. An identifier of one kind never decodes as another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `billing_tran_id`: 30 characters, `aNS(40)`, e.g. `16j4vkf4-8tue-…`.
    BillingKey,
    /// `group_key`: 36 characters of base64.
    Group,
    /// `api_tran_id`: 30 characters, `aNS(40)`.
    Transfer,
    /// `PCD_PAYER_ID`: 32 characters, the block in base64 twice.
    Payer,
    /// `webhook-id`: `msg_` and 25 characters. What it tells of has one for each outcome.
    Notice(Outcome),
}

impl Kind {
    fn byte(self) -> u8 {
        BLOCK_VERSION
            | match self {
                Kind::BillingKey => 1,
                Kind::Group => 2,
                Kind::Transfer => 3,
                Kind::Notice(Outcome::Settled) => 4,
                Kind::Notice(Outcome::Failed) => 5,
                Kind::Notice(Outcome::Returned) => 6,
                Kind::Payer => 7,
                Kind::Notice(Outcome::Paid) => 8,
                Kind::Notice(Outcome::ChargeFailed) => 9,
                Kind::Notice(Outcome::Refunded) => 10,
                Kind::Notice(Outcome::Deregistered) => 11,
            }
    }

    fn wrap(self, block: u128) -> String {
        match self {
            Kind::BillingKey | Kind::Transfer => {
                hyphenate(&format!("{VERSION}{}", base36::encode(block, Case::Lower)))
            }
            Kind::Group => STANDARD
                .encode(format!("{GROUP_MARK}{VERSION}{}", base36::encode(block, Case::Upper))),
            Kind::Payer => payer_id::encode(&block.to_be_bytes()),
            Kind::Notice(_) => format!("{NOTICE_PREFIX}{}", base36::encode(block, Case::Lower)),
        }
    }

    fn unwrap(self, text: &str) -> Option<u128> {
        match self {
            Kind::BillingKey | Kind::Transfer => {
                base36::decode(join(text)?.strip_prefix(VERSION)?, Case::Lower)
            }
            Kind::Group => {
                let inner = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
                let digits = inner.strip_prefix(GROUP_MARK)?.strip_prefix(VERSION)?;
                base36::decode(digits, Case::Upper)
            }
            Kind::Payer => payer_id::decode(text).map(u128::from_be_bytes),
            Kind::Notice(_) => base36::decode(text.strip_prefix(NOTICE_PREFIX)?, Case::Lower),
        }
    }
}

/// The identifier key could not be set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the identifier key cannot be used")]
pub struct KeyUnusable;

/// Encodes and decodes identifiers under one installation's identifier key.
pub struct IdCodec {
    forth: EncryptingKey,
    back: DecryptingKey,
}

impl fmt::Debug for IdCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdCodec(…)")
    }
}

impl IdCodec {
    /// The codec of one environment. The AES key is derived from the identifier key and the
    /// environment's name, so that a TEST identifier names nothing in LIVE.
    pub fn new(identifier_key: &[u8; 32], live: bool) -> Result<IdCodec, KeyUnusable> {
        let environment: &[u8] = if live { b"live" } else { b"test" };
        let derived = Salt::new(HKDF_SHA256, b"ichae identifiers").extract(identifier_key);
        let key = || -> Result<UnboundCipherKey, KeyUnusable> {
            let info = [b"block 1 ".as_slice(), environment];
            Ok(derived.expand(&info, &AES_256).map_err(|_| KeyUnusable)?.into())
        };
        let codec = IdCodec {
            forth: EncryptingKey::ecb(key()?).map_err(|_| KeyUnusable)?,
            back: DecryptingKey::ecb(key()?).map_err(|_| KeyUnusable)?,
        };
        let hidden = codec.hide(VOID).ok_or(KeyUnusable)?;
        (codec.reveal(hidden) == Some(VOID)).then_some(codec).ok_or(KeyUnusable)
    }

    /// The wire's text for a serial of this partner, handed out in this store epoch.
    ///
    /// A partner number above 32 bits or a serial above 48 bits, neither of which a store hands
    /// out, gives a text that nothing decodes.
    ///
    /// # Panics
    /// Never: one whole block always encrypts, which [`IdCodec::new`] has tried.
    pub fn encode(&self, kind: Kind, partner: PartnerNo, epoch: u16, serial: i64) -> String {
        let block = pack(kind, partner, epoch, serial).unwrap_or(VOID);
        let Some(hidden) = self.hide(block) else {
            unreachable!("one whole block always encrypts");
        };
        kind.wrap(hidden)
    }

    /// The store epoch and the serial behind a text. `None` unless this codec made it, for this
    /// kind and this partner, character by character as it stands.
    pub fn decode(&self, kind: Kind, partner: PartnerNo, text: &str) -> Option<(u16, i64)> {
        let block = self.reveal(kind.unwrap(text)?)?;
        let (epoch, serial) = numbers(block)?;
        (pack(kind, partner, epoch, serial) == Some(block)).then_some((epoch, serial))
    }

    // The electronic code book of exactly one block is the bare permutation; there is no second
    // block that could show a repeat.
    fn hide(&self, block: u128) -> Option<u128> {
        let mut bytes = block.to_be_bytes();
        self.forth.encrypt(&mut bytes).ok()?;
        Some(u128::from_be_bytes(bytes))
    }

    fn reveal(&self, block: u128) -> Option<u128> {
        let mut bytes = block.to_be_bytes();
        self.back.decrypt(&mut bytes, DecryptionContext::None).ok()?;
        Some(u128::from_be_bytes(bytes))
    }
}

/// `None` where the partner number or the serial does not fit.
fn pack(kind: Kind, partner: PartnerNo, epoch: u16, serial: i64) -> Option<u128> {
    let partner_bits = u32::try_from(partner.0).ok()?;
    let serial_bits = u64::try_from(serial).ok().filter(|s| s >> SERIAL_BITS == 0)?;
    Some(
        u128::from(kind.byte()) << 120
            | u128::from(partner_bits) << 88
            | u128::from(partner.shard()) << 78
            | u128::from(epoch) << 62
            | u128::from(serial_bits) << ZERO_BITS,
    )
}

fn numbers(block: u128) -> Option<(u16, i64)> {
    let epoch = u16::try_from(block >> 62 & 0xffff).ok()?;
    let serial = i64::try_from(block >> ZERO_BITS & ((1 << SERIAL_BITS) - 1)).ok()?;
    Some((epoch, serial))
}

/// Where the hyphens stand in the 30 characters: groups of 8, 4, 4, 4 and 6.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const HYPHENATED_LEN: usize = 1 + base36::LEN + HYPHENS.len();

fn hyphenate(flat: &str) -> String {
    let mut text = flat.to_owned();
    for at in HYPHENS {
        text.insert(at, '-');
    }
    text
}

fn join(text: &str) -> Option<String> {
    let hyphens = text.match_indices('-').map(|(at, _)| at);
    (text.len() == HYPHENATED_LEN && hyphens.eq(HYPHENS)).then(|| text.replace('-', ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [Kind; 11] = [
        Kind::BillingKey,
        Kind::Group,
        Kind::Transfer,
        Kind::Notice(Outcome::Settled),
        Kind::Notice(Outcome::Failed),
        Kind::Notice(Outcome::Returned),
        Kind::Payer,
        Kind::Notice(Outcome::Paid),
        Kind::Notice(Outcome::ChargeFailed),
        Kind::Notice(Outcome::Refunded),
        Kind::Notice(Outcome::Deregistered),
    ];

    fn codec() -> IdCodec {
        IdCodec::new(&[7; 32], false).unwrap()
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        proptest::sample::select(&KINDS[..])
    }

    fn partners() -> impl Strategy<Value = PartnerNo> {
        (1..=i64::from(u32::MAX)).prop_map(PartnerNo)
    }

    const SERIAL_MAX: i64 = (1 << SERIAL_BITS) - 1;

    #[test]
    fn the_texts_have_the_documented_forms() {
        let codec = codec();
        let text = |kind| codec.encode(kind, PartnerNo(1), 0, 42);
        for kind in [Kind::BillingKey, Kind::Transfer] {
            let groups: Vec<usize> = text(kind).split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 6]);
            let lower = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase() || c == '-';
            assert!(text(kind).chars().all(lower) && text(kind).starts_with(VERSION));
        }
        let group = text(Kind::Group);
        let inner = String::from_utf8(STANDARD.decode(&group).unwrap()).unwrap();
        assert_eq!((group.len(), inner.len(), &inner[..2]), (36, 27, "G1"));
        assert!(inner.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
        let notice = text(Kind::Notice(Outcome::Settled));
        assert!(notice.starts_with("msg_") && notice.len() == 29);
        assert_eq!(text(Kind::Payer).len(), payer_id::LEN);
    }

    #[test]
    fn a_text_never_changes() {
        // An identifier outlives every release. These were computed with openssl, outside this code.
        let codec = codec();
        let table = [
            (Kind::BillingKey, "16j4vkf4-8tue-h1qm-ivl0-mz7vpu"),
            (Kind::Group, "RzE1RVk2Q0JEWU84WVQ4WktYREo2NDBNQjc0"),
            (Kind::Transfer, "10p18tp9-cy2d-7cmu-28y6-wy74lg"),
            (Kind::Payer, "cUxPd2Uyc3pmdEZNcGFIaitmQmRxQT09"),
            (Kind::Notice(Outcome::Failed), "msg_aadmazsmn7les45dpwl98hx1o"),
            (Kind::Notice(Outcome::Paid), "msg_258uy5y17jdq96pp32bnukzv7"),
            (Kind::Notice(Outcome::ChargeFailed), "msg_5hmvey45dkmuf4qk57ckiqy4e"),
            (Kind::Notice(Outcome::Refunded), "msg_ai1mmlvaz8jyqywvabd3c506n"),
            (Kind::Notice(Outcome::Deregistered), "msg_0jgk2kv2syaej05404nqwb44s"),
        ];
        for (kind, text) in table {
            assert_eq!(codec.encode(kind, PartnerNo(1_025), 3, 42), text);
            assert_eq!(codec.decode(kind, PartnerNo(1_025), text), Some((3, 42)));
        }
    }

    #[test]
    fn numbers_that_do_not_fit_give_a_text_that_nothing_decodes() {
        let codec = codec();
        let too_big = i64::from(u32::MAX) + 1;
        for (partner, serial) in [(1, SERIAL_MAX + 1), (1, -1), (too_big, 1), (-1, 1)] {
            let text = codec.encode(Kind::Transfer, PartnerNo(partner), 0, serial);
            assert_eq!(codec.decode(Kind::Transfer, PartnerNo(partner), &text), None);
        }
    }

    #[test]
    fn another_environment_or_key_decodes_nothing() {
        let (test, live) = (codec(), IdCodec::new(&[7; 32], true).unwrap());
        let other = IdCodec::new(&[8; 32], false).unwrap();
        for kind in KINDS {
            let text = test.encode(kind, PartnerNo(1), 0, 1);
            assert_eq!(live.decode(kind, PartnerNo(1), &text), None);
            assert_eq!(other.decode(kind, PartnerNo(1), &text), None);
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        assert_eq!(format!("{:?}", codec()), "IdCodec(…)");
    }

    #[test]
    fn a_change_of_form_never_decodes() {
        let codec = codec();
        for kind in KINDS {
            let text = codec.encode(kind, PartnerNo(1), 0, 1);
            let swapped: String = text.chars().map(swap_case).collect();
            let changes = [
                text.replace('-', "_"),
                text.replacen('-', "", 1),
                format!("{text} "),
                format!(" {text}"),
                format!("{text}="),
                text[1..].to_owned(),
                swapped,
                String::new(),
                "ALL".to_owned(),
                "가".repeat(10),
            ];
            for changed in changes.iter().filter(|c| **c != text) {
                assert_eq!(codec.decode(kind, PartnerNo(1), changed), None, "{changed}");
            }
        }
    }

    fn swap_case(c: char) -> char {
        if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    }

    proptest! {
        #[test]
        fn round_trip(kind in kinds(), partner in partners(), epoch: u16, serial in 0..=SERIAL_MAX) {
            let codec = codec();
            let text = codec.encode(kind, partner, epoch, serial);
            prop_assert!(text.len() <= 40);
            prop_assert_eq!(codec.decode(kind, partner, &text), Some((epoch, serial)));
        }

        #[test]
        fn another_kind_or_partner_never_decodes(
            kind in kinds(), wrong_kind in kinds(), partner in partners(), wrong in partners(),
            epoch: u16, serial in 0..=SERIAL_MAX,
        ) {
            let codec = codec();
            let text = codec.encode(kind, partner, epoch, serial);
            if wrong_kind != kind {
                prop_assert_eq!(codec.decode(wrong_kind, partner, &text), None);
            }
            if wrong != partner {
                prop_assert_eq!(codec.decode(kind, wrong, &text), None);
                let same_shard = PartnerNo((partner.0 + 1_024) % i64::from(u32::MAX));
                prop_assert_eq!(codec.decode(kind, same_shard, &text), None);
            }
        }

        #[test]
        fn changing_one_character_never_decodes(
            kind in kinds(), serial in 0..=SERIAL_MAX, at: prop::sample::Index, new in "[ -~]",
        ) {
            let codec = codec();
            let text = codec.encode(kind, PartnerNo(1), 0, serial);
            let at = at.index(text.len());
            let changed = format!("{}{new}{}", &text[..at], &text[at + 1..]);
            if changed != text {
                prop_assert_eq!(codec.decode(kind, PartnerNo(1), &changed), None);
            }
        }

        #[test]
        fn neighbours_look_unlike(kind in kinds(), serial in 0..SERIAL_MAX) {
            let codec = codec();
            let block = |serial| kind.unwrap(&codec.encode(kind, PartnerNo(1), 0, serial));
            let digits = |serial| base36::encode(block(serial).unwrap_or(VOID), Case::Lower);
            let (one, next) = (digits(serial), digits(serial + 1));
            let differing = one.bytes().zip(next.bytes()).filter(|(a, b)| a != b).count();
            prop_assert!(differing > base36::LEN / 2, "{one} {next}");
        }

        #[test]
        fn random_text_never_decodes(kind in kinds(), text in ".{0,50}") {
            prop_assert_eq!(codec().decode(kind, PartnerNo(1), &text), None);
        }

        #[test]
        fn a_made_up_block_never_decodes(kind in kinds(), block: u128) {
            prop_assert_eq!(codec().decode(kind, PartnerNo(1), &kind.wrap(block)), None);
        }
    }
}
