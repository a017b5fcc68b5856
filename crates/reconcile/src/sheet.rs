//! A map file's own shape, and whether it holds together.

use crate::error::MapError;
use crate::map::{COLUMNS_MAX, Column};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    #[serde(default = "utf8")]
    pub encoding: String,
    #[serde(default = "comma")]
    pub delimiter: String,
    #[serde(default = "yes")]
    pub header: bool,
    pub columns: Columns,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub kind: Kinds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    pub id: Column,
    pub date: Column,
    pub amount: Column,
    pub status: Option<Column>,
    pub balance: Option<Column>,
    pub kind: Option<Column>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Status {
    pub paid: Vec<String>,
    pub refused: Vec<String>,
    pub returned: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kinds {
    pub take: Vec<String>,
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

impl Sheet {
    /// Whether columns and words fit each other.
    pub fn check(&self) -> Result<(), MapError> {
        columns(self)?;
        words(self)
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
