//! `ichae shard`: cells, what they have, and moving it.

use crate::args::ShardCommand;
use crate::printer::Printer;
use crate::serve;
use anyhow::bail;
use ichae_domain::ident::SHARDS;
use ichae_domain::time::Time;
use ichae_server::config::Config;
use ichae_server::run::Places;
use ichae_server::{clock, store};
use ichae_store::postgres::shards::{self, Cell, Made, Step, Whole};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

pub fn run(config: &Path, command: &ShardCommand, printer: &Printer) -> anyhow::Result<ExitCode> {
    let config = serve::read(config)?;
    let cells = store::cells(&config)?;
    if cells.is_empty() {
        bail!(
            "the configuration names no `cells`: an installation with one cluster needs none, and \
             has all its shards there"
        );
    }
    match command {
        ShardCommand::Init => init(&config, &cells, printer),
        ShardCommand::List => list(&cells, printer),
        ShardCommand::Move { shards, to, freeze_ms } => {
            move_all(&cells, shards, *to, Duration::from_millis(*freeze_ms), printer)
        }
    }
}

fn now() -> Time {
    clock::start(Time(0))()
}

fn init(config: &Config, cells: &[Cell], printer: &Printer) -> anyhow::Result<ExitCode> {
    let places = Places::of(config);
    let keys = match places.keys.exists() {
        true => places.keys.load()?,
        false => {
            places.data.create()?;
            printer.note(&format!("fresh keys in {}", places.keys.path().display()));
            places.keys.create()?
        }
    };
    let made = shards::init(cells, config.environment.name(), &keys, now())?;
    for (no, made) in made {
        printer.note(&match made {
            Made::Already => format!("cell {no} is one already"),
            Made::Now { shards } => format!("cell {no} was made, with {shards} of {SHARDS} shards"),
        });
    }
    Ok(ExitCode::SUCCESS)
}

/// Every shard that the cells say they have; an error where one does not answer: its shards are not known.
fn known(cells: &[Cell]) -> anyhow::Result<Vec<Whole>> {
    let (known, away) = shards::list(cells);
    match away.first() {
        None => Ok(known),
        Some(text) => bail!("{text}; what it has cannot be said"),
    }
}

/// Shards next to each other that are alike stand in one line.
fn list(cells: &[Cell], printer: &Printer) -> anyhow::Result<ExitCode> {
    let mut rows: Vec<Value> = Vec::new();
    let mut last: Option<(Whole, u16, i64)> = None;
    let alike = |a: &Whole, b: &Whole| {
        let of = |whole: &Whole| (whole.shard.cell, whole.shard.state, whole.left_in);
        of(a) == of(b)
    };
    for whole in known(cells)? {
        match &mut last {
            Some((first, end, partners))
                if alike(first, &whole) && *end + 1 == whole.shard.shard =>
            {
                *end = whole.shard.shard;
                *partners += whole.partners;
            }
            _ => {
                rows.extend(last.take().map(line));
                last = Some((whole, whole.shard.shard, whole.partners));
            }
        }
    }
    rows.extend(last.map(line));
    printer.value(&Value::Array(rows));
    Ok(ExitCode::SUCCESS)
}

fn line((first, end, partners): (Whole, u16, i64)) -> Value {
    let from = first.shard.shard;
    let shards = if from == end { from.to_string() } else { format!("{from}-{end}") };
    json!({
        "shards": shards,
        "cell": first.shard.cell,
        "partners": partners,
        "state": first.shard.state.name(),
        "left_in": first.left_in,
    })
}

fn move_all(
    cells: &[Cell],
    which: &str,
    to: u8,
    frozen: Duration,
    printer: &Printer,
) -> anyhow::Result<ExitCode> {
    let (first, last) = range(which)?;
    let Some(target) = cells.iter().find(|cell| cell.no == to) else {
        bail!("the configuration names no cell {to}");
    };
    let map = known(cells)?;
    let mut done = 0;
    for shard in first..=last {
        let Some(whole) = map.iter().find(|whole| whole.shard.shard == shard) else {
            bail!("no cell has shard {shard}: name every cell in `cells`");
        };
        // One that is there already may have left rows behind.
        let from = whole.left_in.filter(|_| whole.shard.cell == to).unwrap_or(whole.shard.cell);
        if from == to {
            continue;
        }
        let Some(source) = cells.iter().find(|cell| cell.no == from) else {
            bail!("shard {shard} is cell {from}'s, which the configuration does not name");
        };
        let progress = steps(*printer, first == last);
        let moved = shards::move_shard(source, target, shard, frozen, now(), progress)?;
        done += 1;
        if first == last || whole.partners > 0 {
            let frozen = moved.frozen.map_or("in an earlier call".to_owned(), |frozen| {
                format!("{} rows, frozen for {} ms", moved.rows, frozen.as_millis())
            });
            printer.note(&format!("shard {shard} is cell {to}'s: {frozen}"));
        }
    }
    match done {
        0 => printer.note(&format!("cell {to} has all of that already")),
        _ if first != last => printer.note(&format!("{done} shards moved to cell {to}")),
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// What is under way, of one shard.
fn steps(printer: Printer, alone: bool) -> impl FnMut(Step) + Send + Sync + 'static {
    let percent = |done: i64, of: i64| {
        u64::try_from(done.saturating_mul(100) / of.max(1)).unwrap_or_default().min(99)
    };
    move |step| match step {
        Step::Freezing if alone => printer.note("\nfreezing"),
        Step::Copying { table, done, of } if alone && done > 0 => {
            printer.bar(&format!("copying {table:<12}"), percent(done, of));
        }
        Step::Comparing { table, done, of } if alone && done > 0 => {
            printer.bar(&format!("comparing {table:<12}"), percent(done, of));
        }
        Step::Clearing { table, done, of } if alone && done > 0 => {
            printer.bar(&format!("clearing {table:<12}"), percent(done, of));
        }
        _ => {}
    }
}

fn range(which: &str) -> anyhow::Result<(u16, u16)> {
    let (first, last) = which.split_once('-').unwrap_or((which, which));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if first <= last && last < SHARDS => Ok((first, last)),
        _ => {
            bail!("{which:?} is neither a shard from 0 to {} nor a range such as 0-63", SHARDS - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_named_one_by_one_or_from_and_to() {
        assert_eq!(range("17").ok(), Some((17, 17)));
        assert_eq!(range("0-1023").ok(), Some((0, 1023)));
        for bad in ["", "1024", "5-4", "-1", "a", "1-2-3"] {
            assert!(range(bad).is_err(), "{bad}");
        }
    }
}
