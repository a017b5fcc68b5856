//! What holds for every number: orders once, refunds within the payment, one receipt at a time.

use crate::common::{
    ACCOUNT, AMOUNT, CARD, NO_HISTORY, TIMED_OUT, VAT, approval, canceling, is_done, issuing,
    paying, refunding, refused, token, with_receipt,
};
use ichae_acquirer::port::{Acquirer as _, PayCall, ReceiptCall, ReceiptFor, RefundCall};
use ichae_acquirer::simulated::SimulatedAcquirer;
use ichae_domain::billing::{Method, Reason, TradeAnswer, TradeKind, TradeWhy};
use ichae_domain::money::Won;
use secrecy::SecretString;

/// An acquirer, and a plain token for it.
async fn plain(method: Method) -> (SimulatedAcquirer, SecretString) {
    let acquirer = SimulatedAcquirer::in_memory().unwrap();
    let number = if method == Method::Card { CARD } else { ACCOUNT };
    let token = token(&acquirer, method, number).await;
    (acquirer, token)
}

#[tokio::test]
async fn an_order_is_captured_once_and_both_references_name_it() {
    let (acquirer, token) = plain(Method::Card).await;
    let pay = paying("1", Method::Card, &token);
    let first = approval(acquirer.pay(&pay).await);
    assert_eq!((first.auth_no.as_str(), first.receipt_no.as_deref()), ("00000001", None));
    let other = PayCall { reference: "again".to_owned(), ..pay.clone() };
    for call in [&pay, &other, &other] {
        assert_eq!(approval(acquirer.pay(call).await), first);
    }
    for reference in ["pay 1", "again"] {
        assert_eq!(approval(acquirer.inquire(reference, TradeKind::Pay).await), first);
    }
    let by_alias =
        RefundCall { pay_reference: "again".to_owned(), ..refunding("back 1", "1", 600) };
    assert!(is_done(&acquirer.refund(&by_alias).await));
    assert_eq!(acquirer.refund(&refunding("back 2", "1", 600)).await, refused(1128));

    let rows = acquirer.audit().await.unwrap();
    let told: Vec<_> =
        rows.iter().map(|r| (r.reference.as_str(), r.trade, r.alias, r.done, r.calls)).collect();
    assert_eq!(
        told,
        [
            ("pay 1", 1, false, true, 2),
            ("again", 1, true, true, 2),
            ("back 1", 2, false, true, 1),
            ("back 2", 3, false, false, 1),
        ]
    );
    assert!(rows.iter().all(|row| row.order.as_deref() == Some("1")));
}

#[tokio::test]
async fn a_retry_whose_first_answer_was_lost_hears_the_approval() {
    for number in ["9900000200000001", "9900000200000003"] {
        let acquirer = SimulatedAcquirer::in_memory().unwrap();
        let token = token(&acquirer, Method::Card, number).await;
        let pay = paying("1", Method::Card, &token);
        assert_eq!(acquirer.pay(&pay).await, TIMED_OUT);
        let other = PayCall { reference: "again".to_owned(), ..pay };
        assert!(is_done(&acquirer.pay(&other).await));
        let rows = acquirer.audit().await.unwrap();
        assert_eq!(rows.iter().filter(|row| row.done && !row.alias).count(), 1);
    }
}

#[tokio::test]
async fn an_order_of_other_content_does_not_decide_and_a_refused_one_may_come_again() {
    let (acquirer, token_1) = plain(Method::Card).await;
    let token_2 = token(&acquirer, Method::Card, CARD).await;
    let refusing = token(&acquirer, Method::Card, "9900000000003112").await;
    let first = PayCall { reference: "a".to_owned(), ..paying("1", Method::Card, &refusing) };
    assert_eq!(acquirer.pay(&first).await, refused(3112));
    let pay = paying("1", Method::Card, &token_1);
    assert!(is_done(&acquirer.pay(&pay).await));

    let dearer = PayCall { reference: "b".to_owned(), amount: Won(2_000), ..pay.clone() };
    let other = PayCall { reference: "c".to_owned(), token: token_2, ..pay.clone() };
    let seen = TradeAnswer::Unknown(TradeWhy::Undecided(Reason(1103)));
    for call in [&dearer, &other] {
        assert_eq!(acquirer.pay(call).await, seen);
        assert_eq!(acquirer.inquire(&call.reference, TradeKind::Pay).await, seen);
    }
    // A reference that is known, with something else.
    assert_eq!(acquirer.pay(&PayCall { order: "2".to_owned(), ..pay.clone() }).await, seen);
    assert_eq!(acquirer.refund(&refunding("pay 1", "1", 1)).await, seen);
    assert_eq!(acquirer.receipt(&issuing("pay 1", "1", 1)).await, seen);
    let rows = acquirer.audit().await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.done).count(), 1);
}

