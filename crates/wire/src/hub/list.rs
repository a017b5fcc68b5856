//! A list written piece by piece, so that a million rows never stand in memory (decision H14).
//!
//! The pieces add up to the very bytes of the endpoint's `Response`. That is why counts and sums
//! stand behind the rows there: they are known only once the rows are written.

use super::row::ResultRow;
use super::waiting::WaitingRow;
use super::{MESSAGE, RESULT};
use ichae_domain::money::Won;
use ichae_domain::time::Day;

type Written<T = ()> = serde_json::Result<T>;

/// What a list is about: the field that repeats what was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About<'a> {
    /// `bank_tran_date`.
    Day(Day),
    /// `group_key`.
    Group(&'a str),
}

/// A list whose `res_list` is open. It holds counts only; what it writes goes to the end of `out`.
#[derive(Debug)]
#[must_use = "a list that is not closed is no JSON"]
pub struct ListFrame {
    rows: u64,
}

/// A list whose `pending_list` is open.
#[derive(Debug)]
#[must_use = "a list that is not closed is no JSON"]
pub struct PendingFrame {
    rows: u64,
    amount: i128,
}

impl ListFrame {
    /// Writes everything up to the first row.
    pub fn open(out: &mut Vec<u8>, cst_id: &str, about: About<'_>) -> Written<ListFrame> {
        out.push(b'{');
        text(out, "result", RESULT)?;
        text_after(out, "message", MESSAGE)?;
        text_after(out, "cst_id", cst_id)?;
        match about {
            About::Day(day) => text_after(out, "bank_tran_date", &day.to_string())?,
            About::Group(key) => text_after(out, "group_key", key)?,
        }
        out.extend_from_slice(br#","res_list":["#);
        Ok(ListFrame { rows: 0 })
    }

    /// Writes one row of a day's or a group's results.
    pub fn row(&mut self, out: &mut Vec<u8>, row: &ResultRow) -> Written {
        self.item(out, row)
    }

    /// Writes one row of what waits.
    pub fn waiting_row(&mut self, out: &mut Vec<u8>, row: &WaitingRow) -> Written {
        self.item(out, row)
    }

    fn item(&mut self, out: &mut Vec<u8>, row: &impl serde::Serialize) -> Written {
        separate(out, self.rows);
        self.rows += 1;
        serde_json::to_writer(out, row)
    }

    /// Ends `res_list` and writes everything up to the first row under way.
    pub fn pending(self, out: &mut Vec<u8>) -> Written<PendingFrame> {
        self.end(out)?;
        out.extend_from_slice(br#","pending_list":["#);
        Ok(PendingFrame { rows: 0, amount: 0 })
    }

    /// Ends a list that has no `pending_list`. `last_key` is `""` where nothing is left.
    pub fn close(self, out: &mut Vec<u8>, last_key: &str) -> Written {
        self.end(out)?;
        finish(out, last_key)
    }

    fn end(self, out: &mut Vec<u8>) -> Written {
        out.push(b']');
        text_after(out, "res_cnt", &self.rows.to_string())
    }
}

impl PendingFrame {
    /// Writes one row under way; `amount` is the row's `tran_amt`.
    pub fn row(&mut self, out: &mut Vec<u8>, row: &ResultRow, amount: Won) -> Written {
        separate(out, self.rows);
        self.rows += 1;
        self.amount += i128::from(amount.0);
        serde_json::to_writer(out, row)
    }

    /// Ends the list. `last_key` is `""` where nothing is left.
    pub fn close(self, out: &mut Vec<u8>, last_key: &str) -> Written {
        out.push(b']');
        text_after(out, "pending_cnt", &self.rows.to_string())?;
        text_after(out, "pending_amt", &self.amount.to_string())?;
        finish(out, last_key)
    }
}

fn finish(out: &mut Vec<u8>, last_key: &str) -> Written {
    text_after(out, "last_key", last_key)?;
    out.push(b'}');
    Ok(())
}

fn separate(out: &mut Vec<u8>, rows_before: u64) {
    if rows_before > 0 {
        out.push(b',');
    }
}

fn text_after(out: &mut Vec<u8>, name: &str, value: &str) -> Written {
    out.push(b',');
    text(out, name, value)
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) -> Written {
    serde_json::to_writer(&mut *out, name)?;
    out.push(b':');
    serde_json::to_writer(out, value)
}
