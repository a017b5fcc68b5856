//! A file as lines, streamed: each with its number, none longer than is kept.
//!
//! A record is a line. A quote that is left open then spoils its own line, where a reader that
//! lets fields hold line breaks would swallow the lines after it in silence.

use crate::error::ReconcileError;
use std::io::{BufRead, BufReader, ErrorKind, Read};

/// Bytes of a line that are kept; a longer one cannot be read.
pub const LINE_MAX: usize = 64 * 1_024;
const BUFFER: usize = 256 * 1_024;
/// Bytes between two calls of the progress callback.
const STEP: u64 = 1_024 * 1_024;

/// First bytes of files that are no CSV.
const FORMATS: &[(&[u8], &str)] = &[
    (b"\xff\xfe", "in UTF-16"),
    (b"\xfe\xff", "in UTF-16"),
    (b"PK\x03\x04", "a spreadsheet or an archive"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet"),
    (b"%PDF", "a PDF"),
    (b"<", "a web page"),
];

pub struct Lines<'p, R> {
    input: BufReader<R>,
    progress: &'p mut dyn FnMut(u64),
    read: u64,
    told: u64,
    number: u32,
    line: Vec<u8>,
}

/// One line, without its end.
pub struct Taken<'a> {
    /// From 1.
    pub number: u32,
    pub bytes: &'a [u8],
    pub too_long: bool,
}

impl<'p, R: Read> Lines<'p, R> {
    pub fn new(input: R, progress: &'p mut dyn FnMut(u64)) -> Lines<'p, R> {
        let input = BufReader::with_capacity(BUFFER, input);
        Lines { input, progress, read: 0, told: 0, number: 0, line: Vec::new() }
    }

    /// The next line, blank ones among them; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Taken<'_>>, ReconcileError> {
        let length = self.fill()?;
        self.read += length as u64;
        if self.read - self.told >= STEP || (length == 0 && self.told < self.read) {
            self.told = self.read;
            (self.progress)(self.read);
        }
        if length == 0 {
            return Ok(None);
        }
        self.number = self.number.checked_add(1).ok_or(ReconcileError::Lines)?;
        let too_long = self.line.len() > LINE_MAX;
        let mut bytes = self.line.as_slice();
        bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if self.number == 1 {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            if let Some((_, what)) = FORMATS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
                return Err(ReconcileError::Format(what));
            }
        }
        Ok(Some(Taken { number: self.number, bytes, too_long }))
    }

    /// Reads up to the end of the line; returns its length in the file, 0 at the file's end.
    fn fill(&mut self) -> Result<usize, ReconcileError> {
        self.line.clear();
        let mut length = 0;
        loop {
            let part = match self.input.fill_buf() {
                Ok(part) => part,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let end = part.iter().position(|byte| *byte == b'\n');
            let take = end.map_or(part.len(), |at| at + 1);
            // One more than may be kept, and its end: that is how a longer one is known.
            let room = (LINE_MAX + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..take.min(room)]);
            self.input.consume(take);
            length += take;
            if end.is_some() || take == 0 {
                return Ok(length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte a call, as a slow pipe may.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            out[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn all(bytes: &[u8]) -> Vec<(u32, String)> {
        let mut quiet = |_| {};
        let mut lines = Lines::new(Drops(bytes), &mut quiet);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push((line.number, String::from_utf8(line.bytes.to_vec()).unwrap()));
        }
        found
    }

    #[test]
    fn ends_and_a_mark_at_the_beginning_are_taken_off() {
        let text = |parts: &[(u32, &str)]| -> Vec<(u32, String)> {
            parts.iter().map(|(number, text)| (*number, (*text).to_owned())).collect()
        };
        assert_eq!(all(b""), text(&[]));
        assert_eq!(all(b"a\nb"), text(&[(1, "a"), (2, "b")]));
        assert_eq!(all(b"a\r\n\r\nb\r\n"), text(&[(1, "a"), (2, ""), (3, "b")]));
        assert_eq!(all(b"\xef\xbb\xbfa\n\xef\xbb\xbfb"), text(&[(1, "a"), (2, "\u{feff}b")]));
    }

    #[test]
    fn a_line_too_long_is_said_and_the_next_one_is_whole() {
        let mut file = vec![b'x'; 3 * LINE_MAX];
        file.extend_from_slice(b"\nshort\n");
        let mut quiet = |_| {};
        let mut lines = Lines::new(file.as_slice(), &mut quiet);
        let first = lines.next().unwrap().unwrap();
        assert!(first.too_long && first.bytes.len() <= LINE_MAX + 1);
        let second = lines.next().unwrap().unwrap();
        assert_eq!((second.number, second.bytes, second.too_long), (2, &b"short"[..], false));
    }

    #[test]
    fn what_is_no_csv_is_named() {
        for (file, what) in [
            (&b"\xff\xfea\0"[..], "in UTF-16"),
            (b"PK\x03\x04rest", "a spreadsheet or an archive"),
            (b"<html>", "a web page"),
        ] {
            let mut quiet = |_| {};
            let error = Lines::new(file, &mut quiet).next().err().unwrap();
            assert!(matches!(error, ReconcileError::Format(found) if found == what));
        }
    }

    #[test]
    fn progress_ends_with_every_byte() {
        let file = vec![b'\n'; 3 * STEP as usize + 7];
        let mut told = Vec::new();
        let mut note = |read| told.push(read);
        let mut lines = Lines::new(file.as_slice(), &mut note);
        while lines.next().unwrap().is_some() {}
        assert_eq!(told, [STEP, 2 * STEP, 3 * STEP, 3 * STEP + 7]);
    }
}
