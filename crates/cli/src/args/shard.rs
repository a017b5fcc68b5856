//! Cells and shards.

use clap::Subcommand;

#[derive(Subcommand)]
pub enum ShardCommand {
    /// Make a cell of every cluster in `cells` that is none yet; run it again when one is added
    ///
    /// Partners stay where they are: the first of them may have some, the others must be empty. With none
    /// anywhere the shards are dealt out evenly. Stop the nodes of a cluster before it becomes a cell.
    Init,
    /// Say which cell has which shards, and what a move that was cut has left
    List,
    /// Move one shard, or a range such as 0-63, to another cell while it is served
    ///
    /// Its rows are copied first and compared; then its partners are told to come again for a moment, the
    /// rest is brought, and it is handed over in one commit. The same command again finishes a move that was
    /// cut. Nothing is doubled or lost wherever that is.
    Move {
        /// A shard from 0 to 1023, or a range
        shards: String,
        /// The cell that gets it
        #[arg(long, value_name = "CELL")]
        to: u8,
        /// Milliseconds that a shard may be frozen at most; where that is not enough it stays
        #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(100..=5_000))]
        freeze_ms: u64,
    },
}
