//! Stops by two system calls in line: a line to standard output that says where, and a read from standard input that returns when the
//! search has looked. No stack is touched.

use core::arch::asm;
use std::process::ExitCode;

use crate::part::CAPACITY;

#[inline(always)]
pub(crate) fn stop(step: &'static str) {
    let mut answer: u64 = 0;
    // SAFETY: write(1, step), write(1, "\n"), read(0, &answer, 8) as the kernel defines them.
    unsafe {
        for text in [step, "\n"] {
            asm!("syscall", inlateout("rax") 1_usize => _, in("rdi") 1, in("rsi") text.as_ptr(), in("rdx") text.len(),
                out("rcx") _, out("r11") _, options(nostack));
        }
        asm!("syscall", inlateout("rax") 0_usize => _, in("rdi") 0, in("rsi") &raw mut answer, in("rdx") 1,
            out("rcx") _, out("r11") _, options(nostack));
    }
}

pub(crate) fn main() -> ExitCode {
    let seed = std::env::args()
        .nth(1)
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    let flash = vec![0xff; CAPACITY].leak();
    println!("flash {} {}", flash.as_ptr().addr(), flash.len());
    if crate::work(seed, flash) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
