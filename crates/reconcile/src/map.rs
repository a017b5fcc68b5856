//! The map: which column of a bank's file is which, and what its words mean.

use crate::error::MapError;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;

/// Columns of a line that can be told apart.
pub const COLUMNS_MAX: usize = 1_024;

/// The map of the simulated bank's export, as a file to begin with. It is also the default.
pub const SAMPLE: &str = r#"# How a bank's statement is read. An unknown key is an error.
encoding = "utf-8"      # or "euc-kr"
delimiter = ","         # or ";", "|", "\t"
header = true           # whether line 1 names the columns

[columns]               # by name, or by number counted from 1
id = "bank_tran_id"
date = "bank_tran_date" # yyyymmdd, yyyy-mm-dd, yyyy/mm/dd or yyyy.mm.dd
amount = "tran_amt"     # whole won, "1,000" in quotes too
status = "status"       # optional: without it every line is paid
# balance = "balance"   # optional: the account's balance after the line
# kind = "kind"         # optional: lines of other kinds are skipped and counted

[status]
paid = ["paid"]
refused = ["refused"]
returned = ["returned"]

# [kind]
# take = ["deposit"]
"#;

/// A column of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Column {
    Name(String),
    /// From 1.
    Number(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Utf8,
    EucKr,
}

/// A map that was checked. Words are kept as the file's encoding writes them, so that reading
/// compares bytes and decodes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Map {
    pub(crate) encoding: Encoding,
    pub(crate) delimiter: u8,
    pub(crate) header: bool,
    pub(crate) id: Column,
    pub(crate) date: Column,
    pub(crate) amount: Column,
    pub(crate) status: Option<Column>,
    pub(crate) balance: Option<Column>,
    pub(crate) kind: Option<Column>,
    pub(crate) paid: Vec<Vec<u8>>,
    pub(crate) refused: Vec<Vec<u8>>,
    pub(crate) returned: Vec<Vec<u8>>,
    pub(crate) take: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    #[serde(default = "utf8")]
    encoding: String,
    #[serde(default = "comma")]
    delimiter: String,
    #[serde(default = "yes")]
    header: bool,
    columns: Columns,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    kind: Kinds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    id: Column,
    date: Column,
    amount: Column,
    status: Option<Column>,
    balance: Option<Column>,
    kind: Option<Column>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Status {
    paid: Vec<String>,
    refused: Vec<String>,
    returned: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Kinds {
    take: Vec<String>,
}

fn utf8() -> String {
    "utf-8".to_owned()
}

fn comma() -> String {
    ",".to_owned()
}

fn yes() -> bool {
    true
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Column, D::Error> {
        struct NameOrNumber;
        impl Visitor<'_> for NameOrNumber {
            type Value = Column;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column's name, or its number counted from 1")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Column, E> {
                Ok(Column::Name(name.trim().to_owned()))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Column, E> {
                // What does not fit is refused with the column's key, below.
                Ok(Column::Number(usize::try_from(number).unwrap_or_default()))
            }
        }
        input.deserialize_any(NameOrNumber)
    }
}

impl Default for Map {
    /// The map of the simulated bank's export: [`SAMPLE`].
    fn default() -> Map {
        let words = |word: &str| vec![word.as_bytes().to_vec()];
        let name = |name: &str| Column::Name(name.to_owned());
        Map {
            encoding: Encoding::Utf8,
            delimiter: b',',
            header: true,
            id: name("bank_tran_id"),
            date: name("bank_tran_date"),
            amount: name("tran_amt"),
            status: Some(name("status")),
            balance: None,
            kind: None,
            paid: words("paid"),
            refused: words("refused"),
            returned: words("returned"),
            take: Vec::new(),
        }
    }
}

