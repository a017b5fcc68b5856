//! The map: which column of a bank's file is which, and what its words mean.

use crate::error::MapError;
use crate::sheet::Sheet;
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
        sheet.check()?;
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

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Column::Name(name) => f.write_str(name),
            Column::Number(number) => write!(f, "{number}"),
        }
    }
}
