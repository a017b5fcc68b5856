//! Finds a payout by any of the names that people have for it.

use super::request::{AdminError, PayoutName};
use crate::hub::Hub;
use ichae_domain::code::Code;
use ichae_domain::ident::{BankNo, PartnerNo, PayoutNo};
use ichae_store::port::Row;
use ichae_wire::ident::Kind;
use std::sync::Arc;

/// By number, `bank_tran_id` or `api_tran_id`; P0130 where nothing has that name.
pub(super) async fn payout(hub: &Arc<Hub>, name: &PayoutName) -> Result<Row, AdminError> {
    let partner = match &name.cst_id {
        Some(cst_id) => Some(hub.directory.by_id(cst_id).ok_or(Code::P0101)?.partner.no),
        None => None,
    };
    let no = number(hub, &name.id, partner).await?.ok_or(Code::P0130)?;
    let row = hub.read(move |r| r.row(no)).await?;
    let named = |row: &Row| partner.is_none_or(|partner| row.payout.partner == partner);
    row.filter(named).ok_or_else(|| Code::P0130.into())
}

async fn number(
    hub: &Arc<Hub>,
    id: &str,
    partner: Option<PartnerNo>,
) -> Result<Option<PayoutNo>, AdminError> {
    if id.len() < 19 && id.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(id.parse().ok().map(PayoutNo));
    }
    if let Some(bank_no) = BankNo::parse(id, hub.rail.institution()) {
        return Ok(hub.read(move |r| r.payout_of(bank_no)).await?);
    }
    // An id decodes only as its own partner's.
    let partners = match partner {
        Some(partner) => vec![partner],
        None => hub.read(|r| r.partners()).await?.iter().map(|partner| partner.no).collect(),
    };
    let decode = |partner: &PartnerNo| hub.serial(Kind::Transfer, *partner, id).map(PayoutNo);
    Ok(partners.iter().find_map(decode))
}
