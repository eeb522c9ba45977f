//! Bare metal: no start-up code is needed, because the emulator loads every section where it belongs and clears the rest. A stop
//! writes all memory to a file by semihosting, whose call takes its arguments from static memory and touches no stack.

use core::arch::{asm, global_asm};

use crate::part::CAPACITY;

global_asm!(
    ".section .vectors, \"a\"",
    ".word stack_top",
    ".word begin",
    ".text",
    ".global begin",
    ".thumb_func",
    "begin:",
    // the floating point unit, which compiled code may use
    "ldr r0, =0xe000ed88",
    "ldr r1, [r0]",
    "orr r1, r1, #0xf00000",
    "str r1, [r0]",
    "dsb",
    "isb",
    "bl main",
    "b .",
);

const OPEN: usize = 1;
const WRITE: usize = 5;
const EXIT: usize = 0x18;
const WRITE_BINARY: usize = 5;

unsafe extern "C" {
    static ram_start: u8;
    static ram_end: u8;
}

static mut FLASH: [u8; CAPACITY] = [0xff; CAPACITY];
/// In the board's second memory, of which the program has nothing: the emulator puts the seed there before the start.
const SEED: *const u32 = 0x2100_0000 as *const u32;
static mut FILE: usize = 0;
/// What stands before the memory in each dump: the step's name, the stack pointer, where memory begins, where the flash is.
static mut HEAD: [usize; 8] = [0; 8];
static mut ARGUMENTS: [usize; 3] = [0; 3];

/// # Safety
///
/// The arguments are what the semihosting specification says for this operation.
#[inline(always)]
unsafe fn call(operation: usize, arguments: *const usize) -> usize {
    let mut result = operation;
    unsafe { asm!("bkpt 0xab", inlateout("r0") result, in("r1") arguments, options(nostack)) };
    result
}

#[inline(always)]
unsafe fn write(from: usize, len: usize) {
    unsafe {
        (&raw mut ARGUMENTS).write_volatile([(&raw const FILE).read_volatile(), from, len]);
        call(WRITE, (&raw const ARGUMENTS).cast());
    }
}

#[inline(always)]
pub(crate) fn stop(step: &'static str) {
    // SAFETY: one thread, no interrupts.
    unsafe {
        let pointer: usize;
        asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags));
        let start = (&raw const ram_start).addr();
        let len = (&raw const ram_end).addr() - start;
        (&raw mut HEAD).write_volatile([
            step.len(),
            pointer,
            start,
            len,
            (&raw const FLASH).addr(),
            CAPACITY,
            0,
            0,
        ]);
        write((&raw const HEAD).addr(), size_of::<[usize; 8]>());
        write(step.as_ptr().addr(), step.len());
        write(start, len);
    }
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    // SAFETY: one thread, no interrupts; the flash is handed out once.
    unsafe {
        let name = c"wiping.dump";
        (&raw mut ARGUMENTS).write_volatile([name.as_ptr().addr(), WRITE_BINARY, name.count_bytes()]);
        (&raw mut FILE).write_volatile(call(OPEN, (&raw const ARGUMENTS).cast()));
        let seed = SEED.read_volatile();
        let done = crate::work(seed, &mut *(&raw mut FLASH));
        // ADP_Stopped_ApplicationExit, or a failure
        call(EXIT, if done { 0x20026 } else { 0x20023 } as *const usize);
    }
    loop {}
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// The drop of each type with secrets, for `cargo xtask wiping` to look at its instructions.
mod drops {
    use core::ptr::drop_in_place;

    use bydesign::secret::{RootKey, Secret};
    use bydesign::store::Ram;

    struct Kept(#[allow(dead_code)] [*const (); 4]);

    // SAFETY: nobody reads it; it keeps the functions from being left out.
    unsafe impl Sync for Kept {}

    macro_rules! drops {
        ($($name:ident: $kind:ty;)*) => {
            $(#[unsafe(no_mangle)]
            unsafe extern "C" fn $name(at: *mut $kind) {
                unsafe { drop_in_place(at) }
            })*
            #[used]
            #[unsafe(link_section = ".drops")]
            static KEPT: Kept = Kept([$($name as *const ()),*]);
        };
    }

    drops! {
        drop_32_secret: Secret<32>;
        drop_16_secret: Secret<16>;
        drop_32_root_key: RootKey;
        drop_192_ram: Ram<1, 128, 3>; // buffer, and the two keys of a class, of which a loop shows one
    }
}