impl Map {
    /// Reads and checks a map file.
    pub fn parse(text: &str) -> Result<Map, MapError> {
        let sheet: Sheet =
            toml::from_str(text).map_err(|error| MapError::Toml(error.to_string()))?;
        let encoding = match sheet.encoding.as_str() {
            "utf-8" => Encoding::Utf8,
            "euc-kr" => Encoding::EucKr,
            _ => return Err(MapError::Encoding),
        };
        // None of them is ever the second byte of a EUC-KR character, so lines split as bytes.
        let delimiter = match sheet.delimiter.as_bytes() {
            [byte @ (b',' | b';' | b'|' | b'\t')] => *byte,
            _ => return Err(MapError::Delimiter),
        };
        columns(&sheet)?;
        words(&sheet)?;
        let encoded = |list: &[String]| -> Result<Vec<Vec<u8>>, MapError> {
            list.iter().map(|word| encoding.write(word.trim())).collect()
        };
        let map = Map {
            encoding,
            delimiter,
            header: sheet.header,
            paid: encoded(&sheet.status.paid)?,
            refused: encoded(&sheet.status.refused)?,
            returned: encoded(&sheet.status.returned)?,
            take: encoded(&sheet.kind.take)?,
            id: sheet.columns.id,
            date: sheet.columns.date,
            amount: sheet.columns.amount,
            status: sheet.columns.status,
            balance: sheet.columns.balance,
            kind: sheet.columns.kind,
        };
        for column in map.columns() {
            if let Column::Name(name) = column {
                encoding.write(name)?;
            }
        }
        Ok(map)
    }

    fn columns(&self) -> impl Iterator<Item = &Column> {
        let optional = [&self.status, &self.balance, &self.kind].into_iter().flatten();
        [&self.id, &self.date, &self.amount].into_iter().chain(optional)
    }
}

impl Encoding {
    /// The bytes that a file in this encoding has for a text.
    pub fn write(self, text: &str) -> Result<Vec<u8>, MapError> {
        match self {
            Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
            Encoding::EucKr => match encoding_rs::EUC_KR.encode(text) {
                (bytes, _, false) => Ok(bytes.into_owned()),
                (_, _, true) => Err(MapError::NotEucKr(text.to_owned())),
            },
        }
    }
}

fn columns(sheet: &Sheet) -> Result<(), MapError> {
    let of = &sheet.columns;
    let named = [
        ("id", Some(&of.id)),
        ("date", Some(&of.date)),
        ("amount", Some(&of.amount)),
        ("status", of.status.as_ref()),
        ("balance", of.balance.as_ref()),
        ("kind", of.kind.as_ref()),
    ];
    let mut seen: Vec<(&'static str, &Column)> = Vec::new();
    for (key, column) in named.into_iter().filter_map(|(key, column)| Some((key, column?))) {
        match column {
            Column::Name(name) if name.is_empty() => return Err(MapError::Column(key)),
            Column::Name(_) if !sheet.header => return Err(MapError::NameWithoutHeader(key)),
            Column::Number(number) if !(1..=COLUMNS_MAX).contains(number) => {
                return Err(MapError::Column(key));
            }
            _ => {}
        }
        if let Some((other, _)) = seen.iter().find(|(_, other)| *other == column) {
            return Err(MapError::SameColumn(other, key));
        }
        seen.push((key, column));
    }
    Ok(())
}

fn words(sheet: &Sheet) -> Result<(), MapError> {
    let status = [&sheet.status.paid, &sheet.status.refused, &sheet.status.returned];
    let tables = [
        ("status", "paid", sheet.columns.status.is_some(), &status[..]),
        ("kind", "take", sheet.columns.kind.is_some(), &[&sheet.kind.take][..]),
    ];
    for (table, needed, column, lists) in tables {
        let mut all: Vec<&str> = lists.iter().copied().flatten().map(|word| word.trim()).collect();
        if !column && !all.is_empty() {
            return Err(MapError::NoColumn(table));
        }
        if column && lists[0].is_empty() {
            return Err(MapError::Words(table, needed));
        }
        if all.contains(&"") {
            return Err(MapError::EmptyWord(table));
        }
        all.sort_unstable();
        if let Some(twice) = all.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(MapError::WordTwice { table, word: twice[0].to_owned() });
        }
    }
    Ok(())
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Column::Name(name) => f.write_str(name),
            Column::Number(number) => write!(f, "{number}"),
        }
    }
}
