//! Metrics: one table, OpenMetrics text, no global state. No label ever holds a secret or a person.

use ichae_domain::billing::{TradeAnswer, TradeKind};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ByAnswer {
    /// The matched route, never the path that was asked for.
    pub route: &'static str,
    /// The answer's code.
    pub code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ByCode {
    pub code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ByRoute {
    pub route: &'static str,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
pub enum BankAnswer {
    Settled,
    Refused,
    OwnSide,
    NotSent,
    Unknown,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ByBankAnswer {
    pub answer: BankAnswer,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ByTrade {
    /// `pay`, `refund`, `receipt` or `receipt cancel`.
    pub kind: &'static str,
    /// `done`, `refused`, `not sent` or `unknown`.
    pub answer: &'static str,
}

impl ByTrade {
    pub fn of(kind: TradeKind, answer: &TradeAnswer) -> ByTrade {
        let answer = match answer {
            TradeAnswer::Done(_) => "done",
            TradeAnswer::Refused(_) => "refused",
            TradeAnswer::NotSent => "not sent",
            TradeAnswer::Unknown(_) => "unknown",
        };
        ByTrade { kind: kind.name(), answer }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ByTry {
    /// `acknowledged` or `failed`.
    pub result: &'static str,
}

pub struct Metrics {
    registry: Registry,
    pub requests: Family<ByAnswer, Counter>,
    pub latency: Family<ByRoute, Histogram>,
    pub bulk_rows: Family<ByCode, Counter>,
    pub connections: Gauge,
    pub queue_depth: Gauge,
    pub bank_calls: Family<ByBankAnswer, Counter>,
    pub bank_in_flight: Gauge,
    pub inquiries: Family<ByBankAnswer, Counter>,
    pub trade_calls: Family<ByTrade, Counter>,
    pub trade_inquiries: Family<ByTrade, Counter>,
    pub rail_paused: Gauge,
    pub rail_open: Gauge,
    pub unknown: Gauge,
    pub unknown_won: Gauge,
    pub webhooks: Family<ByTry, Counter>,
    pub webhooks_in_flight: Gauge,
}

fn seconds() -> Histogram {
    let bounds =
        [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
    Histogram::new(bounds)
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("ichae"),
            requests: Family::default(),
            latency: Family::new_with_constructor(seconds),
            bulk_rows: Family::default(),
            connections: Gauge::default(),
            queue_depth: Gauge::default(),
            bank_calls: Family::default(),
            bank_in_flight: Gauge::default(),
            inquiries: Family::default(),
            trade_calls: Family::default(),
            trade_inquiries: Family::default(),
            rail_paused: Gauge::default(),
            rail_open: Gauge::default(),
            unknown: Gauge::default(),
            unknown_won: Gauge::default(),
            webhooks: Family::default(),
            webhooks_in_flight: Gauge::default(),
        };
        let m = &metrics;
        let (requests, latency) = (m.requests.clone(), m.latency.clone());
        let bulk_rows = m.bulk_rows.clone();
        let (connections, queue_depth) = (m.connections.clone(), m.queue_depth.clone());
        let (bank_calls, in_flight) = (m.bank_calls.clone(), m.bank_in_flight.clone());
        let (inquiries, rail_paused) = (m.inquiries.clone(), m.rail_paused.clone());
        let (webhooks, hooks_in_flight) = (m.webhooks.clone(), m.webhooks_in_flight.clone());
        let (rail_open, unknown) = (m.rail_open.clone(), m.unknown.clone());
        let unknown_won = m.unknown_won.clone();
        let (trade_calls, trade_inquiries) = (m.trade_calls.clone(), m.trade_inquiries.clone());
        let r = &mut metrics.registry;
        r.register("requests", "Answers by route and code", requests);
        r.register("request_seconds", "Time from the request's head to its answer", latency);
        r.register("bulk_rows", "Rows of bulk calls by code", bulk_rows);
        r.register("connections", "Open connections", connections);
        r.register("queue_depth", "Orders that wait for the writer", queue_depth);
        r.register("bank_calls", "Deposits by what the bank answered", bank_calls);
        r.register("bank_in_flight", "Deposits that wait for the bank", in_flight);
        r.register("bank_inquiries", "Inquiries by what the bank answered", inquiries);
        r.register("acquirer_calls", "Calls by kind and what the acquirer answered", trade_calls);
        r.register(
            "acquirer_inquiries",
            "Inquiries by kind and what the acquirer answered",
            trade_inquiries,
        );
        r.register("rail_paused", "1 while the rail is paused", rail_paused);
        r.register("rail_open", "1 inside the service hours", rail_open);
        r.register("unknown_payouts", "Payouts whose outcome is not known", unknown);
        r.register("unknown_won", "Won that hang on them", unknown_won);
        r.register("webhook_tries", "Webhook tries by result", webhooks);
        r.register("webhooks_in_flight", "Webhook tries under way", hooks_in_flight);
        metrics
    }
}

impl Metrics {
    pub fn bulk_row(&self, code: &'static str) {
        self.bulk_rows.get_or_create(&ByCode { code }).inc();
    }

    /// The OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
