//! `ichae explain` and other commands that need no hub.

use crate::process::{json, run, stderr, stdout};

#[test]
fn every_code_is_explained_in_both_languages() {
    for entry in ichae_domain::code::TABLE {
        let told = json(&["explain", entry.name]);
        assert_eq!((&told["message"], &told["meaning"]), (&entry.ko.into(), &entry.en.into()));
        assert_eq!(told["what to do"], entry.action);
    }
    assert!(stdout(&run(&["explain", "r0140"])).contains("한도잔여금액이 부족"));
}

#[test]
fn bank_codes_are_explained_and_what_is_not_listed_is_unknown() {
    assert_eq!(json(&["explain", "415"])["ends the billing key"], true);
    assert!(stdout(&run(&["explain", "777"])).contains("unknown"));
    assert!(stdout(&run(&["explain", "3112"])).contains("한도가 초과하였습니다."));
    assert!(stdout(&run(&["explain", "9998"])).contains("unknown"));
    let wrong = run(&["explain", "nonsense"]);
    assert!(!wrong.status.success() && stderr(&wrong).contains("neither"));
}

#[test]
fn version_and_usage() {
    assert!(stdout(&run(&["--version"])).starts_with("ichae "));
    assert_eq!(run(&["nonsense"]).status.code(), Some(2));
}
