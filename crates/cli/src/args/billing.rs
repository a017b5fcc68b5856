//! Payers' keys, and payments with them.

use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum BillingCommand {
    /// Register a card or an account with the acquirer; the server must run
    Add {
        /// The partner's id
        cst_id: String,
        /// JSON with method (card, account), number, holder, birth, phone, and of a card expiry (YYMM)
        /// and password (two digits), of an account bank; `-` reads it from the standard input. Nothing
        /// of it is kept
        #[arg(long, value_name = "FILE")]
        details: PathBuf,
    },
    /// Bring a key along from another service: it keeps its PCD_PAYER_ID
    Import {
        /// JSON with cst_id, payer_id, method, token, org, org_name, number_masked, holder,
        /// phone_masked, business; `-` reads it from the standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List a partner's keys
    List {
        cst_id: String,
        /// Go on after this number
        #[arg(long, default_value_t = 0)]
        after: i64,
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Deregister a key by hand; its partner is told by webhook
    Remove { cst_id: String, payer_id: String },
    /// Take in what the acquirer has paid out: it becomes available to payouts
    Settle {
        /// Payments up to this day (yyyymmdd)
        #[arg(long, value_name = "DAY")]
        through: String,
        /// Only this partner's
        #[arg(long)]
        partner: Option<String>,
    },
    /// List calls of which the acquirer has not said what became of them
    Unknown {
        /// Go on after this number
        #[arg(long, default_value_t = 0)]
        after: i64,
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// One payment's story: every call to the acquirer, what it said, what was refunded and settled
    Explain {
        cst_id: String,
        /// Its PCD_PAY_OID
        oid: String,
    },
    /// End a call that the acquirer never tells the end of, with evidence; above the set amount a second
    /// operator approves
    Resolve {
        /// As `billing unknown` lists it
        reference: String,
        /// It was done: the payment is captured, or the refund made
        #[arg(long, required_unless_present = "not_done")]
        done: bool,
        /// It was not done: the payment has failed, or the refund is put back
        #[arg(long, conflicts_with = "done")]
        not_done: bool,
        /// Where another person finds the proof; no names, no account numbers
        #[arg(long)]
        evidence: String,
    },
}
