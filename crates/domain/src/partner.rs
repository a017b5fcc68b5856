//! Partners: who may call, from where, and within which caps.

use crate::ident::PartnerNo;
use crate::money::Won;
use crate::time::Time;

/// A keyed digest of a custKey. The key itself is shown once and never stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Verifier(pub [u8; 32]);

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(…)")
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partner {
    pub no: PartnerNo,
    pub cst_id: String,
    pub name: String,
    pub suspended: bool,
    /// Executed payouts wait until an operator releases them (decision M3).
    pub held: bool,
    /// Counts the custKeys so far: a token carries it, so a rotation ends live tokens (decision H6).
    pub key_generation: i64,
    pub verifier: Verifier,
    pub webhook_url: Option<String>,
    /// Networks in CIDR form that calls may come from; empty: from anywhere.
    pub sources: Vec<String>,
    pub transfer_cap: Option<Won>,
    pub made_at: Time,
    pub billing: BillingSettings,
}

/// What a partner's billing half needs besides.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BillingSettings {
    /// Of the refund key; without one nothing is refunded over the API.
    pub refund_verifier: Option<Verifier>,
    /// Domains that a call's Referer may name in LIVE, each with what is below it (decision C2).
    pub domains: Vec<String>,
    /// Where results of payments go.
    pub payment_url: Option<String>,
    /// Where a deregistration by hand is told.
    pub removal_url: Option<String>,
}

/// What `partner set` may change. `None` leaves a setting as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    pub name: Option<String>,
    /// `Some(None)` takes the address away.
    pub webhook_url: Option<Option<String>>,
    pub sources: Option<Vec<String>>,
    pub transfer_cap: Option<Option<Won>>,
    pub domains: Option<Vec<String>>,
    pub payment_url: Option<Option<String>>,
    pub removal_url: Option<Option<String>>,
}
