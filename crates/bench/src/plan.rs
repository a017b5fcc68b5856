//! How much is measured: enough to mean something, or a few minutes for CI.

use std::path::PathBuf;
use std::time::Duration;

/// Connections of every closed load.
pub const CONNECTIONS: usize = 256;
/// Requests a second of a paced load.
pub const PACED: u32 = 2_000;
/// Connections of a paced load: enough that none waits for the one before it.
pub const PACED_CONNECTIONS: usize = 64;

#[derive(Clone, Debug)]
pub struct Scale {
    /// Pairs of each ratio.
    pub rounds: usize,
    /// Of one side of a pair.
    pub time: Duration,
    /// Of the load on the full store.
    pub long: Duration,
    /// Payouts in the full store.
    pub stored: u64,
    pub partners: usize,
    /// Payouts in one group that is executed at once.
    pub group: u64,
    /// Rows of one bulk call.
    pub bulk: usize,
    pub kills: usize,
    /// Payers' keys in the store that is looked up.
    pub payers: u64,
    /// Also how the cost grows, for the plots.
    pub curves: bool,
}

impl Scale {
    pub fn full() -> Scale {
        Scale {
            rounds: 3,
            time: Duration::from_secs(8),
            long: Duration::from_secs(60),
            stored: 5_000_000,
            partners: 1_000,
            group: 100_000,
            bulk: 100_000,
            kills: 5,
            payers: 10_000_000,
            curves: true,
        }
    }

    pub fn quick() -> Scale {
        Scale {
            rounds: 3,
            time: Duration::from_secs(2),
            long: Duration::from_secs(4),
            stored: 600_000,
            partners: 1_000,
            group: 20_000,
            bulk: 50_000,
            kills: 2,
            payers: 200_000,
            curves: false,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Options {
    /// The binary under test, which also serves the yardstick.
    pub program: PathBuf,
    /// Where the stores are made, on the disk that is to be measured.
    pub folder: PathBuf,
    pub scale: Scale,
    /// The server on which the stores are made, instead of the folder.
    pub store: Option<String>,
    /// Only these sections; all where it is empty.
    pub only: Vec<String>,
    /// A section whose ratio misses what CI wants of it is measured once more.
    pub retry: bool,
}
