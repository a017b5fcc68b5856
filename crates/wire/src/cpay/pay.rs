//! Charges a billing key: a card's or an account's, once or for a month (wire facts 2.6).

use super::head::Head;
use super::paid::{self, Body, Field, Paid};
use super::receipt::{self, ReceiptAsked};
use super::schema::answer;
use super::{Job, field, pay_type, session};
use crate::json::Fields;
use ichae_domain::billing::{Method, Month, OrderText, Tax, least, words};
use ichae_domain::code::Code;
use ichae_domain::money::Won;
use ichae_domain::refusal::Refusal;
use serde_json::Value;

pub const GOODS_MAX: usize = 2_048;
pub const DEFINE_MAX: usize = 2_048;
/// Shorter than a registration's.
pub const NAME_MAX: usize = 80;

/// Charges a billing key.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayPaymentRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub session: session::RequestBody,
    /// `card`, or `transfer` for an account: what the path is for.
    #[schema(example = "card")]
    pub pcd_pay_type: Option<String>,
    /// The billing key.
    #[schema(example = "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09", max_length = 255)]
    pub pcd_payer_id: String,
    /// What is paid for.
    #[schema(example = "상품1", max_length = 2048)]
    pub pcd_pay_goods: String,
    /// Whole won: from a card at least 100, from an account at least 1,000. A JSON integer is accepted
    /// too.
    #[schema(example = "1000", max_length = 12, pattern = "^[1-9][0-9]{0,11}$")]
    pub pcd_pay_total: String,
    /// The partner's order number, charged once. The server makes one where it is absent.
    #[schema(example = "test201804000001", max_length = 255)]
    pub pcd_pay_oid: Option<String>,
    /// `Y`, on the paths of single payments.
    #[schema(example = "Y")]
    pub pcd_simple_flag: Option<String>,
    /// `Y`, on the paths of monthly payments.
    #[schema(example = "Y")]
    pub pcd_reguler_flag: Option<String>,
    /// With a monthly payment: four digits of the year that it is for.
    #[schema(example = "2018", pattern = "^[0-9]{4}$")]
    pub pcd_pay_year: Option<String>,
    /// With a monthly payment: the month that it is for.
    #[schema(example = "04", pattern = "^[0-9]{1,2}$")]
    pub pcd_pay_month: Option<String>,
    /// The partner's own number of the payer: up to 20 letters and digits.
    #[schema(example = "2324", max_length = 20, pattern = "^[A-Za-z0-9]*$")]
    pub pcd_payer_no: Option<String>,
    /// The payer's name; the key's where it is absent.
    #[schema(example = "홍길동", max_length = 80)]
    pub pcd_payer_name: Option<String>,
    /// The payer's phone number: up to 20 digits and dashes.
    #[schema(example = "01023456789", max_length = 20, pattern = "^[0-9-]*$")]
    pub pcd_payer_hp: Option<String>,
    /// The payer's e-mail address.
    #[schema(example = "dev@payple.kr", max_length = 100)]
    pub pcd_payer_email: Option<String>,
    /// `N` where nothing of it is taxed; `Y` else, and where it is absent.
    #[schema(example = "Y")]
    pub pcd_pay_istax: Option<String>,
    /// What of the amount is value added tax: a tenth of the price before it where it is absent.
    #[schema(example = "10", max_length = 12, pattern = "^(0|[1-9][0-9]{0,11})$")]
    pub pcd_pay_taxtotal: Option<String>,
    /// For the partner: it comes back in the answer.
    #[serde(rename = "PCD_USER_DEFINE1")]
    #[schema(example = "가맹점 정의1", max_length = 2048)]
    pub pcd_user_define_1: Option<String>,
    /// For the partner: it comes back in the answer.
    #[serde(rename = "PCD_USER_DEFINE2")]
    #[schema(example = "가맹점 정의2", max_length = 2048)]
    pub pcd_user_define_2: Option<String>,
    /// From an account: `Y` asks for a cash receipt.
    #[schema(example = "Y")]
    pub pcd_taxsave_flag: Option<String>,
    /// With a cash receipt: `personal` deducts it from income, `company` proves an expense.
    #[schema(example = "personal")]
    pub pcd_taxsave_trade: Option<String>,
    /// With a cash receipt: a phone number, a cash receipt card or a business number, digits only.
    #[schema(example = "01022224444", pattern = "^[0-9]{10,18}$")]
    pub pcd_taxsave_idnum: Option<String>,
}

