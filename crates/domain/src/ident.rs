//! Identifiers as they are inside: sequential, so that rows are written in key order.
//!
//! Payouts, groups and billing keys share one sequence per store, the serial. What the wire shows
//! is (logical shard, store epoch, serial), encoded reversibly by the wire crate (decision I1).

use std::fmt;

/// Logical shards an installation is cut into; a partner belongs to one of them for ever.
pub const SHARDS: u16 = 1_024;
/// Store epochs that a `bank_tran_id` has room for (decision I1): one a restore, not one a start.
pub const EPOCHS_MAX: u16 = 90;
/// Bank transaction numbers within one shard and epoch.
pub const BANK_COUNTER_MAX: i64 = 1 << 30;
/// Below it, a payout's first number follows from its serial, so that it is known even to a store
/// that went back to before it was sent; from it on, numbers are counted.
pub const BANK_COUNTED_FROM: i64 = BANK_COUNTER_MAX / 2;

macro_rules! serial {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

serial!(
    /// A partner's number; its shard follows from it.
    PartnerNo
);
serial!(
    /// A payout's serial.
    PayoutNo
);
serial!(
    /// A group's serial.
    GroupNo
);
serial!(
    /// A billing key's serial.
    KeyNo
);
serial!(
    /// A webhook notice's number, in order of their outcomes.
    NoticeNo
);

serial!(
    /// The number of an operators' proposal.
    ProposalNo
);
serial!(
    /// A payer's billing key.
    PayerNo
);
serial!(
    /// A payment with a payer's billing key.
    ChargeNo
);
serial!(
    /// One call to the acquirer.
    TradeNo
);

impl PartnerNo {
    pub fn shard(self) -> u16 {
        u16::try_from(self.0.rem_euclid(i64::from(SHARDS))).unwrap_or_default()
    }
}

/// Cells at most that an installation may have.
pub const CELLS: u8 = 64;
/// Serials that are handed out together by a store that has no cells.
pub const BLOCK: i64 = 1_024;
/// And by a cell: its blocks never follow on each other, so one has to be enough for any batch.
pub const TURN: i64 = 16 * BLOCK;
/// From one of a cell's blocks to its next one.
pub const LAP: i64 = TURN * CELLS as i64;

/// Which serials were handed out in which store epoch (decision I1). Every identifier of a lost
/// epoch is an unknown one: its serial may have been given to another row since.
///
/// An installation of several cells has one epoch or more for each of them. Its cells hand out
/// blocks in turn, so that no two give one serial, and a shard that moves brings its serials along
/// (docs/adr/0024). Serials of the time before have no cell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Epochs {
    /// By first serial; never empty.
    starts: Vec<Start>,
    /// Whose epoch goes on.
    cell: Option<u8>,
}

/// Where an epoch begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Start {
    pub first: i64,
    pub epoch: u16,
    pub cell: Option<u8>,
}

/// The cell whose turn a serial is.
pub fn cell_of(serial: i64) -> u8 {
    let turn = (serial - 1).div_euclid(TURN).rem_euclid(i64::from(CELLS));
    u8::try_from(turn).unwrap_or_default()
}

impl Epochs {
    /// Of a store that never was another one's copy.
    pub fn alone() -> Epochs {
        Epochs { starts: vec![Start { first: 1, epoch: 0, cell: None }], cell: None }
    }

    /// Of a store without cells: (first serial, epoch). `None` where there is no epoch, or where they
    /// are out of order.
    pub fn new(starts: Vec<(i64, u16)>) -> Option<Epochs> {
        let alone = starts.into_iter().map(|(first, epoch)| Start { first, epoch, cell: None });
        Epochs::of_cell(alone.collect(), None)
    }

    /// As one cell has them; its own must be among them.
    pub fn of_cell(mut starts: Vec<Start>, cell: Option<u8>) -> Option<Epochs> {
        starts.sort_by_key(|start| (start.first, start.epoch));
        let of = |cell| starts.iter().filter(move |start: &&Start| start.cell == cell);
        let ordered = |cell| {
            let (one, next) = (of(cell), of(cell).skip(1));
            one.zip(next).all(|(a, b)| a.epoch < b.epoch)
        };
        let cells = std::iter::once(None).chain((0..CELLS).map(Some));
        let good = of(cell).next().is_some() && cells.into_iter().all(ordered);
        good.then_some(Epochs { starts, cell })
    }

