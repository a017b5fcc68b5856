//! What of one file a power cut may take: everything that was written since its last sync.
//!
//! A sector of 512 bytes is written as a whole or not at all. Of each sector that has writes which
//! are not synced, every content is kept that it had since the last sync, with the moment at which
//! it got it; the same for the file's size.

use crate::dice::Dice;
use std::collections::BTreeMap;

pub const SECTOR: u64 = 512;

/// Content or size, each with its moment; the first is what the disk has for sure.
type Versions<T> = Vec<(u64, T)>;

#[derive(Debug)]
pub struct Pending {
    sectors: BTreeMap<u64, Versions<Vec<u8>>>,
    sizes: Versions<u64>,
}

/// How a cut treats what is not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Nothing of it reached the disk.
    Lost,
    /// All of it did.
    Kept,
    /// What was written up to this moment did: the cut of a disk that keeps the order.
    Until(u64),
    /// Each sector by itself, whatever came before or after it.
    Torn,
}

impl Fate {
    /// `now`: the moment of the cut, `since`: an earlier one.
    pub fn roll(dice: &mut Dice, since: u64, now: u64) -> Fate {
        match dice.below(10) {
            0 => Fate::Lost,
            1 => Fate::Kept,
            2..=4 => Fate::Until(since + dice.below(now.saturating_sub(since) + 1)),
            _ => Fate::Torn,
        }
    }

    fn choose<'a, T>(self, versions: &'a [(u64, T)], dice: &mut Dice) -> Option<&'a T> {
        let at = match self {
            Fate::Lost => 0,
            Fate::Kept => versions.len().saturating_sub(1),
            Fate::Until(moment) => {
                versions.iter().rposition(|(at, _)| *at <= moment).unwrap_or_default()
            }
            Fate::Torn => dice.index(versions.len()),
        };
        versions.get(at).map(|(_, version)| version)
    }
}

/// The whole sectors that these bytes lie in: offset of the first, bytes of all.
pub fn span(at: u64, length: u64) -> (u64, u64) {
    let from = at / SECTOR * SECTOR;
    (from, (at + length).next_multiple_of(SECTOR) - from)
}

impl Pending {
    /// A file of this size, all of it on the disk.
    pub fn synced_at(size: u64) -> Pending {
        Pending { sectors: BTreeMap::new(), sizes: vec![(0, size)] }
    }

    pub fn size(&self) -> u64 {
        self.sizes.last().map_or(0, |(_, size)| *size)
    }

    /// The first moment that is not synced.
    pub fn since(&self) -> Option<u64> {
        let sectors = self.sectors.values().filter_map(|versions| versions.get(1));
        let sectors = sectors.map(|(at, _)| *at);
        sectors.chain(self.sizes.get(1).map(|(at, _)| *at)).min()
    }

    /// `old`: what the sectors of [`span`] held before, zeros past the end.
    pub fn write(&mut self, moment: u64, at: u64, bytes: &[u8], old: &[u8]) {
        let (from, _) = span(at, bytes.len() as u64);
        for (n, old) in old.chunks(SECTOR as usize).enumerate() {
            let start = from + n as u64 * SECTOR;
            let mut new = old.to_vec();
            for (byte, place) in new.iter_mut().zip(start..) {
                let index = place.checked_sub(at).and_then(|index| usize::try_from(index).ok());
                if let Some(written) = index.and_then(|index| bytes.get(index)) {
                    *byte = *written;
                }
            }
            let versions =
                self.sectors.entry(start / SECTOR).or_insert_with(|| vec![(0, old.to_vec())]);
            versions.push((moment, new));
        }
        let end = at + bytes.len() as u64;
        if end > self.size() {
            self.sizes.push((moment, end));
        }
    }

    /// `old`: what the sectors from the new end to the old one held.
    pub fn truncate(&mut self, moment: u64, to: u64, old: &[u8]) {
        let gone = vec![0; old.len().saturating_sub((to % SECTOR) as usize)];
        self.write(moment, to, &gone, old);
        if self.size() != to {
            self.sizes.push((moment, to));
        }
    }