/// What is in the body beside the session.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// As it came; whether it is a key is not known yet.
    pub payer_id: String,
    pub oid: Option<String>,
    pub amount: Won,
    pub tax: Tax,
    /// Of a monthly payment, and always of one.
    pub month: Option<Month>,
    pub order: OrderText,
    /// From an account only.
    pub receipt: Option<ReceiptAsked>,
}

/// The job's codes for the key, the goods, the smallest amount and the month; its code of form with the
/// field's name for the rest.
pub fn parse(fields: &Fields, job: Job) -> Result<Parsed, Refusal> {
    let wrong = job.form();
    let of = |name| Refusal::field(wrong, name);
    let Some((method, monthly)) = job.pays() else { return Err(wrong.into()) };
    let said_type = field::text(fields, "PCD_PAY_TYPE", wrong)?;
    if said_type.is_some_and(|said| said != pay_type(method)) {
        return Err(of("PCD_PAY_TYPE"));
    }
    let payer_id = field::text(fields, "PCD_PAYER_ID", wrong)?.ok_or(keyless(method, monthly))?;
    let goods = field::clean(fields, "PCD_PAY_GOODS", GOODS_MAX, wrong)?;
    let goods = goods.ok_or_else(|| nameless(job))?;
    let amount = field::amount(fields, "PCD_PAY_TOTAL", wrong)?.ok_or(of("PCD_PAY_TOTAL"))?;
    if amount < least(method) {
        return Err(words(method, monthly).least.into());
    }
    let oid = field::oid(fields, wrong)?;
    field::set(fields, if monthly { "PCD_REGULER_FLAG" } else { "PCD_SIMPLE_FLAG" }, wrong)?;
    let month = if monthly { Some(month(fields, method, wrong)?) } else { None };
    let payer_no = field::payer_no(fields, wrong)?;
    let payer_name = field::sealed(fields, "PCD_PAYER_NAME", NAME_MAX, wrong)?;
    let payer_phone = field::phone(fields, wrong)?;
    let payer_email = field::sealed(fields, "PCD_PAYER_EMAIL", field::EMAIL_MAX, wrong)?;
    let taxed = field::yes_or_no(fields, "PCD_PAY_ISTAX", wrong)?.unwrap_or(true);
    let vat = field::part(fields, "PCD_PAY_TAXTOTAL", wrong)?;
    let tax = Tax::of(amount, taxed, vat).ok_or(of("PCD_PAY_TAXTOTAL"))?;
    let order = OrderText {
        goods: goods.into(),
        payer_no,
        payer_name,
        payer_phone,
        payer_email,
        define_1: field::sealed(fields, "PCD_USER_DEFINE1", DEFINE_MAX, wrong)?,
        define_2: field::sealed(fields, "PCD_USER_DEFINE2", DEFINE_MAX, wrong)?,
    };
    let receipt = match method {
        Method::Card => None,
        Method::Account => receipt_asked(fields, wrong)?,
    };
    Ok(Parsed { payer_id: payer_id.to_owned(), oid, amount, tax, month, order, receipt })
}

/// `PCD_PAYER_ID` is missing.
fn keyless(method: Method, monthly: bool) -> Code {
    match (method, monthly) {
        (Method::Card, false) => Code::SPCD0001,
        (Method::Card, true) => Code::RPCD0001,
        (Method::Account, _) => words(method, monthly).no_payer,
    }
}

/// `PCD_PAY_GOODS` is missing.
fn nameless(job: Job) -> Refusal {
    match job {
        Job::MonthlyCard => Code::RPCD0003.into(),
        _ => Refusal::field(job.form(), "PCD_PAY_GOODS"),
    }
}

fn month(fields: &Fields, method: Method, wrong: Code) -> Result<Month, Refusal> {
    match method {
        Method::Card => field::month(fields, Code::RPCD0004.into(), Code::RPCD0005.into()),
        Method::Account => {
            let of = |name| Refusal::field(wrong, name);
            field::month(fields, of("PCD_PAY_YEAR"), of("PCD_PAY_MONTH"))
        }
    }
}

fn receipt_asked(fields: &Fields, wrong: Code) -> Result<Option<ReceiptAsked>, Refusal> {
    if field::yes_or_no(fields, "PCD_TAXSAVE_FLAG", wrong)? != Some(true) {
        return Ok(None);
    }
    receipt::asked(fields, ("PCD_TAXSAVE_TRADE", "PCD_TAXSAVE_IDNUM"), wrong).map(Some)
}

