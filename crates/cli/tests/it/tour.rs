//! The README's tour, executed: each command is run, and what it says comes back comes back.

use crate::house::root;
use crate::process::Running;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// A command of the tour and what the README says it prints; `…` stands for what differs.
struct Step {
    command: String,
    printed: String,
}

/// Every `sh` block that is followed by a `text` or `json` block, below the heading of the tour.
fn steps(readme: &str) -> Vec<Step> {
    let from = readme.split("<!-- tour -->").nth(1).expect("the README marks its tour");
    let tour = from.split("<!-- tour ends -->").next().unwrap();
    let mut steps = Vec::new();
    let mut command: Option<String> = None;
    for block in tour.split("```").skip(1).step_by(2) {
        let (kind, body) = block.split_once('\n').unwrap();
        match kind {
            "sh" => {
                steps
                    .extend(command.take().map(|command| Step { command, printed: String::new() }));
                command = Some(body.to_owned());
            }
            _ => {
                let command = command.take().expect("a printed block follows a command");
                steps.push(Step { command, printed: body.trim().to_owned() });
            }
        }
    }
    steps.extend(command.map(|command| Step { command, printed: String::new() }));
    steps
}

fn matches(expected: &str, got: &str) -> bool {
    let mut rest = got;
    let parts: Vec<&str> = expected.split('…').collect();
    for (at, part) in parts.iter().enumerate() {
        match rest.find(part) {
            Some(0) => rest = &rest[part.len()..],
            Some(found) if at > 0 => rest = &rest[found + part.len()..],
            _ => return false,
        }
    }
    rest.is_empty() || expected.ends_with('…')
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("{ ", "{").replace(" }", "}")
}

fn walk(readme: &str) {
    let text = std::fs::read_to_string(root().join(readme)).unwrap();
    let running = Running::start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let line = |start: &str| {
        let found = running.greeting.iter().find_map(|line| line.trim().strip_prefix(start));
        found.unwrap().trim().to_owned()
    };
    let data = line("data");
    let secret = line("webhooks   secret").split(' ').next().unwrap().to_owned();
    let mut shell = Command::new("bash")
        .args(["--noprofile", "--norc"])
        .env("PATH", format!("{}:{}", binary_folder(), std::env::var("PATH").unwrap()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines();
    let mut walked = 0;
    for step in steps(&text) {
        let here = |text: &str| {
            text.replace("127.0.0.1:8080", &running.address)
                .replace("target/release/ichae", "ichae")
                .replace("/tmp/ichae", &data)
                .replace("whsec_…", &secret)
        };
        writeln!(input, "{}\necho; echo '==end=='", here(&step.command)).unwrap();
        let printed: Vec<String> =
            lines.by_ref().map_while(Result::ok).take_while(|line| line != "==end==").collect();
        let (expected, got) = (squeezed(&here(&step.printed)), squeezed(&printed.join("\n")));
        assert!(
            step.printed.is_empty() || matches(&expected, &got),
            "{readme}\n{}\nsays: {expected}\ngot:  {got}",
            step.command
        );
        walked += 1;
    }
    drop(input);
    shell.wait().unwrap();
    assert!(walked >= 8, "{readme}: the tour has {walked} steps");
}

fn binary_folder() -> String {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_ichae"));
    binary.parent().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn the_readmes_tour_works() {
    walk("README.md");
}

#[test]
fn the_korean_readmes_tour_works() {
    walk("README.ko.md");
}

#[test]
fn a_tour_that_lies_is_caught() {
    assert!(matches(r#"{"a":"1","t":"…"}"#, r#"{"a":"1","t":"xyz"}"#));
    assert!(!matches(r#"{"a":"2","t":"…"}"#, r#"{"a":"1","t":"xyz"}"#));
    assert!(!matches(r#"{"a":"1"}"#, r#"{"a":"1"} and more"#));
    assert!(!matches("b…", "ab"));
}
