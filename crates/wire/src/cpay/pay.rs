//! Charges a billing key: a card's or an account's, once or for a month (wire facts 2.6).

use super::head::Head;
use super::paid::{self, Body, Field, Paid};
use super::receipt::{self, ReceiptAsked};
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
mod tests {
    use super::super::golden::{But, same};
    use super::super::sample::{Sample, TIME_2020};
    use super::*;
    use crate::hub::bad_input::{Form, HIDDEN, MISSING, NO_AMOUNTS, NO_NUMBERS, letters, with};
    use ichae_domain::billing::{Approval, Reason};
    use secrecy::ExposeSecret;

    const SIMPLE: &str = r#"{"PCD_CST_ID":"test","PCD_CUST_KEY":"abcd1234567890","PCD_AUTH_KEY":"a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d","PCD_PAY_TYPE":"card","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_NO":"2324","PCD_PAYER_HP":"01023456789","PCD_PAYER_EMAIL":"dev@payple.kr","PCD_PAY_GOODS":"상품1","PCD_PAY_TOTAL":"1000","PCD_PAY_ISTAX":"Y","PCD_PAY_TAXTOTAL":"10","PCD_PAY_OID":"test201804000001","PCD_SIMPLE_FLAG":"Y","PCD_USER_DEFINE1":"가맹점 정의1","PCD_USER_DEFINE2":"가맹점 정의2"}"#;
    const MONTHLY: &str = r#"{"PCD_PAY_TYPE":"card","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_NO":2324,"PCD_PAYER_HP":"01023456789","PCD_PAYER_EMAIL":"dev@payple.kr","PCD_PAY_GOODS":"정기구독","PCD_PAY_TOTAL":1000,"PCD_PAY_ISTAX":"Y","PCD_PAY_TAXTOTAL":10,"PCD_PAY_OID":"test201804000001","PCD_PAY_YEAR":"2018","PCD_PAY_MONTH":"04","PCD_REGULER_FLAG":"Y","PCD_USER_DEFINE1":"가맹점 정의1","PCD_USER_DEFINE2":"가맹점 정의2"}"#;
    const ACCOUNT: &str = r#"{"PCD_CST_ID":"test","PCD_CUST_KEY":"abcd1234567890","PCD_AUTH_KEY":"a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d","PCD_PAY_TYPE":"transfer","PCD_PAYER_NO":"2324","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAY_GOODS":"정기구독","PCD_PAY_YEAR":"2018","PCD_PAY_MONTH":"04","PCD_PAY_TOTAL":"1000","PCD_PAY_ISTAX":"Y","PCD_PAY_TAXTOTAL":10,"PCD_PAY_OID":"test201804000001","PCD_TAXSAVE_FLAG":"Y","PCD_TAXSAVE_TRADE":"personal","PCD_TAXSAVE_IDNUM":"01022224444","PCD_REGULER_FLAG":"Y","PCD_PAYER_EMAIL":"dev@payple.kr"}"#;
    const ACCOUNT_ONCE: &str = r#"{"PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAY_GOODS":"상품1","PCD_PAY_TOTAL":"1000","PCD_PAY_OID":"","PCD_SIMPLE_FLAG":"Y","PCD_TAXSAVE_FLAG":"Y","PCD_TAXSAVE_TRADE":"company","PCD_TAXSAVE_IDNUM":"1234567890"}"#;

    const SIMPLE_CARD: Form<Parsed> =
        Form { sample: SIMPLE, parse: |fields| parse(fields, Job::SimpleCard) };
    const MONTHLY_CARD: Form<Parsed> =
        Form { sample: MONTHLY, parse: |fields| parse(fields, Job::MonthlyCard) };
    const SIMPLE_ACCOUNT: Form<Parsed> =
        Form { sample: ACCOUNT_ONCE, parse: |fields| parse(fields, Job::SimpleAccount) };
    const MONTHLY_ACCOUNT: Form<Parsed> =
        Form { sample: ACCOUNT, parse: |fields| parse(fields, Job::MonthlyAccount) };
    /// With the code of form, and the code of a missing key.
    const FORMS: [(Form<Parsed>, Code, Code); 4] = [
        (SIMPLE_CARD, Code::SPCD0003, Code::SPCD0001),
        (MONTHLY_CARD, Code::RPCD9999, Code::RPCD0001),
        (SIMPLE_ACCOUNT, Code::SPAY0019, Code::SPAY0005),
        (MONTHLY_ACCOUNT, Code::CPAY0012, Code::CPAY0004),
    ];

