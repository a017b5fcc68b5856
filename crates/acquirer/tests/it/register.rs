//! Registrations.

use crate::common::{ACCOUNT, BIRTH, CARD, HOLDER, PHONE, account, card, reads, whom};
use ichae_acquirer::port::{Acquirer as _, CardDetails, Registration};
use ichae_acquirer::simulated::{SimulatedAcquirer, bank_name};
use ichae_domain::billing::Reason;
use secrecy::ExposeSecret as _;

#[tokio::test]
async fn a_number_becomes_a_token_and_its_mask() {
    let acquirer = SimulatedAcquirer::in_memory().unwrap();
    let by_card = acquirer.register_card(&card(CARD)).await;
    let by_account = acquirer.register_account(&account("081", ACCOUNT)).await;
    let table = [
        (by_card, "0200", "BC카드", "1111-****-****-2222"),
        (by_account, "081", "KEB하나은행", "123-********-021"),
    ];
    for (registration, expected_org, expected_name, expected_mask) in table {
        let Registration::Done { token, org, org_name, number_masked } = registration else {
            panic!("{registration:?}");
        };
        assert_eq!((org.as_str(), org_name.as_str()), (expected_org, expected_name));
        assert!(reads(&number_masked, expected_mask));
        assert!(token.expose_secret().starts_with("sim_"));
        assert!(token.expose_secret().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    }
    assert_eq!(acquirer.audit().await.unwrap(), []);
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused() {
    let acquirer = SimulatedAcquirer::in_memory().unwrap();
    let expiring = |year: &str, month: &str| CardDetails {
        expiry_year: year.into(),
        expiry_month: month.into(),
        ..card(CARD)
    };
    for (details, code) in [
        (card("9900000100003110"), 3110),
        (card("9900000100009999"), 9999),
        (card(""), 1149),
        (card("111122223333"), 1149),
        (card("1111-2222-3333-2222"), 1149),
        (card("１１１１２２２２３３３３２２２２"), 1149),
        (expiring("29", "13"), 1152),
        (expiring("29", "00"), 1152),
        (expiring("29", "8"), 1152),
        (expiring("2029", "08"), 1152),
    ] {
        let told = acquirer.register_card(&details).await;
        assert!(matches!(told, Registration::Refused(Reason(c)) if c == code), "{code} {told:?}");
    }
    for (details, code) in [
        (account("081", "990000013226"), 3226),
        (account("081", "123456789"), 3226),
        (account("081", "12345678902１"), 3226),
        (account("999", ACCOUNT), 3226),
    ] {
        let told = acquirer.register_account(&details).await;
        assert!(matches!(told, Registration::Refused(Reason(c)) if c == code), "{code} {told:?}");
    }
}

#[test]
fn banks_are_spelt_as_this_api_spells_them() {
    for (bank, expected) in [
        ("081", Some("KEB하나은행")),
        ("011", Some("농협")),
        ("020", Some("우리은행")),
        ("999", None),
    ] {
        assert_eq!(bank_name(bank), expected, "{bank}");
    }
}

#[tokio::test]
async fn nothing_prints_a_secret() {
    let acquirer = SimulatedAcquirer::in_memory().unwrap();
    let done = acquirer.register_card(&card(CARD)).await;
    let Registration::Done { token, .. } = &done else { panic!("{done:?}") };
    let pay = crate::common::paying("1", ichae_domain::billing::Method::Card, token);
    let printed = [
        format!("{:?}", card(CARD)),
        format!("{:?}", account("081", ACCOUNT)),
        format!("{done:?}"),
        format!("{:?}", crate::common::with_receipt(pay)),
        format!("{:?}", crate::common::issuing("r", "1", 1)),
        format!("{:?}", whom()),
    ];
    let secrets = [CARD, ACCOUNT, BIRTH, HOLDER, PHONE, "\"47\"", "****", token.expose_secret()];
    for text in printed {
        for secret in secrets {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
