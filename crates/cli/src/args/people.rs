//! What persons decide: single payouts, proposals, operators.

use clap::{Args as ClapArgs, Subcommand};
use std::path::PathBuf;

/// Which payout.
#[derive(ClapArgs)]
pub struct Payout {
    /// Its api_tran_id, its bank_tran_id, or its number
    pub payout: String,
    /// Its partner, which makes the search shorter
    #[arg(long)]
    pub partner: Option<String>,
}

#[derive(Subcommand)]
pub enum PayoutCommand {
    /// List payouts whose outcome is not known: how long, how much, and which need a person
    Unknown {
        /// Go on after this number
        #[arg(long, default_value_t = 0)]
        after: i64,
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// One payout's story: commands, what the bank said and by which rule it was read, who did what
    Explain {
        #[command(flatten)]
        payout: Payout,
    },
    /// End an unknown payout, with evidence; above the set amount a second operator approves
    Resolve {
        #[command(flatten)]
        payout: Payout,
        /// It was paid, on this business date (yyyymmdd)
        #[arg(long, value_name = "DAY", required_unless_present = "failed")]
        paid_on: Option<String>,
        /// It was never paid: the amount is given back
        #[arg(long, conflicts_with = "paid_on")]
        failed: bool,
        /// Where another person finds the proof; no names, no account numbers
        #[arg(long)]
        evidence: String,
    },
    /// A failed payout was paid after all: settled, and owed by the partner in suspense
    Correct {
        #[command(flatten)]
        payout: Payout,
        /// The business date on which it was paid (yyyymmdd)
        #[arg(long, value_name = "DAY")]
        paid_on: String,
        /// Where another person finds the proof; no names, no account numbers
        #[arg(long)]
        evidence: String,
    },
    /// A settled payout came back, and the rail did not tell
    Return {
        #[command(flatten)]
        payout: Payout,
        /// The bank's code, where it gave one
        #[arg(long)]
        code: Option<String>,
        /// Where another person finds the proof; no names, no account numbers
        #[arg(long)]
        evidence: String,
    },
    /// Keep one back that has not left yet
    Hold {
        #[command(flatten)]
        payout: Payout,
        #[arg(long, default_value = "held by hand")]
        reason: String,
    },
    /// Let it go
    Release {
        #[command(flatten)]
        payout: Payout,
        #[arg(long, default_value = "")]
        reason: String,
    },
}

#[derive(Subcommand)]
pub enum ProposalCommand {
    /// List what waits for a second operator
    List {
        /// Closed ones too
        #[arg(long)]
        all: bool,
    },
    /// Approve what another operator proposed
    Approve { no: i64 },
    /// Take one back
    Withdraw { no: i64 },
}

#[derive(Subcommand)]
pub enum OperatorCommand {
    /// Make a key for yourself, and print its public half
    Key {
        name: String,
        /// The new key file; keep it to yourself
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Add a person by the public half of their key
    Add {
        /// 1 to 32 of letters, digits, `.`, `_` and `-`
        name: String,
        /// As `ichae operator key` printed it
        #[arg(long, value_name = "BASE64", required_unless_present = "make")]
        public_key: Option<String>,
        /// Make the key too, into this new file
        #[arg(long, value_name = "FILE", conflicts_with = "public_key")]
        make: Option<PathBuf>,
    },
    /// List operators
    List,
    /// Take the right to sign away, and take back what the person proposed
    Revoke { name: String },
}