#[tokio::test]
async fn what_cannot_be_paid_is_refused() {
    let (acquirer, token) = plain(Method::Card).await;
    let of_account = crate::common::token(&acquirer, Method::Account, ACCOUNT).await;
    let pay = paying("1", Method::Card, &token);
    let from_account = paying("1", Method::Account, &of_account);
    let table = [
        (PayCall { token: "sim_unknown".into(), ..pay.clone() }, 1121),
        (PayCall { method: Method::Account, ..pay.clone() }, 1121),
        (PayCall { amount: Won(99), vat: Won::ZERO, ..pay.clone() }, 1110),
        (PayCall { amount: Won(999), vat: Won::ZERO, ..from_account }, 3213),
        (PayCall { vat: Won(1_001), ..pay.clone() }, 3109),
        (PayCall { vat: Won(-1), ..pay.clone() }, 3109),
    ];
    for (at, (call, code)) in table.into_iter().enumerate() {
        let call = PayCall { reference: format!("{at}"), ..call };
        assert_eq!(acquirer.pay(&call).await, refused(code), "{at}");
        assert_eq!(acquirer.inquire(&call.reference, TradeKind::Pay).await, refused(code));
    }
    assert!(is_done(&acquirer.pay(&pay).await));
}

#[tokio::test]
async fn refunds_are_within_their_payment() {
    let (acquirer, token) = plain(Method::Card).await;
    assert_eq!(acquirer.refund(&refunding("a", "1", 100)).await, refused(1117));
    acquirer.pay(&paying("1", Method::Card, &token)).await;
    let table = [
        (refunding("b", "1", 0), Some(3109)),
        (refunding("c", "1", -1), Some(3109)),
        (RefundCall { vat: Won(101), ..refunding("d", "1", 100) }, Some(3109)),
        (refunding("e", "1", 1_001), Some(1128)),
        (RefundCall { vat: VAT, ..refunding("f", "1", 400) }, None),
        (refunding("g", "1", 601), Some(1128)),
        (refunding("h", "1", 600), None),
        (refunding("i", "1", 1), Some(1115)),
        // The same calls again.
        (refunding("f", "1", 400), None),
        (refunding("i", "1", 1), Some(1115)),
        // A refund is no payment.
        (RefundCall { pay_reference: "f".to_owned(), ..refunding("j", "1", 1) }, Some(1117)),
        (refunding("k", "2", 1), Some(1117)),
    ];
    for (call, code) in table {
        let told = acquirer.refund(&call).await;
        match code {
            Some(code) => assert_eq!(told, refused(code), "{call:?}"),
            None => assert_eq!(approval(told).auth_no.len(), 8, "{call:?}"),
        }
    }
    let rows = acquirer.audit().await.unwrap();
    let back = rows.iter().filter(|row| row.done && row.kind == TradeKind::Refund);
    assert_eq!(back.map(|row| row.amount.0).sum::<i64>(), AMOUNT.0);
    // Wholly refunded, and still captured once.
    let late = PayCall { reference: "late".to_owned(), ..paying("1", Method::Card, &token) };
    assert_eq!(approval(acquirer.pay(&late).await).auth_no, "00000002");
}