    fn read(form: &Form<Parsed>, name: &str, value: Option<&str>) -> Parsed {
        (form.parse)(&with(form.sample, name, value)).unwrap()
    }

    #[test]
    fn the_official_requests() {
        let parsed = read(&SIMPLE_CARD, "x", None);
        let documented: RequestBody = serde_json::from_str(SIMPLE).unwrap();
        assert_eq!(parsed.payer_id, documented.pcd_payer_id);
        assert_eq!(parsed.oid, documented.pcd_pay_oid);
        assert_eq!(parsed.amount, Won(1_000));
        assert_eq!(parsed.tax, Tax { taxed: true, vat: Won(10) });
        assert!(parsed.month.is_none() && parsed.receipt.is_none());
        assert_eq!(parsed.order.payer_name.expose_secret(), "");
        let texts = [
            (&parsed.order.goods, documented.pcd_pay_goods),
            (&parsed.order.payer_no, documented.pcd_payer_no.unwrap()),
            (&parsed.order.payer_phone, documented.pcd_payer_hp.unwrap()),
            (&parsed.order.payer_email, documented.pcd_payer_email.unwrap()),
            (&parsed.order.define_1, documented.pcd_user_define_1.unwrap()),
            (&parsed.order.define_2, documented.pcd_user_define_2.unwrap()),
        ];
        for (read, sent) in texts {
            assert_eq!(read.expose_secret(), sent);
        }

        let parsed = read(&MONTHLY_CARD, "x", None);
        assert_eq!(parsed.month, Some(Month(201_804)));
        assert_eq!((parsed.amount, parsed.tax.vat), (Won(1_000), Won(10)));
        assert_eq!(parsed.order.payer_no.expose_secret(), "2324");

        let parsed = read(&MONTHLY_ACCOUNT, "x", None);
        let asked = parsed.receipt.unwrap();
        assert!(asked.personal && asked.id_number.expose_secret() == "01022224444");
        let parsed = read(&SIMPLE_ACCOUNT, "x", None);
        assert!(!parsed.receipt.unwrap().personal && parsed.oid.is_none());
        assert_eq!(parsed.tax, Tax { taxed: true, vat: Won(90) });
    }

    #[test]
    fn what_is_said_of_an_order_is_not_printed() {
        for (form, ..) in FORMS {
            let named = read(&form, "PCD_PAYER_NAME", Some("\"홍길동\""));
            let printed = format!("{named:?}");
            for secret in ["2324", "010", "dev@", "상품1", "정기구독", "가맹점", "홍길동", "12345"]
            {
                assert!(!printed.contains(secret), "{secret} in {printed}");
            }
        }
    }

