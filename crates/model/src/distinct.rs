//! How many different things there were: a sketch that counts them without holding one, and that adds up with others.
//!
//! HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with 64-bit hashes, and the estimator of Ertl (2017, arXiv:1702.01284,
//! algorithm 6), which needs neither tables nor another way for small numbers.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::Span;

/// Bits of a hash that choose a register. 12 are 4,096 registers of an octet: a standard error of 1.04/√4096 = 1.6 %. Each bit more
/// doubles the octets and takes a third of the error.
const PRECISION: u32 = 12;

/// Registers of a sketch.
const REGISTERS: usize = 1 << PRECISION;

/// Highest rank: the bits behind those that choose the register may all be zero.
const MOST_RANK: usize = 64 - PRECISION as usize + 1;

/// Octets of one register in the sparse form: its number and its rank.
const SPARSE: usize = 3;

/// A sketch of a set of hashes. Whether a thing is in it cannot be told by who does not know how it was hashed; to whom the hash is
/// known it says something, so hashes of what is confidential need a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch {
    /// Highest rank of each register; empty while nothing was added.
    ranks: Vec<u8>,
}

/// Octets that are no sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no sketch of distinct counts: {0}")]
pub struct SketchError(&'static str);

impl Sketch {
    /// Adds a thing by its hash, of which all 64 bits must be as good as chance.
    pub fn add(&mut self, hash: u64) {
        let register = (hash >> (64 - PRECISION)) as usize;
        // a bit behind the others ends a run of zeros that goes through to the end
        let rank = ((hash << PRECISION) | 1 << (PRECISION - 1)).leading_zeros() as u8 + 1;
        let ranks = self.ranks_mut();
        ranks[register] = ranks[register].max(rank);
    }

    /// Adds what another sketch has seen. What both saw counts once, if both hashed alike.
    pub fn merge(&mut self, other: &Self) {
        if other.ranks.is_empty() {
            return;
        }
        for (ours, theirs) in self.ranks_mut().iter_mut().zip(&other.ranks) {
            *ours = (*ours).max(*theirs);
        }
    }

    fn ranks_mut(&mut self) -> &mut [u8] {
        if self.ranks.is_empty() {
            self.ranks = vec![0; REGISTERS];
        }
        &mut self.ranks
    }

    /// About how many different things were added; the standard error is 1.6 %.
    pub fn estimate(&self) -> u64 {
        if self.ranks.is_empty() {
            return 0;
        }
        let mut of_rank = [0_u32; MOST_RANK + 1];
        for rank in &self.ranks {
            of_rank[usize::from(*rank).min(MOST_RANK)] += 1;
        }
        let all = REGISTERS as f64;
        let mut sum = all * tau(1.0 - f64::from(of_rank[MOST_RANK]) / all);
        for count in of_rank[1..MOST_RANK].iter().rev() {
            sum = 0.5 * (sum + f64::from(*count));
        }
        sum += all * sigma(f64::from(of_rank[0]) / all);
        (all * all / (2.0 * std::f64::consts::LN_2 * sum)).round() as u64
    }

    /// Octets of memory that it holds beside itself.
    pub fn held(&self) -> usize {
        self.ranks.capacity()
    }

    /// As octets: none for an empty sketch; else a list of registers that are not zero (two octets of number, one of rank, in
    /// ascending order), or all registers, whichever is shorter.
    pub fn to_octets(&self) -> Vec<u8> {
        let set = self.ranks.iter().filter(|rank| **rank > 0).count();
        if set * SPARSE >= REGISTERS {
            return self.ranks.clone();
        }
        let mut octets = Vec::with_capacity(set * SPARSE);
        for (register, rank) in self.ranks.iter().enumerate().filter(|(_, rank)| **rank > 0) {
            octets.extend_from_slice(&(register as u16).to_be_bytes());
            octets.push(*rank);
        }
        octets
    }

    /// A sketch from [`Sketch::to_octets`]. Fails for whatever that does not give.
    pub fn from_octets(octets: &[u8]) -> Result<Self, SketchError> {
        let is_rank = |rank: &u8| usize::from(*rank) <= MOST_RANK;
        if octets.len() == REGISTERS {
            return match octets.iter().all(is_rank) {
                true => Ok(Self { ranks: octets.to_vec() }),
                false => Err(SketchError("a rank is too high")),
            };
        }
        if octets.len() > REGISTERS || !octets.len().is_multiple_of(SPARSE) {
            return Err(SketchError("its length is of neither form"));
        }
        let mut sketch = Self::default();
        let mut before = None;
        for register in octets.chunks_exact(SPARSE) {
            let (number, rank) = (u16::from_be_bytes([register[0], register[1]]), register[2]);
            if usize::from(number) >= REGISTERS || before >= Some(number) || rank == 0 || !is_rank(&rank) {
                return Err(SketchError("a register is not possible"));
            }
            before = Some(number);
            sketch.ranks_mut()[usize::from(number)] = rank;
        }
        Ok(sketch)
    }
}

/// Ertl's σ: what registers that stayed zero tell.
fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// Ertl's τ: what registers of the highest rank tell.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

/// How many different clients asked a server in a minute, or a longer span, and for how many different names. Cells of one span and
/// server add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistinctCell {
    /// The minute in which the queries came; of a longer span the first.
    pub minute: Timestamp,
    /// The span that begins with it. What is observed is of minutes.
    pub span: Span,
    /// The server's address; `None` for the servers that found no cell of their own, because there were too many.
    pub server: Option<IpAddr>,
    /// The clients' addresses, hashed with a key that whoever counted keeps to himself: sketches of one key add up.
    pub clients: Sketch,
    /// The names asked for, in lower case, hashed without a key: those of all who count add up.
    pub names: Sketch,
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    fn of(hashes: &[u64]) -> Sketch {
        let mut sketch = Sketch::default();
        hashes.iter().for_each(|hash| sketch.add(*hash));
        sketch
    }

    fn by_chance(seed: u64, count: usize) -> Vec<u64> {
        let mut chance = StdRng::seed_from_u64(seed);
        (0..count).map(|_| chance.random()).collect()
    }

    /// The standard error is 1.04/√m; of 40 counts each may be off by four of it.
    #[test]
    fn counts_of_any_size_are_off_by_no_more_than_the_sketch_promises() {
        let error = 1.04 / (REGISTERS as f64).sqrt();
        for count in [0, 1, 2, 10, 100, 1_000, 10_000, 100_000, 1_000_000] {
            let runs = if count > 10_000 { 5 } else { 40 };
            let mut squares = 0.0;
            for seed in 0..runs {
                let estimate = of(&by_chance(seed, count)).estimate() as f64;
                let off = (estimate - count as f64) / (count as f64).max(1.0);
                assert!(off.abs() <= 4.0 * error, "{count} counted as {estimate}");
                squares += off * off;
            }
            let deviation = (squares / runs as f64).sqrt();
            assert!(deviation <= 1.5 * error, "{count}: off by {deviation} on the average");
        }
    }

    #[test]
    fn sketches_add_up_and_what_two_saw_counts_once() {
        let all = by_chance(1, 30_000);
        let mut sum = of(&all[..20_000]);
        sum.merge(&of(&all[10_000..]));
        sum.merge(&Sketch::default());
        assert_eq!(sum, of(&all));
        let mut empty = Sketch::default();
        empty.merge(&sum);
        assert_eq!(empty, sum);
    }

    #[test]
    fn a_sketch_stays_itself_as_octets_and_is_small_while_it_holds_little() {
        for (count, most) in [(0, 0), (1, 3), (100, 300), (100_000, REGISTERS)] {
            let sketch = of(&by_chance(7, count));
            let octets = sketch.to_octets();
            assert!(octets.len() <= most, "{count}: {}", octets.len());
            assert_eq!(Sketch::from_octets(&octets), Ok(sketch));
        }
        let zero = of(&[0]);
        assert_eq!(zero.to_octets(), [0, 0, MOST_RANK as u8]);
    }

    #[test]
    fn octets_that_are_no_sketch_are_refused() {
        let wrong: [&[u8]; 8] = [
            &[0],
            &[0, 0, 0],
            &[0, 0, MOST_RANK as u8 + 1],
            &[0x10, 0, 1],
            &[0, 1, 1, 0, 1, 1],
            &[0, 2, 1, 0, 1, 1],
            &[255; REGISTERS],
            &[0; REGISTERS + 2],
        ];
        for octets in wrong {
            assert!(Sketch::from_octets(octets).is_err(), "{octets:?}");
        }
    }
}
