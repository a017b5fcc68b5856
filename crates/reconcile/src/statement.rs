//! A statement as rows: lines split into fields, fields read by the map.

use crate::class::{Why, Word};
use crate::error::ReconcileError;
use crate::field;
use crate::ident::Id;
use crate::lines::{LINE_MAX, Lines};
use crate::map::{COLUMNS_MAX, Column, Map};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use ichae_domain::money::Won;
use ichae_domain::time::Day;
use std::io::Read;

/// A line that says something of a payment.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub number: u32,
    pub id: Id,
    pub day: Day,
    pub amount: Won,
    pub word: Word,
}

/// A line that cannot be read.
#[derive(Clone, Debug)]
pub struct Spoilt {
    pub number: u32,
    /// As the map calls it.
    pub column: Option<String>,
    pub why: Why,
    pub id: Option<Id>,
}

/// What a line of the file is. A balance stands with every line that could be read.
pub enum Row {
    Payment(Line, Option<Won>),
    /// Of a kind that the map does not take.
    Skipped(Option<Won>),
    Spoilt(Spoilt),
}

/// Where the map's columns are in this file, counted from 0.
struct Places {
    id: usize,
    date: usize,
    amount: usize,
    status: Option<usize>,
    balance: Option<usize>,
    kind: Option<usize>,
    /// Columns of the first line; 0 before it was read.
    width: usize,
}

pub struct Statement<'m, 'p, R> {
    map: &'m Map,
    lines: Lines<'p, R>,
    fields: Fields,
    places: Places,
}

impl<'m, 'p, R: Read> Statement<'m, 'p, R> {
    /// Reads the header, if the map says that there is one.
    pub fn open(
        input: R,
        map: &'m Map,
        progress: &'p mut dyn FnMut(u64),
    ) -> Result<Statement<'m, 'p, R>, ReconcileError> {
        let mut lines = Lines::new(input, progress);
        let mut fields = Fields::new(map.delimiter);
        if map.header {
            let line = lines.next()?.ok_or(ReconcileError::Empty)?;
            let long = line.too_long.then_some(Why::TooLong);
            let split = long.map_or(Ok(()), Err).and_then(|()| fields.split(line.bytes));
            split.map_err(ReconcileError::HeaderLine)?;
        }
        let places = Places::find(map, &fields)?;
        Ok(Statement { map, lines, fields, places })
    }

    /// The next row; blank lines are none. `None` at the end.
    pub fn next(&mut self) -> Result<Option<Row>, ReconcileError> {
        loop {
            let Some(line) = self.lines.next()? else { return Ok(None) };
            if line.bytes.trim_ascii().is_empty() {
                continue;
            }
            let number = line.number;
            let long = line.too_long.then_some(Why::TooLong);
            let split = long.map_or(Ok(()), Err).and_then(|()| self.fields.split(line.bytes));
            let row = split.map_err(Fault::line).and_then(|()| {
                self.places.fit(&self.fields)?;
                read(self.map, &self.places, &self.fields, number)
            });
            return Ok(Some(row.unwrap_or_else(|fault| {
                let column = fault.column.map(Column::to_string);
                Row::Spoilt(Spoilt { number, column, why: fault.why, id: fault.id })
            })));
        }
    }
}

/// What is wrong with a line, and where.
struct Fault<'m> {
    column: Option<&'m Column>,
    why: Why,
    id: Option<Id>,
}

impl<'m> Fault<'m> {
    fn line(why: Why) -> Fault<'m> {
        Fault { column: None, why, id: None }
    }
}

fn read<'m>(map: &'m Map, places: &Places, fields: &Fields, number: u32) -> Result<Row, Fault<'m>> {
    // An id is named in a fault only where it has the form of one.
    let id = fields.at(places.id).and_then(Id::parse);
    let fault = |column: &'m Column, why: Why| Fault { column: Some(column), why, id };
    let needed = |at: usize, column: &'m Column| {
        let field = fields.at(at).filter(|field| !field.is_empty());
        field.ok_or_else(|| fault(column, Why::Missing))
    };
    let balance = match (places.balance, &map.balance) {
        (Some(at), Some(column)) => match fields.at(at) {
            Some([]) => None,
            None => return Err(fault(column, Why::Missing)),
            Some(field) => Some(field::balance(field).ok_or(fault(column, Why::Balance))?),
        },
        _ => None,
    };
    if let (Some(at), Some(column)) = (places.kind, &map.kind) {
        let field = fields.at(at).ok_or_else(|| fault(column, Why::Missing))?;
        if !map.take.iter().any(|word| word == field) {
            return Ok(Row::Skipped(balance));
        }
    }
    needed(places.id, &map.id)?;
    let line = Line {
        number,
        id: id.ok_or_else(|| fault(&map.id, Why::Id))?,
        day: field::day(needed(places.date, &map.date)?)
            .ok_or_else(|| fault(&map.date, Why::Date))?,
        amount: field::amount(needed(places.amount, &map.amount)?)
            .ok_or_else(|| fault(&map.amount, Why::Amount))?,
        word: match (places.status, &map.status) {
            (Some(at), Some(column)) => {
                word(map, needed(at, column)?).ok_or_else(|| fault(column, Why::Status))?
            }
            _ => Word::Paid,
        },
    };
    Ok(Row::Payment(line, balance))
}

