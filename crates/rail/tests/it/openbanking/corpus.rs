//! The files below `corpus`: what a fuzzer of each reader starts from. `good-` has to be a definite
//! answer about what was sent, `bad-` has to be none.

use super::samples::{check_sent, original, receive_sent, reply, sent};
use ichae_domain::bank::Answer;
use ichae_rail::openbanking::message::Got;
use ichae_rail::openbanking::receive::Checked;
use ichae_rail::openbanking::{deposit, real_name, receive, result, status, token};
use ichae_rail::port::CheckAnswer;
use std::fs;
use std::path::Path;

/// Whether a reader takes an answer for more than "nothing is known".
type Decides = fn(&Got) -> bool;

const READERS: &[(&str, Decides)] = &[
    ("deposit", |got| !matches!(deposit::read(&sent(), got), Answer::Unknown(_))),
    ("result", |got| !matches!(result::read(&[original()], got)[..], [Answer::Unknown(_)])),
    ("real_name", |got| !matches!(real_name::read(&check_sent(), got), CheckAnswer::NoAnswer)),
    ("receive", |got| receive::read(&receive_sent(), got) != Checked::NoAnswer),
    ("status", |got| status::read(got).is_some()),
    ("token", |got| token::read(got).is_ok()),
];

#[test]
fn every_file_is_read_as_its_name_says() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/corpus");
    for (message, decides) in READERS {
        let (mut good, mut bad) = (0, 0);
        for entry in fs::read_dir(corpus.join(message)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let definite = decides(&reply(200, fs::read(&path).unwrap()));
            match name.split('-').next() {
                Some("good") => good += 1,
                Some("bad") => bad += 1,
                _ => panic!("{message}/{name} begins with neither good- nor bad-"),
            }
            assert_eq!(definite, name.starts_with("good-"), "{message}/{name}");
        }
        assert!(good >= 1 && bad >= 9, "{message}: {good} good, {bad} bad");
    }
    assert_eq!(fs::read_dir(&corpus).unwrap().count(), READERS.len());
}
