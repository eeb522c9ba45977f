//! Argon2id (RFC 9106) in memory that the caller lends.

pub use argon2::Block;
use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroize;

use super::Refused;
use crate::stack::on_wiped_stack;

/// Stack that is wiped behind a hash: 8 KB measured on 32 bits, besides the lent memory.
type HashRoom = [u8; 10 * 1024];

/// Fills `out` with the hash, and wipes the memory that it took.
///
/// # Errors
///
/// [`Refused`] if the parameters are out of the algorithm's bounds, or need more blocks than are lent.
pub(crate) fn argon2id(
    password: &[u8],
    salt: &[u8],
    (passes, lanes): (u32, u32),
    blocks: &mut [Block],
    out: &mut [u8],
) -> Result<(), Refused> {
    let memory = u32::try_from(blocks.len()).map_err(|_| Refused)?;
    let params = Params::new(memory, passes, lanes, Some(out.len())).map_err(|_| Refused)?;
    let hashed = on_wiped_stack::<HashRoom, _>(|| hash_apart(params, password, salt, blocks, out));
    // The hash crate leaves in them what it computed from the password.
    blocks.iter_mut().for_each(Zeroize::zeroize);
    hashed
}

// A function of its own in the binary: `tests/linked` names it, in which the hash crate may have a panic.
#[inline(never)]
fn hash_apart(
    params: Params,
    password: &[u8],
    salt: &[u8],
    blocks: &mut [Block],
    out: &mut [u8],
) -> Result<(), Refused> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password, salt, out, blocks)
        .map_err(|_| Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lent_memory_is_wiped() {
        let mut blocks = [Block::new(); 8];
        let mut out = [0; 32];
        assert_eq!(
            argon2id(b"password", b"somesalt", (1, 1), &mut blocks, &mut out),
            Ok(())
        );
        assert_ne!(out, [0; 32]);
        assert!(
            blocks
                .iter()
                .all(|block| block.as_ref().iter().all(|word| *word == 0))
        );
    }

    #[test]
    fn parameters_that_argon2_does_not_have_are_refused() {
        let mut out = [0; 32];
        assert_eq!(
            argon2id(b"p", b"somesalt", (1, 1), &mut [Block::new(); 7], &mut out),
            Err(Refused)
        );
        assert_eq!(
            argon2id(b"p", b"somesalt", (0, 1), &mut [Block::new(); 8], &mut out),
            Err(Refused)
        );
        assert_eq!(
            argon2id(b"p", b"short", (1, 1), &mut [Block::new(); 8], &mut out),
            Err(Refused)
        );
    }
}
