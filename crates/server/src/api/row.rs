//! A payout's row as the wire shows it: in look-ups and in webhooks alike (decision H14).

use crate::hub::Hub;
use ichae_domain::banks;
use ichae_domain::ident::PartnerNo;
use ichae_domain::payout::State;
use ichae_domain::text::mask_account;
use ichae_store::port::Row;
use ichae_wire::hub::row::{ResultRow, Verdict};
use ichae_wire::hub::waiting::WaitingRow;
use ichae_wire::ident::Kind;
use secrecy::ExposeSecret;

/// The row with what `verdict` says of it.
pub fn result(hub: &Hub, cst_id: &str, row: &Row, verdict: Verdict) -> ResultRow {
    let partner = row.payout.partner;
    let attempt = row.attempt.as_ref();
    let bank_no = attempt.and_then(|a| a.bank_no);
    let number = row.account.number.expose_secret();
    let at = attempt.map_or(row.payout.at, |a| a.sent_at);
    ResultRow {
        result: verdict.result(),
        message: verdict.message(),
        cst_id: cst_id.to_owned(),
        sub_id: row.payout.sub_id.clone().unwrap_or_default(),
        group_key: hub.id(Kind::Group, partner, row.payout.group.0),
        billing_tran_id: hub.id(Kind::BillingKey, partner, row.payout.key.0),
        api_tran_id: hub.id(Kind::Transfer, partner, row.payout.no.0),
        api_tran_dtm: at.seoul_17(),
        bank_tran_id: bank_no.map(|no| no.text(hub.rail.institution())).unwrap_or_default(),
        bank_tran_date: attempt
            .filter(|_| bank_no.is_some())
            .map(|a| a.day.to_string())
            .unwrap_or_default(),
        bank_rsp_code: verdict.bank_rsp_code(),
        bank_code_std: row.key.bank.clone(),
        bank_code_sub: format!("{:07}", attempt.map_or(0, |a| a.bank_code_sub)),
        bank_name: banks::name(&row.key.bank).unwrap_or_default().to_owned(),
        account_num: number.to_owned(),
        account_num_masked: mask_account(number),
        account_holder_name: row.account.holder.expose_secret().to_owned(),
        print_content: row.payout.print.clone(),
        tran_amt: row.payout.amount.to_string(),
        distinct_key: row.payout.distinct_key.clone(),
        opens_at: opens_at(hub, row),
    }
}

/// When an executed row goes out, where it waits for its bank's hours.
fn opens_at(hub: &Hub, row: &Row) -> Option<String> {
    if row.state != State::Executing {
        return None;
    }
    let now = hub.now();
    let opens = hub.calendar.bank_open_from(&row.key.bank, now);
    (opens > now).then(|| opens.seoul_17())
}

/// A row that waits for its execution.
pub fn waiting(hub: &Hub, partner: PartnerNo, row: &Row) -> WaitingRow {
    WaitingRow {
        sub_id: row.payout.sub_id.clone().unwrap_or_default(),
        distinct_key: row.payout.distinct_key.clone(),
        group_key: hub.id(Kind::Group, partner, row.payout.group.0),
        billing_tran_id: hub.id(Kind::BillingKey, partner, row.payout.key.0),
        tran_amt: row.payout.amount.to_string(),
        print_content: row.payout.print.clone(),
        api_tran_dtm: row.payout.at.seoul_17(),
    }
}