    #[test]
    fn bad_input_of_every_payment() {
        for (form, wrong, keyless) in &FORMS {
            let wrong = *wrong;
            form.missing("PCD_PAY_TYPE", None);
            form.named("PCD_PAY_TYPE", wrong, &["\"cash\"", "\"CARD\"", "1", "[]"]);
            for value in MISSING {
                assert_eq!(form.refusal("PCD_PAYER_ID", *value), Some((*keyless).into()));
            }
            form.named("PCD_PAYER_ID", wrong, NO_NUMBERS);
            form.named("PCD_PAYER_ID", wrong, &["0", "1000"]);
            form.all("PCD_PAYER_ID", None, &["\"no key\""]);

            form.named("PCD_PAY_GOODS", wrong, NO_NUMBERS);
            form.named("PCD_PAY_GOODS", wrong, HIDDEN);
            form.named("PCD_PAY_GOODS", wrong, &[&letters(2_049), "1"]);
            form.all("PCD_PAY_GOODS", None, &[&letters(2_048), "\"상품 １개!\""]);

            form.missed("PCD_PAY_TOTAL", wrong);
            form.named("PCD_PAY_TOTAL", wrong, NO_AMOUNTS);
            form.named("PCD_PAY_TOTAL", wrong, NO_NUMBERS);
            form.named("PCD_PAY_TOTAL", wrong, &["0", "\"0\""]);
            form.all("PCD_PAY_TOTAL", None, &["1000", "\"1000\"", "999999999999"]);

            form.missing("PCD_PAY_OID", None);
            form.named("PCD_PAY_OID", wrong, NO_NUMBERS);
            form.named("PCD_PAY_OID", wrong, HIDDEN);
            form.named("PCD_PAY_OID", wrong, &[&letters(256), "1"]);
            form.all("PCD_PAY_OID", None, &[&letters(255), "\"주문 1\""]);

            for (name, longest) in [
                ("PCD_PAYER_NAME", 80),
                ("PCD_PAYER_EMAIL", 100),
                ("PCD_USER_DEFINE1", 2_048),
                ("PCD_USER_DEFINE2", 2_048),
            ] {
                form.missing(name, None);
                form.named(name, wrong, NO_NUMBERS);
                form.named(name, wrong, HIDDEN);
                form.named(name, wrong, &[&letters(longest + 1), "1"]);
                form.all(name, None, &[&letters(longest), "\"가 나\""]);
            }
            for name in ["PCD_PAYER_NO", "PCD_PAYER_HP"] {
                let digits = |count| format!("\"{}\"", "1".repeat(count));
                form.missing(name, None);
                form.named(name, wrong, NO_NUMBERS);
                form.named(name, wrong, HIDDEN);
                form.named(name, wrong, &[&digits(21), "\"１\"", "\"가\"", "\"1 2\""]);
                form.all(name, None, &[&digits(20), "2324"]);
            }

            form.missing("PCD_PAY_ISTAX", None);
            form.named("PCD_PAY_ISTAX", wrong, &["\"y\"", "\"Ｙ\"", "true", "1"]);
            form.missing("PCD_PAY_TAXTOTAL", None);
            form.named("PCD_PAY_TAXTOTAL", wrong, NO_AMOUNTS);
            form.named("PCD_PAY_TAXTOTAL", wrong, NO_NUMBERS);
            form.named("PCD_PAY_TAXTOTAL", wrong, &["\"92\"", "1000", "\"00\""]);
            form.all("PCD_PAY_TAXTOTAL", None, &["0", "\"0\"", "91", "\"90\""]);
        }
    }

    #[test]
    fn the_least_amount_has_a_code_of_its_own() {
        for (form, value, code) in [
            (&SIMPLE_CARD, "99", Code::SPCD0002),
            (&MONTHLY_CARD, "99", Code::RPCD0002),
            (&SIMPLE_ACCOUNT, "999", Code::PAYU0002),
            (&MONTHLY_ACCOUNT, "999", Code::PAYU0002),
        ] {
            assert_eq!(form.refusal("PCD_PAY_TOTAL", Some(value)), Some(code.into()));
        }
        assert_eq!(read(&SIMPLE_CARD, "PCD_PAY_TOTAL", Some("100")).amount, Won(100));
        assert_eq!(read(&SIMPLE_ACCOUNT, "PCD_PAY_TOTAL", Some("1000")).amount, Won(1_000));
    }

    #[test]
    fn missing_goods_have_a_code_of_their_own_for_a_months_card() {
        for value in MISSING {
            let refusal = MONTHLY_CARD.refusal("PCD_PAY_GOODS", *value);
            assert_eq!(refusal, Some(Code::RPCD0003.into()));
        }
        SIMPLE_CARD.missed("PCD_PAY_GOODS", Code::SPCD0003);
        SIMPLE_ACCOUNT.missed("PCD_PAY_GOODS", Code::SPAY0019);
        MONTHLY_ACCOUNT.missed("PCD_PAY_GOODS", Code::CPAY0012);
    }

    #[test]
    fn the_flag_of_the_path_has_to_be_set() {
        for (form, name, wrong) in [
            (&SIMPLE_CARD, "PCD_SIMPLE_FLAG", Code::SPCD0003),
            (&MONTHLY_CARD, "PCD_REGULER_FLAG", Code::RPCD9999),
            (&SIMPLE_ACCOUNT, "PCD_SIMPLE_FLAG", Code::SPAY0019),
            (&MONTHLY_ACCOUNT, "PCD_REGULER_FLAG", Code::CPAY0012),
        ] {
            form.missed(name, wrong);
            form.named(name, wrong, &["\"N\"", "\"y\"", "\"Ｙ\"", "true", "1"]);
        }
    }

