//! Files that once were worth keeping. `good-` ones are read to the last line, `bad-` ones are
//! refused or have unreadable lines. A `.toml` beside a file is its map.

use crate::{ours, plant, run};
use ichae_domain::payout::State;
use ichae_reconcile::{Map, Options};
use std::path::{Path, PathBuf};

#[test]
fn the_corpus_is_read_as_its_names_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/corpus");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    files.sort();
    let rows: Vec<_> = State::ALL.iter().zip(1..).map(|(s, no)| ours(no, *s)).collect();
    let (mut good, mut bad) = (0, 0);
    for path in &files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let map = std::fs::read_to_string(path.with_extension("toml"));
        let map = map.map_or_else(|_| Map::default(), |text| Map::parse(&text).unwrap());
        let bytes = std::fs::read(path).unwrap();
        let read = run(&bytes, &map, &Options::new(plant::HOUSE), &rows);
        let whole = read.as_ref().is_ok_and(|report| report.unreadable.is_empty());
        if name.starts_with("good-") {
            good += 1;
            assert!(whole, "{name}: {read:?}");
        } else {
            bad += 1;
            assert!(name.starts_with("bad-") && !whole, "{name}");
        }
    }
    assert!(good >= 6 && bad >= 10, "{good} good, {bad} bad");
}
