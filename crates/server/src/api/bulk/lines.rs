//! Cuts a body that comes in pieces into lines, with bounded memory.

use ichae_wire::bulk::ROW_BYTES_MAX;

/// A line of the body.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    Row(&'a [u8]),
    /// Longer than a row may be; its bytes were not kept.
    TooLong,
}

#[derive(Default)]
pub struct Lines {
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    too_long: bool,
}

impl Lines {
    /// Takes the next piece and hands out every line that is whole now. Blank ones are passed over.
    pub fn take(&mut self, mut piece: &[u8], mut each: impl FnMut(Line<'_>)) {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = piece.split_at(end);
            self.end(line, &mut each);
            piece = &rest[1..];
        }
        self.keep(piece);
    }

    /// The end of the body: the last line needs no end of its own.
    pub fn finish(&mut self, mut each: impl FnMut(Line<'_>)) {
        self.end(&[], &mut each);
    }

    fn end(&mut self, line: &[u8], each: &mut impl FnMut(Line<'_>)) {
        let whole = if self.begun.is_empty() && !self.too_long && line.len() <= ROW_BYTES_MAX {
            line
        } else {
            self.keep(line);
            &self.begun
        };
        if self.too_long {
            each(Line::TooLong);
        } else if !whole.trim_ascii().is_empty() {
            each(Line::Row(whole));
        }
        self.begun.clear();
        self.too_long = false;
    }

    fn keep(&mut self, piece: &[u8]) {
        self.too_long |= self.begun.len() + piece.len() > ROW_BYTES_MAX;
        if self.too_long {
            self.begun.clear();
        } else {
            self.begun.extend_from_slice(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8], size: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        let mut each = |line: Line<'_>| {
            found.push(match line {
                Line::Row(row) => Some(row.to_vec()),
                Line::TooLong => None,
            });
        };
        for piece in text.chunks(size) {
            lines.take(piece, &mut each);
            assert!(lines.begun.len() <= ROW_BYTES_MAX);
        }
        lines.finish(&mut each);
        found
    }

    #[test]
    fn a_body_is_cut_the_same_wherever_its_pieces_end() {
        let text = b"{\"a\":1}\r\n\n  \n{\"b\":2}\n{\"c\":3}";
        let expected: Vec<Option<Vec<u8>>> =
            [&b"{\"a\":1}\r"[..], b"{\"b\":2}", b"{\"c\":3}"].map(|l| Some(l.to_vec())).to_vec();
        for size in 1..text.len() + 1 {
            assert_eq!(cut(text, size), expected, "pieces of {size}");
        }
        assert_eq!(cut(b"", 1), []);
        assert_eq!(cut(b"\n\r\n \n", 2), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_one_line_and_the_next_is_whole() {
        let mut text = vec![b'x'; ROW_BYTES_MAX + 1];
        text.extend_from_slice(b"\nnext\n");
        text.extend_from_slice(&vec![b'y'; ROW_BYTES_MAX]);
        for size in [1_000, 7_919, text.len()] {
            let found = cut(&text, size);
            assert_eq!(found.len(), 3);
            assert_eq!(found[0], None);
            assert_eq!(found[1].as_deref(), Some(&b"next"[..]));
            assert_eq!(found[2].as_ref().map(Vec::len), Some(ROW_BYTES_MAX));
        }
    }
}
