//! Randomness from a seed: splitmix64 (Steele, Lea and Flood, 2014).

#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns another generator, which depends on the state of this one and does not change it. So
    /// draws from it do not move the draws of recorded seeds.
    pub(crate) fn fork(&self) -> Self {
        Self(self.0 ^ 0x0f0f_1e1e_2d2d_3c3c)
    }

    /// Returns one more such generator.
    pub(crate) fn fork_again(&self) -> Self {
        Self(self.0.rotate_left(17) ^ 0x4b4b_5a5a_6969_7878)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number from 0 to `n`, exclusive; 0 if `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.next() % n }
    }

    /// Returns a number from `least` to `most`, inclusive.
    pub(crate) fn range(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least + 1) as u64) as i64
    }

    /// Returns true in `permille` of 1,000 cases. Draws nothing for 0, so that a profile without a
    /// fault does not depend on it.
    pub(crate) fn chance(&mut self, permille: u64) -> bool {
        permille > 0 && self.below(1_000) < permille
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}
