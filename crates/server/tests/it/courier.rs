//! A courier that writes down what it was given and answers from a script.

use ichae_domain::code::Code;
use ichae_domain::notice::Outcome;
use ichae_domain::time::Time;
use ichae_server::courier::told;
use ichae_server::engine::{Courier, Delivery, Message};
use ichae_server::hub::Hub;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a receiver does with one try.
#[derive(Clone, Copy, Debug)]
pub enum Does {
    Says(i64),
    /// Takes so long, and then the try has failed.
    Hangs(Duration),
}

/// One try, with the body as it would leave.
#[derive(Clone, Debug)]
pub struct Try {
    pub at: Time,
    pub url: String,
    pub distinct_key: String,
    pub outcome: Outcome,
    pub result: &'static str,
    pub message: String,
    pub bank_rsp_code: String,
    pub api_tran_id: String,
}

#[derive(Default)]
pub struct TestCourier {
    tries: Mutex<Vec<Try>>,
    /// Of payments and keys.
    charges: Mutex<Vec<(Outcome, Value)>>,
    /// By partner; what is not in it says 200.
    script: Mutex<HashMap<String, VecDeque<Does>>>,
}

impl TestCourier {
    pub fn new() -> Arc<TestCourier> {
        Arc::default()
    }

    /// A partner's receiver does these in order, the last one for ever.
    pub fn script(&self, cst_id: &str, does: impl IntoIterator<Item = Does>) {
        let does = does.into_iter().collect();
        self.script.lock().unwrap().insert(cst_id.to_owned(), does);
    }

    /// What was told of payments and keys, in order; each was acknowledged.
    pub fn charges(&self) -> Vec<(Outcome, Value)> {
        self.charges.lock().unwrap().clone()
    }

    pub fn tries(&self) -> Vec<Try> {
        self.tries.lock().unwrap().clone()
    }

    /// What was told about one payout, in order.
    pub fn told(&self, distinct_key: &str) -> Vec<Try> {
        self.tries().into_iter().filter(|told| told.distinct_key == distinct_key).collect()
    }

    fn next(&self, cst_id: &str) -> Does {
        let mut script = self.script.lock().unwrap();
        match script.get_mut(cst_id) {
            Some(does) if does.len() > 1 => does.pop_front().unwrap(),
            Some(does) => *does.front().unwrap(),
            None => Does::Says(200),
        }
    }
}

#[async_trait::async_trait]
impl Courier for TestCourier {
    async fn deliver(&self, hub: &Hub, delivery: &Delivery) -> i64 {
        let notice = &delivery.notice;
        let cst_id = hub.directory.by_no(notice.partner).unwrap().partner.cst_id.clone();
        let body = told(hub, delivery).unwrap();
        if !matches!(delivery.message, Message::Payout(_)) {
            self.charges.lock().unwrap().push((notice.outcome, body));
            return 200;
        }
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        self.tries.lock().unwrap().push(Try {
            at: hub.now(),
            url: delivery.url.clone(),
            distinct_key: text("distinct_key"),
            outcome: notice.outcome,
            result: Code::find(&text("result")).unwrap().name(),
            message: text("message"),
            bank_rsp_code: text("bank_rsp_code"),
            api_tran_id: text("api_tran_id"),
        });
        match self.next(&cst_id) {
            Does::Says(status) => status,
            Does::Hangs(time) => {
                tokio::time::sleep(time).await;
                0
            }
        }
    }
}
