//! A fault plan: a TOML file that says what goes wrong, how often, and for which accounts.

use crate::fault::Fault;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

/// The longest time that a plan may set, in milliseconds: a day.
const LONGEST_MS: u64 = 86_400_000;
/// Inquiries that a plan may spoil for one deposit at most.
const INQUIRIES_MAX: u64 = 1_000;
/// What a step of an account is called in which nothing goes wrong.
const NONE: &str = "none";

macro_rules! sizes {
    ($($name:ident $default:literal $most:ident $text:literal;)*) => {
        /// How long and how often: the table `[size]` of a plan.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Sizes {
            $(#[doc = $text] pub $name: u64,)*
        }

        impl Default for Sizes {
            fn default() -> Sizes {
                Sizes { $($name: $default,)* }
            }
        }

        impl Sizes {
            fn check(&self) -> Result<(), PlanError> {
                $(if self.$name > $most {
                    let name = stringify!($name);
                    return Err(PlanError(format!("size.{name}: at most {}", $most)));
                })*
                Ok(())
            }
        }

        /// (name, default, text) of each size.
        pub const SIZES: &[(&str, u64, &str)] = &[$((stringify!($name), $default, $text),)*];
    };
}

sizes! {
    delay_ms 15_000 LONGEST_MS "`delay`: milliseconds from a deposit to its answer";
    late_pay_ms 30_000 LONGEST_MS "`late-pay`: milliseconds from a deposit to its payment and answer";
    processing_ms 3_000 LONGEST_MS "`processing`: milliseconds from a deposit to its payment";
    late_return_ms 5_000 LONGEST_MS "`late-return`: milliseconds from a deposit to its return";
    maintenance_ms 5_000 LONGEST_MS "`maintenance`: how long it lasts, in milliseconds";
    inquiries 2 INQUIRIES_MAX "how many inquiries about one deposit the faults of inquiries spoil";
}

/// Why a plan was not taken. It may show the line that is wrong, so it is for whoever wrote it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the fault plan: {0}")]
pub struct PlanError(String);

/// What goes wrong. The default is nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Plan {
    /// Chooses which deposits are struck; the same seed strikes the same ones.
    pub seed: u64,
    /// How many of a thousand deposits a fault strikes.
    pub per_mille: BTreeMap<Fault, u16>,
    pub sizes: Sizes,
    /// What the fault `refused` answers; never empty.
    pub refused_codes: Vec<u16>,
    /// By account number: it stands in no other place.
    pub(crate) accounts: BTreeMap<String, Script>,
}

/// What goes wrong with the deposits to one account, one step each.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Script {
    pub steps: Vec<Vec<Fault>>,
    /// Begins again after the last step; else the account is like any other then.
    pub always: bool,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            seed: 0,
            per_mille: BTreeMap::new(),
            sizes: Sizes::default(),
            refused_codes: refused_codes(),
            accounts: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("seed", &self.seed)
            .field("per_mille", &self.per_mille)
            .field("sizes", &self.sizes)
            .field("accounts", &self.accounts.len())
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    per_mille: BTreeMap<Fault, u16>,
    #[serde(default)]
    size: Sizes,
    #[serde(default = "refused_codes")]
    refused_codes: Vec<u16>,
    #[serde(default)]
    account: Vec<Account>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    number: String,
    faults: Vec<String>,
    #[serde(default)]
    always: bool,
}

fn refused_codes() -> Vec<u16> {
    vec![412, 415, 419, 420, 461, 815]
}

impl Plan {
    /// Reads a plan; an empty text is the plan without faults.
    ///
    /// # Errors
    /// [`PlanError`] says what is wrong with it and where.
    pub fn parse(text: &str) -> Result<Plan, PlanError> {
        let file: File = toml::from_str(text).map_err(|error| PlanError(error.to_string()))?;
        let File { seed, per_mille, size: sizes, refused_codes, account } = file;
        if let Some((fault, _)) = per_mille.iter().find(|(_, chance)| **chance > 1_000) {
            return Err(PlanError(format!("per_mille.{}: at most 1000", fault.name())));
        }
        sizes.check()?;
        let codes_fit = refused_codes.iter().all(|code| (1..1_000).contains(code));
        if refused_codes.is_empty() || !codes_fit {
            return Err(PlanError("refused_codes: one or more of 1 to 999".to_owned()));
        }
        let mut accounts = BTreeMap::new();
        for (at, Account { number, faults, always }) in account.into_iter().enumerate() {
            // The account is told by its place: errors are logged.
            let wrong = |what: &str| PlanError(format!("account {}: {what}", at + 1));
            let digits = number.bytes().all(|b| b.is_ascii_digit());
            if !digits || !(1..=16).contains(&number.len()) {
                return Err(wrong("the number is 1 to 16 digits"));
            }
            if faults.is_empty() {
                return Err(wrong("no faults; leave the account out, or say \"none\""));
            }
            let steps = faults.iter().map(|text| step(text).map_err(|what| wrong(&what)));
            let script = Script { steps: steps.collect::<Result<_, _>>()?, always };
            if accounts.insert(number, script).is_some() {
                return Err(wrong("the number stands there already"));
            }
        }
        Ok(Plan { seed, per_mille, sizes, refused_codes, accounts })
    }
}

