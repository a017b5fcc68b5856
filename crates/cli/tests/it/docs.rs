//! Docs that are made from tables: they are compared, and written anew with `ICHAE_UPDATE_DOCS=1`.

use crate::house::root;
use crate::process::{run, stdout};
use ichae_domain::bank::{BANK_TABLE, BankClass, BankEntry, RSP_TABLE};
use ichae_domain::billing::{INSTITUTION_TABLE, ReasonClass};
use ichae_domain::code::{Class, TABLE};
use ichae_server::config::KEYS;
use std::fmt::Write;

fn compare(file: &str, made: &str) {
    let path = root().join(file);
    if std::env::var_os("ICHAE_UPDATE_DOCS").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == made,
        "{file} is not what the tables say: run `ICHAE_UPDATE_DOCS=1 cargo test -p ichae-cli docs`"
    );
}

#[test]
fn the_code_reference_is_the_tables() {
    let mut text = String::from(
        "# Codes\n\nMade from the code tables. `ichae explain CODE` says the same.\n\n\
         ## Answers\n\n| code | class | message | meaning | what to do |\n|---|---|---|---|---|\n",
    );
    for entry in TABLE {
        let class = match entry.class {
            Class::Ok => "done",
            Class::Refused => "refused",
            Class::Busy => "busy",
            Class::Unknown => "unknown",
        };
        let (name, ko, en, action) = (entry.name, entry.ko, entry.en, entry.action);
        writeln!(text, "| `{name}` | {class} | {ko} | {en} | {action} |").unwrap();
    }
    text.push_str(
        "\nRefused: for good, nothing was written. Busy: repeat later, nothing was written. Unknown: \
         ask, or repeat with the same `distinct_key`.",
    );
    text.push_str(&bank_codes(
        "Bank codes",
        "What `bank_rsp_code` says of one transfer.",
        BANK_TABLE,
    ));
    text.push_str(&bank_codes(
        "Codes of the centre",
        "What `rsp_code` says of a whole call, read as the answer to a deposit.",
        RSP_TABLE,
    ));
    text.push_str(&institution_codes());
    compare("docs/reference/codes.md", &text);
}

fn institution_codes() -> String {
    let mut text = String::from(
        "\n\n## Institution codes\n\nWhat card companies and the gateway before them say; they stand in \
         `PCD_PAY_MSG` behind the code. A code that is not listed, or that does not decide, leaves a \
         payment unknown, never refused.\n\n| code | class | message | meaning |\n|---|---|---|---|\n",
    );
    for entry in INSTITUTION_TABLE {
        let class = match entry.class {
            ReasonClass::Done => "done",
            ReasonClass::Refused => "refused",
            ReasonClass::Undecided => "does not decide",
        };
        let (code, ko, en) = (entry.code.text(), entry.ko, entry.en);
        writeln!(text, "| `{code}` | {class} | {ko} | {en} |").unwrap();
    }
    text.trim_end().to_owned()
}

fn bank_codes(title: &str, what: &str, table: &[BankEntry]) -> String {
    let mut text = format!(
        "\n\n## {title}\n\n{what} A code that is not listed is unknown, never refused. \"Final\": an \
         inquiry that says it of the original ends the payout.\n\n\
         | code | class | ends the key | final | message | meaning |\n|---|---|---|---|---|---|\n"
    );
    for entry in table {
        let class = match entry.class {
            BankClass::Settled => "settled",
            BankClass::Refused => "refused",
            BankClass::OwnSide => "own side",
            BankClass::NotSent => "not sent",
            BankClass::Unknown => "unknown",
        };
        let yes = |is: bool| if is { "yes" } else { "" };
        let (kills, last) = (yes(entry.kills_key), yes(entry.final_in_inquiry));
        let (code, ko, en) = (entry.code.text(), entry.ko, entry.en);
        writeln!(text, "| `{code}` | {class} | {kills} | {last} | {ko} | {en} |").unwrap();
    }
    text.trim_end().to_owned()
}

#[test]
fn the_configuration_reference_is_the_table() {
    let mut text = String::from(
        "# Configuration\n\nThe keys of `ichae.toml`. `ichae config sample` prints a file with all of \
         them, `ichae config check FILE` says what is wrong with one.\n\n\
         | key | default | meaning |\n|---|---|---|\n",
    );
    for key in KEYS {
        let default =
            if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        writeln!(text, "| `{}` | {default} | {} |", key.name, key.text).unwrap();
    }
    compare("docs/reference/config.md", &text);
}

#[test]
fn the_openapi_document_is_the_routers() {
    compare("docs/reference/openapi.json", &stdout(&run(&["openapi"])));
}

#[test]
fn the_sandbox_guide_lists_every_scenario() {
    let guide = std::fs::read_to_string(root().join("docs/guide/sandbox.md")).unwrap();
    for line in ichae_rail::simulated::scenario::markdown().lines() {
        assert!(guide.contains(line), "docs/guide/sandbox.md lacks: {line}");
    }
}

#[test]
fn the_billing_guide_lists_every_scenario() {
    let guide = std::fs::read_to_string(root().join("docs/guide/billing.md")).unwrap();
    for line in ichae_acquirer::simulated::scenario::markdown().lines() {
        assert!(guide.contains(line), "docs/guide/billing.md lacks: {line}");
    }
}

#[test]
fn the_webhook_guide_names_the_schedule() {
    let guide = std::fs::read_to_string(root().join("docs/guide/webhooks.md")).unwrap();
    let words = |seconds: i64| match seconds {
        s if s < 60 => format!("{s} s"),
        s if s < 3_600 => format!("{} min", s / 60),
        s => format!("{} h", s / 3_600),
    };
    let schedule: Vec<String> =
        ichae_domain::retry::WEBHOOK_WAITS.iter().map(|s| words(*s)).collect();
    assert!(guide.contains(&schedule.join(", ")), "{}", schedule.join(", "));
}
