//! The order of refusals (decision H6a): of two faults in one call, the earlier one is told.

use crate::app::{ACCOUNT, Client, HOOK, PEER, SETTLED, TestApp, call, setup};
use ichae_domain::bank::{Answer as Bank, BankCode};
use ichae_domain::time::Day;
use ichae_server::api::Peer;
use serde_json::{Value, json};
use std::net::IpAddr;

const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

/// A call that can be spoilt in more than one way.
#[derive(Clone)]
struct Call {
    path: &'static str,
    cut: bool,
    bearer: Option<String>,
    from: IpAddr,
    body: Value,
}

impl Call {
    async fn code(&self, app: &TestApp) -> String {
        let mut text = self.body.to_string();
        if self.cut {
            text.pop();
        }
        let mut request = call(self.path, self.bearer.as_deref(), text);
        request.extensions_mut().insert(Peer(self.from));
        app.send(request).await.code()
    }
}

/// What is done to a call, and the code that this gives alone.
enum Fault {
    Cut,
    NoBearer,
    OthersBearer(String),
    From,
    Field(&'static str, Value),
}

impl Fault {
    fn spoil(&self, call: &mut Call) {
        match self {
            Fault::Cut => call.cut = true,
            Fault::NoBearer => call.bearer = None,
            Fault::OthersBearer(token) => call.bearer = Some(token.clone()),
            Fault::From => call.from = ELSEWHERE,
            Fault::Field(name, value) => call.body[*name] = value.clone(),
        }
    }
}

fn field(name: &'static str, value: impl Into<Value>) -> Fault {
    Fault::Field(name, value.into())
}

/// Each fault alone gives its code, and each pair of neighbours the first one's.
async fn in_order(app: &TestApp, good: &Call, faults: &[(Fault, &str)]) {
    for (fault, code) in faults {
        let mut call = good.clone();
        fault.spoil(&mut call);
        assert_eq!(call.code(app).await, *code, "{} alone", good.path);
    }
    for pair in faults.windows(2) {
        let ((first, told), (second, untold)) = (&pair[0], &pair[1]);
        let mut call = good.clone();
        // The later one first: where both touch one field, the earlier one stays.
        second.spoil(&mut call);
        first.spoil(&mut call);
        assert_eq!(call.code(app).await, *told, "{}: {told} before {untold}", good.path);
    }
}

/// Steps 1 to 6, which are the same everywhere.
async fn who(other: &Client<'_>, with_token: bool) -> Vec<(Fault, &'static str)> {
    let mut faults = vec![(Fault::Cut, "T0400")];
    if with_token {
        faults.push((Fault::NoBearer, "T0330"));
    }
    faults.push((field("cst_id", "not an id"), "T0200"));
    faults.push((field("custKey", ""), "T0201"));
    faults.push((field("cst_id", "nobody"), "T0300"));
    if with_token {
        faults.push((Fault::OthersBearer(other.token().await), "T0320"));
    }
    faults.push((Fault::From, "T0310"));
    faults
}

/// The partner `test`, called from its one address, and somebody else's token.
async fn check(
    app: &TestApp,
    path: &'static str,
    rest: Value,
    with_token: bool,
    own: Vec<(Fault, &'static str)>,
) {
    let test = app.test();
    let other = match app.hub.directory.by_id("other") {
        Some(_) => Client { app, cst_id: "other".into(), cust_key: "key-of-other".into() },
        None => app.partner("other").await,
    };
    let bearer = with_token.then_some(test.token().await);
    app.set("test", |set| set.sources = Some(vec![format!("{PEER}/32")])).await;
    let good = Call { path, cut: false, bearer, from: PEER, body: test.body(rest) };
    let mut faults = who(&other, with_token).await;
    faults.extend(own);
    in_order(app, &good, &faults).await;
}

#[tokio::test(start_paused = true)]
async fn token() {
    let app = setup().app().await;
    let own = vec![(field("code", "short"), "T0211")];
    check(&app, "/oauth/token", json!({ "code": "as12345678" }), false, own).await;
    let own = vec![(field("code", ""), "T0210")];
    check(&app, "/oauth/token", json!({ "code": "as12345678" }), false, own).await;
}

#[tokio::test(start_paused = true)]
async fn real_name() {
    let app = setup().app().await;
    let good = json!({ "bank_code_std": "020", "account_num": ACCOUNT,
        "account_holder_info_type": "0", "account_holder_info": "880212" });
    let own = vec![
        (field("sub_id", "a b"), "R0130"),
        (field("bank_code_std", "999"), "N0101"),
        (field("account_num", "1-2"), "N0102"),
        (field("account_holder_info_type", "7"), "N0110"),
        (field("account_holder_info", "880230"), "N0120"),
        // The bank's own word comes last: it is asked only about a well-formed account.
        (field("account_num", "9900001412"), "A0009"),
    ];
    check(&app, "/inquiry/real_name", good.clone(), true, own).await;
    app.suspend("test", true).await;
    for (fault, code) in [
        (field("account_holder_info", ""), "N0112"),
        (field("account_holder_info", "880230"), "N0120"),
        (field("account_num", "9900001412"), "T0340"),
    ] {
        let bearer = Some(app.test().token().await);
        let mut call = Call {
            path: "/inquiry/real_name",
            cut: false,
            bearer,
            from: PEER,
            body: app.test().body(good.clone()),
        };
        fault.spoil(&mut call);
        assert_eq!(call.code(&app).await, code);
    }
}

#[tokio::test(start_paused = true)]
async fn request() {
    let app = setup().any_amount().app().await;
    let test = app.test();
    let dead = dead_key(&test).await;
    let key = test.key(ACCOUNT).await;
    let used = json!({ "distinct_key": "used", "billing_tran_id": key, "tran_amt": "1000" });
    assert_eq!(test.post("/transfer/request", used).await.code(), "A0000");
    app.set("test", |set| set.transfer_cap = Some("20000000".to_owned())).await;
    let good = json!({ "distinct_key": "new", "billing_tran_id": key, "tran_amt": "1000" });
    let own = vec![
        (field("sub_id", "a b"), "R0130"),
        (field("distinct_key", "a b"), "R0131"),
        (field("billing_tran_id", ""), "R0101"),
        (field("tran_amt", "0"), "R0110"),
        (field("print_content", "일곱글자입니다"), "R0120"),
        (field("distinct_key", "used"), "R0132"),
    ];
    // The last one alone is a repeat with the same content.
    check(&app, "/transfer/request", good.clone(), true, own).await;
    // Step 8 before step 9: other content hears of the first request, not of its own faults.
    for (fault, alone) in [
        (field("billing_tran_id", "made-up"), "R0102"),
        (field("billing_tran_id", dead), "R0103"),
        (field("tran_amt", "20000001"), "R0113"),
        (field("tran_amt", "10000000"), "R0140"),
    ] {
        let bearer = Some(test.token().await);
        let body = test.body(good.clone());
        let mut call = Call { path: "/transfer/request", cut: false, bearer, from: PEER, body };
        fault.spoil(&mut call);
        assert_eq!(call.code(&app).await, alone);
        call.body["distinct_key"] = "used".into();
        assert_eq!(call.code(&app).await, "R0133", "before {alone}");
        call.body["print_content"] = "일곱글자입니다".into();
        assert_eq!(call.code(&app).await, "R0120", "form before {alone}");
    }
}

async fn dead_key(test: &Client<'_>) -> String {
    let paid = test.pay("4444444444", "kills").await;
    let day = Day(20_261_122);
    test.app.settle_by_hand(|_| Some(Bank::Refused { code: BankCode(415), day })).await;
    paid.key
}

#[tokio::test(start_paused = true)]
async fn execute() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "d-1").await;
    test.execute_all(&group).await;
    let good = json!({ "group_key": group, "billing_tran_id": "ALL", "execute_type": "NOW",
        "webhook_url": HOOK });
    let own = vec![
        (field("group_key", ""), "E0101"),
        (field("billing_tran_id", ""), "E0102"),
        (field("execute_type", "LATER"), "E0110"),
        (field("webhook_url", "nowhere"), "E0120"),
        (field("group_key", "made-up"), "E0101"),
        (field("billing_tran_id", "made-up"), "E0102"),
        (field("memo", "nothing is wrong with it"), "E0130"),
    ];
    check(&app, "/transfer/execute", good, true, own).await;
}

