//! Payments with a key, by the documents' samples and beside them.

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
    for (form, wrong) in [(&SIMPLE_ACCOUNT, Code::SPAY0019), (&MONTHLY_ACCOUNT, Code::CPAY0012)] {
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