const SIMPLE_CARD: &[Field] = &[
    paid::OID,
    paid::TYPE,
    paid::PAYER_NO,
    paid::PAYER_ID,
    paid::PAYER_NAME,
    paid::PAYER_HP,
    paid::PAYER_EMAIL,
    paid::GOODS,
    paid::TOTAL,
    paid::TAXTOTAL,
    paid::ISTAX,
    paid::TIME,
    paid::CARDNAME,
    paid::CARDNUM,
    paid::CARDTRADENUM,
    paid::CARDAUTHNO,
    paid::CARDRECEIPT,
    paid::SIMPLE_FLAG,
    paid::DEFINE_1,
    paid::DEFINE_2,
];
const MONTHLY_CARD: &[Field] = &[
    paid::TYPE,
    paid::OID,
    paid::PAYER_NO,
    paid::PAYER_ID,
    paid::PAYER_EMAIL,
    paid::YEAR,
    paid::MONTH,
    paid::GOODS,
    paid::TOTAL,
    paid::ISTAX,
    paid::TAXTOTAL,
    paid::TIME,
    paid::CARDNAME,
    paid::CARDNUM,
    paid::CARDTRADENUM,
    paid::CARDAUTHNO,
    paid::CARDRECEIPT,
    paid::REGULER_FLAG,
    paid::DEFINE_1,
    paid::DEFINE_2,
];
/// No example has it: these are the fields that today's sample clients read, in their order.
const SIMPLE_ACCOUNT: &[Field] = &[
    paid::OID,
    paid::TYPE,
    paid::PAYER_NO,
    paid::PAYER_ID,
    paid::PAYER_NAME,
    paid::PAYER_HP,
    paid::PAYER_EMAIL,
    paid::GOODS,
    paid::TOTAL,
    paid::TAXTOTAL,
    paid::ISTAX,
    paid::TIME,
    paid::BANK,
    paid::BANKNAME,
    paid::BANKNUM,
    paid::TAXSAVE_FLAG,
    paid::TAXSAVE_RST,
    paid::TAXSAVE_MGTNUM,
    paid::SIMPLE_FLAG,
    paid::DEFINE_1,
    paid::DEFINE_2,
];
const MONTHLY_ACCOUNT: &[Field] = &[
    paid::OID,
    paid::TYPE,
    paid::PAYER_NO,
    paid::PAYER_ID,
    paid::GOODS,
    paid::TOTAL,
    paid::ISTAX,
    paid::TAXTOTAL,
    paid::BANK,
    paid::BANKNAME,
    paid::BANKNUM,
    paid::TIME,
    paid::REGULER_FLAG,
    paid::YEAR,
    paid::MONTH,
    paid::TAXSAVE_FLAG,
    paid::TAXSAVE_RST,
    paid::TAXSAVE_MGTNUM,
    paid::PAYER_EMAIL,
    paid::DEFINE_1,
    paid::DEFINE_2,
];

answer!(SimpleCard as "CpaySimpleCard": "A card that was charged once.", paid::names(SIMPLE_CARD, &[]), &[]);
answer!(MonthlyCard as "CpayMonthlyCard": "A card that was charged for a month.", paid::names(MONTHLY_CARD, &[]), &[]);
answer!(SimpleAccount as "CpaySimpleAccount": "An account that was charged once.", paid::names(SIMPLE_ACCOUNT, &[]), &[]);
answer!(MonthlyAccount as "CpayMonthlyAccount": "An account that was charged for a month.", paid::names(MONTHLY_ACCOUNT, &[]), &[]);

/// What an answer says of a payment, after its head.
pub(super) fn fields(paid: &Paid<'_>) -> &'static [Field] {
    match (paid.charge.method, paid.charge.month.is_some()) {
        (Method::Card, false) => SIMPLE_CARD,
        (Method::Card, true) => MONTHLY_CARD,
        (Method::Account, false) => SIMPLE_ACCOUNT,
        (Method::Account, true) => MONTHLY_ACCOUNT,
    }
}

/// How a payment that was captured begins. The documents have no code of an account's: theirs is ours.
pub(super) fn head(paid: &Paid<'_>) -> Head {
    match (paid.charge.method, paid.charge.month.is_some()) {
        (Method::Card, false) => Head::done("SPCD0000", "카드결제완료"),
        (Method::Card, true) => Head::done("SPCD0000", "결제완료"),
        (Method::Account, false) => Head::done("SPAY0000", "출금이체완료"),
        (Method::Account, true) => Head::done("CPAY0000", "출금이체완료"),
    }
}

/// A payment that was captured.
pub fn response(paid: &Paid<'_>) -> Value {
    Body::default().head(head(paid)).of(paid, fields(paid)).value()
}

#[cfg(test)]
mod tests;