fn word(map: &Map, field: &[u8]) -> Option<Word> {
    let lists =
        [(&map.paid, Word::Paid), (&map.refused, Word::Refused), (&map.returned, Word::Returned)];
    let found = lists.into_iter().find(|(list, _)| list.iter().any(|word| word == field));
    found.map(|(_, word)| word)
}

impl Places {
    fn find(map: &Map, header: &Fields) -> Result<Places, ReconcileError> {
        let place = |column: &Column| match column {
            Column::Number(number) => Ok(number - 1),
            Column::Name(name) => {
                // The map was checked: its names can be written.
                let bytes = map.encoding.write(name).unwrap_or_default();
                let mut found = (0..header.count).filter(|at| header.at(*at) == Some(&bytes));
                let at = found.next().ok_or_else(|| ReconcileError::Header(name.clone()))?;
                match found.next() {
                    Some(_) => Err(ReconcileError::HeaderTwice(name.clone())),
                    None => Ok(at),
                }
            }
        };
        let optional = |column: &Option<Column>| column.as_ref().map(place).transpose();
        Ok(Places {
            id: place(&map.id)?,
            date: place(&map.date)?,
            amount: place(&map.amount)?,
            status: optional(&map.status)?,
            balance: optional(&map.balance)?,
            kind: optional(&map.kind)?,
            width: header.count,
        })
    }

    /// A line with more columns has a delimiter too many, so that its columns are not where they
    /// seem to be. Empty ones at its end do no harm.
    fn fit<'m>(&mut self, fields: &Fields) -> Result<(), Fault<'m>> {
        if self.width == 0 {
            self.width = fields.count;
        }
        let more = self.width..fields.count;
        let empty = |at: usize| fields.at(at).is_none_or(<[u8]>::is_empty);
        if more.into_iter().all(empty) { Ok(()) } else { Err(Fault::line(Why::Columns)) }
    }
}

/// The fields of one line.
struct Fields {
    parser: Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Fields {
    fn new(delimiter: u8) -> Fields {
        let terminator = Terminator::Any(b'\n');
        let parser = ReaderBuilder::new().delimiter(delimiter).terminator(terminator).build();
        Fields { parser, bytes: vec![0; LINE_MAX + 1], ends: vec![0; COLUMNS_MAX], count: 0 }
    }

    fn split(&mut self, line: &[u8]) -> Result<(), Why> {
        self.count = 0;
        if line.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
            return Err(Why::Quote);
        }
        self.parser.reset();
        let (first, _, wrote, ended) =
            self.parser.read_record(line, &mut self.bytes, &mut self.ends);
        let (bytes, ends) = (&mut self.bytes[wrote..], &mut self.ends[ended..]);
        match first {
            // The line came without its end; the end of all input stands for it.
            ReadRecordResult::InputEmpty => {
                let (second, _, _, more) = self.parser.read_record(&[], bytes, ends);
                match second {
                    ReadRecordResult::Record | ReadRecordResult::End => self.count = ended + more,
                    _ => return Err(Why::Columns),
                }
            }
            ReadRecordResult::Record | ReadRecordResult::End => self.count = ended,
            ReadRecordResult::OutputFull => return Err(Why::TooLong),
            ReadRecordResult::OutputEndsFull => return Err(Why::Columns),
        }
        Ok(())
    }

    /// A field without the white space around it.
    fn at(&self, at: usize) -> Option<&[u8]> {
        if at >= self.count {
            return None;
        }
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes.get(start..self.ends[at]).map(<[u8]>::trim_ascii)
    }
}
