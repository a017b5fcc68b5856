//! What a row's cells hold, whichever database it comes from.

/// One cell as the database gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raw<'a> {
    Null,
    /// Whole numbers of any width, and truth values.
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// A row of some database.
pub(crate) trait Cells {
    type Error;

    fn raw(&self, at: usize) -> Result<Raw<'_>, Self::Error>;
    /// The cell at that place is not what its column promises.
    fn bad(at: usize) -> Self::Error;

    fn get<T: Cell>(&self, at: usize) -> Result<T, Self::Error> {
        T::of(self.raw(at)?).ok_or_else(|| Self::bad(at))
    }
}

/// What a cell is read as; `None` where it is something else.
pub(crate) trait Cell: Sized {
    fn of(raw: Raw<'_>) -> Option<Self>;
}

impl<T: Cell> Cell for Option<T> {
    fn of(raw: Raw<'_>) -> Option<Option<T>> {
        match raw {
            Raw::Null => Some(None),
            some => T::of(some).map(Some),
        }
    }
}

impl Cell for i64 {
    fn of(raw: Raw<'_>) -> Option<i64> {
        match raw {
            Raw::Int(number) => Some(number),
            _ => None,
        }
    }
}

macro_rules! narrower {
    ($($kind:ty)*) => { $(
        impl Cell for $kind {
            fn of(raw: Raw<'_>) -> Option<$kind> {
                i64::of(raw).and_then(|number| number.try_into().ok())
            }
        }
    )* };
}
narrower! { i32 u32 u16 }

impl Cell for bool {
    fn of(raw: Raw<'_>) -> Option<bool> {
        i64::of(raw).map(|number| number != 0)
    }
}

impl Cell for String {
    fn of(raw: Raw<'_>) -> Option<String> {
        match raw {
            Raw::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl Cell for Vec<u8> {
    fn of(raw: Raw<'_>) -> Option<Vec<u8>> {
        match raw {
            Raw::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<const N: usize> Cell for [u8; N] {
    fn of(raw: Raw<'_>) -> Option<[u8; N]> {
        match raw {
            Raw::Bytes(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}
