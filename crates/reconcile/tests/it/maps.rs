//! Map files: the sample, and errors that say what to do.

use ichae_reconcile::{Map, SAMPLE};

#[test]
fn the_sample_is_the_default() {
    assert_eq!(Map::parse(SAMPLE).unwrap(), Map::default());
    // What the sample has as remarks can be used as it stands.
    let all = SAMPLE.replace("# balance", "balance").replace("# kind", "kind");
    let all = all.replace("# [kind]", "[kind]").replace("# take", "take");
    assert_ne!(Map::parse(&all).unwrap(), Map::default());
}

const COLUMNS: &str = "[columns]\nid = \"a\"\ndate = \"b\"\namount = \"c\"\n";

#[test]
fn a_map_that_does_not_hold_together_is_refused() {
    let table: &[(String, &str)] = &[
        (String::new(), "missing field `columns`"),
        ("[columns]\nid = \"a\"\ndate = \"b\"\n".to_owned(), "missing field `amount`"),
        (format!("delimeter = \";\"\n{COLUMNS}"), "unknown field `delimeter`"),
        (format!("{COLUMNS}name = \"d\"\n"), "unknown field `name`"),
        (format!("encoding = \"latin1\"\n{COLUMNS}"), "\"utf-8\" or \"euc-kr\""),
        (format!("delimiter = \"x\"\n{COLUMNS}"), "delimiter must be"),
        (format!("delimiter = \"\"\n{COLUMNS}"), "delimiter must be"),
        (format!("delimiter = \";;\"\n{COLUMNS}"), "delimiter must be"),
        (format!("header = false\n{COLUMNS}"), "columns.id is given by name"),
        (COLUMNS.replace("\"a\"", "0"), "columns.id must be"),
        (COLUMNS.replace("\"a\"", "-3"), "columns.id must be"),
        (COLUMNS.replace("\"a\"", "1025"), "columns.id must be"),
        (COLUMNS.replace("\"a\"", "\" \""), "columns.id must be"),
        (COLUMNS.replace("\"a\"", "true"), "a column's name, or its number counted from 1"),
        (COLUMNS.replace("\"a\"", "\"c\""), "columns.id and columns.amount are the same"),
        (format!("{COLUMNS}status = \"d\"\n"), "add [status] with paid"),
        (format!("{COLUMNS}status = \"d\"\n[status]\nrefused = [\"n\"]\n"), "with paid"),
        (format!("{COLUMNS}kind = \"d\"\n"), "add [kind] with take"),
        (format!("{COLUMNS}[status]\npaid = [\"y\"]\n"), "columns.status is missing"),
        (format!("{COLUMNS}[kind]\ntake = [\"y\"]\n"), "columns.kind is missing"),
        (
            format!("{COLUMNS}status = \"d\"\n[status]\npaid = [\"y\"]\nreturned = [\" y\"]\n"),
            "the word \"y\" twice",
        ),
        (format!("{COLUMNS}status = \"d\"\n[status]\npaid = [\"\"]\n"), "an empty word"),
        (
            format!("encoding = \"euc-kr\"\n{COLUMNS}kind = \"d\"\n[kind]\ntake = [\"😀\"]\n"),
            "cannot be written in euc-kr",
        ),
        (
            format!("encoding = \"euc-kr\"\n{}", COLUMNS.replace("\"a\"", "\"😀\"")),
            "cannot be written in euc-kr",
        ),
    ];
    for (text, says) in table {
        let error = Map::parse(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}\n{error}");
    }
    assert!(Map::parse(COLUMNS).is_ok());
}
