//! Requests to valgrind: instructions that do nothing on a processor. x86-64 only.

use core::arch::asm;

const MEMCHECK: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16;
const RUNNING_ON_VALGRIND: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
const MAKE_UNDEFINED: usize = MEMCHECK + 1;
const MAKE_DEFINED: usize = MEMCHECK + 2;

/// What valgrind answers; 0 without it. Places are given as exposed addresses: otherwise the compiler may take it that they are not
/// looked at, and go on with a copy.
fn request(number: usize, at: usize, len: usize) -> usize {
    let arguments = [number, at, len, 0, 0, 0];
    let answer: usize;
    // SAFETY: the rotations add up to nothing and the exchange is of a register with itself.
    unsafe {
        asm!("rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") arguments.as_ptr(), inlateout("rdx") 0_usize => answer, options(nostack));
    }
    answer
}

pub(crate) fn is_there() -> bool {
    request(RUNNING_ON_VALGRIND, 0, 0) > 0
}

/// Errors so far.
pub(crate) fn reports() -> usize {
    request(COUNT_ERRORS, 0, 0)
}

/// The bytes, undefined from now on.
pub(crate) fn conceal<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
    hide(&mut bytes);
    bytes
}

/// Undefined from now on.
#[inline(never)]
pub(crate) fn hide(bytes: &mut [u8]) {
    request(
        MAKE_UNDEFINED,
        bytes.as_mut_ptr().expose_provenance(),
        bytes.len(),
    );
}

/// Public from now on.
#[inline(never)]
pub(crate) fn reveal(bytes: &mut [u8]) {
    request(MAKE_DEFINED, bytes.as_mut_ptr().expose_provenance(), bytes.len());
}