    #[test]
    fn a_month_is_refused_by_its_half() {
        let years = [None, Some("\"\""), Some("\"18\""), Some("\"２０１８\""), Some("1.5")];
        let months = [None, Some("null"), Some("\"13\""), Some("0"), Some("\"0４\""), Some("[]")];
        for year in years {
            let refusal = |form: &Form<Parsed>| form.refusal("PCD_PAY_YEAR", year);
            assert_eq!(refusal(&MONTHLY_CARD), Some(Code::RPCD0004.into()), "{year:?}");
            let named = Refusal::field(Code::CPAY0012, "PCD_PAY_YEAR");
            assert_eq!(refusal(&MONTHLY_ACCOUNT), Some(named), "{year:?}");
        }
        for month in months {
            let refusal = |form: &Form<Parsed>| form.refusal("PCD_PAY_MONTH", month);
            assert_eq!(refusal(&MONTHLY_CARD), Some(Code::RPCD0005.into()), "{month:?}");
            let named = Refusal::field(Code::CPAY0012, "PCD_PAY_MONTH");
            assert_eq!(refusal(&MONTHLY_ACCOUNT), Some(named), "{month:?}");
        }
        for form in [&MONTHLY_CARD, &MONTHLY_ACCOUNT] {
            form.all("PCD_PAY_YEAR", None, &["2018", "\"2026\""]);
            assert_eq!(read(form, "PCD_PAY_MONTH", Some("4")).month, Some(Month(201_804)));
        }
        // A payment that is for no month does not look for one.
        SIMPLE_CARD.all("PCD_PAY_YEAR", None, &["\"18\"", "[]"]);
    }

    #[test]
    fn an_untaxed_payment_has_no_tax() {
        let taxed = |value| {
            let fields = with(ACCOUNT_ONCE, "PCD_PAY_ISTAX", Some(value));
            parse(&fields, Job::SimpleAccount).unwrap().tax
        };
        assert_eq!(taxed("\"N\""), Tax { taxed: false, vat: Won::ZERO });
        assert_eq!(taxed("\"Y\""), Tax { taxed: true, vat: Won(90) });
        let said = Some(Refusal::field(Code::SPCD0003, "PCD_PAY_TAXTOTAL"));
        assert_eq!(SIMPLE_CARD.refusal("PCD_PAY_ISTAX", Some("\"N\"")), said);
    }

    #[test]
    fn a_receipt_is_looked_at_where_it_is_asked_for() {
        for (form, wrong) in [(&SIMPLE_ACCOUNT, Code::SPAY0019), (&MONTHLY_ACCOUNT, Code::CPAY0012)]
        {
            form.named("PCD_TAXSAVE_FLAG", wrong, &["\"y\"", "true", "1"]);
            form.missed("PCD_TAXSAVE_TRADE", wrong);
            form.named("PCD_TAXSAVE_TRADE", wrong, &["\"Personal\"", "\"ｐersonal\"", "1", "[]"]);
            form.missed("PCD_TAXSAVE_IDNUM", wrong);
            form.named("PCD_TAXSAVE_IDNUM", wrong, NO_NUMBERS);
            form.named("PCD_TAXSAVE_IDNUM", wrong, HIDDEN);
            form.named(
                "PCD_TAXSAVE_IDNUM",
                wrong,
                &[
                    "\"123456789\"",
                    "\"1234567890123456789\"",
                    "\"010-2222-4444\"",
                    "\"０１０２２２２４４４４\"",
                    "1022224444",
                ],
            );
            form.all("PCD_TAXSAVE_IDNUM", None, &["\"123456789012345678\""]);
            for flag in [None, Some("\"N\""), Some("\"\"")] {
                assert!(read(form, "PCD_TAXSAVE_FLAG", flag).receipt.is_none());
            }
        }
        let fields = with(ACCOUNT_ONCE, "PCD_TAXSAVE_FLAG", Some("[]"));
        assert!(parse(&fields, Job::SimpleCard).unwrap().receipt.is_none());
        let mut body: Value = serde_json::from_str(ACCOUNT_ONCE).unwrap();
        body["PCD_TAXSAVE_FLAG"] = "N".into();
        body["PCD_TAXSAVE_IDNUM"] = "x".into();
        let fields = Fields::parse(body.to_string().as_bytes()).unwrap();
        assert!(parse(&fields, Job::SimpleAccount).is_ok());
    }

