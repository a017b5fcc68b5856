use crate::api::answer::{Answered, done};
use crate::api::call::Call;
use ichae_domain::bank::BankCode;
use ichae_domain::banks;
use ichae_domain::code::Code;
use ichae_domain::command::{Actor, Command, NewKey};
use ichae_domain::ident::PartnerNo;
use ichae_domain::key::Account;
use ichae_domain::partner::Partner;
use ichae_domain::refusal::{Detail, Refusal};
use ichae_domain::time::Day;
use ichae_domain::view::Reply;
use ichae_rail::port::{AccountCheck, CheckAnswer};
use ichae_wire::hub::real_name::{self, Parsed, RequestBody, Response as Body};
use ichae_wire::hub::refusal::RefusalBody;
use ichae_wire::hub::{MESSAGE, RESULT};
use ichae_wire::ident::Kind;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How long the bank may take over an account check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// Verifies an account with the bank and gives its billing key (decisions H11, H12).
///
/// The same sub_id, bank, account and holder info give the same live key again. The holder's name
/// is returned, not checked: compare it yourself.
#[utoipa::path(post, path = real_name::PATH, tag = "payouts", request_body = RequestBody,
    security(("bearer" = [])),
    responses((status = 200, description = "The billing key, or a refusal: N0101 N0102 N0110 N0112 \
               N0120 N0130 N0198 A0007 A0009 R0130 T0340 T0996", body = Body),
              (status = "4XX", description = "A fault below the API", body = RefusalBody),
              (status = 503, description = "Busy or draining", body = RefusalBody)))]
pub async fn real_name(call: Call) -> Answered {
    let entry = call.caller()?;
    let partner = &entry.partner;
    let refuse = |refusal: &Refusal| call.refuse(Some(partner.no), refusal);
    let parsed = real_name::parse(&call.fields).map_err(|refusal| refuse(&refusal))?;
    if partner.suspended {
        return Err(refuse(&Code::T0340.into()));
    }
    let hub = &call.api.hub;
    let checked = ask(&call, partner.no, &parsed).await.map_err(|refusal| refuse(&refusal))?;
    let account = Account {
        number: parsed.account_num.clone(),
        holder: checked.name.clone(),
        info_kind: parsed.info_kind,
        info: parsed.info.clone(),
    };
    let sub_id = parsed.sub_id.as_deref();
    let fingerprints = hub.sealer.fingerprints(partner.no, sub_id, &parsed.bank, &account);
    let new = NewKey {
        partner: partner.no,
        sub_id: parsed.sub_id.clone(),
        bank: parsed.bank.clone(),
        account,
        fingerprints,
    };
    match hub.submit(Actor::Partner, Command::RegisterKey(Box::new(new))).await {
        Ok(Reply::Key(key, _)) => {
            let key = hub.id(Kind::BillingKey, partner.no, key.0);
            Ok(done(&body(&call, partner, parsed, checked, key)))
        }
        Ok(_) => Err(call.internal("an account check was answered out of turn")),
        Err(refusal) => Err(refuse(&refusal)),
    }
}

/// What the bank said of an account.
struct Checked {
    name: SecretString,
    bank_code_sub: u32,
    day: Day,
    bank_tran_id: String,
}

async fn ask(call: &Call, partner: PartnerNo, parsed: &Parsed) -> Result<Checked, Refusal> {
    let hub = &call.api.hub;
    let now = hub.now();
    if hub.calendar.bank_open_from(&parsed.bank, now) > now {
        return Err(Code::T0996.into());
    }
    let bank_tran_id = hub.check_number(partner).await?;
    let check = AccountCheck {
        bank_tran_id: bank_tran_id.clone(),
        bank: parsed.bank.clone(),
        number: parsed.account_num.clone(),
        info_kind: parsed.info_kind,
        info: parsed.info.clone(),
    };
    let answer = tokio::time::timeout(CHECK_TIMEOUT, hub.rail.real_name(&check)).await;
    match answer.unwrap_or(CheckAnswer::NoAnswer) {
        CheckAnswer::Holder { name, bank_code_sub, day } => {
            Ok(Checked { name, bank_code_sub, day, bank_tran_id })
        }
        CheckAnswer::Refused(code) => {
            Err(Refusal { code: Code::A0009, detail: Detail::Bank(code) })
        }
        CheckAnswer::NoSuchAccount => Err(Code::N0198.into()),
        CheckAnswer::NoAnswer => Err(Code::A0007.into()),
    }
}

fn body(call: &Call, partner: &Partner, parsed: Parsed, checked: Checked, key: String) -> Body {
    Body {
        result: RESULT,
        message: MESSAGE,
        cst_id: partner.cst_id.clone(),
        sub_id: parsed.sub_id.unwrap_or_default(),
        billing_tran_id: key,
        api_tran_dtm: call.api.hub.now().seoul_17(),
        bank_tran_id: checked.bank_tran_id,
        bank_tran_date: checked.day.to_string(),
        bank_rsp_code: BankCode::OK.text(),
        bank_name: banks::name(&parsed.bank).unwrap_or_default().to_owned(),
        bank_code_std: parsed.bank,
        bank_code_sub: format!("{:07}", checked.bank_code_sub),
        account_num: parsed.account_num.expose_secret().to_owned(),
        account_holder_name: checked.name.expose_secret().to_owned(),
    }
}
