//! What is wrong with settings is said in words that tell what to do.

use super::samples::{SECRETS, settings};
use crate::common::Hand;
use ichae_rail::openbanking::OpenBanking;
use ichae_rail::openbanking::settings::{ContractKind, Settings};
use std::time::Duration;

const TEST_HOST: &str = "https://testapi.openbanking.or.kr";
const LIVE_HOST: &str = "https://openapi.openbanking.or.kr";

type Change = fn(&mut Settings);

#[test]
fn fine_settings_have_no_problem() {
    for host in [TEST_HOST, LIVE_HOST, "http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"]
    {
        assert_eq!(settings(host).problems(), [""; 0], "{host}");
    }
}

#[test]
fn each_problem_is_named_once() {
    let changes: &[(Change, &str)] = &[
        (|s| s.base_url = "http://testapi.openbanking.or.kr".into(), "base_url must begin with"),
        (|s| s.base_url = "ftp://127.0.0.1".into(), "base_url must begin with"),
        (|s| s.base_url = "testapi".into(), "base_url is no address"),
        (|s| s.base_url = format!("{TEST_HOST}/v2.0"), "base_url must be a host"),
        (|s| s.base_url = format!("{TEST_HOST}/?a=b"), "base_url must be a host"),
        (
            |s| s.base_url = "https://a:b@testapi.openbanking.or.kr".into(),
            "base_url must be a host",
        ),
        (|s| s.client_id = String::new(), "client_id is missing"),
        (|s| s.client_secret = "".into(), "client_secret is missing"),
        (|s| s.scope = "transfer".into(), "scope must be"),
        (|s| s.institution = "M20211238".into(), "institution must be"),
        (|s| s.institution = "m202112389".into(), "institution must be"),
        (|s| s.institution = "M2021123890".into(), "institution must be"),
        (|s| s.contract_account = "12-34".into(), "contract_account must be"),
        (|s| s.contract_account = "12345678901234567".into(), "contract_account must be"),
        (|s| s.pass_phrase = "".into(), "pass_phrase is missing"),
        (|s| s.print = String::new(), "print must be"),
        (|s| s.print = "가나다라마바사아자차카".into(), "print must be"),
        (|s| s.client_name = "가나다라마바사아자차카".into(), "client_name must be"),
        (|s| s.client_bank = "97".into(), "client_bank must be"),
        (|s| s.client_account = "".into(), "client_account must be"),
        (|s| s.client_number = "홍길동".into(), "client_number must be"),
        (|s| s.client_number = "X".repeat(21), "client_number must be"),
        (|s| s.transfer_purpose = "XX".into(), "transfer_purpose must be"),
        (|s| s.connect_timeout = Duration::ZERO, "connect_timeout must be"),
        (|s| s.connect_timeout = s.timeout, "connect_timeout must be"),
        (|s| s.calls_per_second = 0, "calls_per_second must be"),
        (|s| s.in_flight = 0, "in_flight must be"),
        (|s| (s.base_url, s.trust_dates) = (LIVE_HOST.into(), false), "trust_dates must be"),
    ];
    for (change, expected) in changes {
        let mut changed = settings(TEST_HOST);
        change(&mut changed);
        let problems = changed.problems();
        assert_eq!(problems.len(), 1, "{expected}: {problems:?}");
        assert!(problems[0].starts_with(expected), "{problems:?}");
        let error = OpenBanking::new(changed, Hand::new().clock()).err().unwrap().to_string();
        assert!(error.contains(&problems[0]), "{error}");
        assert!(!SECRETS.iter().any(|secret| error.contains(secret)), "{error}");
    }
}

#[test]
fn a_contract_account_has_one_of_two_letters() {
    for (letter, kind) in [("N", Some(ContractKind::Account)), ("C", Some(ContractKind::Ledger))] {
        assert_eq!(ContractKind::from_letter(letter), kind);
    }
    assert_eq!(ContractKind::from_letter("n"), None);
}