/// `none`, or the names of faults with `+` between them.
fn step(text: &str) -> Result<Vec<Fault>, String> {
    if text == NONE {
        return Ok(Vec::new());
    }
    let faults: Vec<Fault> =
        text.split('+').map(|name| Fault::find(name.trim())).collect::<Result<_, _>>()?;
    if faults.iter().filter(|fault| !fault.strikes_inquiries()).count() > 1 {
        return Err(format!("`{text}`: only faults of inquiries go beside another one"));
    }
    Ok(faults)
}

/// The table of sizes in Markdown, for the docs.
pub fn markdown() -> String {
    let mut text = String::from("| size | default | |\n|---|---|---|\n");
    for (name, default, what) in SIZES {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| `{name}` | {default} | {what} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "seed = 7\nrefused_codes = [412]\n[per_mille]\nreset = 5\n\
                        inquiry-lost = 1000\n[size]\ndelay_ms = 20\n[[account]]\n\
                        number = \"123456\"\nfaults = [\"delay + inquiry-lost\", \"none\"]\n\
                        always = true\n";

    #[test]
    fn a_plan_says_everything() {
        let plan = Plan::parse(FULL).unwrap();
        assert_eq!((plan.seed, plan.refused_codes.as_slice()), (7, [412].as_slice()));
        assert_eq!(plan.per_mille, [(Fault::Reset, 5), (Fault::InquiryLost, 1_000)].into());
        assert_eq!(plan.sizes, Sizes { delay_ms: 20, ..Sizes::default() });
        let script = &plan.accounts["123456"];
        assert_eq!(script.steps, [vec![Fault::Delay, Fault::InquiryLost], vec![]]);
        assert!(script.always);
        assert_eq!(Plan::parse("").unwrap(), Plan::default());
    }

    #[test]
    fn a_mistake_is_told() {
        let account = |number: &str, faults: &str| {
            format!("[[account]]\nnumber = {number}\nfaults = {faults}\n")
        };
        let twice = account("\"12\"", "[\"none\"]").repeat(2);
        let table = [
            ("sed = 1".to_owned(), "sed"),
            ("seed = -1".to_owned(), "-1"),
            ("[per_mille]\nreste = 1".to_owned(), "reste"),
            ("[per_mille]\nreset = 1001".to_owned(), "per_mille.reset"),
            ("[per_mille]\nreset = \"5\"".to_owned(), "line 2"),
            ("[per_mille]\nreset = 1\nreset = 2".to_owned(), "duplicate"),
            ("[size]\ndelay = 1".to_owned(), "delay"),
            ("[size]\ndelay_ms = 86400001".to_owned(), "size.delay_ms"),
            ("[size]\ninquiries = 1001".to_owned(), "size.inquiries"),
            ("refused_codes = []".to_owned(), "refused_codes"),
            ("refused_codes = [0]".to_owned(), "refused_codes"),
            (account("12", "[\"none\"]"), "line 2"),
            (account("\"1-2\"", "[\"none\"]"), "account 1: the number"),
            (account("\"\"", "[\"none\"]"), "account 1: the number"),
            (account("\"12\"", "[]"), "account 1: no faults"),
            (account("\"12\"", "[\"dealy\"]"), "no fault is called `dealy`"),
            (account("\"12\"", "[\"delay+reset\"]"), "only faults of inquiries"),
            (account("\"12\"", "[\"none\"]\nalway = true"), "alway"),
            (twice, "account 2: the number stands there already"),
        ];
        for (text, what) in table {
            let error = Plan::parse(&text).unwrap_err().to_string();
            assert!(error.contains(what), "{text}: {error}");
        }
    }

    #[test]
    fn a_plan_prints_no_account() {
        let text = format!("{:?}", Plan::parse(FULL).unwrap());
        assert!(!text.contains("123456") && text.contains("Reset"), "{text}");
    }
}
