//! What can be typed. The texts here are the manual.

mod billing;
mod people;
mod shard;

pub use billing::BillingCommand;
pub use people::{OperatorCommand, Payout, PayoutCommand, ProposalCommand};
pub use shard::ShardCommand;

use clap::{Args as ClapArgs, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A self-hosted payout hub: verify accounts, request payouts, execute them, watch the limit.
#[derive(Parser)]
#[command(name = "ichae", version, propagate_version = true)]
pub struct Args {
    /// Print data as JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Start a hub at once, with partner `test` and the simulated bank
    Sandbox(Sandbox),
    /// Serve a hub from a configuration file
    Serve(Serve),
    /// Partners: who may call, and their money
    Partner {
        #[command(flatten)]
        at: At,
        #[command(subcommand)]
        command: PartnerCommand,
    },
    /// Groups in which money waits
    Group {
        #[command(flatten)]
        at: At,
        #[command(subcommand)]
        command: GroupCommand,
    },
    /// Webhooks: what was told, what is still to be told
    Webhook {
        #[command(flatten)]
        at: At,
        #[command(subcommand)]
        command: WebhookCommand,
    },
    /// The bank rail and its stop switch
    Bank {
        #[command(flatten)]
        at: At,
        #[command(subcommand)]
        command: BankCommand,
    },
    /// Single payouts: what is unknown, why, and ending it
    Payout {
        #[command(flatten)]
        at: At,
        #[command(subcommand)]
        command: PayoutCommand,
    },
    /// Payers' billing keys, and payments with them
    Billing {
        #[command(flatten)]
        at: At,
        #[command(subcommand)]
        command: BillingCommand,
    },
    /// What waits for a second operator
    Proposal {
        #[command(flatten)]
        at: At,
        #[command(subcommand)]
        command: ProposalCommand,
    },
    /// The persons who may decide, each with a key of their own
    Operator {
        #[command(flatten)]
        at: At,
        #[command(subcommand)]
        command: OperatorCommand,
    },
    /// Match a bank's statement with what was sent; proposes corrections, makes none
    Reconcile(Reconcile),
    /// What partners have against what the settlement account holds; fails on an alarm
    Funds {
        #[command(flatten)]
        at: At,
    },
    /// The keys that seal what must not be readable at rest
    Key {
        #[command(flatten)]
        at: At,
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// The audit log, newest first
    Events {
        #[command(flatten)]
        at: At,
        /// Only this partner's
        #[arg(long)]
        partner: Option<String>,
        /// Lines at most
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Recompute every balance from the postings and verify the hash chains; also on a live store
    Check(Check),
    /// Move a store between kinds
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// The cells of an installation that is spread over several PostgreSQL clusters, and what each has
    Shard {
        /// The configuration; it names every cell in `cells`
        #[arg(long, env = "ICHAE_CONFIG", default_value = "ichae.toml", global = true)]
        config: PathBuf,
        #[command(subcommand)]
        command: ShardCommand,
    },
    /// Bring the tables of a store on PostgreSQL to this version; an older node goes on meanwhile
    Migrate(Serve),
    /// Copy a store, also a served one, into a new folder, and check the copy
    Backup(Backup),
    /// Put a backup in a store's place; nothing that may have been sent since is sent again
    Restore(Restore),
    /// Listen for webhooks, print them and check their signatures: for developers
    Receive(Receive),
    /// Measure this machine: each rate beside its yardstick, in the same run
    Bench(Bench),
    /// Say what a code means and what to do about it
    Explain {
        /// An answer code such as R0140, or a bank's three digits such as 415
        code: String,
    },
    /// The configuration file
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print the OpenAPI document
    Openapi,
}

#[derive(ClapArgs)]
pub struct Sandbox {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Folder that keeps everything; without it the sandbox forgets when it ends
    #[arg(long, env = "ICHAE_DATA")]
    pub data: Option<PathBuf>,
    /// Keep the rows in a PostgreSQL instead of the folder, as `postgres://user@host/name`
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// What partner `test` can spend, in won [default: 10000000]; only when it is made
    #[arg(long, value_name = "WON")]
    pub limit: Option<String>,
    /// Take any amount, not 1000 won only
    #[arg(long)]
    pub any_amount: bool,
    /// Pay through a bank that speaks KFTC's protocol, as `ichae bank simulate` does, instead of the
    /// built-in one
    #[arg(long, value_name = "URL")]
    pub bank: Option<String>,
    /// Let webhooks go to private networks too
    #[arg(long)]
    pub allow_private: bool,
    /// Length of a second of the webhook retry schedule, to see retries sooner
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pub retry_unit_ms: u32,
    /// What to log, as `info` or `debug`
    #[arg(long, default_value = "warn")]
    pub log: String,
}

#[derive(ClapArgs)]
pub struct Serve {
    /// The configuration file; `ichae config sample` prints one
    #[arg(long, env = "ICHAE_CONFIG")]
    pub config: PathBuf,
}

/// Which hub: a running server is asked through its admin socket, else its folder is opened.
#[derive(ClapArgs)]
pub struct At {
    /// The hub's data folder
    #[arg(long, global = true, env = "ICHAE_DATA")]
    pub data: Option<PathBuf>,
    /// The hub's configuration file
    #[arg(long, global = true, env = "ICHAE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Your operator's key file: signs what changes something
    #[arg(long, global = true, value_name = "FILE", env = "ICHAE_OPERATOR_KEY")]
    pub key: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum PartnerCommand {
    /// Add a partner; its custKey and webhook secret are shown once
    Add {
        /// Partner id: 1 to 12 of letters, digits, `_` and `-`
        cst_id: String,
        /// Name, which also stands on statements by default
        #[arg(long)]
        name: String,
        /// Where its webhooks go
        #[arg(long)]
        webhook_url: Option<String>,
        /// Network or address that it calls from; may be given more than once
        #[arg(long = "source", value_name = "CIDR")]
        sources: Vec<String>,
        /// Most won of one transfer
        #[arg(long, value_name = "WON")]
        transfer_cap: Option<String>,
    },
    /// List partners with their balances
    List,
    /// Show one partner
    Show { cst_id: String },
    /// Make a new custKey (shown once); the old one and its tokens end at once
    RotateKey {
        cst_id: String,
        /// Make a new webhook secret instead
        #[arg(long)]
        webhook_secret: bool,
        /// Make a new key for refunds over the API instead (PCD_REFUND_KEY)
        #[arg(long, conflicts_with = "webhook_secret")]
        refund_key: bool,
    },
    /// Let it look up only; what was executed goes on
    Suspend { cst_id: String },
    /// Let it request and execute again
    Resume { cst_id: String },
    /// Add to what it can spend; the same reference twice counts once
    Fund {
        cst_id: String,
        /// Won
        amount: String,
        /// Your reference of the money, unique per partner
        #[arg(long)]
        reference: String,
        /// Take back instead, at most what is available
        #[arg(long)]
        take_back: bool,
    },
    /// Change settings; an empty value takes a setting away
    Set {
        cst_id: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        webhook_url: Option<String>,
        /// Replaces the list of networks; may be given more than once
        #[arg(long = "source", value_name = "CIDR")]
        sources: Option<Vec<String>>,
        /// Let it call from anywhere
        #[arg(long, conflicts_with = "sources")]
        any_source: bool,
        #[arg(long, value_name = "WON")]
        transfer_cap: Option<String>,
        /// Replaces the list of domains that cpay calls may name as Referer in LIVE; may be given more
        /// than once
        #[arg(long = "domain", value_name = "DOMAIN")]
        domains: Option<Vec<String>>,
        /// Where results of payments with billing keys go
        #[arg(long, value_name = "URL")]
        payment_url: Option<String>,
        /// Where the deregistration of a billing key by hand is told
        #[arg(long, value_name = "URL")]
        removal_url: Option<String>,
    },
    /// Keep back everything of it that has not left yet
    Hold {
        cst_id: String,
        #[arg(long, default_value = "held by hand")]
        reason: String,
    },
    /// Let it go
    Release {
        cst_id: String,
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Take what it owes after a correction from what it has available
    Recover {
        cst_id: String,
        /// Won
        amount: String,
        /// What was agreed, and where it stands
        #[arg(long)]
        evidence: String,
    },
    /// Pay what it owes after a correction from the house's own
    WriteOff {
        cst_id: String,
        /// Won
        amount: String,
        /// What was agreed, and where it stands
        #[arg(long)]
        evidence: String,
    },
}

#[derive(Subcommand)]
pub enum GroupCommand {
    /// List a partner's groups in which something waits
    List { cst_id: String },
    /// Show one group, counted by state
    Show { cst_id: String, group_key: String },
    /// Cancel what waits in a group and give its money back
    Cancel { cst_id: String, group_key: String },
}

#[derive(Subcommand)]
pub enum WebhookCommand {
    /// List webhooks, oldest first
    List {
        #[arg(long)]
        partner: Option<String>,
        /// pending, delivered, given-up or no-address
        #[arg(long)]
        state: Option<String>,
        /// Go on after this number
        #[arg(long, default_value_t = 0)]
        after: i64,
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Show one webhook and its payout
    Show { no: i64 },
    /// Send one again, from the start of its schedule
    Resend { no: i64 },
}

#[derive(Subcommand)]
pub enum BankCommand {
    /// Whether payouts go out
    Status,
    /// Stop: nothing more is sent to the bank; what was executed waits
    Pause {
        #[arg(long, default_value = "paused by hand")]
        reason: String,
    },
    /// Go on
    Resume,
    /// Serve a bank to test against: KFTC's open banking protocol, with faults on order
    Simulate(Simulate),
    /// Count what a simulated bank's journal says was paid, also while it runs
    Journal {
        /// The journal's file
        file: PathBuf,
    },
    /// Enter what the settlement account holds, as the bank shows it now
    Balance {
        /// Won; below zero for an overdraft
        #[arg(allow_hyphen_values = true)]
        amount: String,
        /// Where you saw it
        #[arg(long)]
        source: String,
    },
}

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make new sealing and index keys and seal every row again; works under load
    Rotate,
}

#[derive(ClapArgs)]
pub struct Simulate {
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:9100")]
    pub listen: SocketAddr,
    /// The journal's file; what is there is gone on with
    #[arg(long, default_value = "bank.db")]
    pub journal: PathBuf,
    /// The fault plan; docs/guide/bank-simulator.md lists the faults
    #[arg(long)]
    pub plan: Option<PathBuf>,
    /// Keep KFTC's hours, 00:05 to 23:55 in Seoul
    #[arg(long)]
    pub hours: bool,
    /// Answer 822 to a number that was used, instead of paying again
    #[arg(long)]
    pub strict: bool,
}

#[derive(ClapArgs)]
pub struct Reconcile {
    #[command(flatten)]
    pub at: At,
    /// The statement or settlement file, CSV
    #[arg(required_unless_present = "sample_map")]
    pub file: Option<PathBuf>,
    /// Which column is which; without it the file has the simulated bank's form
    #[arg(long)]
    pub map: Option<PathBuf>,
    /// Print a map file to start from
    #[arg(long)]
    pub sample_map: bool,
    /// First day of the statement (yyyymmdd); else the first of its lines
    #[arg(long, value_name = "DAY", requires = "to")]
    pub from: Option<String>,
    /// Last day of the statement (yyyymmdd)
    #[arg(long, value_name = "DAY", requires = "from")]
    pub to: Option<String>,
    /// The institution's ten characters; else the configuration's, or the simulated bank's
    #[arg(long)]
    pub institution: Option<String>,
    /// Write PREFIX.txt and PREFIX.json too
    #[arg(long, value_name = "PREFIX")]
    pub report: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct Check {
    /// The hub's data folder
    #[arg(long, env = "ICHAE_DATA", required_unless_present = "config")]
    pub data: Option<PathBuf>,
    /// The hub's configuration file: needed where its store is a PostgreSQL
    #[arg(long, env = "ICHAE_CONFIG")]
    pub config: Option<PathBuf>,
    /// The key folder, where it is not in the data folder
    #[arg(long)]
    pub keys: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct Backup {
    /// The hub's data folder
    #[arg(long, env = "ICHAE_DATA")]
    pub data: PathBuf,
    /// The key folder, where it is not in the data folder
    #[arg(long)]
    pub keys: Option<PathBuf>,
    /// The new folder that the backup goes to
    #[arg(long)]
    pub to: PathBuf,
}

#[derive(ClapArgs)]
pub struct Restore {
    /// The backup's folder
    #[arg(long)]
    pub from: PathBuf,
    /// The hub's data folder; its server must be stopped
    #[arg(long, env = "ICHAE_DATA")]
    pub data: PathBuf,
    /// The key folder, where it is not in the data folder
    #[arg(long)]
    pub keys: Option<PathBuf>,
    /// Move the store that is there aside
    #[arg(long)]
    pub replace: bool,
}

#[derive(ClapArgs)]
pub struct Receive {
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:9000")]
    pub listen: SocketAddr,
    /// The partner's webhook secret; what is not signed with it is refused with 401
    #[arg(long, env = "ICHAE_WEBHOOK_SECRET", hide_env_values = true)]
    pub secret: Option<String>,
    /// End after so many webhooks
    #[arg(long)]
    pub count: Option<usize>,
}

#[derive(ClapArgs)]
pub struct Bench {
    /// A few minutes at a reduced scale: ratios are held to 0.7 of their bars, times are only printed
    #[arg(long)]
    pub quick: bool,
    /// Where the stores are made, on the disk that is to be measured [default: the temporary folder]
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Make the stores in databases of their own on this PostgreSQL server: then the sections are nodes,
    /// partners, flat
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// Serve the yardstick, a bare handler, until ended
    #[arg(long, hide = true)]
    pub yardstick: bool,
    /// Only these: requests, partners, flat, settlement, reads, keys, bulk
    #[arg(value_name = "SECTION")]
    pub sections: Vec<String>,
}

#[derive(Subcommand)]
pub enum StoreCommand {
    /// Copy the store of a data folder, whole, to the PostgreSQL that a configuration names, and check it
    Copy {
        /// The data folder that has it; nothing may serve it
        #[arg(long, env = "ICHAE_DATA")]
        data: PathBuf,
        /// The configuration that is served from then on; it has to name a `store` and the same keys
        #[arg(long, env = "ICHAE_CONFIG")]
        config: PathBuf,
    },
}

#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Print a configuration file with every key, its meaning and its default
    Sample,
    /// Read a configuration file and say what is wrong with it
    Check { file: PathBuf },
}
