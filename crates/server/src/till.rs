//! Where the acquirer is called from: within its time-out, once for each intent, and what it said is
//! written down, whoever still waits for it. No HTTP types here.

use crate::hub::Hub;
use crate::metrics::ByTrade;
use ichae_acquirer::port::{
    AccountDetails, Acquirer, CardDetails, PayCall, ReceiptCall, RefundCall, Registration,
};
use ichae_domain::billing::{Charge, Trade, TradeAnswer, TradeWhy};
use ichae_domain::code::Code;
use ichae_domain::command::{Actor, Command, TradeTold};
use ichae_domain::refusal::Refusal;
use ichae_domain::view::Reply;
use std::sync::Arc;
use std::time::Duration;

/// How long the acquirer may take over a call, unless the configuration says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// The acquirer, if there is one.
#[derive(Clone)]
pub struct Till {
    acquirer: Option<Arc<dyn Acquirer>>,
    timeout: Duration,
}

/// One call that moves something.
#[derive(Clone, Debug)]
pub enum Call {
    Pay(PayCall),
    Refund(RefundCall),
    Receipt(ReceiptCall),
}

impl Till {
    pub fn new(acquirer: Arc<dyn Acquirer>, timeout: Duration) -> Till {
        Till { acquirer: Some(acquirer), timeout }
    }

    /// Nothing is charged: keys can be looked up and deregistered.
    pub fn closed() -> Till {
        Till { acquirer: None, timeout: TIMEOUT }
    }

    pub fn is_open(&self) -> bool {
        self.acquirer.is_some()
    }

    pub async fn register_card(&self, card: &CardDetails) -> Registration {
        let Some(acquirer) = &self.acquirer else { return Registration::NoAnswer };
        let asked = tokio::time::timeout(self.timeout, acquirer.register_card(card)).await;
        asked.unwrap_or(Registration::NoAnswer)
    }

    pub async fn register_account(&self, account: &AccountDetails) -> Registration {
        let Some(acquirer) = &self.acquirer else { return Registration::NoAnswer };
        let asked = tokio::time::timeout(self.timeout, acquirer.register_account(account)).await;
        asked.unwrap_or(Registration::NoAnswer)
    }

    /// Silence is no answer: it may have been done.
    pub async fn call(&self, call: &Call) -> TradeAnswer {
        let Some(acquirer) = &self.acquirer else { return TradeAnswer::NotSent };
        let called = async {
            match call {
                Call::Pay(pay) => acquirer.pay(pay).await,
                Call::Refund(refund) => acquirer.refund(refund).await,
                Call::Receipt(receipt) => acquirer.receipt(receipt).await,
            }
        };
        let answered = tokio::time::timeout(self.timeout, called).await;
        answered.unwrap_or(TradeAnswer::Unknown(TradeWhy::TimedOut))
    }

    pub async fn inquire(&self, trade: &Trade) -> TradeAnswer {
        let Some(acquirer) = &self.acquirer else { return TradeAnswer::NotSent };
        let reference = trade.reference();
        let asked = acquirer.inquire(&reference, trade.kind);
        let answered = tokio::time::timeout(self.timeout, asked).await;
        answered.unwrap_or(TradeAnswer::Unknown(TradeWhy::TimedOut))
    }
}

impl Hub {
    /// Writes an intent, calls the acquirer once it is durable, and writes down what it said. The call
    /// and its writing go on when the caller goes away. What the payment and the call are then.
    pub async fn trade<F>(
        self: &Arc<Hub>,
        command: Command,
        call: F,
    ) -> Result<(Charge, Trade), Refusal>
    where
        F: FnOnce(&Charge, &Trade) -> Call + Send + 'static,
    {
        let hub = Arc::clone(self);
        let whole = async move {
            // However long that takes: once it is written, it is called or said not to have been.
            let Reply::Trade(intent) = hub.writer.submit_patiently(Actor::Partner, command).await?
            else {
                return Err(Code::T0999.into());
            };
            let (charge, trade) = *intent;
            let answer = match hub.reader.may_act() {
                true => hub.till.call(&call(&charge, &trade)).await,
                // Another node may have taken over by now; then this one cannot write that down either.
                false => TradeAnswer::NotSent,
            };
            let label = ByTrade::of(trade.kind, &answer);
            hub.metrics.trade_calls.get_or_create(&label).inc();
            hub.traded(&charge, &trade, false, answer).await
        };
        // A task of its own: a connection that closes must not cut it between the two.
        let whole = tokio::spawn(whole);
        tokio::select! {
            done = whole => done.unwrap_or(Err(Code::T0999.into())),
            () = self.writer.outage() => Err(Code::T0504.into()),
        }
    }

    /// Writes down what the acquirer said of a call.
    async fn traded(
        self: &Arc<Self>,
        charge: &Charge,
        trade: &Trade,
        inquired: bool,
        answer: TradeAnswer,
    ) -> Result<(Charge, Trade), Refusal> {
        match self.record(told(trade, inquired, answer)).await? {
            Reply::Traded(both) => Ok(*both),
            // Ended by something else meanwhile: what it is now is for the look-up to say.
            Reply::Stale => Ok((charge.clone(), trade.clone())),
            _ => Err(Code::T0999.into()),
        }
    }
}

/// What the acquirer said of a call, as a command.
pub fn told(trade: &Trade, inquired: bool, answer: TradeAnswer) -> Command {
    Command::Traded(Box::new(TradeTold {
        partner: trade.partner,
        charge: trade.charge,
        trade: trade.no,
        inquired,
        answer,
    }))
}