    fn start_of(&self, serial: i64) -> Start {
        let turn = cell_of(serial);
        let before = self.starts.iter().rev().filter(|start| start.first <= serial);
        let mut its = before.filter(|start| start.cell.is_none_or(|cell| cell == turn));
        its.next().copied().unwrap_or(self.starts[0])
    }

    /// The epoch that a serial was handed out in.
    pub fn of(&self, serial: i64) -> u16 {
        self.start_of(serial).epoch
    }

    fn own(&self) -> Start {
        let mut own = self.starts.iter().rev().filter(|start| start.cell == self.cell);
        own.next().copied().unwrap_or(self.starts[0])
    }

    pub fn current(&self) -> u16 {
        self.own().epoch
    }

    /// The first serial of the current epoch.
    pub fn current_start(&self) -> i64 {
        self.own().first
    }

    /// The cell whose epochs these are, where there are several.
    pub fn cell(&self) -> Option<u8> {
        self.cell
    }

    /// The number under which a payout was sent first, if it was, in the epoch of its serial.
    pub fn first_bank_no(&self, partner: PartnerNo, payout: PayoutNo) -> Option<BankNo> {
        let start = self.start_of(payout.0);
        let place = payout.0 - start.first;
        let place = match start.cell {
            None => place,
            // Without what is other cells'.
            Some(_) => place.div_euclid(LAP) * TURN + place.rem_euclid(LAP),
        };
        BankNo::first(partner.shard(), start.epoch, place)
    }

    /// The number that a payout is sent under which was never sent; `None`: a counted one is taken. A store
    /// of the first version counted, so its epochs have no first numbers; cells were never of that version.
    pub fn number_to_claim(&self, partner: PartnerNo, payout: PayoutNo) -> Option<BankNo> {
        let known = self.cell.is_some() || payout.0 >= self.current_start();
        known.then(|| self.first_bank_no(partner, payout))?
    }
}

/// A bank transaction number: shard, epoch and counter packed into one integer that fits the nine
/// base-36 characters which a `bank_tran_id` leaves to the institution (openbanking 3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BankNo(pub i64);

impl BankNo {
    /// `None` where epoch or counter has run out.
    pub fn new(shard: u16, epoch: u16, counter: i64) -> Option<BankNo> {
        let fits = shard < SHARDS && epoch < EPOCHS_MAX && (0..BANK_COUNTER_MAX).contains(&counter);
        let packed = i64::from(shard) * i64::from(EPOCHS_MAX) + i64::from(epoch);
        fits.then_some(BankNo(packed * BANK_COUNTER_MAX + counter))
    }

    /// A payout's first number, by its place in its epoch. `None` where places have run out.
    pub fn first(shard: u16, epoch: u16, place: i64) -> Option<BankNo> {
        (0..BANK_COUNTED_FROM).contains(&place).then(|| BankNo::new(shard, epoch, place))?
    }

    /// A counted number. `None` where the counter has run out.
    pub fn counted(shard: u16, epoch: u16, counter: i64) -> Option<BankNo> {
        BankNo::new(shard, epoch, BANK_COUNTED_FROM.checked_add(counter)?)
    }

    /// The number in a `bank_tran_id` of this institution's; `None` for every other text.
    pub fn parse(text: &str, institution: &str) -> Option<BankNo> {
        let tail = text.strip_prefix(institution)?.strip_prefix('U')?;
        let digit = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase();
        let fits = tail.len() == 9 && tail.bytes().all(digit);
        fits.then(|| i64::from_str_radix(tail, 36).ok().map(BankNo))?
    }

    /// `bank_tran_id`: the institution's ten characters, `U` for "made by the institution", then
    /// nine in base 36.
    pub fn text(self, institution: &str) -> String {
        const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let mut tail = [b'0'; 9];
        let mut rest = self.0;
        for slot in tail.iter_mut().rev() {
            *slot = DIGITS[usize::try_from(rest % 36).unwrap_or_default()];
            rest /= 36;
        }
        format!("{institution}U{}", String::from_utf8_lossy(&tail))
    }
}

