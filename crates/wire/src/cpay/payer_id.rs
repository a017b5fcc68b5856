//! `PCD_PAYER_ID`: 32 characters, sixteen bytes in base64 twice (wire facts 2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub const LEN: usize = 32;

pub fn encode(bytes: &[u8; 16]) -> String {
    STANDARD.encode(STANDARD.encode(bytes))
}

/// The bytes of a text that [`encode`] could have made, character by character.
pub fn decode(text: &str) -> Option<[u8; 16]> {
    if text.len() != LEN {
        return None;
    }
    let bytes = STANDARD.decode(STANDARD.decode(text).ok()?).ok()?.try_into().ok()?;
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ids_of_the_documents_have_this_form() {
        for text in ["NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09", "d0toSS9sT084bVJSNThScnFXQm9Gdz09"] {
            assert_eq!(decode(text).map(|bytes| encode(&bytes)).as_deref(), Some(text));
        }
    }

    #[test]
    fn no_other_text_has_it() {
        let twice = |inner: &str| STANDARD.encode(inner);
        for text in [
            "",
            "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT0",
            "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09 ",
            "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT0_",
            "d0toSS9sT084bVJSNThScnFX...",
            "가가가가가가가가가가가",
            // Once only, without its padding, another length, and trailing bits that are not zero.
            "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
            &twice("AAAAAAAAAAAAAAAAAAAAAAAA"),
            &twice("AAAAAAAAAAAAAAAAAAAAAA"),
            &twice("AAAAAAAAAAAAAAAAAAAAAB=="),
            &twice("AAAAAAAAAAAAAAAAAAAAA==="),
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(bytes: [u8; 16]) {
            let text = encode(&bytes);
            prop_assert_eq!(text.len(), LEN);
            prop_assert_eq!(decode(&text), Some(bytes));
        }

        #[test]
        fn what_decodes_is_canonical(text in "[A-Za-z0-9+/=]{32}") {
            prop_assert!(decode(&text).is_none_or(|bytes| encode(&bytes) == text));
        }
    }
}