    #[test]
    fn faults_are_found_in_the_order_of_the_fields() {
        let names = [
            "PCD_PAY_TYPE",
            "PCD_PAYER_ID",
            "PCD_PAY_GOODS",
            "PCD_PAY_TOTAL",
            "PCD_PAY_OID",
            "PCD_REGULER_FLAG",
            "PCD_PAY_YEAR",
            "PCD_PAY_MONTH",
            "PCD_PAYER_NO",
            "PCD_PAYER_NAME",
            "PCD_PAYER_HP",
            "PCD_PAYER_EMAIL",
            "PCD_PAY_ISTAX",
            "PCD_PAY_TAXTOTAL",
            "PCD_USER_DEFINE1",
            "PCD_USER_DEFINE2",
            "PCD_TAXSAVE_FLAG",
        ];
        let mut body: Value = serde_json::from_str(ACCOUNT).unwrap();
        for name in names.into_iter().rev() {
            body[name] = false.into();
            let fields = Fields::parse(body.to_string().as_bytes()).unwrap();
            let refusal = parse(&fields, Job::MonthlyAccount).unwrap_err();
            assert_eq!(refusal, Refusal::field(Code::CPAY0012, name));
        }
    }

    #[test]
    fn a_job_that_pays_nothing_is_refused() {
        let fields = with(SIMPLE, "x", None);
        for job in Job::ALL.into_iter().filter(|job| job.pays().is_none()) {
            assert_eq!(parse(&fields, job).unwrap_err(), job.form().into());
        }
    }

    #[test]
    fn a_path_takes_its_own_type_only() {
        SIMPLE_CARD.named("PCD_PAY_TYPE", Code::SPCD0003, &["\"transfer\""]);
        MONTHLY_ACCOUNT.named("PCD_PAY_TYPE", Code::CPAY0012, &["\"card\""]);
    }