    pub fn synced(&mut self) {
        self.sectors.clear();
        self.sizes = vec![(0, self.size())];
    }

    /// What the disk may hold after a cut, where `now` is what the file holds.
    pub fn after_cut(&self, now: &[u8], fate: Fate, dice: &mut Dice) -> Vec<u8> {
        let mut size = fate.choose(&self.sizes, dice).copied().unwrap_or(0);
        if fate == Fate::Torn && self.sizes.len() > 1 {
            let all = self.sizes.iter().map(|(_, size)| *size);
            let least = all.clone().min().unwrap_or(0);
            let most = all.max().unwrap_or(0);
            size = least + dice.below(most - least + 1);
        }
        let mut image = now.to_vec();
        image.resize(usize::try_from(size).unwrap_or(usize::MAX), 0);
        for (number, versions) in &self.sectors {
            let Some(content) = fate.choose(versions, dice) else { continue };
            let start = usize::try_from(number * SECTOR).unwrap_or(usize::MAX);
            for (place, byte) in image.iter_mut().skip(start).zip(content) {
                *place = *byte;
            }
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> (Pending, Vec<u8>) {
        let mut file = vec![1; 1024];
        let mut pending = Pending::synced_at(1024);
        for (moment, at, byte) in [(1, 100_usize, 2_u8), (2, 100, 3), (3, 1000, 4)] {
            let bytes = vec![byte; 100];
            let (from, length) = span(at as u64, 100);
            let end = (from + length) as usize;
            let mut old = file.clone();
            old.resize(end.max(file.len()), 0);
            pending.write(moment, at as u64, &bytes, &old[from as usize..end]);
            file.resize(file.len().max(at + 100), 0);
            file[at..at + 100].copy_from_slice(&bytes);
        }
        (pending, file)
    }

    #[test]
    fn lost_is_what_was_synced_and_kept_is_what_is_there() {
        let (pending, now) = written();
        let mut dice = Dice::new(1);
        assert_eq!(pending.after_cut(&now, Fate::Lost, &mut dice), vec![1; 1024]);
        assert_eq!(pending.after_cut(&now, Fate::Kept, &mut dice), now);
        let first = pending.after_cut(&now, Fate::Until(1), &mut dice);
        assert_eq!((first[100], first.len()), (2, 1024));
        assert_eq!(pending.since(), Some(1));
    }

    #[test]
    fn a_torn_write_keeps_each_sector_whole_and_touches_no_other() {
        let (pending, now) = written();
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let image = pending.after_cut(&now, Fate::Torn, &mut Dice::new(seed));
            assert!((1024..=1100).contains(&image.len()));
            assert!(image[100..200].iter().all(|byte| *byte == image[100]));
            assert!(image[..100].iter().all(|byte| *byte == 1));
            assert!(image[200..1000].iter().all(|byte| *byte == 1));
            assert!([0, 4].contains(image.get(1030).unwrap_or(&0)));
            seen.insert((image[100], image[1000]));
        }
        assert_eq!(seen.len(), 6, "every content of each sector: {seen:?}");
    }

    #[test]
    fn what_was_synced_is_never_lost() {
        let (mut pending, now) = written();
        pending.synced();
        assert_eq!(pending.since(), None);
        for seed in 0..50 {
            let mut dice = Dice::new(seed);
            let fate = Fate::roll(&mut dice, 0, 9);
            assert_eq!(pending.after_cut(&now, fate, &mut dice), now);
        }
    }

    #[test]
    fn a_truncated_file_may_have_its_end_back() {
        let mut pending = Pending::synced_at(2048);
        pending.truncate(5, 700, &[7; 1536]);
        let now = vec![7; 700];
        let mut dice = Dice::new(3);
        assert_eq!(pending.after_cut(&now, Fate::Lost, &mut dice), vec![7; 2048]);
        assert_eq!(pending.after_cut(&now, Fate::Kept, &mut dice), now);
    }
}
