//! The secrets of the work, by formula: neither the image of the program nor that of the search holds a copy of one.

use core::hint::black_box;

/// What a sentinel stands for.
pub const ROOT_KEY: u32 = 1;
pub const NEXT_ROOT_KEY: u32 = 2;
pub const VALUE: u32 = 3;
pub const TYPED_VALUE: u32 = 4;
/// The seed of the device identity.
pub const IDENTITY: u32 = 5;

pub const LABEL: &str = "wiping";
/// Bytes of each stored value.
pub const VALUE_LEN: usize = 40;

/// Fills `bytes` with the sentinel `which` of the run `seed`.
#[inline(never)]
pub fn fill(seed: u32, which: u32, bytes: &mut [u8]) {
    let mut state = black_box(seed).wrapping_mul(0x9e37_79b9) ^ which.wrapping_mul(0x85eb_ca6b);
    for byte in bytes {
        // xorshift, its middle bits: no byte shows the state
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *byte = (state >> 11) as u8;
    }
}