#[tokio::test]
async fn an_inquiry_knows_references_by_their_kind_only() {
    let (acquirer, token) = plain(Method::Card).await;
    acquirer.pay(&paying("1", Method::Card, &token)).await;
    for (reference, kind) in [
        ("pay 2", TradeKind::Pay),
        ("pay 1", TradeKind::Refund),
        ("pay 1", TradeKind::Receipt),
        ("", TradeKind::Pay),
    ] {
        assert_eq!(acquirer.inquire(reference, kind).await, NO_HISTORY, "{reference} {kind:?}");
    }
}

#[tokio::test]
async fn a_payment_has_one_receipt_at_a_time() {
    let (acquirer, token) = plain(Method::Account).await;
    acquirer.pay(&paying("1", Method::Account, &token)).await;
    let nobody = ReceiptCall { for_whom: None, ..issuing("a", "1", 1_000) };
    let whom = |number: &str| ReceiptFor { id_number: number.into(), ..crate::common::whom() };
    let strange = ReceiptCall { for_whom: Some(whom("010-2345")), ..issuing("b", "1", 1_000) };
    let table = [
        (nobody, Err(1101)),
        (strange, Err(1101)),
        (issuing("c", "1", 1_001), Err(1105)),
        (issuing("d", "1", 0), Err(3109)),
        (canceling("e", "1", 1_000), Err(1117)),
        (issuing("f", "2", 1_000), Err(1117)),
        (issuing("g", "1", 1_000), Ok("test00000000000000008")),
        (issuing("h", "1", 1_000), Err(1116)),
        (canceling("i", "1", 999), Err(1126)),
        (canceling("j", "1", 1_000), Ok("test00000000000000008")),
        (canceling("k", "1", 1_000), Err(1115)),
        (issuing("l", "1", 500), Ok("test00000000000000013")),
        // The same calls again.
        (issuing("g", "1", 1_000), Ok("test00000000000000008")),
        (canceling("k", "1", 1_000), Err(1115)),
    ];
    for (call, expected) in table {
        let kind = if call.cancel { TradeKind::ReceiptCancel } else { TradeKind::Receipt };
        let told = acquirer.receipt(&call).await;
        assert_eq!(acquirer.inquire(&call.reference, kind).await, told, "{call:?}");
        match expected {
            Ok(number) => assert_eq!(approval(told).receipt_no.as_deref(), Some(number)),
            Err(code) => assert_eq!(told, refused(code), "{call:?}"),
        }
    }
}

#[tokio::test]
async fn a_refund_cancels_the_receipt_that_stands() {
    let (acquirer, token) = plain(Method::Account).await;
    let paid = approval(acquirer.pay(&with_receipt(paying("1", Method::Account, &token))).await);
    assert_eq!(paid.receipt_no.as_deref(), Some("test00000000000000001"));
    assert_eq!(acquirer.receipt(&issuing("a", "1", 1_000)).await, refused(1116));
    let back = approval(acquirer.refund(&refunding("b", "1", 400)).await);
    assert_eq!((back.receipt_no, back.auth_no.as_str()), (paid.receipt_no, ""));
    assert_eq!(acquirer.receipt(&canceling("c", "1", 1_000)).await, refused(1115));
    // What is left may have one again, and the next refund cancels that.
    assert_eq!(acquirer.receipt(&issuing("d", "1", 601)).await, refused(1105));
    let again = approval(acquirer.receipt(&issuing("e", "1", 600)).await);
    let back = approval(acquirer.refund(&refunding("f", "1", 100)).await);
    assert_eq!(back.receipt_no, again.receipt_no);
    assert_eq!(approval(acquirer.refund(&refunding("g", "1", 500)).await).receipt_no, None);
}

#[tokio::test]
async fn a_card_payment_has_no_receipt() {
    let (acquirer, token) = plain(Method::Card).await;
    let paid = approval(acquirer.pay(&with_receipt(paying("1", Method::Card, &token))).await);
    assert_eq!((paid.receipt_no, paid.receipt_reason), (None, Some(Reason(3002))));
    assert_eq!(acquirer.receipt(&issuing("a", "1", 1_000)).await, refused(3002));
}
