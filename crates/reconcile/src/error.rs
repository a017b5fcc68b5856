//! What ends a run, and what is wrong with a map. Each says what to do, none shows a line's text.

use crate::class::Why;
use ichae_domain::time::Day;
use std::error::Error;

/// What is wrong with a map.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// Not TOML, or an unknown key; the text is the map's own and names its line.
    #[error("the map cannot be read: {0}")]
    Toml(String),
    #[error("encoding must be \"utf-8\" or \"euc-kr\"")]
    Encoding,
    #[error("delimiter must be one of , ; | or \"\\t\"")]
    Delimiter,
    #[error("columns.{0} is given by name, but header = false: give its number, counted from 1")]
    NameWithoutHeader(&'static str),
    #[error("columns.{0} must be a name, or a number from 1 to 1024")]
    Column(&'static str),
    #[error("columns.{0} and columns.{1} are the same column: give each its own")]
    SameColumn(&'static str, &'static str),
    #[error("columns.{0} needs its words: add [{0}] with {1} = [\"...\"]")]
    Words(&'static str, &'static str),
    #[error("[{0}] has words but columns.{0} is missing: name the column, or delete the words")]
    NoColumn(&'static str),
    #[error("[{0}] has an empty word: delete it")]
    EmptyWord(&'static str),
    #[error("[{table}] has the word \"{word}\" twice: leave it in one list")]
    WordTwice { table: &'static str, word: String },
    #[error("\"{0}\" cannot be written in euc-kr: mend it, or set encoding = \"utf-8\"")]
    NotEucKr(String),
}

/// What ends a reconciliation without a report.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error("the statement cannot be read: {0}")]
    Read(#[from] std::io::Error),
    #[error("the hub's own rows cannot be read: {0}")]
    Ours(Box<dyn Error + Send + Sync>),
    #[error("payouts {0} and {1} carry the same bank number: run `ichae check`")]
    OursTwice(i64, i64),
    #[error("the institution must be ten of A-Z and 0-9, as in front of every bank_tran_id")]
    Institution,
    #[error("the period begins on {0} and ends on {1}: turn them round")]
    Days(Day, Day),
    #[error("the cut-off tolerance must be 0 to {0} days")]
    Tolerance(u8),
    #[error("the file is empty: even a statement without payments has its header")]
    Empty,
    #[error("the file is {0}: save it as CSV in UTF-8 or EUC-KR")]
    Format(&'static str),
    #[error("line 1 has no column \"{0}\": see the map's names, delimiter, encoding and header")]
    Header(String),
    #[error("line 1 has the column \"{0}\" twice: give its number in the map")]
    HeaderTwice(String),
    #[error("line 1 cannot be read as a header: {}", .0.en())]
    HeaderLine(Why),
    #[error(
        "more than {limit} lines cannot be read, so the map probably does not fit: the first is \
         line {line}{}, {}", at(.column), .why.en()
    )]
    Unreadable { limit: usize, line: u32, column: Option<String>, why: Why },
    #[error(
        "more than {0} ids in the file are not among the hub's rows: see institution, days and \
         store"
    )]
    Strays(usize),
    #[error("the file has more than 4,294,967,295 lines: cut it by days")]
    Lines,
    #[error("no line gave a day: declare the first and the last day of the statement")]
    NoDays,
}

fn at(name: &Option<String>) -> String {
    name.as_ref().map(|name| format!(", column \"{name}\"")).unwrap_or_default()
}
