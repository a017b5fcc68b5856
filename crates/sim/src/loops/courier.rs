//! Receivers: what they were told, and how they answer.

use super::fault::{Dice, Fault};
use ichae_domain::ident::PayoutNo;
use ichae_domain::notice::{Outcome, Subject};
use ichae_server::engine::{Courier, Delivery};
use ichae_server::hub::Hub;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub struct FaultyCourier {
    pub dice: Arc<Mutex<Dice>>,
    /// What was acknowledged of each payout, in its order.
    pub told: Arc<Mutex<BTreeMap<PayoutNo, Vec<Outcome>>>>,
}

#[async_trait::async_trait]
impl Courier for FaultyCourier {
    async fn deliver(&self, _: &Hub, delivery: &Delivery) -> i64 {
        let (ms, fails, hangs) = {
            let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
            let (fails, hangs) = (dice.hits(Fault::HookFails), dice.hits(Fault::HookHangs));
            (dice.random.below(200), fails, hangs)
        };
        tokio::time::sleep(Duration::from_millis(if hangs { 10_000 } else { ms })).await;
        if hangs {
            return 0;
        }
        if fails {
            return 500;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let Subject::Payout(payout) = delivery.notice.subject else { return 200 };
        let told = told.entry(payout).or_default();
        // At least once: a repeat of the last one is no news.
        if told.last() != Some(&delivery.notice.outcome) {
            told.push(delivery.notice.outcome);
        }
        200
    }
}
