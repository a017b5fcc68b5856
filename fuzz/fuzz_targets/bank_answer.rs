//! Bytes of a bank, through every parser of its messages: none may panic, and none may take for
//! settled what is not about the transfer that was sent.
#![no_main]

use ichae_domain::bank::Answer;
use ichae_domain::money::Won;
use ichae_domain::time::Day;
use ichae_rail::openbanking::message::Got;
use ichae_rail::openbanking::original::Original;
use ichae_rail::openbanking::{deposit, real_name, receive, result, status, token};
use libfuzzer_sys::fuzz_target;

const ID: &str = "M202112389U000000001";

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    let status_code = if *first < 200 { 200 } else { 500 };
    let got = Got::Reply { status: status_code, body: body.to_vec() };
    let original = Original {
        bank_tran_id: ID.to_owned(),
        day: Day(20_261_124),
        amount: Won(1_000),
        trust_dates: true,
    };
    let sent = deposit::Sent { original: original.clone(), account: "1234567890".into() };
    let about_it = body.windows(ID.len()).any(|window| window == ID.as_bytes());
    let settled = |answer: &Answer| matches!(answer, Answer::Settled { .. });
    assert!(!settled(&deposit::read(&sent, &got)) || about_it);
    let answers = result::read(&[original], &got);
    assert_eq!(answers.len(), 1);
    assert!(!settled(&answers[0]) || about_it);
    let check = real_name::Sent {
        bank_tran_id: ID.to_owned(),
        account: "1234567890".into(),
        day: Day(20_261_124),
        trust_dates: true,
    };
    let _ = real_name::read(&check, &got);
    let receiver = receive::Sent { bank_tran_id: ID.to_owned(), amount: Won(1_000) };
    let _ = receive::read(&receiver, &got);
    let _ = status::read(&got);
    let _ = token::read(&got);
});