impl fmt::Debug for BankNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BankNo({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_bank_number_fits_nine_characters() {
        let last = BankNo::new(SHARDS - 1, EPOCHS_MAX - 1, BANK_COUNTER_MAX - 1).unwrap();
        assert!(last.0 < 36_i64.pow(9));
        let text = last.text("M202112389");
        assert_eq!((text.len(), BankNo::parse(&text, "M202112389")), (20, Some(last)));
        for other in [
            "",
            "M202112389",
            "M202112389O000000000",
            "M202112389U00000000a",
            "X202112389U000000000",
        ] {
            assert_eq!(BankNo::parse(other, "M202112389"), None, "{other}");
        }
        assert_eq!(BankNo::new(0, EPOCHS_MAX, 0), None);
        assert_eq!(BankNo::new(0, 0, BANK_COUNTER_MAX), None);
    }

    #[test]
    fn a_serial_belongs_to_the_epoch_it_was_handed_out_in() {
        let epochs = Epochs::new(vec![(1, 0), (100, 1), (100, 2)]).unwrap();
        assert_eq!((epochs.of(1), epochs.of(99), epochs.of(100), epochs.of(5_000)), (0, 0, 2, 2));
        assert_eq!(epochs.current(), 2);
        assert_eq!(Epochs::new(vec![]), None);
        assert_eq!(Epochs::new(vec![(5, 1), (4, 2)]), None);
    }

    #[test]
    fn a_first_number_follows_from_the_serial_and_is_never_a_counted_one() {
        let epochs = Epochs::new(vec![(1, 0), (100, 1)]).unwrap();
        let of = |no| epochs.first_bank_no(PartnerNo(5), PayoutNo(no));
        assert_eq!(of(1), BankNo::new(5, 0, 0));
        assert_eq!(of(99), BankNo::new(5, 0, 98));
        assert_eq!(of(100), BankNo::new(5, 1, 0));
        assert_eq!(epochs.current_start(), 100);
        assert_eq!(BankNo::first(5, 0, BANK_COUNTED_FROM), None);
        assert_eq!(BankNo::counted(5, 0, 0), BankNo::new(5, 0, BANK_COUNTED_FROM));
        assert_eq!(BankNo::counted(5, 0, BANK_COUNTER_MAX - BANK_COUNTED_FROM), None);
        assert_eq!(BankNo::counted(5, 0, i64::MAX), None);
    }

    #[test]
    fn epochs_never_share_a_bank_number() {
        let a = BankNo::new(5, 0, BANK_COUNTER_MAX - 1).unwrap();
        let b = BankNo::new(5, 1, 0).unwrap();
        assert_ne!(a, b);
        assert_ne!(a.text("M202112389"), b.text("M202112389"));
    }

    /// Cells hand out blocks in turn: each serial is of one of them, and so is its first bank number.
    #[test]
    fn cells_give_no_serial_and_no_bank_number_twice() {
        let start = |first, epoch, cell| Start { first, epoch, cell };
        let lap = LAP;
        let starts = vec![
            start(1, 0, None),
            start(lap + 1, 1, Some(0)),
            start(lap + TURN + 1, 2, Some(1)),
            // The first cell was restored.
            start(5 * lap + 1, 3, Some(0)),
        ];
        let (one, other) = (
            Epochs::of_cell(starts.clone(), Some(0)).unwrap(),
            Epochs::of_cell(starts.clone(), Some(1)).unwrap(),
        );
        assert_eq!((one.current(), one.current_start()), (3, 5 * lap + 1));
        assert_eq!((other.current(), other.current_start()), (2, lap + TURN + 1));
        let of = |serial| {
            assert_eq!(one.of(serial), other.of(serial), "{serial}");
            one.of(serial)
        };
        let serials = [5, lap, lap + 1, lap + TURN, lap + TURN + 1, lap + 2 * TURN];
        assert_eq!(serials.map(of), [0, 0, 1, 1, 2, 2]);
        let later = [5 * lap + 7, 6 * lap + TURN + 9, 4 * lap + 3];
        assert_eq!(later.map(of), [3, 2, 1]);
        let mut seen = std::collections::BTreeSet::new();
        let blocks = (0..3 * lap).step_by(97);
        let blocks = blocks.filter(|serial| *serial <= lap || cell_of(*serial) < 2);
        for serial in blocks.filter(|serial| *serial > 0) {
            let no = other.number_to_claim(PartnerNo(7), PayoutNo(serial)).unwrap();
            assert!(seen.insert(no), "{serial}");
        }
        // Places are used one after the other, whatever other cells have between them.
        let place = |serial| one.first_bank_no(PartnerNo(7), PayoutNo(serial)).unwrap();
        assert_eq!(place(2 * lap + 1).0 - place(lap + TURN).0, 1);
        assert_eq!(Epochs::of_cell(starts, Some(2)), None);
    }
}
