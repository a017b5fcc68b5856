//! GET /v2.0/bank/status (openbanking 10).

use crate::answer::{self, Body};
use crate::gate::Shut;
use crate::route::Centre;
use hyper::Response;
use ichae_domain::banks::BANKS;
use ichae_domain::time::Time;
use serde_json::{Value, json};

/// Every bank, in one state: Y open, D in a maintenance, L outside the hours.
pub fn call(centre: &Centre, now: Time) -> Response<Body> {
    let status = match centre.gate.shut(now) {
        None => "Y",
        Some(Shut::Maintenance) => "D",
        Some(Shut::Hours) => "L",
    };
    let list: Vec<Value> = BANKS
        .iter()
        .map(|(code, name)| {
            json!({ "bank_code_std": code, "bank_name": name, "bank_status": status })
        })
        .collect();
    let mut answer = answer::head(now, "A0000");
    answer.insert("res_cnt".to_owned(), list.len().to_string().into());
    answer.insert("res_list".to_owned(), list.into());
    answer::json(&Value::Object(answer))
}
