//! The house rules as a test: layers, sizes, names, and a map that is true.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file, lines of a function, columns: reasons to look, so a little above what rustfmt
/// and habit aim at.
const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 80;
/// A test that walks through a whole scenario may be longer.
const TEST_LINES: usize = 100;
const COLUMNS: usize = 110;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn files(below: &Path, ending: &str, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "node_modules", ".git"].contains(&name.as_str()) {
            files(&path, ending, out);
        } else if name.ends_with(ending) {
            out.push(path);
        }
    }
}

fn sources(ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root(), ending, &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    found.iter().map(|p| (name(p), fs::read_to_string(p).unwrap())).collect()
}

/// What each crate may use of ours (ARCHITECTURE.md).
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("wire", &["domain"]),
    ("store", &["domain"]),
    ("journal", &[]),
    ("rail", &["domain", "journal"]),
    ("acquirer", &["domain", "journal"]),
    ("server", &["domain", "wire", "store", "rail", "acquirer"]),
    ("bench", &["domain", "wire", "store"]),
    ("reconcile", &["domain"]),
    ("kftc", &["domain", "journal", "rail"]),
    ("cli", &["domain", "store", "rail", "acquirer", "server", "bench", "reconcile", "kftc"]),
    ("sim", &["domain", "store", "rail", "acquirer", "server"]),
    ("disk", &["domain", "store"]),
];

#[test]
fn crates_use_only_what_lies_below_them() {
    for (name, allowed) in MAY_USE {
        let manifest =
            fs::read_to_string(root().join(format!("crates/{name}/Cargo.toml"))).unwrap();
        for line in manifest.lines().filter_map(|line| line.strip_prefix("ichae-")) {
            let used = line.split(['.', ' ']).next().unwrap();
            assert!(allowed.contains(&used), "{name} must not use {used}");
        }
    }
    let crates = fs::read_dir(root().join("crates")).unwrap().count();
    assert_eq!(crates, MAY_USE.len(), "every crate has its line here");
}

/// (word, where it may stand).
const KNOWS: &[(&str, &[&str])] = &[
    (
        "rusqlite",
        &[
            "crates/store/",
            "crates/journal/",
            "crates/rail/src/simulated/",
            "crates/rail/src/error.rs",
            "crates/acquirer/src/simulated/",
            "crates/kftc/src/journal/",
            "crates/kftc/src/error.rs",
            "crates/disk/",
            "/tests/",
        ],
    ),
    (
        "axum::",
        &[
            "crates/server/src/api/",
            "crates/server/src/listen/",
            "crates/server/src/receive.rs",
            "crates/bench/src/yardstick.rs",
            "/tests/",
        ],
    ),
    (
        "reqwest::",
        &[
            "crates/server/src/api/elsewhere.rs",
            "crates/server/src/courier.rs",
            "crates/server/src/reach.rs",
            "crates/rail/src/openbanking/transport.rs",
            "/tests/",
        ],
    ),
    (
        "println!",
        &[
            "crates/cli/src/printer.rs",
            "crates/sim/src/main.rs",
            "crates/disk/src/main.rs",
            "/tests/",
        ],
    ),
    (
        "SystemTime::now",
        &[
            "crates/server/src/clock.rs",
            "crates/kftc/src/clock.rs",
            "crates/bench/src/site.rs",
            "/tests/",
        ],
    ),
    ("unsafe {", &["crates/disk/src/vfs.rs"]),
];

#[test]
fn each_layer_knows_only_what_is_its_own() {
    let here = "crates/cli/tests/it/house.rs";
    for (file, text) in sources(".rs").iter().filter(|(file, _)| file != here) {
        for (word, places) in KNOWS {
            let allowed = places.iter().any(|place| file.contains(place));
            assert!(allowed || !text.contains(word), "{file} must not know {word}");
        }
        let pure = file.starts_with("crates/domain/src");
        for word in ["std::fs", "std::net", "tokio", "Instant::now", "serde"] {
            assert!(!pure || !text.contains(word), "{file}: the pure core has no {word}");
        }
    }
}

#[test]
fn files_and_functions_stay_small() {
    for (file, text) in sources(".rs") {
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() <= FILE_LINES, "{file} has {} lines", lines.len());
        for (at, line) in lines.iter().enumerate() {
            let long = line.chars().count() > COLUMNS && !line.contains('"');
            assert!(!long, "{file}:{} is wider than {COLUMNS}", at + 1);
        }
        for (start, length) in functions(&lines) {
            let most = if file.contains("/tests/") { TEST_LINES } else { FUNCTION_LINES };
            assert!(length <= most, "{file}:{start}: a function of {length} lines");
        }
    }
}

/// (first line, lines) of each function, by its indentation as rustfmt leaves it.
fn functions(lines: &[&str]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let begins =
            ["fn ", "pub fn ", "async fn ", "pub async fn ", "pub(super) fn ", "pub(crate) fn "];
        if !begins.iter().any(|begin| code.starts_with(begin)) {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(line.len() - code.len()));
        let length = lines[at..].iter().position(|line| *line == closing);
        found.extend(length.map(|length| (at + 1, length + 1)));
    }
    found
}

#[test]
fn the_map_is_true() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(map.lines().count() < 200, "a map is read at once");
    let mut named = 0;
    for word in map.split('`').skip(1).step_by(2) {
        let is_path = word.contains('/') && !word.contains(' ') && !word.starts_with('/');
        if is_path && !word.contains("://") && !word.contains('*') {
            named += 1;
            assert!(root().join(word).exists(), "ARCHITECTURE.md names {word}, which is not there");
        }
    }
    assert!(named > 30, "the map names {named} places");
    for (name, _) in MAY_USE {
        assert!(map.contains(&format!("crates/{name}")), "the map lacks crates/{name}");
    }
}

#[test]
fn every_link_in_the_docs_leads_somewhere() {
    for (file, text) in sources(".md") {
        let folder = root().join(&file).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            if target.is_empty() || link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            assert!(folder.join(target).exists(), "{file} links to {target}, which is not there");
        }
    }
}

#[test]
fn every_decision_and_figure_that_is_cited_is_carried() {
    let decisions = fs::read_to_string(root().join("docs/reference/decisions.md")).unwrap();
    let figures = fs::read_to_string(root().join("docs/reference/figures.md")).unwrap();
    let here = "crates/cli/tests/it/house.rs";
    for (file, text) in sources(".rs").iter().filter(|(file, _)| file != here) {
        for rest in text.split("decision ").skip(1).chain(text.split("decisions ").skip(1)) {
            let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            let numbered = name.len() >= 2
                && name.starts_with(['H', 'I', 'M', 'C'])
                && name[1..].starts_with(|c: char| c.is_ascii_digit());
            assert!(
                !numbered || decisions.contains(&format!("### {name} ")),
                "{file} cites decision {name}, which docs/reference/decisions.md lacks"
            );
        }
        for rest in text.split("figure ").skip(1) {
            let name: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let carried = name.is_empty() || figures.contains(&name);
            assert!(carried, "{file} cites figure {name}");
        }
    }
}

#[test]
fn the_readme_has_its_twin() {
    let read = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    let headings = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
    let blocks = |text: &str| text.matches("```").count();
    let (english, korean) = (read("README.md"), read("README.ko.md"));
    assert_eq!(headings(&english), headings(&korean));
    assert_eq!(blocks(&english), blocks(&korean));
}
