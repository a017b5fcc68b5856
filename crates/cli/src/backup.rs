//! `ichae backup` and `ichae restore`.

use crate::args::{Backup, Restore};
use crate::printer::Printer;
use anyhow::bail;
use ichae_store::folder::DataFolder;
use ichae_store::keys::KeyFolder;
use ichae_store::seal::Sealer;
use ichae_store::sqlite::backup;
use serde_json::json;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Pages between two words about how far it is.
const TELL_EVERY: i64 = 50_000;

fn keys(data: &DataFolder, named: Option<&PathBuf>) -> KeyFolder {
    KeyFolder::at(&named.cloned().unwrap_or_else(|| data.keys()))
}

pub fn backup(args: &Backup, printer: &Printer) -> anyhow::Result<ExitCode> {
    let data = DataFolder::at(&args.data);
    let keys = keys(&data, args.keys.as_ref());
    let sealer = Sealer::new(keys.load()?)?;
    let watched = std::io::stderr().is_terminal();
    let mut next = 0;
    let (note, report) = backup::backup(&data.store(), &sealer, &args.to, |done, total| {
        if watched && done >= next {
            printer.note(&format!("{done} of {total} pages copied"));
            next = done + TELL_EVERY;
        }
    })?;
    let value = json!({
        "folder": args.to.display().to_string(),
        "events": note.events,
        "payouts": report.payouts,
        "findings": 0,
    });
    printer.value(&value);
    printer.note(&format!(
        "The keys are not in it: keep {} apart, without it a backup cannot be read.",
        keys.path().display()
    ));
    Ok(ExitCode::SUCCESS)
}

pub fn restore(args: &Restore, printer: &Printer) -> anyhow::Result<ExitCode> {
    let data = DataFolder::at(&args.data);
    data.create()?;
    let Some(lock) = data.lock()? else {
        bail!("{} is served: stop the server first", data.path().display());
    };
    if data.store().exists() && !args.replace {
        bail!(
            "{} holds a store already: add --replace to move it aside",
            Path::new(data.path()).display()
        );
    }
    let keys = keys(&data, args.keys.as_ref());
    let sealer = Sealer::new(keys.load()?)?;
    let now = ichae_server::clock::wall();
    let witness = keys.path().join("witness");
    let done = backup::restore(&args.from, &data.store(), &sealer, &witness, now)?;
    drop(lock);
    printer.value(&json!({
        "epoch": done.epoch,
        "payouts": done.payouts,
        "events": done.note.events,
        "kept": done.kept.map(|path| path.display().to_string()),
    }));
    printer.note(
        "The rail is paused. What may have been sent since the backup becomes unknown at the next \
         start and is asked about, never sent again. Look at `ichae bank status`, then resume.",
    );
    Ok(ExitCode::SUCCESS)
}