    #[test]
    fn a_card_once_as_the_newest_sample_has_it() {
        let mut sample = Sample::card();
        sample.charge.amount = Won(100);
        sample.charge.at = TIME_2020;
        for text in [&mut sample.texts.payer_no, &mut sample.texts.payer_phone] {
            *text = "".into();
        }
        sample.texts.payer_email = "".into();
        sample.texts.define_1 = "(echo)".into();
        sample.texts.define_2 = "(echo)".into();
        sample.card_receipt = "https://www.danalpay..";
        same(
            &response(&sample.paid()),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"SPCD0000","PCD_PAY_MSG":"카드결제완료","PCD_PAY_OID":"test201804000001","PCD_PAY_TYPE":"card","PCD_PAYER_NO":"","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_NAME":"홍길동","PCD_PAYER_HP":"","PCD_PAYER_EMAIL":"","PCD_PAY_GOODS":"상품1","PCD_PAY_TOTAL":100,"PCD_PAY_TAXTOTAL":"","PCD_PAY_ISTAX":"Y","PCD_PAY_TIME":"20200323130201","PCD_PAY_CARDNAME":"BC 카드","PCD_PAY_CARDNUM":"12345678****1234","PCD_PAY_CARDTRADENUM":"201904141320332692022400","PCD_PAY_CARDAUTHNO":"98123445","PCD_PAY_CARDRECEIPT":"https://www.danalpay..","PCD_SIMPLE_FLAG":"Y","PCD_USER_DEFINE1":"(echo)","PCD_USER_DEFINE2":"(echo)"}"#,
            But { values: &["PCD_PAY_TAXTOTAL", "PCD_PAY_CARDNUM"], ..But::default() },
        );
        assert_eq!(response(&sample.paid())["PCD_PAY_CARDNUM"], "1111********4444");
        sample.texts.payer_name = "임꺽정".into();
        assert_eq!(response(&sample.paid())["PCD_PAYER_NAME"], "임꺽정");
    }

    #[test]
    fn a_card_for_a_month_as_its_sample_has_it() {
        let mut sample = Sample::card().monthly(201_909);
        sample.texts.goods = "정기구독".into();
        same(
            &response(&sample.paid()),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"SPCD0000","PCD_PAY_MSG":"결제완료","PCD_PAY_TYPE":"card","PCD_PAY_OID":"test201804000001","PCD_PAYER_NO":2324,"PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_EMAIL":"dev@payple.kr","PCD_PAY_YEAR":"2019","PCD_PAY_MONTH":"09","PCD_PAY_GOODS":"정기구독","PCD_PAY_TOTAL":1000,"PCD_PAY_ISTAX":"Y","PCD_PAY_TAXTOTAL":10,"PCD_PAY_TIME":"20180423130201","PCD_PAY_CARDNAME":"BC 카드","PCD_PAY_CARDNUM":"1111********4444","PCD_PAY_CARDTRADENUM":"201904141320332692022400","PCD_PAY_CARDAUTHNO":"98123445","PCD_PAY_CARDRECEIPT":"https://www.danalpay.com/receipt/creditcard/view.aspx?...","PCD_REGULER_FLAG":"Y","PCD_USER_DEFINE1":"가맹점 정의1","PCD_USER_DEFINE2":"가맹점 정의2"}"#,
            But::default(),
        );
    }

    #[test]
    fn an_account_for_a_month_as_its_sample_has_it() {
        let mut sample = Sample::account().monthly(201_804).with_receipt("r1");
        sample.texts.goods = "정기구독".into();
        let answer = response(&sample.paid());
        same(
            &answer,
            r#"{"PCD_PAY_RST":"success|error","PCD_PAY_MSG":"완료|실패..","PCD_PAY_OID":"test201804000001","PCD_PAY_TYPE":"transfer","PCD_PAYER_NO":"2324","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAY_GOODS":"정기구독","PCD_PAY_TOTAL":1000,"PCD_PAY_ISTAX":"Y","PCD_PAY_TAXTOTAL":10,"PCD_PAY_BANK":"011","PCD_PAY_BANKNAME":"농협","PCD_PAY_BANKNUM":"460-********-121","PCD_PAY_TIME":"20180423130201","PCD_REGULER_FLAG":"Y","PCD_PAY_YEAR":2018,"PCD_PAY_MONTH":"04","PCD_TAXSAVE_RST":"Y","PCD_PAYER_EMAIL":"dev@payple.kr"}"#,
            But {
                ours: &[
                    "PCD_PAY_CODE",
                    "PCD_TAXSAVE_FLAG",
                    "PCD_TAXSAVE_MGTNUM",
                    "PCD_USER_DEFINE1",
                    "PCD_USER_DEFINE2",
                ],
                values: &["PCD_PAY_RST", "PCD_PAY_MSG"],
            },
        );
        assert_eq!(answer["PCD_PAY_CODE"], "CPAY0000");
        assert_eq!(answer["PCD_PAY_MSG"], "출금이체완료");
        assert_eq!(answer["PCD_TAXSAVE_MGTNUM"], "r1");
    }

    #[test]
    fn an_account_once_has_a_cards_order() {
        let mut sample = Sample::account();
        sample.texts.define_2 = "".into();
        assert_eq!(
            response(&sample.paid()).to_string(),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"SPAY0000","PCD_PAY_MSG":"출금이체완료","PCD_PAY_OID":"test201804000001","PCD_PAY_TYPE":"transfer","PCD_PAYER_NO":"2324","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_NAME":"홍길동","PCD_PAYER_HP":"01023456789","PCD_PAYER_EMAIL":"dev@payple.kr","PCD_PAY_GOODS":"상품1","PCD_PAY_TOTAL":"1000","PCD_PAY_TAXTOTAL":"10","PCD_PAY_ISTAX":"Y","PCD_PAY_TIME":"20180423130201","PCD_PAY_BANK":"011","PCD_PAY_BANKNAME":"농협","PCD_PAY_BANKNUM":"460-********-121","PCD_TAXSAVE_FLAG":"N","PCD_TAXSAVE_RST":"N","PCD_TAXSAVE_MGTNUM":"","PCD_SIMPLE_FLAG":"Y","PCD_USER_DEFINE1":"가맹점 정의1","PCD_USER_DEFINE2":""}"#
        );
        let refused = Some(Reason(1_101));
        sample.pay.approval = Some(Approval { receipt_reason: refused, ..Approval::default() });
        let answer = response(&sample.paid());
        assert_eq!(
            (&answer["PCD_TAXSAVE_FLAG"], &answer["PCD_TAXSAVE_RST"]),
            (&"Y".into(), &"N".into())
        );
    }
}
