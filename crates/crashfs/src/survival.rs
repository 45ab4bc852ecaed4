//! Chooses which of the unsynced changes reach the disk at a power loss.

/// A choice. Changes are ranked in the order of the trace, over all files and folders together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Survival {
    /// Only what was synced.
    Nothing,
    /// All that was done, as after a kill.
    Everything,
    /// So many of the first changes: a disk that keeps the order.
    First(usize),
    /// All but the one of this rank.
    AllBut(usize),
    /// Only the one of this rank.
    Only(usize),
    /// Every file's bytes and lengths, but no name.
    Bytes,
    /// Every name, but of unsynced bytes none: files of no length or of zeros.
    Names,
    /// Chance decides for every sector, length and name.
    Chance {
        /// Where the chances begin.
        seed: u64,
        /// How many of a thousand survive.
        per_mille: u16,
        /// What is written whole or not at all: 512 or 4096 bytes.
        sector_bytes: u16,
        /// Whether space that a file was given, but whose bytes were lost, holds old junk and not zeros.
        junk: bool,
    },
}

/// What a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A file's bytes, one sector of them.
    Sector,
    /// A file's length.
    Length,
    /// A name in a folder.
    Name,
}

/// A choice being carried out.
pub(crate) struct Choice {
    survival: Survival,
    chances: Chances,
}

impl Survival {
    pub(crate) fn choice(self) -> Choice {
        let seed = if let Survival::Chance { seed, .. } = self { seed } else { 0 };
        Choice { survival: self, chances: Chances::new(seed) }
    }
}

impl Choice {
    /// Whether this part of the change of this rank survives.
    pub(crate) fn keeps(&mut self, rank: usize, part: Part) -> bool {
        match self.survival {
            Survival::Nothing => false,
            Survival::Everything => true,
            Survival::First(count) => rank < count,
            Survival::AllBut(lost) => rank != lost,
            Survival::Only(kept) => rank == kept,
            Survival::Bytes => part != Part::Name,
            Survival::Names => part == Part::Name || part == Part::Length,
            Survival::Chance { per_mille, .. } => self.chances.below(1000) < u64::from(per_mille),
        }
    }

    pub(crate) fn sector_bytes(&self) -> usize {
        match self.survival {
            Survival::Chance { sector_bytes, .. } => usize::from(sector_bytes),
            _ => 512,
        }
    }

    /// What lies where a file has length but no bytes were written.
    pub(crate) fn filling(&self) -> u8 {
        if matches!(self.survival, Survival::Chance { junk: true, .. }) { 0xA5 } else { 0 }
    }
}

/// Numbers that look random and are the same for the same seed (splitmix64).
#[derive(Debug, Clone)]
pub struct Chances(u64);

impl Chances {
    /// Begins anew.
    pub fn new(seed: u64) -> Chances {
        Chances(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// The next number below a limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.draw() % limit.max(1)
    }

    /// So many bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend_from_slice(&self.draw().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }
}