#[tokio::test(start_paused = true)]
async fn remain() {
    let app = setup().app().await;
    let own = vec![(field("memo", "nothing is wrong with it"), "A0000")];
    check(&app, "/account/remain", json!({}), true, own).await;
}

#[tokio::test(start_paused = true)]
async fn lists() {
    let app = setup().app().await;
    let paid = app.test().pay(ACCOUNT, "d-1").await;
    app.settle_by_hand(|_| Some(SETTLED)).await;
    let transfer = app.test().transfer(&paid).await;
    let group = || json!({ "group_key": paid.group });
    let of_a_group = || {
        vec![
            (field("group_key", ""), "L0102"),
            (field("limit", "0"), "L0130"),
            (field("group_key", "made-up"), "L0102"),
            (field("last_key", "made-up"), "L0130"),
        ]
    };
    let mut waiting = of_a_group();
    waiting.push((field("memo", "nothing waits"), "L0121"));
    check(&app, "/request/result/group_key", group(), true, waiting).await;
    // The partner's list of addresses is in place now, and its own calls come from there.
    check(&app, "/transfer/result/group_key", group(), true, of_a_group()).await;
    let own = vec![
        (field("bank_tran_date", "20261322"), "L0110"),
        (field("limit", "1001"), "L0130"),
        (field("last_key", "made-up"), "L0130"),
        (field("bank_tran_date", "20261121"), "L0120"),
    ];
    let day = json!({ "bank_tran_date": "20261122" });
    check(&app, "/transfer/result/date", day, true, own).await;
    let own = vec![(field("api_tran_id", ""), "L0101")];
    check(&app, "/transfer/result", json!({ "api_tran_id": transfer }), true, own).await;
}
