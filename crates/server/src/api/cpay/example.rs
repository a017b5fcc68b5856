//! Bodies that the reference page fills in where a schema's own examples would not fit the path.

use serde_json::{Value, json};

/// From an account, once.
pub fn simple_account() -> Value {
    account(json!({ "PCD_SIMPLE_FLAG": "Y" }))
}

/// From an account, for a month.
pub fn monthly_account() -> Value {
    account(json!({ "PCD_REGULER_FLAG": "Y", "PCD_PAY_YEAR": "2018", "PCD_PAY_MONTH": "04" }))
}

/// The documents' account key and order; `more` is what makes it one of the two.
fn account(more: Value) -> Value {
    let mut body = json!({
        "PCD_CST_ID": "test",
        "PCD_CUST_KEY": "abcd1234567890",
        "PCD_AUTH_KEY": "AuthKey of auth.php",
        "PCD_PAY_TYPE": "transfer",
        "PCD_PAYER_ID": "d0toSS9sT084bVJSNThScnFXQm9Gdz09",
        "PCD_PAY_GOODS": "상품1",
        "PCD_PAY_TOTAL": "1000",
        "PCD_PAY_OID": "test201804000001",
        "PCD_TAXSAVE_FLAG": "Y",
        "PCD_TAXSAVE_TRADE": "personal",
        "PCD_TAXSAVE_IDNUM": "01022224444",
    });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}
