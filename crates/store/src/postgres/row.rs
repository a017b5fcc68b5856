//! PostgreSQL's rows as [`crate::rows`] reads them.

use crate::port::StoreError;
use crate::rows::{Cells, Raw};
use std::error::Error;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

type Parsed<T> = Result<T, Box<dyn Error + Sync + Send>>;

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Parsed<Raw<'a>> {
        Ok(match *kind {
            Type::INT8 => Raw::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Raw::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT2 => Raw::Int(i16::from_sql(kind, raw)?.into()),
            Type::BOOL => Raw::Int(bool::from_sql(kind, raw)?.into()),
            Type::TEXT | Type::VARCHAR => Raw::Text(<&str>::from_sql(kind, raw)?),
            Type::BYTEA => Raw::Bytes(raw),
            _ => return Err("a column of a kind that no table has".into()),
        })
    }

    fn from_sql_null(_: &Type) -> Parsed<Raw<'a>> {
        Ok(Raw::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Cells for Row {
    type Error = StoreError;

    fn raw(&self, at: usize) -> Result<Raw<'_>, StoreError> {
        Ok(self.try_get(at)?)
    }

    fn bad(at: usize) -> StoreError {
        StoreError::Damaged(format!("column {at} is not of its vocabulary"))
    }
}
