//! Chance, and the faults that it brings. A party of the simulator asks [`Dice::hits`] where a fault of
//! its table can strike.
//!
//! Each seed switches some of them off and turns others up, so that the seeds are not all alike
//! and rare combinations get their turn.

use crate::random::Random;

/// A table of faults.
pub trait Faults: Copy + 'static {
    const ALL: &'static [Self];

    /// In a thousand opportunities, in a seed that does not change it.
    fn chance(self) -> u64;

    /// Its place in [`Faults::ALL`].
    fn place(self) -> usize;
}

/// A table: a name, its chance in a thousand, and what it is in words.
macro_rules! faults {
    ($($name:ident $chance:literal $text:literal;)*) => {
        /// Something that goes wrong.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Fault { $($name,)* }

        impl Fault {
            pub const ALL: &[Fault] = &[$(Fault::$name,)*];

            pub fn text(self) -> &'static str {
                match self { $(Fault::$name => $text,)* }
            }
        }

        impl $crate::dice::Faults for Fault {
            const ALL: &'static [Fault] = Fault::ALL;

            fn chance(self) -> u64 {
                match self { $(Fault::$name => $chance,)* }
            }

            fn place(self) -> usize {
                self as usize
            }
        }
    };
}

pub(crate) use faults;

/// What a seed multiplies a fault's chance by.
const WEIGHTS: [u64; 5] = [0, 1, 1, 2, 4];

#[derive(Debug)]
pub struct Dice<F> {
    pub random: Random,
    chances: Vec<u64>,
    hits: Vec<u64>,
    calm: bool,
    table: std::marker::PhantomData<F>,
}

impl<F: Faults> Dice<F> {
    pub fn new(seed: u64) -> Dice<F> {
        let mut random = Random::new(seed);
        let weighed = |fault: &F| fault.chance() * WEIGHTS[random.place(WEIGHTS.len())];
        let chances = F::ALL.iter().map(weighed).collect();
        let hits = vec![0; F::ALL.len()];
        Dice { random, chances, hits, calm: false, table: std::marker::PhantomData }
    }

    /// Whether the fault strikes here and now; it is counted where it does.
    pub fn hits(&mut self, fault: F) -> bool {
        let place = fault.place();
        let strikes = self.random.below(1_000) < self.chances[place] && !self.calm;
        self.hits[place] += u64::from(strikes);
        strikes
    }

    /// From here on nothing goes wrong any more.
    pub fn calm(&mut self) {
        self.calm = true;
    }

    /// How often each fault struck, in the table's order.
    pub fn counts(&self) -> Vec<u64> {
        self.hits.clone()
    }
}
