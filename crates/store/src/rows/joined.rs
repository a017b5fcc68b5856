//! A payout's row with its group, its attempt and its key, as lists and look-ups read it; and sums of many.

use super::{ATTEMPT, Cells, GROUP, KEY, KEY_COLUMNS, PAYOUT, PAYOUT_COLUMNS, known};
use crate::port::{Row, StoreError, Tally};
use crate::seal::Sealer;
use ichae_domain::group::Mode;
use ichae_domain::ident::KeyNo;
use ichae_domain::key::{Account, InfoKind};
use ichae_domain::money::Won;
use ichae_domain::payout::{State, state_of};
use secrecy::SecretString;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Where the joined columns begin.
pub(crate) const GROUP_AT: usize = PAYOUT_COLUMNS;
const ATTEMPT_AT: usize = GROUP_AT + 9;
const KEY_AT: usize = ATTEMPT_AT + 15;
const ACCOUNT_AT: usize = KEY_AT + KEY_COLUMNS;

pub(crate) fn columns() -> String {
    format!("{PAYOUT}, {GROUP}, {ATTEMPT}, {KEY}, k.account")
}

/// A row whose account is still sealed.
pub(crate) struct Sealed {
    pub row: Row,
    account: Vec<u8>,
}

pub(crate) fn sealed<C: Cells>(r: &C) -> Result<Sealed, C::Error> {
    let payout = super::payout(r)?;
    let group = super::group(r, GROUP_AT)?;
    let state = state_of(payout.own, group.mode);
    let (attempt, key) = (super::attempt(r, ATTEMPT_AT)?, super::key(r, KEY_AT)?);
    let row = Row { payout, group, state, attempt, key, account: no_account() };
    Ok(Sealed { row, account: r.get(ACCOUNT_AT)? })
}

/// In the place of an account that is not opened, or not looked at.
pub(crate) fn no_account() -> Account {
    let nothing = || SecretString::from(String::new());
    Account {
        number: nothing(),
        holder: nothing(),
        info_kind: InfoKind::BirthDate,
        info: nothing(),
    }
}

/// Opens accounts of one read. Rows of one key have one account, which is opened once. It is forgotten with
/// the rows: no account stays open between two reads.
pub(crate) struct Opener<'a> {
    sealer: &'a Sealer,
    opened: HashMap<KeyNo, Account>,
}

impl<'a> Opener<'a> {
    pub fn new(sealer: &'a Sealer) -> Opener<'a> {
        Opener { sealer, opened: HashMap::new() }
    }

    pub fn open(&mut self, sealed: Sealed) -> Result<Row, StoreError> {
        let mut row = sealed.row;
        row.account = match self.opened.entry(row.key.no) {
            Entry::Occupied(open) => open.get().clone(),
            Entry::Vacant(place) => {
                let open = self.sealer.open_account(row.key.no.0, &sealed.account)?;
                place.insert(open).clone()
            }
        };
        Ok(row)
    }
}

/// A state by the row's own, and by the mode of its group.
pub(crate) fn state<C: Cells>(r: &C, own: usize, mode: usize) -> Result<State, C::Error> {
    let mode = known::<_, C>(Mode::from_number(r.get(mode)?), mode)?;
    let number: Option<i64> = r.get(own)?;
    let own = number.map(|n| known::<_, C>(State::from_number(n), own)).transpose()?;
    Ok(state_of(own, mode))
}

/// Own state, mode, count and sum.
pub(crate) fn tally<C: Cells>(r: &C) -> Result<Tally, C::Error> {
    Ok(Tally { state: state(r, 0, 1)?, count: r.get(2)?, sum: Won(r.get(3)?) })
}

/// One line a state, in the order of a payout's way.
pub(crate) fn merge(mut counted: Vec<Tally>) -> Vec<Tally> {
    counted.sort_by_key(|tally| tally.state);
    let mut merged: Vec<Tally> = Vec::new();
    for tally in counted {
        match merged.last_mut().filter(|last| last.state == tally.state) {
            Some(last) => {
                last.count += tally.count;
                last.sum = Won(last.sum.0 + tally.sum.0);
            }
            None => merged.push(tally),
        }
    }
    merged
}

/// Count and sum of what is under way.
pub(crate) fn under_way(counted: &[Tally]) -> (i64, Won) {
    let under_way = counted.iter().filter(|tally| tally.state.under_way());
    under_way.fold((0, Won(0)), |(n, sum), t| (n + t.count, Won(sum.0 + t.sum.0)))
}
