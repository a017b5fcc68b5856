//! The one place that prints: data on stdout, everything else on stderr, nothing by colour alone.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the place that prints")]

use comfy_table::{Table, presets};
use ichae_server::admin::AdminError;
use serde_json::Value;

#[derive(Clone, Copy)]
pub struct Printer {
    json: bool,
}

impl Printer {
    pub fn new(json: bool) -> Printer {
        Printer { json }
    }

    pub fn json(&self) -> bool {
        self.json
    }

    pub fn text(&self, text: &str) {
        print!("{text}");
    }

    pub fn line(&self, text: &str) {
        println!("{text}");
    }

    /// For people only; never mixed into data.
    pub fn note(&self, text: &str) {
        eprintln!("{text}");
    }

    /// How far long work is, drawn over itself on a terminal: tenths of a bar, and a percentage.
    pub fn bar(&self, what: &str, percent: u64) {
        let percent = percent.min(100);
        let full = usize::try_from(percent / 5).unwrap_or_default();
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(20 - full));
        let end = if percent == 100 { "\n" } else { "" };
        eprint!("\r{what} [{bar}] {percent:3} %{end}");
    }

    pub fn error(&self, error: &anyhow::Error) {
        eprintln!("error: {error:#}");
    }

    pub fn refused(&self, error: &AdminError) {
        let code = error.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
        eprintln!("error: {code}{}", error.message);
        let hint = error.hint.as_ref().map(|hint| format!("hint: {hint}"));
        for line in [&error.message_ko, &hint].into_iter().flatten() {
            eprintln!("{line}");
        }
    }

    /// A list as a table, one object as lines, either as JSON.
    pub fn value(&self, value: &Value) {
        if self.json {
            println!("{value:#}");
            return;
        }
        match value {
            Value::Array(rows) if rows.is_empty() => self.note("nothing to list"),
            Value::Array(rows) => println!("{}", table(rows)),
            Value::Object(fields) => {
                let width = fields.keys().map(String::len).max().unwrap_or(0);
                for (name, value) in fields {
                    match value {
                        Value::Array(rows) if rows.iter().any(Value::is_object) => {
                            println!("{name}:\n{}", table(rows));
                        }
                        _ => println!("{name:width$}  {}", plain(value)),
                    }
                }
            }
            other => println!("{}", plain(other)),
        }
    }
}

fn table(rows: &[Value]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let names: Vec<&String> =
        rows.first().and_then(Value::as_object).map(|row| row.keys().collect()).unwrap_or_default();
    table.set_header(&names);
    for row in rows {
        table.add_row(names.iter().map(|name| plain(&row[name.as_str()])));
    }
    table
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
